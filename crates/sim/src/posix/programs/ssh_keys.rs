//! `ssh-keygen -l` (fingerprints) and `-F`, `-R` on known hosts files, `ssh-keyscan`.

use sha2::Digest as _;

use crate::program::{BoxFuture, Call, Program};
use crate::sshd::host_key_line;

use super::files::{Work, with_world};
use super::text::answer;

/// The machine's own key.
const OWN: &str = "/etc/ssh/ssh_host_ed25519_key.pub";

/// `ssh-keygen`.
#[derive(Debug)]
pub(crate) struct Keygen;

impl Program for Keygen {
    fn name(&self) -> &'static str {
        "ssh-keygen"
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        let words: Vec<String> = call.args.get(1..).unwrap_or_default().to_vec();
        let home = if call.user == "root" { "/root".to_owned() } else { format!("/home/{}", call.user) };
        let reply = with_world(&call, |work| {
            let mut file = None;
            let (mut list, mut find, mut remove) = (false, None, None);
            let mut words = words.iter();
            while let Some(word) = words.next() {
                match word.as_str() {
                    "-lf" => (list, file) = (true, words.next().cloned()),
                    "-l" => list = true,
                    "-f" => file = words.next().cloned(),
                    "-E" => drop(words.next()),
                    "-F" => find = words.next().cloned(),
                    "-R" => remove = words.next().cloned(),
                    "-q" | "-H" | "-v" => {}
                    other => return work.complain(&format!("{other} is not simulated")),
                }
            }
            let known = format!("{home}/.ssh/known_hosts");
            match (list, find, remove) {
                (true, ..) => fingerprints(work, &file.unwrap_or_else(|| OWN.to_owned())),
                (_, Some(name), _) => search(work, &file.unwrap_or(known), &name),
                (_, _, Some(name)) => forget(work, &file.unwrap_or(known), &name),
                _ => work.complain("only -l, -F and -R are simulated"),
            }
        });
        answer(call, reply)
    }
}

/// What a file of keys holds; the machine's own is told by the world.
fn content(work: &Work<'_>, file: &str) -> Option<String> {
    let path = work.path(file);
    let bytes = work.world.read_file(&work.host, &path);
    if bytes.is_none() && (path == OWN || format!("{path}.pub") == OWN) {
        let name = work.world.minion_id(&work.host);
        return host_key_line(work.world, &work.host).map(|line| format!("{line} root@{name}\n"));
    }
    bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn fingerprints(work: &mut Work<'_>, file: &str) {
    let Some(text) = content(work, file) else {
        return work.complain(&format!("{file}: No such file or directory"));
    };
    let mut found = false;
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some(at) = words.iter().position(|word| word.starts_with("ssh-") || word.starts_with("ecdsa-"))
        else {
            continue;
        };
        let (Some(kind), Some(key)) = (words.get(at), words.get(at + 1)) else { continue };
        let Some(print) = fingerprint(key) else { continue };
        let comment = if at > 0 { words.first() } else { words.get(at + 2) };
        let kind = kind.trim_start_matches("ssh-").to_uppercase();
        let bits = if kind == "RSA" { 2048 } else { 256 };
        work.say(&format!("{bits} {print} {} ({kind})\n", comment.unwrap_or(&"no comment")));
        found = true;
    }
    if !found {
        work.reply.stderr.extend(format!("{file} is not a public key file.\n").bytes());
        work.reply.status = 255;
    }
}

fn fingerprint(key: &str) -> Option<String> {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD.decode(key).ok()?;
    let digest = base64::engine::general_purpose::STANDARD_NO_PAD.encode(sha2::Sha256::digest(bytes));
    Some(format!("SHA256:{digest}"))
}

fn names(line: &str, name: &str) -> bool {
    line.split_whitespace().next().is_some_and(|hosts| hosts.split(',').any(|host| host == name))
}

fn search(work: &mut Work<'_>, file: &str, name: &str) {
    let text = content(work, file).unwrap_or_default();
    work.reply.status = 1;
    for (at, line) in text.lines().enumerate().filter(|(_, line)| names(line, name)) {
        work.say(&format!("# Host {name} found: line {}\n{line}\n", at + 1));
        work.reply.status = 0;
    }
}

fn forget(work: &mut Work<'_>, file: &str, name: &str) {
    let Some(text) = content(work, file) else {
        return work.complain(&format!("{file}: No such file or directory"));
    };
    let kept: String =
        text.lines().filter(|line| !names(line, name)).map(|line| format!("{line}\n")).collect();
    if kept.len() == text.len() {
        work.reply.stderr.extend(format!("Host {name} not found in {file}\n").bytes());
        return;
    }
    let (path, host) = (work.path(file), work.host.clone());
    work.world.write_file(&host, &format!("{path}.old"), text.into_bytes());
    work.world.write_file(&host, &path, kept.into_bytes());
    work.say(&format!("# Host {name} found\n{file} updated.\nOriginal contents retained as {file}.old\n"));
}

/// `ssh-keyscan`.
#[derive(Debug)]
pub(crate) struct Keyscan;

impl Program for Keyscan {
    fn name(&self) -> &'static str {
        "ssh-keyscan"
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        let words: Vec<String> = call.args.get(1..).unwrap_or_default().to_vec();
        let reply = with_world(&call, |work| {
            let mut words = words.iter();
            while let Some(word) = words.next() {
                match word.as_str() {
                    "-t" | "-T" | "-p" => drop(words.next()),
                    flag if flag.starts_with('-') => {}
                    name => match work.world.resolve(name) {
                        None => work
                            .reply
                            .stderr
                            .extend(format!("getaddrinfo {name}: Name or service not known\n").bytes()),
                        Some(host) if !work.world.is_up(&host) || !work.world.service_runs(&host, "ssh") => {}
                        Some(host) => {
                            let line = host_key_line(work.world, &host).unwrap_or_default();
                            work.say(&format!("{name} {line}\n"));
                        }
                    },
                }
            }
        });
        answer(call, reply)
    }
}
