//! The forms a secret takes on its way: a table of encoders, one a line.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::NO_PAD;
use zeroize::Zeroizing;

use jumpdeck_fleet::text::Clean;

/// A form this short is in every other text.
const SHORTEST: usize = 4;

/// What a program, or a kind of them, makes of a text: one form or several, as its version or its options are.
type Encoder = fn(&str) -> Vec<String>;

/// Every encoder by the name of what it is like.
pub(super) const ENCODERS: &[(&str, Encoder)] = &[
    ("as it is", |text| vec![text.to_owned()]),
    ("a line of it", lines),
    ("a shell's single quotes", |t| vec![t.replace('\'', "'\\''"), t.replace('\'', "'\"'\"'")]),
    ("a shell's double quotes", |t| vec![escaped(t, "\"$`\\"), escaped(t, "\"$`\\!")]),
    ("a shell's backslashes", shell_words),
    ("a shell's $'…' (bash set, export -p, ${x@Q}, printf %q)", |t| {
        vec![ansi_c(t, "\\'", Other::Kept), ansi_c(t, "\\'", Other::Octal)]
    }),
    ("C, git, ls, journald", |t| {
        vec![ansi_c(t, "\\\"", Other::Kept), ansi_c(t, "\\\"", Other::Octal), ansi_c(t, "\\", Other::Kept)]
    }),
    ("Python's repr and ascii", |t| {
        let quotes = ["\\", "\\'", "\\\""];
        quotes.iter().flat_map(|q| [ansi_c(t, q, Other::Kept), ansi_c(t, q, Other::Python)]).collect()
    }),
    ("Rust's and Go's debug texts", |t| vec![inside(&format!("{t:?}"), '"')]),
    ("SQL's doubled quotes", |t| {
        let slashed = Zeroizing::new(t.replace('\\', "\\\\"));
        vec![
            t.replace('\'', "''"),
            slashed.replace('\'', "''"),
            t.replace('"', "\"\""),
            slashed.replace('"', "\"\""),
        ]
    }),
    ("SQL's backslashes (PHP addslashes, var_export)", |t| {
        ["'\"\\", "'\\", "\"\\", "\\"].iter().flat_map(|q| [sql(t, q), escaped(t, q)]).collect()
    }),
    ("mariadb --batch", |t| {
        vec![replaced(t, &[('\\', "\\\\"), ('\t', "\\t"), ('\n', "\\n"), ('\0', "\\0")])]
    }),
    ("JSON", json),
    ("HTML and XML", markup),
    ("URLs and forms", url_forms),
    ("regular expressions", |t| {
        let not_words = |c: char| c.is_ascii() && !c.is_ascii_alphanumeric() && c != '_';
        let perl: String = t.chars().filter(|c| not_words(*c)).collect();
        let sets = [
            perl.as_str(),
            "()[]{}?*+-|^$\\.&~# \t\n\r\u{b}\u{c}",
            "\\.+*?()|[]{}^$#&-~",
            "\\.+*?()|[]{}^$",
            "\\.+*?()|[]{}^$/",
            ".\\+*?[^]$(){}=!<>|:-#/",
            "\\/.*[]^$",
            "\\/.*[]^$&",
        ];
        // Perl escapes each byte of what it does not know for text; read as text, each such byte is U+FFFD.
        let bytes = t.chars().map(|c| match c.is_ascii() {
            true => escaped(&c.to_string(), &perl),
            false => "\\\u{fffd}".repeat(c.len_utf8()),
        });
        sets.iter().map(|set| escaped(t, set)).chain([bytes.collect()]).collect()
    }),
    ("base64", |t| {
        let each = |alphabet| (0..3).map(move |at| base64_within(t, alphabet, at));
        [&STANDARD, &URL_SAFE].into_iter().flat_map(each).collect()
    }),
    ("hexadecimal", |t| {
        let hex = t.bytes().fold(String::new(), |mut hex, byte| {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        vec![hex.to_uppercase(), hex]
    }),
];

/// All forms of a secret, itself among them, each once; and each as it looks when it was made printable.
pub(super) fn of(secret: &str) -> Vec<Zeroizing<String>> {
    let mut all: Vec<Zeroizing<String>> = Vec::new();
    for (_, encode) in ENCODERS {
        for form in encode(secret) {
            let form = Zeroizing::new(form);
            if all.contains(&form) {
                continue;
            }
            printable(&form).for_each(|clean| add(&mut all, clean));
            add(&mut all, form);
        }
    }
    all
}

fn add(all: &mut Vec<Zeroizing<String>>, form: Zeroizing<String>) {
    if form.chars().count() >= SHORTEST && !all.contains(&form) {
        all.push(form);
    }
}

/// What becomes of a form that passes `Clean`: on one line, or line by line, where a tab's width hangs on its column.
fn printable(form: &str) -> impl Iterator<Item = Zeroizing<String>> {
    let columns = if form.contains('\t') { 8 } else { 1 };
    let of_lines = (0..columns).flat_map(move |column| {
        let moved = Zeroizing::new(format!("{}{form}", " ".repeat(column)));
        let lines = Clean::lines(&moved);
        let first = move |number: usize| if number == 0 { column } else { 0 };
        let texts =
            lines.iter().enumerate().map(|(n, l)| l.as_str().get(first(n)..).unwrap_or_default().to_owned());
        texts.collect::<Vec<_>>()
    });
    std::iter::once(Clean::new(form).as_str().to_owned()).chain(of_lines).map(Zeroizing::new)
}

/// The lines of a secret of several (a key, a certificate): each alone tells a part of it.
fn lines(secret: &str) -> Vec<String> {
    secret.lines().map(|line| line.trim().to_owned()).collect()
}

/// With a backslash before each of these.
fn escaped(text: &str, special: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for c in text.chars() {
        if special.contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// With texts in place of some characters.
fn replaced(text: &str, by: &[(char, &str)]) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for c in text.chars() {
        match by.iter().find(|(from, _)| *from == c) {
            Some((_, to)) => out.push_str(to),
            None => out.push(c),
        }
    }
    out
}

/// Words with backslashes: all that is no plain character, or what bash's `printf %q` escapes, where `#` and `~` are
/// escaped at the beginning of a word only.
fn shell_words(text: &str) -> Vec<String> {
    const BASH: &str = " \t!\"$&'()*,;<>?[\\]^`{|}";
    let others = |keeps: &str| -> String {
        text.chars().filter(|c| c.is_ascii() && !c.is_ascii_alphanumeric() && !keeps.contains(*c)).collect()
    };
    let mut all = vec![escaped(text, &others("_-./:=@%+,")), escaped(text, &others(""))];
    let mut before = None;
    let mut tildes = String::with_capacity(text.len() * 2);
    for c in text.chars() {
        if BASH.contains(c) || (c == '~' && matches!(before, Some(':' | '='))) {
            tildes.push('\\');
        }
        tildes.push(c);
        before = Some(c);
    }
    if text.starts_with(['#', '~']) {
        all.push(format!("\\{tildes}"));
    }
    all.extend([tildes, escaped(text, BASH), escaped(text, &format!("{BASH}~"))]);
    if let Ok(quoted) = shlex::try_quote(text) {
        all.extend([inside(&quoted, '\''), inside(&quoted, '"')]);
    }
    all
}

/// What is neither ASCII nor printable.
#[derive(Clone, Copy, PartialEq)]
enum Other {
    Kept,
    /// Each byte as `\ooo`.
    Octal,
    /// `\xhh`, `\uhhhh`, `\Uhhhhhhhh`.
    Python,
}

/// With C's escapes, and a backslash before each of `special`.
fn ansi_c(text: &str, special: &str, other: Other) -> String {
    let mut out = String::with_capacity(text.len() * 4);
    for c in text.chars() {
        let short = match c {
            '\t' => Some('t'),
            '\n' => Some('n'),
            '\r' => Some('r'),
            '\u{7}' if other != Other::Python => Some('a'),
            '\u{8}' if other != Other::Python => Some('b'),
            '\u{b}' if other != Other::Python => Some('v'),
            '\u{c}' if other != Other::Python => Some('f'),
            '\u{1b}' if other != Other::Python && special.contains('\'') => Some('E'),
            c if special.contains(c) => Some(c),
            _ => None,
        };
        // Writing to a String cannot fail.
        let _ = match (short, other) {
            (Some(short), _) => write!(out, "\\{short}"),
            (None, Other::Kept) if !c.is_control() => write!(out, "{c}"),
            (None, _) if c.is_ascii() && !c.is_control() => write!(out, "{c}"),
            (None, Other::Kept | Other::Octal) => {
                c.encode_utf8(&mut [0; 4]).bytes().try_for_each(|byte| write!(out, "\\{byte:03o}"))
            }
            (None, Other::Python) => match u32::from(c) {
                code @ 0..=0xff => write!(out, "\\x{code:02x}"),
                code @ 0x100..=0xffff => write!(out, "\\u{code:04x}"),
                code => write!(out, "\\U{code:08x}"),
            },
        };
    }
    out
}

/// With backslashes as MariaDB's client and drivers write them.
fn sql(text: &str, special: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for c in text.chars() {
        match c {
            '\0' => out.push_str("\\0"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\u{1a}' => out.push_str("\\Z"),
            c => {
                if special.contains(c) {
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

/// JSON: slashes escaped or not, what is safe in HTML or not, in ASCII alone or not, digits in either case.
fn json(text: &str) -> Vec<String> {
    let plain = Zeroizing::new(serde_json::to_string(text).unwrap_or_default());
    let plain = Zeroizing::new(inside(&plain, '"'));
    let mut all = Vec::new();
    for slashes in [plain.to_string(), plain.replace('/', "\\/")] {
        for safe in ["", "<>&", "<>&'", "<>&'=", "<>", "'"] {
            let codes = |upper: bool, ascii: bool| {
                let mut out = String::with_capacity(slashes.len() * 2);
                for c in slashes.chars() {
                    if safe.contains(c)
                        || (ascii && !c.is_ascii())
                        || (!safe.is_empty() && "\u{2028}\u{2029}".contains(c))
                    {
                        for unit in c.encode_utf16(&mut [0; 2]) {
                            let _ = if upper {
                                write!(out, "\\u{unit:04X}")
                            } else {
                                write!(out, "\\u{unit:04x}")
                            };
                        }
                    } else {
                        out.push(c);
                    }
                }
                out
            };
            all.extend([codes(false, false), codes(false, true), codes(true, false), codes(true, true)]);
        }
    }
    all.dedup();
    all
}

/// HTML and XML: quotes as they are, by name or by number.
fn markup(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    for greater in [">", "&gt;"] {
        for double in ["\"", "&quot;", "&#34;"] {
            for single in ["'", "&apos;", "&#39;", "&#039;", "&#x27;", "&#x27"] {
                let by = [('&', "&amp;"), ('<', "&lt;"), ('>', greater), ('"', double), ('\'', single)];
                all.push(replaced(text, &by));
            }
        }
    }
    all.dedup();
    all
}

/// URLs and forms: what stays as it is, a blank as `+` or `%20`, digits in either case.
fn url_forms(text: &str) -> Vec<String> {
    let keeps = [
        "-_.~",
        "-_.~/",
        "-_.",
        "-_./",
        "*-._",
        "-_.!~*'()",
        "-_.!~*'();/?:@&=+$,#",
        "-_.!~*'();/?:@&=+$,#[]",
        "-_.~!$&'()*+,;=:@",
        "-_.~!$&'()*+,;=:@/?",
        "-_.~!$&'()*+,;=",
        "",
    ];
    let mut all = Vec::new();
    for keeps in keeps {
        for upper in [true, false] {
            let with = url(text, keeps, upper);
            all.extend([with.replace("%20", "+"), with]);
        }
    }
    all
}

fn url(text: &str, keeps: &str, upper: bool) -> String {
    let mut out = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        let c = char::from(byte);
        if c.is_ascii_alphanumeric() || (c.is_ascii() && keeps.contains(c)) {
            out.push(c);
        } else {
            let _ = if upper { write!(out, "%{byte:02X}") } else { write!(out, "%{byte:02x}") };
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
