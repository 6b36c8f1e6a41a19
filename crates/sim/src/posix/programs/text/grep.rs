//! `grep`: with the `regex` crate. Basic expressions are turned into extended ones; back-references are refused.

use regex::bytes::{Regex, RegexBuilder};

use crate::program::{BoxFuture, Call, Program, Reply};

use super::{Arguments, Named, Options, answer, chomp, failure, filter, lines};

/// The program.
#[derive(Debug)]
pub struct Grep;

static OPTIONS: Options = Options::new(
    "EFGPivcqnowxhHslae:m:",
    &[
        ("count", 'c'),
        ("ignore-case", 'i'),
        ("invert-match", 'v'),
        ("quiet", 'q'),
        ("line-number", 'n'),
        ("extended-regexp", 'E'),
        ("fixed-strings", 'F'),
        ("only-matching", 'o'),
        ("max-count", 'm'),
    ],
);

impl Program for Grep {
    fn name(&self) -> &'static str {
        "grep"
    }

    fn options(&self) -> Option<&'static Options> {
        Some(&OPTIONS)
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        let mut parsed = match OPTIONS.read(&call.args) {
            Ok(parsed) => parsed,
            Err(reply) => return answer(call, reply),
        };
        let mut patterns: Vec<String> = parsed.values('e').map(str::to_owned).collect();
        if patterns.is_empty() {
            if parsed.operands.is_empty() {
                return answer(call, failure("Usage", "grep [OPTION]... PATTERNS [FILE]...", 2));
            }
            patterns = parsed.operands.remove(0).split('\n').map(str::to_owned).collect();
        }
        let regex = match compile(&patterns, &parsed) {
            Ok(regex) => regex,
            Err(_) => return answer(call, failure("grep", "Invalid regular expression", 2)),
        };
        filter(call, parsed.operands.clone(), move |inputs| search(inputs, &parsed, &regex))
    }
}

fn compile(patterns: &[String], parsed: &Arguments) -> Result<Regex, regex::Error> {
    let one = |pattern: &String| {
        let pattern = if parsed.has('F') {
            regex::escape(pattern)
        } else if parsed.has('E') || parsed.has('P') {
            pattern.clone()
        } else {
            extended(pattern)
        };
        if parsed.has('x') {
            format!("^(?:{pattern})$")
        } else if parsed.has('w') {
            format!(r"\b(?:{pattern})\b")
        } else {
            format!("(?:{pattern})")
        }
    };
    let all: Vec<String> = patterns.iter().map(one).collect();
    RegexBuilder::new(&all.join("|")).case_insensitive(parsed.has('i')).unicode(false).build()
}

/// A basic expression (POSIX BRE) as an extended one: `\(` and `(` change places, and so on.
pub(super) fn extended(basic: &str) -> String {
    let mut out = String::new();
    let mut chars = basic.chars().peekable();
    let mut in_class = false;
    while let Some(c) = chars.next() {
        match c {
            '[' if !in_class => {
                in_class = true;
                out.push('[');
                if let Some(negation) = chars.next_if_eq(&'^') {
                    out.push(negation);
                }
                if chars.next_if_eq(&']').is_some() {
                    out.push_str("\\]");
                }
            }
            '[' => out.push_str(if chars.peek() == Some(&':') { "[" } else { "\\[" }),
            ']' if in_class && !out.ends_with(':') => {
                in_class = false;
                out.push(']');
            }
            ']' if in_class => {
                out.push(']');
                if chars.peek().is_none() {
                    in_class = false;
                }
            }
            '\\' if in_class => out.push_str("\\\\"),
            '\\' => match chars.next() {
                Some(special @ ('(' | ')' | '{' | '}' | '|' | '+' | '?')) => out.push(special),
                Some(other) => out.extend(['\\', other]),
                None => out.push_str("\\\\"),
            },
            special @ ('(' | ')' | '{' | '}' | '|' | '+' | '?') if !in_class => out.extend(['\\', special]),
            '*' if out.is_empty() || out.ends_with("^") && out.len() == 1 => out.push_str("\\*"),
            other => out.push(other),
        }
    }
    out
}

fn search(inputs: &[Named], parsed: &Arguments, regex: &Regex) -> Reply {
    let mut out = Vec::new();
    let mut found = false;
    let named = parsed.has('H') || inputs.len() > 1 && !parsed.has('h');
    for (name, bytes) in inputs {
        let label = name.as_deref().unwrap_or("(standard input)");
        let prefix = if named { format!("{label}:") } else { String::new() };
        let most = parsed.number('m').unwrap_or(usize::MAX);
        let mut count = 0;
        for (number, line) in lines(bytes).map(chomp).enumerate() {
            if count >= most {
                break;
            }
            if regex.is_match(line) == parsed.has('v') {
                continue;
            }
            count += 1;
            if parsed.has('q') || parsed.has('c') || parsed.has('l') {
                continue;
            }
            let number = if parsed.has('n') { format!("{}:", number + 1) } else { String::new() };
            let shown: Vec<&[u8]> = if parsed.has('o') {
                regex.find_iter(line).map(|part| part.as_bytes()).filter(|part| !part.is_empty()).collect()
            } else {
                vec![line]
            };
            for part in shown {
                out.extend(prefix.bytes().chain(number.bytes()));
                out.extend_from_slice(part);
                out.push(b'\n');
            }
        }
        found |= count > 0;
        if parsed.has('l') && count > 0 {
            out.extend(format!("{label}\n").bytes());
        } else if parsed.has('c') && !parsed.has('q') {
            out.extend(format!("{prefix}{count}\n").bytes());
        }
    }
    Reply { stdout: out, status: u8::from(!found), ..Reply::default() }
}
