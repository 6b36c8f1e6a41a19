//! What a run writes, hides and sends: its journal, secrets, and values on their way through a shell and SQL.

use std::cell::RefCell;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::Bytes;
use super::readers::tempfolder::Folder;
use crate::runbook::event::Event;
use crate::runbook::journal::{self, Entry, Journal, JournalError};
use crate::runbook::redact::Redactor;
use crate::runbook::scope::quoted;
use crate::runbook::value::{Value, ValueKind};

const RUN: &str = "20261121-134502-fuzz-a3f1";

/// A journal damaged in any way: no entry is accepted that was not written, none before the damage is lost, a file that is
/// refused stays as it is.
pub fn journal(data: &[u8]) {
    let mut bytes = Bytes(data);
    thread_local! {
        static WRITTEN: (Folder, Vec<u8>, Vec<Entry>) = written();
    }
    WRITTEN.with(|(folder, whole, entries)| {
        let mut text = whole.clone();
        let mut untouched = text.len();
        while !bytes.is_empty() {
            untouched = untouched.min(damage(&mut text, &mut bytes));
        }
        let path = folder.0.join(format!("{RUN}.jsonl"));
        std::fs::write(&path, &text).unwrap();
        let whole_before = whole[..untouched].iter().filter(|b| **b == b'\n').count();
        let read = journal::read(&path);
        if let Ok(read) = &read {
            assert!(read.len() <= entries.len() && read[..] == entries[..read.len()], "forged");
            assert!(read.len() >= whole_before, "{} of {whole_before} whole entries", read.len());
        }
        match Journal::reopen(&folder.0, RUN) {
            Ok((mut open, found)) => {
                assert_eq!(Some(&found), read.as_ref().ok(), "reading and going on differ");
                let added = open
                    .append(&Event::Resumed {
                        who: "fuzz@test".to_owned(),
                        taken_over: false,
                        accounts: Default::default(),
                    })
                    .unwrap();
                let again = journal::read(&path).unwrap();
                assert_eq!(again.split_last().unwrap(), (&added, &found[..]));
            }
            Err(JournalError::Empty(_) | JournalError::Damaged { .. }) => {
                assert_eq!(std::fs::read(&path).unwrap(), text, "a refused file was changed");
            }
            Err(other) => panic!("{other}"),
        }
        let _ = std::fs::remove_file(folder.0.join(format!("{RUN}.torn")));
    });
}

/// A journal of a few entries.
fn written() -> (Folder, Vec<u8>, Vec<Entry>) {
    let folder = Folder::new("journal");
    let mut journal = Journal::create(&folder.0, RUN).unwrap();
    for number in 0..6 {
        let who = format!("ops{number}@desk: \"quoted\" \\ ü");
        journal.append(&Event::Resumed { who, taken_over: false, accounts: Default::default() }).unwrap();
    }
    let path = journal.path().to_owned();
    drop(journal);
    (folder, std::fs::read(&path).unwrap(), journal::read(&path).unwrap())
}

/// Damages a text; the first byte that may be another one now.
fn damage(text: &mut Vec<u8>, bytes: &mut Bytes<'_>) -> usize {
    let at = bytes.below(text.len().max(1));
    if at >= text.len() {
        let _ = bytes.byte();
        return text.len();
    }
    let line = text[..at].iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
    let next = text[at..].iter().position(|b| *b == b'\n').map_or(text.len(), |n| at + n + 1);
    match bytes.below(9) {
        0 => text[at] ^= 1 << bytes.below(8),
        1 => text[at] = bytes.byte(),
        2 => text.truncate(at),
        3 => text[at..].fill(0),
        4 => text.insert(at, bytes.byte()),
        5 => drop(text.remove(at)),
        // Not without end: a line may be all that is left of the text.
        6 if text.len() < 64 * 1024 => {
            let twice = text[line..next].to_vec();
            text.splice(next..next, twice);
            return next;
        }
        7 => {
            text.drain(line..next);
            return line;
        }
        _ => {
            let count = bytes.below(40);
            text.splice(at..at, bytes.take(count).iter().copied());
        }
    }
    at
}

/// Secrets in a text: none of them is left, neither in the whole nor in pieces.
pub fn redactor(data: &[u8]) {
    let mut bytes = Bytes(data);
    let redactor = Redactor::new();
    let mut secrets = Vec::new();
    for _ in 0..=bytes.below(3) {
        let secret = bytes.text(12).replace('\0', "");
        // Values hold no NUL; dots are what stands in a secret's place.
        if !secret.contains('•') && redactor.add(&secret).is_ok() {
            secrets.push(secret);
        }
    }
    let size = bytes.below(24) + 1;
    let mut text = String::new();
    while !bytes.is_empty() {
        match bytes.below(3) {
            0 | 1 if !secrets.is_empty() => {
                let secret = &secrets[bytes.below(secrets.len())];
                text.push_str(&forms(secret)[bytes.below(6)]);
            }
            _ => text.push_str(&bytes.text(12)),
        }
    }
    let hidden = redactor.text(&text);
    for secret in &secrets {
        for form in forms(secret) {
            assert!(!hidden.contains(&form), "{form:?} of {secret:?} in {hidden:?}");
        }
    }
    if secrets.is_empty() {
        assert_eq!(hidden, text);
    }
    let mut stream = redactor.stream();
    let mut shown = String::new();
    let pieces: Vec<char> = text.chars().collect();
    for piece in pieces.chunks(size) {
        shown.push_str(&stream.push(&piece.iter().collect::<String>()));
    }
    shown.push_str(&stream.finish());
    assert_eq!(shown, hidden, "in pieces of {size}");
}

/// What programs make of a text; encoders that have nothing to do with the redactor's own.
fn forms(secret: &str) -> [String; 6] {
    use base64::Engine as _;
    let json = serde_json::to_string(secret).unwrap();
    [
        secret.to_owned(),
        quoted(secret),
        json[1..json.len() - 1].to_owned(),
        secret.replace('\\', "\\\\").replace('\'', "''"),
        base64::engine::general_purpose::STANDARD_NO_PAD.encode(secret),
        secret.bytes().map(|b| format!("{b:02x}")).collect(),
    ]
}

/// Values of many kinds arrive as they are: as words of a real shell, and as SQL literals in a real MariaDB.
pub fn quoting(data: &[u8]) {
    let mut bytes = Bytes(data);
    let mut values = Vec::new();
    while !bytes.is_empty() && values.len() < 48 {
        // NUL stands in no argument and no value.
        values.push(bytes.text(24).replace('\0', ""));
    }
    in_shell(&values);
    if let Some(socket) = std::env::var_os("JUMPDECK_FUZZ_MARIADB") {
        in_sql(Path::new(&socket), &values);
    }
}

fn in_shell(values: &[String]) {
    let words: Vec<String> = values.iter().map(|v| quoted(v)).collect();
    // As a word of a command, and as an assignment before a script.
    let mut script = format!("for word in {}; do printf '%s\\0' \"$word\"; done\n", words.join(" "));
    for word in &words {
        script.push_str(&format!("value={word}\nprintf '%s\\0' \"$value\"\n"));
    }
    let mut child =
        Command::new("sh").arg("-s").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(script.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let wanted: Vec<u8> =
        values.iter().chain(values).flat_map(|v| v.bytes().chain(std::iter::once(0))).collect();
    assert!(output.status.success());
    assert_eq!(output.stdout, wanted, "the shell got other words than {values:?}");
}

/// One client for all executions: a new one for each would be most of the time.
struct Client {
    child: std::process::Child,
    answers: std::io::BufReader<std::process::ChildStdout>,
}

fn in_sql(socket: &Path, values: &[String]) {
    thread_local! {
        static CLIENT: RefCell<Option<Client>> = const { RefCell::new(None) };
    }
    let literals: Vec<String> = values
        .iter()
        .filter_map(|v| Value::new(ValueKind::Text, v).ok())
        .map(|value| format!("HEX({})", crate::runbook::sql_literal(&value)))
        .collect();
    let wanted: Vec<String> = values
        .iter()
        .filter_map(|v| Value::new(ValueKind::Text, v).ok())
        .map(|value| value.text().bytes().map(|b| format!("{b:02X}")).collect())
        .collect();
    if literals.is_empty() {
        return;
    }
    CLIENT.with_borrow_mut(|slot| {
        let client = slot.get_or_insert_with(|| client(socket));
        let statement = format!("SELECT CONCAT_WS(',', {}) AS a;\nSELECT 'jd_end';\n", literals.join(", "));
        client.child.stdin.as_mut().unwrap().write_all(statement.as_bytes()).unwrap();
        let mut said = Vec::new();
        for line in std::io::BufRead::lines(&mut client.answers) {
            let line = line.unwrap();
            if line == "jd_end" {
                break;
            }
            said.push(line);
        }
        assert_eq!(said, [wanted.join(",")], "the server got other values than {values:?}");
    });
}

fn client(socket: &Path) -> Client {
    let program = if Path::new("/usr/bin/mariadb").exists() { "mariadb" } else { "mysql" };
    let mut child = Command::new(program)
        .args(["--no-defaults", "--batch", "--raw", "--skip-column-names", "--unbuffered", "--force"])
        .arg("--default-character-set=utf8mb4")
        .arg(format!("--socket={}", socket.display()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let answers = std::io::BufReader::new(child.stdout.take().unwrap());
    Client { child, answers }
}
