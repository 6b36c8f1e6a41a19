//! Awk's values: numbers, texts, and texts from input that count as numbers when they look like one.

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Number(f64),
    Text(String),
    /// From input.
    Input(String),
}

impl Value {
    pub(super) fn number(&self) -> f64 {
        match self {
            Self::Number(number) => *number,
            Self::Text(text) | Self::Input(text) => leading(text),
        }
    }

    pub(super) fn text(&self) -> String {
        match self {
            Self::Number(number) => shown(*number),
            Self::Text(text) | Self::Input(text) => text.clone(),
        }
    }

    pub(super) fn holds(&self) -> bool {
        match self {
            Self::Number(number) => *number != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::Input(text) => self.as_number().map_or(!text.is_empty(), |number| number != 0.0),
        }
    }

    /// Bytes it takes.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Number(_) => size_of::<Self>(),
            Self::Text(text) | Self::Input(text) => size_of::<Self>() + text.len(),
        }
    }

    /// The number it is, when it compares as one.
    pub(super) fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(_) => None,
            Self::Input(text) => text.trim().parse().ok(),
        }
    }
}

/// Characters of the longest number that is read.
const LONGEST_NUMBER: usize = 400;
/// The largest width and precision: padding is made in memory.
const WIDEST: usize = 4096;

/// The number a text begins with.
fn leading(text: &str) -> f64 {
    let text = text.trim_start();
    let bytes = text.as_bytes().get(..LONGEST_NUMBER).unwrap_or(text.as_bytes());
    let sign_at = |at: usize| usize::from(matches!(bytes.get(at), Some(b'+' | b'-')));
    let digits_from = |at: usize| bytes.iter().skip(at).take_while(|byte| byte.is_ascii_digit()).count();
    let begin = sign_at(0);
    let whole = begin + digits_from(begin);
    let mut end = whole;
    if bytes.get(whole) == Some(&b'.') {
        let parts = digits_from(whole + 1);
        end = if whole > begin || parts > 0 { whole + 1 + parts } else { begin };
    }
    if end == begin {
        return 0.0;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let power = end + 1 + sign_at(end + 1);
        let digits = digits_from(power);
        end = if digits > 0 { power + digits } else { end };
    }
    text.get(..end).unwrap_or_default().parse().unwrap_or(0.0)
}

/// Whole numbers without a point, others as `%.6g`.
pub(super) fn shown(number: f64) -> String {
    if number.fract() == 0.0 && number.abs() < 1e16 { format!("{number:.0}") } else { general(number, 6) }
}

/// `%.Ng`
pub(super) fn general(number: f64, digits: usize) -> String {
    let digits = digits.clamp(1, WIDEST);
    if number == 0.0 {
        return "0".to_owned();
    }
    #[allow(clippy::cast_possible_truncation)] // exponents are small
    let exponent = number.abs().log10().floor() as i32;
    let wanted = i32::try_from(digits).unwrap_or(6);
    if exponent < -4 || exponent >= wanted {
        let text = format!("{number:.*e}", digits - 1);
        let (mantissa, power) = text.split_once('e').unwrap_or((&text, "0"));
        let mantissa = if mantissa.contains('.') {
            mantissa.trim_end_matches('0').trim_end_matches('.')
        } else {
            mantissa
        };
        let power: i32 = power.parse().unwrap_or(0);
        let sign = if power < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", power.abs());
    }
    let places = usize::try_from(wanted - 1 - exponent).unwrap_or(0);
    let text = format!("{number:.places$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// `printf`, and how many bytes were made for it, which can be more than there are in the end. Above `most` it is broken off.
pub(super) fn format(format: &str, values: &[Value], most: usize) -> (String, usize) {
    let mut out = String::new();
    let mut made = 0_usize;
    let mut values = values.iter();
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if made > most {
            break;
        }
        if c != '%' {
            out.push(c);
            made += c.len_utf8();
            continue;
        }
        let (mut left, mut zero, mut plus) = (false, false, false);
        while let Some(flag) = chars.next_if(|c| matches!(c, '-' | '0' | '+' | ' ' | '#')) {
            left |= flag == '-';
            zero |= flag == '0';
            plus |= flag == '+';
        }
        let mut figure = |values: &mut std::slice::Iter<'_, Value>| -> Option<usize> {
            if chars.next_if_eq(&'*').is_some() {
                return values
                    .next()
                    .map(|v| crate::posix::machine::count(v.number()))
                    .and_then(|n| usize::try_from(n).ok());
            }
            let mut digits = String::new();
            while let Some(digit) = chars.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
            digits.parse().ok()
        };
        let width = figure(&mut values).unwrap_or(0).min(WIDEST);
        let precision = chars.next_if_eq(&'.').map(|_| 0);
        let precision = precision.map(|none| {
            let mut digits = String::new();
            while let Some(digit) = chars.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
            if digits.is_empty() { none } else { digits.parse().unwrap_or(WIDEST).min(WIDEST) }
        });
        let Some(kind) = chars.next() else { break };
        if kind == '%' {
            out.push('%');
            made += 1;
            continue;
        }
        let value = values.next().cloned().unwrap_or_else(|| Value::Text(String::new()));
        let number = value.number();
        let mut text = match kind {
            'd' | 'i' | 'u' => format!("{:.0}", number.trunc()),
            'f' => format!("{number:.*}", precision.unwrap_or(6)),
            'g' => general(number, precision.unwrap_or(6)),
            'e' => format!("{number:.*e}", precision.unwrap_or(6)),
            'x' => format!("{:x}", crate::posix::machine::count(number)),
            'o' => format!("{:o}", crate::posix::machine::count(number)),
            'c' => match &value {
                Value::Number(code) => u32::try_from(crate::posix::machine::count(*code))
                    .ok()
                    .and_then(char::from_u32)
                    .map(String::from)
                    .unwrap_or_default(),
                other => other.text().chars().take(1).collect(),
            },
            _ => match precision {
                Some(most) => value.text().chars().take(most).collect(),
                None => value.text(),
            },
        };
        if plus && number >= 0.0 && matches!(kind, 'd' | 'i' | 'f' | 'g') {
            text.insert(0, '+');
        }
        made += width + text.len() + precision.unwrap_or(0) + 1;
        let missing = width.saturating_sub(text.chars().count());
        if left {
            out.push_str(&text);
            out.extend(std::iter::repeat_n(' ', missing));
        } else if zero && matches!(kind, 'd' | 'i' | 'u' | 'f' | 'g' | 'x') {
            let (sign, digits) = text.split_at(usize::from(text.starts_with(['-', '+'])));
            out.push_str(&format!("{sign}{}{digits}", "0".repeat(missing)));
        } else {
            out.extend(std::iter::repeat_n(' ', missing));
            out.push_str(&text);
        }
    }
    (out, made)
}
