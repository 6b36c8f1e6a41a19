//! One term of a filter, read from its text.

/// A term.
#[derive(Debug, PartialEq)]
pub(super) struct Term {
    /// It must not be found.
    pub(super) not: bool,
    pub(super) what: TermSubject,
}

/// What a term looks for; all text in lower case.
#[derive(Debug, PartialEq)]
pub(in crate::app) enum TermSubject {
    /// Text, anywhere.
    Text(String),
    /// A field with one of these values.
    Is(Field, Vec<String>),
    /// A figure beyond a limit.
    Figure(TermFigure, Compare, f64),
}

/// A field that a term may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::app) enum Field {
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
pub(in crate::app) enum TermFigure {
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
pub(in crate::app) enum Compare {
    Over,
    AtLeast,
    Under,
    AtMost,
}

/// What a filter of the rows of a screen may name.
pub struct Words {
    /// The screen whose rows they are: each screen has a filter of its own.
    pub(in crate::app) screen: &'static str,
    /// What one may write, for who types the first word.
    pub example: Option<&'static str>,
    /// The fields, by the words they are written with; the first of each is the one messages show.
    pub(in crate::app) fields: &'static [(&'static str, Field)],
    /// The figures.
    pub(in crate::app) figures: &'static [(&'static str, TermFigure)],
}

/// Reads a term in lower case; nothing while it is only begun (`role:`, `load>`). An error says what would work.
pub(super) fn read(word: &str, words: &Words) -> Result<Option<Term>, String> {
    let (not, rest) = match word.strip_prefix('!') {
        Some(rest) => (true, rest),
        None => (false, word),
    };
    if rest.is_empty() {
        return Ok(None);
    }
    let what = match figure(rest, words)? {
        TermRead::Term(what) => what,
        TermRead::Begun => return Ok(None),
        TermRead::Other => match field(rest, words)? {
            TermRead::Term(what) => what,
            TermRead::Begun => return Ok(None),
            TermRead::Other => TermSubject::Text(rest.to_owned()),
        },
    };
    Ok(Some(Term { not, what }))
}

enum TermRead {
    Term(TermSubject),
    /// Its value is still to come.
    Begun,
    /// It is none of this sort.
    Other,
}

fn figure(text: &str, words: &Words) -> Result<TermRead, String> {
    let Some(at) = text.find(['<', '>']).filter(|at| *at > 0) else { return Ok(TermRead::Other) };
    let (word, rest) = text.split_at(at);
    if !is_word(word) {
        return Ok(TermRead::Other);
    }
    let (compare, limit) = match (rest.strip_prefix(">="), rest.strip_prefix("<="), rest.strip_prefix('>')) {
        (Some(limit), ..) => (Compare::AtLeast, limit),
        (_, Some(limit), _) => (Compare::AtMost, limit),
        (.., Some(limit)) => (Compare::Over, limit),
        (None, None, None) => (Compare::Under, rest.strip_prefix('<').unwrap_or(rest)),
    };
    let Some((_, figure)) = words.figures.iter().find(|(name, _)| *name == word) else {
        return Err(unknown(word, words));
    };
    if limit.is_empty() {
        return Ok(TermRead::Begun);
    }
    match limit.trim_end_matches(['%', 's', 'd']).parse::<f64>() {
        Ok(limit) if limit.is_finite() => Ok(TermRead::Term(TermSubject::Figure(*figure, compare, limit))),
        _ => Err(format!("{word} is compared with a number, as in {word}>1")),
    }
}

fn field(text: &str, words: &Words) -> Result<TermRead, String> {
    // `10.0.0.3:22` and `fe80::1` are addresses, not fields.
    let Some((word, values)) = text.split_once(':').filter(|(word, v)| is_word(word) && !v.starts_with(':'))
    else {
        return Ok(TermRead::Other);
    };
    let Some((_, field)) = words.fields.iter().find(|(name, _)| *name == word) else {
        return Err(unknown(word, words));
    };
    let values: Vec<String> = values.split(',').filter(|v| !v.is_empty()).map(str::to_owned).collect();
    if values.is_empty() {
        return Ok(TermRead::Begun);
    }
    Ok(TermRead::Term(TermSubject::Is(*field, values)))
}

fn is_word(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_alphabetic() || c == '/' || c == '_')
}

fn unknown(word: &str, words: &Words) -> String {
    let mut known: Vec<String> = Vec::new();
    let mut seen = Vec::new();
    for (name, field) in words.fields {
        if !seen.contains(field) {
            seen.push(*field);
            known.push(format!("{name}:"));
        }
    }
    let mut seen = Vec::new();
    for (name, figure) in words.figures {
        if !seen.contains(figure) {
            seen.push(*figure);
            known.push(format!("{name}>"));
        }
    }
    format!("no field {word:?}; fields: {}", known.join(" "))
}
