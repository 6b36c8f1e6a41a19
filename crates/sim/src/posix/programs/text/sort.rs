//! `sort`: by bytes (as in the C locale), numbers, or human sizes; whole lines or keys of whole fields.

use std::cmp::Ordering;

use crate::program::{BoxFuture, Call, Program, Reply};

use super::{Arguments, Named, Options, answer, concatenated, failure, filter, output};

/// The program.
#[derive(Debug)]
pub struct Sort;

static OPTIONS: Options = Options::new("rnuhfbVsk:t:o:", &[("reverse", 'r'), ("unique", 'u')]);

impl Program for Sort {
    fn name(&self) -> &'static str {
        "sort"
    }

    fn options(&self) -> Option<&'static Options> {
        Some(&OPTIONS)
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        let parsed = match OPTIONS.read(&call.args) {
            Ok(parsed) => parsed,
            Err(reply) => return answer(call, reply),
        };
        filter(call, parsed.operands.clone(), move |inputs| work(inputs, &parsed))
    }
}

fn work(inputs: &[Named], parsed: &Arguments) -> Reply {
    if parsed.has('o') {
        return failure("sort", "-o is not simulated", 2);
    }
    let keys: Option<Vec<Key>> = parsed.values('k').map(Key::read).collect();
    let Some(keys) = keys else { return failure("sort", "a key with characters is not simulated", 2) };
    let global = |letter: char| parsed.has(letter);
    let separator = parsed.value('t').and_then(|t| t.chars().next());
    let by_keys = |left: &str, right: &str| {
        if keys.is_empty() {
            return compare(left, right, global);
        }
        let by = |key: &Key| {
            let own = |letter: char| key.options.contains(letter);
            let (left, right) = (key.of(left, separator), key.of(right, separator));
            if key.options.is_empty() { compare(left, right, global) } else { compare(left, right, own) }
        };
        keys.iter().map(by).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    };
    let text = String::from_utf8_lossy(&concatenated(inputs)).into_owned();
    let mut sorted: Vec<&str> = text.lines().collect();
    sorted.sort_by(|left, right| {
        let last = || if global('r') { right.cmp(left) } else { left.cmp(right) };
        by_keys(left, right).then_with(|| if global('s') { Ordering::Equal } else { last() })
    });
    if global('u') {
        sorted.dedup_by(|a, b| by_keys(a, b).is_eq());
    }
    output(sorted.iter().flat_map(|line| [line, "\n"]).collect::<String>())
}

/// By the options of a key, or those of the whole.
fn compare(left: &str, right: &str, has: impl Fn(char) -> bool) -> Ordering {
    let (left, right) = if has('b') { (left.trim_start(), right.trim_start()) } else { (left, right) };
    let order = if has('n') || has('h') || has('V') {
        let number = |text: &str| if has('h') { human(text) } else { leading_number(text) };
        number(left).total_cmp(&number(right))
    } else if has('f') {
        left.to_uppercase().cmp(&right.to_uppercase())
    } else {
        left.cmp(right)
    };
    if has('r') { order.reverse() } else { order }
}

/// `-k FROM[,TO]`, with options of its own.
struct Key {
    from: usize,
    to: Option<usize>,
    options: String,
}

impl Key {
    fn read(text: &str) -> Option<Self> {
        let number = |text: &str| text.trim_end_matches(|c: char| c.is_ascii_alphabetic()).parse().ok();
        let (from, to) = text.split_once(',').map_or((text, None), |(from, to)| (from, Some(to)));
        let to = match to {
            Some(to) => Some(number(to)?),
            None => None,
        };
        Some(Self {
            from: number(from).filter(|from| *from > 0)?,
            to,
            options: text.chars().filter(char::is_ascii_alphabetic).collect(),
        })
    }

    /// What it is of a line. Without a separator the blanks before a field belong to it.
    fn of<'a>(&self, line: &'a str, separator: Option<char>) -> &'a str {
        let mut ends = Vec::new();
        let mut inside = false;
        for (at, c) in line.char_indices() {
            match separator {
                Some(separator) if c == separator => ends.push(at),
                Some(_) => {}
                None if inside && c.is_ascii_whitespace() => {
                    ends.push(at);
                    inside = false;
                }
                None => inside = inside || !c.is_ascii_whitespace(),
            }
        }
        ends.push(line.len());
        let width = separator.map_or(0, char::len_utf8);
        let start = match self.from.checked_sub(2) {
            Some(before) => ends.get(before).map_or(line.len(), |end| (end + width).min(line.len())),
            None => 0,
        };
        let end = self.to.and_then(|to| ends.get(to.checked_sub(1)?).copied()).unwrap_or(line.len());
        line.get(start..end).unwrap_or_default()
    }
}

fn leading_number(text: &str) -> f64 {
    let text = text.trim_start();
    let end = text
        .char_indices()
        .find(|&(at, c)| !(c.is_ascii_digit() || c == '.' || at == 0 && c == '-'))
        .map_or(text.len(), |(at, _)| at);
    text.get(..end).and_then(|digits| digits.parse().ok()).unwrap_or(0.0)
}

/// `1.5G` of `du -h` and `df -h`.
fn human(text: &str) -> f64 {
    let unit = text.trim().trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').chars().next();
    let power = unit.and_then(|unit| "KMGTPE".find(unit.to_ascii_uppercase())).map_or(0, |at| at + 1);
    leading_number(text) * 1024_f64.powi(i32::try_from(power).unwrap_or(0))
}
