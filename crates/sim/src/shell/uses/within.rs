//! Commands that are words of other commands.

use super::Argument;

/// A command within one.
pub(super) enum Within {
    /// The words from there on.
    Words(Vec<Argument>),
    /// A script of its own.
    Script(String),
}

/// What a command runs that its words say: its name without a folder, and its arguments.
pub(super) fn of(name: &str, arguments: &[Argument]) -> Vec<Within> {
    let words = |rest: &[Argument]| vec![Within::Words(rest.to_vec())];
    match name {
        "sudo" => words(assigned(after(arguments, &["-u", "-g"]))),
        "env" => words(assigned(after(arguments, &["-u"]))),
        "timeout" => words(after(arguments, &["-k", "-s"]).get(1..).unwrap_or_default()),
        "nice" | "ionice" => words(after(arguments, &["-n", "-c"])),
        "nohup" | "setsid" | "stdbuf" | "exec" => words(after(arguments, &[])),
        "command" if asks(arguments) => Vec::new(),
        "command" => words(after(arguments, &[])),
        "xargs" => words(after(arguments, &["-n", "-L", "-I", "-P"])),
        "systemd-run" => words(after(arguments, &["-p", "-u"])),
        "flock" => flock(arguments),
        "sh" | "bash" | "dash" => shell(arguments),
        "trap" | "eval" => script(arguments.first()),
        "find" => found(arguments),
        "salt" | "salt-call" => {
            let call = arguments.iter().position(|word| word.text() == Some("cmd.run"));
            call.map(|at| script(arguments.get(at + 1))).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

fn starts(word: &Argument, with: &str) -> bool {
    word.texts.first().is_some_and(|text| text.starts_with(with))
}

/// What follows the options, of which some have a value that is a word of its own.
fn after<'a>(arguments: &'a [Argument], valued: &[&str]) -> &'a [Argument] {
    let mut rest = arguments;
    while let [word, tail @ ..] = rest
        && starts(word, "-")
    {
        let value = word.text().is_some_and(|text| valued.contains(&text));
        rest = if value { tail.get(1..).unwrap_or_default() } else { tail };
        if word.text() == Some("--") {
            break;
        }
    }
    rest
}

/// What follows `NAME=value`.
fn assigned(mut rest: &[Argument]) -> &[Argument] {
    while let [word, tail @ ..] = rest
        && word.texts.first().is_some_and(|text| text.contains('='))
    {
        rest = tail;
    }
    rest
}

/// `command -v` runs nothing.
fn asks(arguments: &[Argument]) -> bool {
    arguments.first().is_some_and(|word| starts(word, "-v") || starts(word, "-V"))
}

fn script(word: Option<&Argument>) -> Vec<Within> {
    let text = word.and_then(Argument::text).filter(|text| *text != "-");
    text.map(|text| Within::Script(text.to_owned())).into_iter().collect()
}

fn shell(arguments: &[Argument]) -> Vec<Within> {
    let flag = |word: &Argument| starts(word, "-") && word.text().is_some_and(|text| text.ends_with('c'));
    let at = arguments.iter().position(flag);
    at.map(|at| script(arguments.get(at + 1))).unwrap_or_default()
}

fn flock(arguments: &[Argument]) -> Vec<Within> {
    let rest = after(arguments, &["-w", "-E"]).get(1..).unwrap_or_default();
    match rest {
        [flag, tail @ ..] if flag.text() == Some("-c") => script(tail.first()),
        rest => vec![Within::Words(rest.to_vec())],
    }
}

fn found(arguments: &[Argument]) -> Vec<Within> {
    let runs = |word: &Argument| {
        word.text().is_some_and(|text| matches!(text, "-exec" | "-execdir" | "-ok" | "-okdir"))
    };
    let ends = |word: &Argument| word.text().is_some_and(|text| matches!(text, ";" | "+"));
    let starts = arguments.iter().enumerate().filter(|(_, word)| runs(word)).map(|(at, _)| at + 1);
    let rest = starts.map(|at| arguments.get(at..).unwrap_or_default());
    rest.map(|rest| Within::Words(rest.iter().take_while(|word| !ends(word)).cloned().collect())).collect()
}
