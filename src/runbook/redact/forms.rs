//! The forms a secret takes on its way.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::NO_PAD;
use zeroize::Zeroizing;

/// A form this short is in every other text.
const SHORTEST: usize = 4;

/// All forms of a secret, itself among them, each once.
pub(super) fn of(secret: &str) -> Vec<Zeroizing<String>> {
    let mut all = vec![Zeroizing::new(secret.to_owned())];
    let mut add = |form: String| {
        let form = Zeroizing::new(form);
        if form.len() >= SHORTEST && !all.contains(&form) {
            all.push(form);
        }
    };
    // A shell's: within single quotes (two ways out of them), within double quotes, and with backslashes alone.
    add(secret.replace('\'', "'\\''"));
    add(secret.replace('\'', "'\"'\"'"));
    add(escaped(secret, |c| matches!(c, '"' | '$' | '`' | '\\')));
    add(escaped(secret, |c| matches!(c, '"' | '$' | '`' | '\\' | '!')));
    add(escaped(secret, |c| c.is_ascii() && !c.is_ascii_alphanumeric() && !"_-./:=@%+,".contains(c)));
    add(escaped(secret, |c| c.is_ascii() && !c.is_ascii_alphanumeric()));
    if let Ok(quoted) = shlex::try_quote(secret) {
        add(inside(&quoted, '\''));
        add(inside(&quoted, '"'));
    }
    // SQL's: quotes doubled, or with backslashes.
    add(secret.replace('\'', "''"));
    add(secret.replace('\\', "\\\\").replace('\'', "''"));
    add(secret.replace('"', "\"\""));
    add(sql(secret, |c| matches!(c, '\'' | '"' | '\\')));
    add(sql(secret, |c| matches!(c, '\'' | '\\')));
    add(sql(secret, |c| c == '\\'));
    // JSON's: as serde writes it, with slashes escaped, and in ASCII alone.
    let json = Zeroizing::new(serde_json::to_string(secret).unwrap_or_default());
    let json = Zeroizing::new(inside(&json, '"'));
    add(json.to_string());
    add(json.replace('/', "\\/"));
    add(ascii(&json));
    // A URL's: everything but the unreserved, blanks as `+`, what JavaScript leaves alone, either case of its digits.
    for keeps in ["-_.~", "-_.~!*'()", "-_.!~*'();/?:@&=+$,#"] {
        let upper = Zeroizing::new(url(secret, keeps));
        add(upper.to_string());
        add(lower_escapes(&upper));
        add(upper.replace("%20", "+"));
    }
    for alphabet in [STANDARD, URL_SAFE] {
        (0..3).for_each(|at| add(base64_within(secret, &alphabet, at)));
    }
    let hex = Zeroizing::new(secret.bytes().fold(String::new(), |mut hex, b| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{b:02x}");
        hex
    }));
    add(hex.to_string());
    add(hex.to_uppercase());
    all
}

fn escaped(secret: &str, special: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(secret.len() * 2);
    for c in secret.chars() {
        if special(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// With backslashes as MariaDB's client and drivers write them.
fn sql(secret: &str, special: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(secret.len() * 2);
    for c in secret.chars() {
        match c {
            '\0' => out.push_str("\\0"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\u{1a}' => out.push_str("\\Z"),
            c => {
                if special(c) {
                    out.push('\\');
                }
                out.push(c);
            }
        }
    }
    out
}

/// Without the quotes around it, when there are.
fn inside(text: &str, quote: char) -> String {
    let inner = text.strip_prefix(quote).and_then(|t| t.strip_suffix(quote));
    inner.unwrap_or(text).to_owned()
}

/// What is not ASCII as `\uXXXX`.
fn ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    for c in json.chars() {
        if c.is_ascii() {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            let _ = write!(out, "\\u{unit:04x}");
        }
    }
    out
}

fn url(secret: &str, keeps: &str) -> String {
    let mut out = String::with_capacity(secret.len() * 3);
    for byte in secret.bytes() {
        let c = char::from(byte);
        if c.is_ascii_alphanumeric() || (c.is_ascii() && keeps.contains(c)) {
            out.push(c);
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// The digits of `%XX` in lower case.
fn lower_escapes(url: &str) -> String {
    let mut out = String::with_capacity(url.len());
    let mut digits = 0;
    for c in url.chars() {
        if digits > 0 {
            digits -= 1;
            out.push(c.to_ascii_lowercase());
        } else {
            digits = if c == '%' { 2 } else { 0 };
            out.push(c);
        }
    }
    out
}

/// The secret within longer base64, `at` bytes into a group of three: without the characters that what stands before
/// and after it has a part in.
fn base64_within(secret: &str, alphabet: &Alphabet, at: usize) -> String {
    let engine = GeneralPurpose::new(alphabet, NO_PAD);
    let bytes = Zeroizing::new([vec![0; at], secret.as_bytes().to_vec()].concat());
    let text = Zeroizing::new(engine.encode(bytes.as_slice()));
    let first = (at * 8).div_ceil(6);
    let end = bytes.len() * 8 / 6;
    text.get(first..end).unwrap_or_default().to_owned()
}
