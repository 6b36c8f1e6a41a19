//! A login with a terminal: a prompt, line editing as a terminal's line discipline does it, `^C` and `^D`.

use std::collections::VecDeque;

use tokio::sync::mpsc;

use super::parse::{Syntax, parse};
use super::pipe::{Reader, Writer, pipe};
use super::state::{Fd, Flow, Shell};
use super::syntax::List;
use super::{Ended, LARGEST, Login};

enum Typed {
    Line(String),
    Interrupt,
    End,
}

/// Lines waiting to be read.
const WAITING: usize = 16;
/// Lines typed ahead that are kept.
const KEPT: usize = 1000;
/// The longest line a terminal takes (`MAX_CANON` is 255; Linux takes 4096).
const LONGEST: usize = 4096;

/// Runs a session on a terminal until it ends; returns how it ended. What is written uses plain newlines: the
/// SSH layer turns them into carriage return and newline.
pub async fn run(login: &Login, keys: Reader, screen: Writer) -> Ended {
    let (mut shell, leftovers) = login.shell(super::pipe::filled(Vec::new()), screen.clone(), screen.clone());
    let (typed, lines) = mpsc::channel(WAITING);
    let discipline = line_discipline(keys, screen.clone(), typed);
    let mut terminal = Terminal { lines, ahead: VecDeque::new(), screen };
    let status = tokio::select! {
        status = terminal.converse(&mut shell) => status,
        never = discipline => match never {},
    };
    Ended { status, leftovers }
}

struct Terminal {
    lines: mpsc::Receiver<Typed>,
    /// Typed while something ran, and not read by it.
    ahead: VecDeque<Typed>,
    screen: Writer,
}

impl Terminal {
    async fn next(&mut self) -> Option<Typed> {
        match self.ahead.pop_front() {
            Some(typed) => Some(typed),
            None => self.lines.recv().await,
        }
    }

    /// Prompt, line, command, and again; returns the exit status.
    async fn converse(&mut self, shell: &mut Shell) -> u8 {
        let mut pending = String::new();
        loop {
            let prompt = if pending.is_empty() { prompt(shell) } else { "> ".to_owned() };
            if self.screen.put(prompt.as_bytes()).await.is_err() {
                return shell.status;
            }
            match self.next().await {
                None => return shell.status,
                Some(Typed::End) => {
                    let _gone = self.screen.put(b"logout\n").await;
                    return shell.leave().await;
                }
                Some(Typed::Interrupt) => {
                    pending.clear();
                    shell.status = 130;
                }
                Some(Typed::Line(line)) => {
                    pending.push_str(&line);
                    if pending.ends_with("\\\n") {
                        continue;
                    }
                    let list = match parse(&pending) {
                        Err(Syntax::Incomplete) if pending.len() < LARGEST => continue,
                        other => other,
                    };
                    pending.clear();
                    match list {
                        // A failed expansion ends a script, not a session with a person.
                        Ok(list)
                            if self.foreground(shell, &list).await == Flow::Exit
                                && shell.leaving_for_good =>
                        {
                            return shell.leave().await;
                        }
                        Ok(_) => {}
                        Err(error) => {
                            shell.complain(&error.to_string()).await;
                            shell.status = 2;
                        }
                    }
                }
            }
        }
    }

    /// Runs a line with the terminal as its input; `^C` ends it.
    async fn foreground(&mut self, shell: &mut Shell, list: &List) -> Flow {
        let (writer, reader) = pipe();
        let mut writer = Some(writer);
        shell.set_fd(0, Fd::Read(reader.clone()));
        shell.leaving_for_good = false;
        for typed in std::mem::take(&mut self.ahead) {
            self.give(typed, &mut writer);
        }
        let flow = {
            let running = shell.list(list);
            tokio::pin!(running);
            loop {
                tokio::select! {
                    flow = &mut running => break Some(flow),
                    typed = self.lines.recv() => match typed {
                        Some(Typed::Interrupt) | None => break None,
                        Some(typed) => self.give(typed, &mut writer),
                    },
                }
            }
        };
        if flow.is_none() {
            shell.after_interrupt(Fd::Write(self.screen.clone()));
            self.ahead.clear();
        }
        shell.set_fd(0, Fd::Null);
        let unread = reader.take_now();
        for line in String::from_utf8_lossy(&unread).split_inclusive('\n').rev() {
            self.ahead.push_front(Typed::Line(line.to_owned()));
        }
        flow.unwrap_or(Flow::Next)
    }

    /// Hands what was typed to the command, or keeps it: after `^D`, or when the command does not read.
    fn give(&mut self, typed: Typed, writer: &mut Option<Writer>) {
        match (&typed, &writer) {
            (Typed::End, Some(_)) if self.ahead.is_empty() => *writer = None,
            (Typed::Line(line), Some(open)) if self.ahead.is_empty() && open.put_now(line.as_bytes()) => {}
            _ if self.ahead.len() < KEPT => self.ahead.push_back(typed),
            _ => {}
        }
    }
}

fn prompt(shell: &Shell) -> String {
    let home = shell.get("HOME").unwrap_or_default();
    let place = match shell.cwd.strip_prefix(home) {
        Some(rest) if !home.is_empty() && (rest.is_empty() || rest.starts_with('/')) => format!("~{rest}"),
        _ => shell.cwd.clone(),
    };
    let sign = if shell.user == "root" { '#' } else { '$' };
    format!("{}@{}:{place}{sign} ", shell.user, shell.machine.host)
}

/// Echo, erase, line and word kill, `^C`, `^D`; lines go out when they are complete.
async fn line_discipline(
    keys: Reader,
    screen: Writer,
    typed: mpsc::Sender<Typed>,
) -> std::convert::Infallible {
    let mut line = String::new();
    let mut escape = Escape::None;
    loop {
        let bytes = keys.take_some(LONGEST).await;
        if bytes.is_empty() {
            let _gone = typed.send(Typed::End).await;
            std::future::pending::<()>().await;
        }
        for c in String::from_utf8_lossy(&bytes).chars() {
            if escape.swallows(c) {
                continue;
            }
            let echo = match c {
                '\r' | '\n' => {
                    let _gone = screen.put(b"\n").await;
                    line.push('\n');
                    let _gone = typed.send(Typed::Line(std::mem::take(&mut line))).await;
                    continue;
                }
                '\u{3}' => {
                    line.clear();
                    let _gone = screen.put(b"^C\n").await;
                    let _gone = typed.send(Typed::Interrupt).await;
                    continue;
                }
                '\u{4}' => {
                    if line.is_empty() {
                        let _gone = typed.send(Typed::End).await;
                    }
                    continue;
                }
                '\u{7f}' | '\u{8}' => {
                    if line.pop().is_some() {
                        "\u{8} \u{8}".to_owned()
                    } else {
                        String::new()
                    }
                }
                '\u{15}' => {
                    let count = line.chars().count();
                    line.clear();
                    "\u{8} \u{8}".repeat(count)
                }
                '\u{17}' => {
                    let kept = line.trim_end().rfind(' ').map_or(0, |at| at + 1);
                    let count = line.get(kept..).unwrap_or_default().chars().count();
                    line.truncate(kept);
                    "\u{8} \u{8}".repeat(count)
                }
                c if c.is_control() || line.len() >= LONGEST => String::new(),
                c => {
                    line.push(c);
                    c.to_string()
                }
            };
            let _gone = screen.put(echo.as_bytes()).await;
        }
    }
}

/// Arrow keys and the like are swallowed: there is no history to walk.
enum Escape {
    None,
    Started,
    Sequence,
}

impl Escape {
    fn swallows(&mut self, c: char) -> bool {
        let (next, swallowed) = match (&self, c) {
            (Self::None, '\u{1b}') => (Self::Started, true),
            (Self::None, _) => (Self::None, false),
            (Self::Started, '[' | 'O') => (Self::Sequence, true),
            (Self::Started, _) => (Self::None, true),
            (Self::Sequence, '@'..='~') => (Self::None, true),
            (Self::Sequence, _) => (Self::Sequence, true),
        };
        *self = next;
        swallowed
    }
}
