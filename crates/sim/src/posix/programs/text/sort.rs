//! `sort`: by bytes (as in the C locale), numbers, or human sizes; one key.

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
    let text = String::from_utf8_lossy(&concatenated(inputs)).into_owned();
    let key_text = parsed.value('k').unwrap_or_default();
    let options: String = key_text.chars().filter(char::is_ascii_alphabetic).collect();
    let option = |letter: char| parsed.has(letter) || options.contains(letter);
    let field: Option<usize> =
        key_text.split(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok());
    let separator = parsed.value('t').and_then(|t| t.chars().next());
    let key = |line: &str| key(line, field, separator);
    let mut sorted: Vec<&str> = text.lines().collect();
    let compare = |left: &str, right: &str| {
        let (a, b) = (key(left), key(right));
        if option('n') || option('h') || option('V') {
            let number = |text: &str| if option('h') { human(text) } else { leading_number(text) };
            number(&a).total_cmp(&number(&b))
        } else if option('f') {
            a.to_lowercase().cmp(&b.to_lowercase())
        } else {
            a.cmp(&b)
        }
    };
    sorted.sort_by(|left, right| {
        let order = compare(left, right)
            .then_with(|| if parsed.has('s') { Ordering::Equal } else { left.cmp(right) });
        if option('r') { order.reverse() } else { order }
    });
    if parsed.has('u') {
        sorted.dedup_by(|a, b| compare(a, b) == Ordering::Equal);
    }
    output(sorted.iter().flat_map(|line| [line, "\n"]).collect::<String>())
}

/// The part of a line from the field on; the whole line without a key.
fn key(line: &str, field: Option<usize>, separator: Option<char>) -> String {
    let Some(field) = field else { return line.to_owned() };
    let skip = field.saturating_sub(1);
    match separator {
        Some(separator) => line.split(separator).skip(skip).collect::<Vec<_>>().join(&separator.to_string()),
        None => line.split_whitespace().skip(skip).collect::<Vec<_>>().join(" "),
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
