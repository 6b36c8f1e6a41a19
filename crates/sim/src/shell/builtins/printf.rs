//! `printf` and the escapes it shares with `echo`.

use crate::shell::state::{LARGEST, Shell};

/// The largest width and precision: padding is made in memory.
const WIDEST: usize = 4096;

impl Shell {
    pub(crate) async fn printf(&mut self, arguments: &[String]) -> u8 {
        let arguments = match arguments {
            [dashes, rest @ ..] if dashes == "--" => rest,
            other => other,
        };
        let [format, arguments @ ..] = arguments else {
            self.complain("printf: usage: printf format [arg ...]").await;
            return 2;
        };
        let (text, errors) = format_all(format, arguments);
        let status = self.say(text.as_bytes()).await;
        for error in &errors {
            self.complain(&format!("printf: {error}")).await;
        }
        if errors.is_empty() || status != 0 { status } else { 1 }
    }
}

/// Formats, over again as long as there are arguments; and what was wrong with them.
pub(crate) fn format_all(format: &str, arguments: &[String]) -> (String, Vec<String>) {
    let mut out = String::new();
    let mut errors = Vec::new();
    let mut rest = arguments;
    loop {
        let before = rest.len();
        if out.len() > LARGEST {
            errors.push("Out of space".to_owned());
            return (out, errors);
        }
        if !format_once(format, &mut rest, &mut out, &mut errors) || rest.is_empty() || rest.len() == before {
            return (out, errors);
        }
    }
}

#[derive(Default)]
struct Spec {
    left: bool,
    zero: bool,
    plus: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
}

fn next<'a>(arguments: &mut &'a [String]) -> Option<&'a String> {
    let (first, rest) = arguments.split_first()?;
    *arguments = rest;
    Some(first)
}

/// One pass over the format; false when `\c` ended the output.
fn format_once(format: &str, arguments: &mut &[String], out: &mut String, errors: &mut Vec<String>) -> bool {
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        if out.len() > LARGEST {
            return true;
        }
        let (literal, after) = rest.split_at(at);
        let (text, stopped) = unescape(literal, false);
        out.push_str(&text);
        if stopped {
            return false;
        }
        let mut chars = after.get(1..).unwrap_or_default().chars().peekable();
        let spec = spec(&mut chars, arguments);
        let conversion = chars.next().unwrap_or('%');
        let left: usize = chars.map(char::len_utf8).sum();
        rest = after.get(after.len() - left..).unwrap_or_default();
        if conversion == '%' {
            out.push('%');
            continue;
        }
        if !convert(conversion, &spec, arguments, out, errors) {
            return false;
        }
    }
    let (text, stopped) = unescape(rest, false);
    out.push_str(&text);
    !stopped
}

fn spec(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, arguments: &mut &[String]) -> Spec {
    let mut spec = Spec::default();
    while let Some(flag) = chars.next_if(|c| matches!(c, '-' | '0' | '+' | ' ' | '#')) {
        match flag {
            '-' => spec.left = true,
            '0' => spec.zero = true,
            '+' => spec.plus = true,
            '#' => spec.alternate = true,
            _ => {}
        }
    }
    let mut number = |chars: &mut std::iter::Peekable<std::str::Chars<'_>>| {
        if chars.next_if_eq(&'*').is_some() {
            return next(arguments).and_then(|text| text.parse().ok());
        }
        let mut value = None;
        while let Some(digit) = chars.next_if(char::is_ascii_digit) {
            let digit = digit.to_digit(10).and_then(|d| usize::try_from(d).ok()).unwrap_or(0);
            value = Some((value.unwrap_or(0_usize) * 10 + digit).min(WIDEST));
        }
        value
    };
    spec.width = number(chars).unwrap_or(0).min(WIDEST);
    if chars.next_if_eq(&'.').is_some() {
        // A negative one counts as none.
        spec.precision = Some(number(chars).unwrap_or(0).min(WIDEST));
    }
    while chars.next_if(|c| matches!(c, 'l' | 'h' | 'q' | 'j' | 'z' | 't')).is_some() {}
    spec
}

fn convert(
    conversion: char,
    spec: &Spec,
    arguments: &mut &[String],
    out: &mut String,
    errors: &mut Vec<String>,
) -> bool {
    let argument = next(arguments).map(String::as_str);
    let text = argument.unwrap_or_default();
    let body = match conversion {
        's' => text.chars().take(spec.precision.unwrap_or(usize::MAX)).collect(),
        'b' => {
            let (unescaped, stopped) = unescape(text, true);
            pad(out, &unescaped, spec, false);
            return !stopped;
        }
        'c' => text.chars().take(1).collect(),
        'd' | 'i' | 'u' | 'x' | 'X' | 'o' => {
            let value = integer(text).unwrap_or_else(|partial| {
                errors.push(format!("{text}: expected numeric value"));
                partial
            });
            whole(conversion, value, spec)
        }
        'f' | 'F' | 'e' | 'E' | 'g' | 'G' => {
            let value = if text.is_empty() {
                0.0
            } else {
                text.trim().parse().unwrap_or_else(|_| {
                    errors.push(format!("{text}: expected numeric value"));
                    0.0
                })
            };
            float(conversion, value, spec)
        }
        other => {
            errors.push(format!("%{other}: invalid directive"));
            return false;
        }
    };
    pad(out, &body, spec, !matches!(conversion, 's' | 'c'));
    true
}

fn whole(conversion: char, value: i64, spec: &Spec) -> String {
    let mut digits = match conversion {
        'x' => format!("{value:x}"),
        'X' => format!("{value:X}"),
        'o' => format!("{value:o}"),
        'u' => value.cast_unsigned().to_string(),
        _ => value.unsigned_abs().to_string(),
    };
    let precision = spec.precision.unwrap_or(1);
    if digits.len() < precision {
        digits.insert_str(0, &"0".repeat(precision - digits.len()));
    }
    let prefix = match conversion {
        'd' | 'i' if value < 0 => "-",
        'd' | 'i' if spec.plus => "+",
        'x' if spec.alternate && value != 0 => "0x",
        'X' if spec.alternate && value != 0 => "0X",
        'o' if spec.alternate => "0",
        _ => "",
    };
    format!("{prefix}{digits}")
}

fn float(conversion: char, value: f64, spec: &Spec) -> String {
    let precision = spec.precision.unwrap_or(6);
    let sign = if spec.plus && value >= 0.0 { "+" } else { "" };
    match conversion {
        'e' | 'E' => {
            let text = format!("{value:.precision$e}");
            let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            let exponent: i32 = exponent.parse().unwrap_or(0);
            let mark = if exponent < 0 { '-' } else { '+' };
            format!("{sign}{mantissa}{}{mark}{:02}", conversion, exponent.unsigned_abs())
        }
        'g' | 'G' => format!("{sign}{value}"),
        _ => format!("{sign}{value:.precision$}"),
    }
}

fn pad(out: &mut String, body: &str, spec: &Spec, number: bool) {
    let missing = spec.width.saturating_sub(body.chars().count());
    if spec.left {
        out.push_str(body);
        out.extend(std::iter::repeat_n(' ', missing));
    } else if number && spec.zero && spec.precision.is_none() {
        let (sign, digits) = body.split_at(usize::from(body.starts_with(['-', '+'])));
        out.push_str(sign);
        out.extend(std::iter::repeat_n('0', missing));
        out.push_str(digits);
    } else {
        out.extend(std::iter::repeat_n(' ', missing));
        out.push_str(body);
    }
}

/// A number as the shell reads it; `Err` with what could be read of it.
fn integer(text: &str) -> Result<i64, i64> {
    if let Some(quoted) = text.strip_prefix(['\'', '"']) {
        return Ok(quoted.chars().next().map_or(0, |c| i64::from(u32::from(c))));
    }
    let trimmed = text.trim_start();
    if trimmed.is_empty() {
        return Ok(0);
    }
    let (negative, digits) = match trimmed.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    let (radix, digits) = if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        (16, hex)
    } else if digits.len() > 1 && digits.starts_with('0') {
        (8, digits)
    } else {
        (10, digits)
    };
    let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
    let (valid, left) = digits.split_at(end);
    let value = i64::from_str_radix(valid, radix).unwrap_or(if valid.is_empty() { 0 } else { i64::MAX });
    let value = if negative { -value } else { value };
    if left.is_empty() && !valid.is_empty() { Ok(value) } else { Err(value) }
}

/// Backslash escapes; `argument`: of `%b` and `echo` (octal starts with a zero), else of a format. The flag tells
/// that `\c` ended the output.
pub(crate) fn unescape(text: &str, argument: bool) -> (String, bool) {
    if !text.contains('\\') {
        return (text.to_owned(), false);
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('a') => out.push('\u{7}'),
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('v') => out.push('\u{b}'),
            Some('e') => out.push('\u{1b}'),
            Some('\\') => out.push('\\'),
            Some('c') if argument => return (out, true),
            Some('"') if !argument => out.push('"'),
            Some(first @ '0'..='7') if !argument || first == '0' => {
                let mut value = if argument { 0 } else { first.to_digit(8).unwrap_or(0) };
                let most = if argument { 3 } else { 2 };
                for _ in 0..most {
                    let Some(digit) = chars.next_if(|c| c.is_digit(8)) else { break };
                    value = value * 8 + digit.to_digit(8).unwrap_or(0);
                }
                out.push(char::from(u8::try_from(value & 0xff).unwrap_or(0)));
            }
            Some(other) => {
                out.push('\\');
                out.push(other);
            }
            None => out.push('\\'),
        }
    }
    (out, false)
}
