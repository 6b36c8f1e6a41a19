//! What is wrong with a shell script, as far as its words tell: variables that it was not handed, text that
//! is evaluated again, secrets in a command's arguments or environment.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// Something wrong, and where in the script.
pub(super) struct ScriptFinding {
    pub(super) span: Range<usize>,
    pub(super) message: String,
    pub(super) help: String,
}

/// Commands of the shell itself: what they get stands in no process's arguments.
const BUILTIN: [&str; 8] = ["printf", "echo", ":", "[", "test", "case", "if", "read"];

/// Judges a script. `known` are the runbook's variables, `handed` the names that are assigned before the script, of
/// them `secrets`.
pub(super) fn judge(
    text: &str,
    known: &[String],
    handed: &[String],
    secrets: &[String],
) -> Vec<ScriptFinding> {
    let mut found = Vec::new();
    braces(text, known, &mut found);
    not_handed(text, known, handed, &mut found);
    evaluated(text, &mut found);
    seen(text, secrets, &mut found);
    found
}

/// A regular expression of this program's own: a test reads each.
fn own(pattern: &str) -> Option<Regex> {
    Regex::new(pattern).ok()
}

static BRACED: LazyLock<Option<Regex>> =
    LazyLock::new(|| own(r"(?:^|[^$])(\{([a-z][a-z0-9_]*)(?:\.[a-z][a-z0-9_]*)?\})"));
static USED: LazyLock<Option<Regex>> = LazyLock::new(|| own(r"\$(?:\{#?)?([A-Za-z_][A-Za-z0-9_]*)"));
static EVAL: LazyLock<Option<Regex>> = LazyLock::new(|| own(r"(?m)(?:^|[;&|(`{]|\s)(eval)(?:\s|$)"));

/// What gives a name a value: `name=`, `for name`, `read name name`. Several names are parted by white space.
static ASSIGNED: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let before = r"(?m)(?:^|[;&|({]|\s)";
    let ways = [r"(\w+)=", r"for\s+(\w+)\s", r"read\s+(?:-\w+\s+)?((?:\w+\s+)*\w+)"];
    ways.iter().filter_map(|way| own(&format!("{before}{way}"))).collect()
});

/// `{candidate}` means nothing to a shell.
fn braces(text: &str, known: &[String], found: &mut Vec<ScriptFinding>) {
    for captures in BRACED.iter().flat_map(|regex| regex.captures_iter(text)) {
        let (Some(whole), Some(name)) = (captures.get(1), captures.get(2)) else { continue };
        if known.iter().any(|k| k == name.as_str()) {
            let inside = whole.as_str().trim_matches(['{', '}']);
            found.push(ScriptFinding {
                span: whole.range(),
                message: format!("{} is not replaced: a script's text is constant", whole.as_str()),
                help: format!("write \"${}\", and with = [{inside:?}]", inside.replace('.', "_")),
            });
        }
    }
}

/// `$candidate` of a known variable that is not in `with`.
fn not_handed(text: &str, known: &[String], handed: &[String], found: &mut Vec<ScriptFinding>) {
    let assigned = assigned(text);
    for captures in USED.iter().flat_map(|regex| regex.captures_iter(text)) {
        let (Some(whole), Some(name)) = (captures.get(0), captures.get(1)) else { continue };
        let own_name = name.as_str();
        let variable = known.iter().find_map(|k| {
            let field = own_name.strip_prefix(k.as_str())?;
            match field.strip_prefix('_') {
                _ if field.is_empty() => Some(k.clone()),
                Some(f) if ["address", "name", "port", "roles", "count", "file", "offset"].contains(&f) => {
                    Some(format!("{k}.{f}"))
                }
                _ => None,
            }
        });
        let Some(variable) = variable else { continue };
        if handed.iter().any(|h| h == own_name) || assigned.contains(own_name) {
            continue;
        }
        found.push(ScriptFinding {
            span: whole.range(),
            message: format!("${own_name} is empty: the script does not get {{{variable}}}"),
            help: format!("add it: with = [{variable:?}]"),
        });
    }
}

/// The names that the script gives values itself.
fn assigned(text: &str) -> HashSet<&str> {
    let names = |regex: &'static Regex| regex.captures_iter(text).filter_map(|captures| captures.get(1));
    ASSIGNED.iter().flat_map(names).flat_map(|names| names.as_str().split_whitespace()).collect()
}

fn evaluated(text: &str, found: &mut Vec<ScriptFinding>) {
    for captures in EVAL.iter().flat_map(|regex| regex.captures_iter(text)) {
        let Some(word) = captures.get(1) else { continue };
        found.push(ScriptFinding {
            span: word.range(),
            message: "eval reads its words as shell once more: a value could become a command".to_owned(),
            help: "call the command itself, its arguments in double quotes".to_owned(),
        });
    }
}

/// Secrets outside of the shell's own commands, assignments and here-documents.
fn seen(text: &str, secrets: &[String], found: &mut Vec<ScriptFinding>) {
    let mut document: Option<String> = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        if let Some(end) = &document {
            if line.trim() == end {
                document = None;
            }
            continue;
        }
        document = here_document(line);
        for (offset, command) in commands(line) {
            let visible = !is_builtin(command);
            for captures in USED.iter().flat_map(|regex| regex.captures_iter(command)) {
                let (Some(whole), Some(name)) = (captures.get(0), captures.get(1)) else { continue };
                if visible && secrets.iter().any(|s| s == name.as_str()) {
                    let from = start + offset;
                    found.push(ScriptFinding {
                        span: from + whole.start()..from + whole.end(),
                        message: format!(
                            "the secret ${} cannot be a command's argument or environment",
                            name.as_str()
                        ),
                        help:
                            "pass it by standard input: printf '%s\\n' \"$pw\" | command, or a here-document"
                                .to_owned(),
                    });
                }
            }
        }
    }
}

/// The word that ends a here-document which this line begins.
fn here_document(line: &str) -> Option<String> {
    let (_, after) = line.split_once("<<")?;
    if after.starts_with('<') {
        return None;
    }
    let word: String = after
        .trim_start_matches('-')
        .trim_start()
        .trim_matches(['\'', '"', '\\'])
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
        .collect();
    (!word.is_empty()).then_some(word)
}

/// The commands of a line, and where each begins; what is quoted parts nothing.
fn commands(line: &str) -> Vec<(usize, &str)> {
    let mut all = Vec::new();
    let (mut from, mut quote) = (0, None);
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '|' | ';' | '&' | '(' | ')' | '`') => {
                all.push((from, line.get(from..at).unwrap_or_default()));
                from = at + 1;
            }
            _ => {}
        }
    }
    all.push((from, line.get(from..).unwrap_or_default()));
    all
}

/// Whether a command is one of the shell's own, or an assignment alone.
fn is_builtin(command: &str) -> bool {
    // A command inside of a substitution is one of its own, whatever is around it.
    if command.contains("$(") || command.contains('`') {
        return false;
    }
    let words = words(command);
    let mut words = words.iter().skip_while(|w| ["then", "do", "else", "{", "!", "while"].contains(w));
    let Some(first) = words.next() else { return true };
    let assigns = first.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    });
    match assigns {
        // `A=b command`: in the command's environment.
        true => words.next().is_none(),
        false => BUILTIN.contains(first),
    }
}

/// Words parted by white space that is not quoted.
fn words(command: &str) -> Vec<&str> {
    let mut quote = None;
    let parts = command.split(|c: char| {
        match quote {
            Some(q) if c == q => quote = None,
            None if c == '\'' || c == '"' => quote = Some(c),
            _ => {}
        }
        quote.is_none() && c.is_whitespace()
    });
    parts.filter(|w| !w.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn messages(text: &str) -> Vec<String> {
        let known = ["candidate", "pw", "host"].map(str::to_owned);
        let handed = ["candidate_address", "pw"].map(str::to_owned);
        judge(text, &known, &handed, &["pw".to_owned()])
            .into_iter()
            .map(|f| format!("{}: {}", text.get(f.span).unwrap(), f.message))
            .collect()
    }

    #[test]
    fn its_own_expressions_are_read() {
        assert!(BRACED.is_some() && USED.is_some() && EVAL.is_some());
        assert_eq!(ASSIGNED.len(), 3);
    }

    #[test]
    fn sound_scripts_pass() {
        for text in [
            "ping -c1 \"$candidate_address\"",
            "for host in a b; do echo \"$host\"; done",
            "candidate=x\necho ${candidate}",
            "printf '%s\\n' \"$pw\" | chpasswd",
            "if [ -z \"$pw\" ]; then exit 1; fi",
            "mariadb <<END\nSET PASSWORD = '$pw'\nEND\n",
            "umask 077; printf '%s' \"$pw\" > /etc/x.new",
            "echo evaluated; { true; }",
        ] {
            assert!(messages(text).is_empty(), "{text}: {:?}", messages(text));
        }
    }

    #[test]
    fn variables_that_were_not_handed_over_are_found() {
        assert!(messages("echo $candidate")[0].starts_with("$candidate: $candidate is empty"));
        assert!(messages("echo ${host}")[0].contains("does not get {host}"));
        assert!(messages("echo $candidate_name")[0].contains("does not get {candidate.name}"));
        assert!(messages("echo {candidate.address}")[0].contains("constant"));
    }

    #[test]
    fn names_that_a_script_assigns_are_found_in_one_look() {
        let text = "a=1 b=2; for c in x; do read -r d e; done\n(f=3) && g=4\necho h == i\nread j";
        let mut names: Vec<&str> = assigned(text).into_iter().collect();
        names.sort_unstable();
        assert_eq!(names, ["a", "b", "c", "d", "e", "f", "g", "j"]);
        assert!(messages("candidate_name=1; echo $candidate_name").is_empty());
        assert_eq!(messages("candidate_namex=1; echo $candidate_name").len(), 1);
    }

    #[test]
    fn eval_is_found() {
        assert!(messages("x=1; eval \"$y\"")[0].starts_with("eval: "));
    }

    #[test]
    fn secrets_in_arguments_and_environments_are_found() {
        for text in [
            "mysql -p\"$pw\"",
            "true && curl -u a:$pw http://x",
            "MYSQL_PWD=$pw mysql",
            "MYSQL_PWD=\"$pw\" mysql",
            "export PW=$pw",
            "x=$(curl \"$pw\")",
            "cat <<END\nEND\nmysql -p$pw",
        ] {
            assert_eq!(messages(text).len(), 1, "{text}: {:?}", messages(text));
        }
    }
}
