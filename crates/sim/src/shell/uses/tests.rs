#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use super::uses;

/// `name word…`, words that are not known as `?`, beginnings with `…`.
fn said(script: &str) -> Vec<String> {
    let line = |used: &super::Used| {
        let words = used.arguments.iter().map(|word| match word.texts.as_slice() {
            [] => " ?".to_owned(),
            texts => format!(" {}{}", texts.join("|"), if word.whole { "" } else { "…" }),
        });
        format!("{}{}", used.name, words.collect::<String>())
    };
    uses(&[script]).unwrap().iter().map(line).collect()
}

#[test]
fn commands_are_found_wherever_they_are() {
    let script = "a=$(one -x) && case $(two) in $(three)) four ;; esac; for i in $(five); do six; done <<END\n$(seven)\nEND\n\
                  if [[ $(eight) = x ]]; then :; fi; while nine; do (ten | eleven) & done >\"$(twelve)\"; echo ${a:-$(thirteen)}";
    let found = said(script).join("\n");
    for name in "one -x,two,three,four,five,six,seven,eight,nine,ten,eleven,twelve,thirteen".split(',') {
        assert!(found.lines().any(|line| line == name), "{name} in {found}");
    }
}

#[test]
fn commands_within_commands_are_found() {
    let script = "sudo -n -u postgres A=1 timeout -k 1 5 env -u X B=2 one -a; nohup setsid sh -c 'two -b; three' x; xargs -n 1 four -c; \
                  find /x -type f -exec five -d {} + -o -exec six {} \\;; salt '*' cmd.run 'seven -e'; trap 'eight' EXIT; \
                  flock -n /x nine; command -v ten; nice -n 5 eleven";
    let found = said(script);
    for line in [
        "one -a",
        "two -b",
        "three",
        "four -c",
        "five -d {}",
        "six {}",
        "seven -e",
        "eight",
        "nine",
        "eleven",
    ] {
        assert!(found.iter().any(|found| found == line), "{line} in {found:?}");
    }
    assert!(!found.iter().any(|line| line.starts_with("ten")), "{found:?}");
}

#[test]
fn functions_and_variables_are_followed() {
    let script = "ask() { $SUDO $LIMIT 3 \"$client\" --batch \"$@\"; }; ask -e 1; SUDO='sudo -n' LIMIT='timeout -k 1'\n\
                  for client in mariadb mysql; do :; done; put() { set -- \"$1\" -v; \"$@\"; }; put cat; m=$(command -v exim4 || command -v exim); $m -bp; late() { [ $1 -gt 2 ]; shift 2; \"$@\"; }; late 1 2 head -c; \"$unknown\" -z; x -l\"$y\"";
    let found = said(script);
    for line in [
        "mariadb --batch -e 1",
        "mysql --batch -e 1",
        "sudo -n timeout -k 1 3 mariadb|mysql --batch -e 1",
        "cat -v",
        "x -l…",
    ] {
        assert!(found.iter().any(|found| found == line), "{line} in {found:#?}");
    }
    assert!(!found.iter().any(|line| line.contains("-z")), "{found:?}");
}
