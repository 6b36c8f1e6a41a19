//! `sed`: `s///[gip]`, `p`, `d`, `q`, with line numbers, `$`, `/…/` and ranges. Other commands are refused.

use std::sync::PoisonError;

use regex::bytes::{Regex, RegexBuilder};

use crate::posix::files::{FULL, Wish};
use crate::program::{BoxFuture, Call, Program, Reply};
use crate::shell::path;

use super::grep::extended;
use super::{Named, Options, answer, chomp, concatenated, failure, filter, lines, output, read_file};

/// The program.
#[derive(Debug)]
pub struct Sed;

static OPTIONS: Options =
    Options::new("nErse:i::", &[("quiet", 'n'), ("expression", 'e'), ("in-place", 'i')]);

impl Program for Sed {
    fn name(&self) -> &'static str {
        "sed"
    }

    fn options(&self) -> Option<&'static Options> {
        Some(&OPTIONS)
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        let mut parsed = match OPTIONS.read(&call.args) {
            Ok(parsed) => parsed,
            Err(reply) => return answer(call, reply),
        };
        // `-i.bak` keeps the file as it was under another name.
        let kept = parsed.value('i').map(str::to_owned);
        let mut scripts: Vec<String> = parsed.values('e').map(str::to_owned).collect();
        if scripts.is_empty() {
            if parsed.operands.is_empty() {
                return answer(call, failure("Usage", "sed [OPTION]... {script} [input-file]...", 1));
            }
            scripts.push(parsed.operands.remove(0));
        }
        let is_extended = parsed.has('E') || parsed.has('r');
        match read_script(&scripts.join("\n"), is_extended) {
            Some(steps) if kept.is_some() => {
                let quiet = parsed.has('n');
                let reply = edit_files(&call, &parsed.operands, &kept.unwrap_or_default(), &steps, quiet);
                answer(call, reply)
            }
            Some(steps) => {
                filter(call, parsed.operands.clone(), move |inputs| edit(inputs, &steps, parsed.has('n')))
            }
            None => answer(call, failure("sed", "-e expression #1: command not simulated or not valid", 1)),
        }
    }
}

/// `-i`: every file by itself, in its place.
fn edit_files(call: &Call, files: &[String], kept: &str, steps: &[Step], quiet: bool) -> Reply {
    let mut reply = Reply::default();
    for file in files {
        let content = match read_file(call, file) {
            Ok(content) => content,
            Err(why) => {
                reply.stderr.extend(format!("sed: can't read {file}: {why}\n").bytes());
                reply.status = 2;
                continue;
            }
        };
        let path = path::absolute(&call.cwd, file);
        let mut world = call.world.lock().unwrap_or_else(PoisonError::into_inner);
        if !world.may(&call.host, &path, &call.user, Wish::Write) {
            reply.stderr.extend(format!("sed: couldn't edit {file}: Permission denied\n").bytes());
            reply.status = 4;
            continue;
        }
        let backup = format!("{path}{kept}");
        let before = if kept.is_empty() { Vec::new() } else { content.clone() };
        let edited = edit(&[(None, content)], steps, quiet);
        if !(world.has_room(&call.host, &backup, before.len())
            && world.has_room(&call.host, &path, edited.stdout.len()))
        {
            reply.stderr.extend(format!("sed: couldn't write {file}: {FULL}\n").bytes());
            reply.status = 4;
            continue;
        }
        if !kept.is_empty() {
            world.write_file(&call.host, &backup, before);
        }
        world.write_file(&call.host, &path, edited.stdout);
    }
    reply
}

enum Address {
    Line(usize),
    Last,
    Match(Regex),
}

enum Action {
    Print,
    Delete,
    Quit,
    Substitute { pattern: Regex, with: Vec<u8>, all: bool, print: bool },
}

struct Step {
    from: Option<Address>,
    to: Option<Address>,
    negated: bool,
    action: Action,
}

fn read_script(script: &str, is_extended: bool) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut rest = script.trim_start_matches([' ', ';', '\n', '\t']);
    while !rest.is_empty() {
        let (from, after) = address(rest, is_extended)?;
        let (to, after) = match after.strip_prefix(',') {
            Some(after) => address(after, is_extended)?,
            None => (None, after),
        };
        let after = after.trim_start();
        let (negated, after) =
            after.strip_prefix('!').map_or((false, after), |after| (true, after.trim_start()));
        let mut chars = after.chars();
        let (action, after) = match chars.next()? {
            'p' => (Action::Print, chars.as_str()),
            'd' => (Action::Delete, chars.as_str()),
            'q' => (Action::Quit, chars.as_str()),
            's' => substitution(chars.as_str(), is_extended)?,
            _ => return None,
        };
        steps.push(Step { from, to, negated, action });
        let trimmed = after.trim_start_matches([' ', '\t']);
        if !trimmed.is_empty() && !trimmed.starts_with([';', '\n', '}']) {
            return None;
        }
        rest = trimmed.trim_start_matches([' ', ';', '\n', '\t']);
    }
    Some(steps)
}

fn regex(pattern: &str, is_extended: bool, ignore_case: bool) -> Option<Regex> {
    let pattern = if is_extended { pattern.to_owned() } else { extended(pattern) };
    RegexBuilder::new(&pattern).unicode(false).case_insensitive(ignore_case).build().ok()
}

fn address(text: &str, is_extended: bool) -> Option<(Option<Address>, &str)> {
    if let Some(after) = text.strip_prefix('$') {
        return Some((Some(Address::Last), after));
    }
    if let Some(after) = text.strip_prefix('/') {
        let (pattern, after) = delimited(after, '/')?;
        return Some((Some(Address::Match(regex(&pattern, is_extended, false)?)), after));
    }
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, after) = text.split_at(end);
    Some((digits.parse().ok().map(Address::Line), after))
}

/// The text up to an unescaped delimiter; an escaped one loses its backslash.
fn delimited(text: &str, delimiter: char) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            c if c == delimiter => return Some((out, chars.as_str())),
            '\\' => {
                let escaped = chars.next()?;
                if escaped != delimiter {
                    out.push('\\');
                }
                out.push(escaped);
            }
            c => out.push(c),
        }
    }
    None
}

fn substitution(text: &str, is_extended: bool) -> Option<(Action, &str)> {
    let delimiter = text.chars().next()?;
    let (pattern, rest) = delimited(text.get(delimiter.len_utf8()..)?, delimiter)?;
    let (with, rest) = delimited(rest, delimiter)?;
    let end = rest.find(|c: char| !matches!(c, 'g' | 'p' | 'i' | 'I')).unwrap_or(rest.len());
    let (flags, rest) = rest.split_at(end);
    let pattern = regex(&pattern, is_extended, flags.contains(['i', 'I']))?;
    let (all, print) = (flags.contains('g'), flags.contains('p'));
    Some((Action::Substitute { pattern, with: replacement(&with), all, print }, rest))
}

/// `&` and `\1` in the notation of the regex crate.
fn replacement(with: &str) -> Vec<u8> {
    let mut out = String::new();
    let mut chars = with.chars();
    while let Some(c) = chars.next() {
        match c {
            '&' => out.push_str("${0}"),
            '$' => out.push_str("$$"),
            '\\' => match chars.next() {
                Some(digit @ '0'..='9') => out.extend(['$', '{', digit, '}']),
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some(other) => out.push(other),
                None => {}
            },
            c => out.push(c),
        }
    }
    out.into_bytes()
}

fn edit(inputs: &[Named], steps: &[Step], quiet: bool) -> Reply {
    let bytes = concatenated(inputs);
    let all: Vec<&[u8]> = lines(&bytes).collect();
    let mut inside: Vec<bool> = steps.iter().map(|_| false).collect();
    let mut out = Vec::new();
    for (at, raw) in all.iter().enumerate() {
        let number = at + 1;
        let last = number == all.len();
        let mut line = chomp(raw).to_vec();
        let ending: &[u8] = if raw.ends_with(b"\n") { b"\n" } else { b"" };
        let (mut deleted, mut quit) = (false, false);
        for (step, inside) in steps.iter().zip(&mut inside) {
            if !selected(step, inside, &line, number, last) {
                continue;
            }
            match &step.action {
                Action::Print => out.extend(line.iter().chain(ending)),
                Action::Delete => deleted = true,
                Action::Quit => quit = true,
                Action::Substitute { pattern, with, all, print } => {
                    let hit = pattern.is_match(&line);
                    line = pattern.replacen(&line, if *all { 0 } else { 1 }, with.as_slice()).into_owned();
                    if hit && *print {
                        out.extend(line.iter().chain(ending));
                    }
                }
            }
            if deleted || quit {
                break;
            }
        }
        if !deleted && !quiet {
            out.extend(line.iter().chain(ending));
        }
        if quit {
            break;
        }
    }
    output(out)
}

fn selected(step: &Step, inside: &mut bool, line: &[u8], number: usize, last: bool) -> bool {
    let hit = |address: &Address| match address {
        Address::Line(wanted) => *wanted == number,
        Address::Last => last,
        Address::Match(pattern) => pattern.is_match(line),
    };
    let chosen = match (&step.from, &step.to) {
        (None, _) => true,
        (Some(from), None) => hit(from),
        (Some(from), Some(to)) => {
            if *inside {
                *inside = !hit(to);
                true
            } else if hit(from) {
                *inside = !matches!(to, Address::Line(wanted) if *wanted <= number);
                true
            } else {
                false
            }
        }
    };
    chosen != step.negated
}
