//! `flock`: on a descriptor, or on a file around a command.

use std::time::Duration;

use super::missing_program;
use crate::shell::redirect::Opening;
use crate::shell::state::{Fd, FileWriter, Shell};

/// `EX_DATAERR`: a descriptor that is none.
const BAD_DESCRIPTOR: u8 = 65;
/// `EX_CANTCREAT`.
const CANNOT_OPEN: u8 = 66;
/// `EX_USAGE`.
const USAGE: u8 = 64;

#[derive(Default)]
struct Wanted {
    shared: bool,
    unlock: bool,
    at_once: bool,
    wait: Option<Duration>,
    close: bool,
    conflict: u8,
}

pub(super) async fn run(shell: &mut Shell, arguments: &[String]) -> u8 {
    let mut wanted = Wanted { conflict: 1, ..Wanted::default() };
    let mut rest = arguments;
    while let [flag, tail @ ..] = rest
        && flag.starts_with('-')
        && flag != "-c"
    {
        rest = tail;
        let value = || tail.first().map(String::as_str).unwrap_or_default();
        match flag.as_str() {
            "--" => break,
            "-w" | "--timeout" | "--wait" => {
                let Some(limit) = value().parse().ok().and_then(|s| Duration::try_from_secs_f64(s).ok())
                else {
                    return usage(shell, &format!("invalid timeout value: '{}'", value())).await;
                };
                wanted.wait = Some(limit);
                rest = tail.get(1..).unwrap_or_default();
            }
            "-E" | "--conflict-exit-code" => {
                wanted.conflict = value().parse().unwrap_or(1);
                rest = tail.get(1..).unwrap_or_default();
            }
            "--shared" => wanted.shared = true,
            "--exclusive" => wanted.shared = false,
            "--unlock" => wanted.unlock = true,
            "--nonblock" | "--nb" => wanted.at_once = true,
            "--close" => wanted.close = true,
            letters => {
                for letter in letters.chars().skip(1) {
                    match letter {
                        's' => wanted.shared = true,
                        'x' | 'e' => wanted.shared = false,
                        'u' => wanted.unlock = true,
                        'n' => wanted.at_once = true,
                        'o' => wanted.close = true,
                        'F' => {}
                        other => return usage(shell, &format!("invalid option -- '{other}'")).await,
                    }
                }
            }
        }
    }
    match rest {
        [] => usage(shell, "requires a file descriptor, file or directory").await,
        [number] => descriptor(shell, number, &wanted).await,
        [file, command @ ..] => around(shell, file, command, &wanted).await,
    }
}

async fn usage(shell: &Shell, what: &str) -> u8 {
    shell.put(2, format!("flock: {what}\nTry 'flock --help' for more information.\n").as_bytes()).await;
    USAGE
}

async fn descriptor(shell: &Shell, number: &str, wanted: &Wanted) -> u8 {
    let Ok(parsed) = number.parse::<usize>() else {
        return usage(shell, &format!("bad file descriptor: '{number}'")).await;
    };
    match shell.fd(parsed) {
        Fd::File(file) => lock(&file.clone(), wanted).await,
        _ => {
            shell.put(2, format!("flock: {number}: Bad file descriptor\n").as_bytes()).await;
            BAD_DESCRIPTOR
        }
    }
}

async fn lock(file: &FileWriter, wanted: &Wanted) -> u8 {
    let open = file.file();
    let locks = &open.machine.locks;
    if wanted.unlock {
        locks.release(&open.path, open.holder);
        return 0;
    }
    let taken = match (wanted.at_once, wanted.wait) {
        (true, _) => locks.try_take(&open.path, open.holder, wanted.shared),
        (false, None) => {
            locks.take(&open.path, open.holder, wanted.shared).await;
            true
        }
        (false, Some(limit)) => {
            tokio::time::timeout(limit, locks.take(&open.path, open.holder, wanted.shared)).await.is_ok()
        }
    };
    if taken { 0 } else { wanted.conflict }
}

async fn around(shell: &mut Shell, file: &str, command: &[String], wanted: &Wanted) -> u8 {
    let path = shell.absolute(file);
    let opened = match shell.open_to_write(&path, Opening::AsItIs) {
        Ok(opened) => opened,
        Err(why) => {
            shell.put(2, format!("flock: cannot open lock file {file}: {why}\n").as_bytes()).await;
            return CANNOT_OPEN;
        }
    };
    let status = lock(&opened, wanted).await;
    if status != 0 {
        return status;
    }
    let command = match command {
        [flag, script] if flag == "-c" || flag == "--command" => {
            vec!["sh".to_owned(), "-c".to_owned(), script.clone()]
        }
        command => command.to_vec(),
    };
    if let Some(missing) = missing_program(shell, &command) {
        shell
            .put(2, format!("flock: failed to execute {missing}: No such file or directory\n").as_bytes())
            .await;
        return 69;
    }
    let mut child = shell.subshell();
    if !wanted.close {
        // What it starts inherits the descriptor, and so holds the lock for as long as it runs.
        let free = child.descriptors.len().max(3);
        child.set_fd(free, Fd::File(opened.clone()));
    }
    child.external(command).await
}
