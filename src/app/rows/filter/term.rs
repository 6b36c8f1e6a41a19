//! One term of a filter, read from its text.

use crate::app::model::Filtered;

/// A term.
#[derive(Debug, PartialEq)]
pub(super) struct Term {
    /// It must not be found.
    pub(super) not: bool,
    pub(super) what: What,
}

/// What a term looks for; all text in lower case.
#[derive(Debug, PartialEq)]
pub(super) enum What {
    /// Text, anywhere.
    Text(String),
    /// A field with one of these values.
    Is(Field, Vec<String>),
    /// A figure beyond a limit.
    Figure(Figure, Compare, f64),
}

/// A field that a term may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Host,
    Role,
    State,
    Env,
    Os,
    Address,
    Problem,
    Kind,
    Name,
    Risk,
}

/// A figure that a term may compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Figure {
    Load,
    PerCpu,
    Memory,
    Disk,
    Lag,
    Age,
    Up,
}

/// How it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compare {
    Over,
    AtLeast,
    Under,
    AtMost,
}

/// The fields of a screen, by the words they are written with; the first of each is the one messages show.
fn fields(rows: Filtered) -> &'static [(&'static str, Field)] {
    match rows {
        Filtered::Fleet => &[
            ("host", Field::Host),
            ("name", Field::Host),
            ("role", Field::Role),
            ("roles", Field::Role),
            ("state", Field::State),
            ("severity", Field::State),
            ("env", Field::Env),
            ("level", Field::Env),
            ("os", Field::Os),
            ("addr", Field::Address),
            ("address", Field::Address),
            ("problem", Field::Problem),
        ],
        Filtered::Roles => &[("role", Field::Role), ("host", Field::Host), ("state", Field::State)],
        Filtered::Problems => &[
            ("host", Field::Host),
            ("severity", Field::State),
            ("state", Field::State),
            ("kind", Field::Kind),
        ],
        Filtered::PastRuns => &[("name", Field::Name), ("state", Field::State), ("env", Field::Env)],
        Filtered::Runbooks => &[("name", Field::Name), ("state", Field::State), ("risk", Field::Risk)],
    }
}

/// The figures of a screen.
fn figures(rows: Filtered) -> &'static [(&'static str, Figure)] {
    match rows {
        Filtered::Fleet => &[
            ("load", Figure::Load),
            ("cpu", Figure::PerCpu),
            ("load/cpu", Figure::PerCpu),
            ("mem", Figure::Memory),
            ("memory", Figure::Memory),
            ("disk", Figure::Disk),
            ("lag", Figure::Lag),
            ("age", Figure::Age),
            ("up", Figure::Up),
        ],
        Filtered::Roles | Filtered::Problems | Filtered::Runbooks | Filtered::PastRuns => &[],
    }
}

/// Reads a term in lower case; nothing while it is only begun (`role:`, `load>`). An error says what would work.
pub(super) fn read(word: &str, rows: Filtered) -> Result<Option<Term>, String> {
    let (not, rest) = match word.strip_prefix('!') {
        Some(rest) => (true, rest),
        None => (false, word),
    };
    if rest.is_empty() {
        return Ok(None);
    }
    let what = match figure(rest, rows)? {
        Read::Term(what) => what,
        Read::Begun => return Ok(None),
        Read::Other => match field(rest, rows)? {
            Read::Term(what) => what,
            Read::Begun => return Ok(None),
            Read::Other => What::Text(rest.to_owned()),
        },
    };
    Ok(Some(Term { not, what }))
}

enum Read {
    Term(What),
    /// Its value is still to come.
    Begun,
    /// It is none of this sort.
    Other,
}

fn figure(text: &str, rows: Filtered) -> Result<Read, String> {
    let Some(at) = text.find(['<', '>']).filter(|at| *at > 0) else { return Ok(Read::Other) };
    let (word, rest) = text.split_at(at);
    if !is_word(word) {
        return Ok(Read::Other);
    }
    let (compare, limit) = match (rest.strip_prefix(">="), rest.strip_prefix("<="), rest.strip_prefix('>')) {
        (Some(limit), ..) => (Compare::AtLeast, limit),
        (_, Some(limit), _) => (Compare::AtMost, limit),
        (.., Some(limit)) => (Compare::Over, limit),
        (None, None, None) => (Compare::Under, rest.strip_prefix('<').unwrap_or(rest)),
    };
    let Some((_, figure)) = figures(rows).iter().find(|(name, _)| *name == word) else {
        return Err(unknown(word, rows));
    };
    if limit.is_empty() {
        return Ok(Read::Begun);
    }
    match limit.trim_end_matches(['%', 's', 'd']).parse::<f64>() {
        Ok(limit) if limit.is_finite() => Ok(Read::Term(What::Figure(*figure, compare, limit))),
        _ => Err(format!("{word} is compared with a number, as in {word}>1")),
    }
}

fn field(text: &str, rows: Filtered) -> Result<Read, String> {
    // `10.0.0.3:22` and `fe80::1` are addresses, not fields.
    let Some((word, values)) = text.split_once(':').filter(|(word, v)| is_word(word) && !v.starts_with(':'))
    else {
        return Ok(Read::Other);
    };
    let Some((_, field)) = fields(rows).iter().find(|(name, _)| *name == word) else {
        return Err(unknown(word, rows));
    };
    let values: Vec<String> = values.split(',').filter(|v| !v.is_empty()).map(str::to_owned).collect();
    if values.is_empty() {
        return Ok(Read::Begun);
    }
    Ok(Read::Term(What::Is(*field, values)))
}

fn is_word(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_alphabetic() || c == '/' || c == '_')
}

fn unknown(word: &str, rows: Filtered) -> String {
    let mut known: Vec<String> = Vec::new();
    let mut seen = Vec::new();
    for (name, field) in fields(rows) {
        if !seen.contains(field) {
            seen.push(*field);
            known.push(format!("{name}:"));
        }
    }
    let mut seen = Vec::new();
    for (name, figure) in figures(rows) {
        if !seen.contains(figure) {
            seen.push(*figure);
            known.push(format!("{name}>"));
        }
    }
    format!("no field {word:?}; fields: {}", known.join(" "))
}
