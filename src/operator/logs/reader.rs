//! What `read.sh` answers, piece by piece: lines of logs between lines that begin with a mark.

use jumpdeck_fleet::text::Clean;

/// Bytes of one log that a request may bring: what `read.sh` sends of its own limits, and room.
const LARGEST: usize = 2 << 20;

/// A part of an answer; `log` is the index that the request gave.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum LogReply {
    /// The pattern is none; what grep says.
    BadPattern(Clean),
    /// A program that is missing on the host.
    Lacks(Clean),
    /// The host's clock: seconds since 1970, and its zone as `+0100`.
    Clock { seconds: i64, offset: i32 },
    /// There is no such log.
    Missing { log: usize },
    /// This account may not read it.
    Closed { log: usize },
    /// It is no file.
    NoFile { log: usize },
    /// It could not be looked at.
    Failed { log: usize },
    /// What journalctl says besides lines.
    Said { log: usize, text: Clean },
    /// The file was replaced; the rest of the one before was found beside it, or not.
    Turned { log: usize, found: bool },
    /// The file was cut shorter: it is read from its beginning.
    Cut { log: usize },
    /// The file is there, and read on from here.
    There { log: usize, place: FilePlace },
    /// The last lines of a file that is read for the first time, and how many bytes of it were not looked at.
    First { log: usize, place: FilePlace, before: u64, body: Vec<u8> },
    /// New lines.
    Data { log: usize, place: FilePlace, missed: Missed, body: Vec<u8> },
    /// Lines of the journal; the last one says where it ended.
    Journal { log: usize, body: Vec<u8>, rest: Vec<u8> },
    /// The answer to the request of this number is whole.
    Done { number: u64 },
}

/// How far a file was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct FilePlace {
    /// Which file; 0: none yet.
    pub(super) inode: u64,
    /// Bytes before it.
    pub(super) at: u64,
    /// It is within a line that is too long.
    pub(super) within: bool,
}

/// What was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Missed {
    /// Lines behind those that were.
    pub(super) lines: u64,
    /// Bytes behind those that were not counted line by line.
    pub(super) bytes: u64,
    /// Bytes of the only line in `body`.
    pub(super) of_line: u64,
    /// Bytes of the line before.
    pub(super) of_line_before: u64,
}

/// Puts answers together.
pub(super) struct AnswerReader {
    mark: Vec<u8>,
    line: Vec<u8>,
    open: Option<OpenReply>,
}

/// Lines of a log are being taken in.
struct OpenReply {
    head: String,
    body: Vec<u8>,
    rest: Option<Vec<u8>>,
}

/// A host sends more than it may: it does not run our script.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooMuch;

impl AnswerReader {
    /// Lines that begin with `mark` are the script's.
    pub(super) fn new(mark: &str) -> Self {
        Self { mark: format!("{mark} ").into_bytes(), line: Vec::new(), open: None }
    }

    /// Takes bytes in; the parts that they complete are added to `out`.
    pub(super) fn push(&mut self, bytes: &[u8], out: &mut Vec<LogReply>) -> Result<(), TooMuch> {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(piece);
            if self.line.len() > LARGEST {
                return Err(TooMuch);
            }
            if piece.ends_with(b"\n") {
                let line = std::mem::take(&mut self.line);
                self.take(&line, out)?;
            }
        }
        Ok(())
    }

    fn take(&mut self, line: &[u8], out: &mut Vec<LogReply>) -> Result<(), TooMuch> {
        let Some(head) = line.strip_prefix(self.mark.as_slice()) else {
            if let Some(open) = &mut self.open {
                let into = open.rest.as_mut().unwrap_or(&mut open.body);
                into.extend_from_slice(line);
                if into.len() > LARGEST {
                    return Err(TooMuch);
                }
            }
            return Ok(());
        };
        let head = String::from_utf8_lossy(head).trim_end().to_owned();
        match head.split(' ').next().unwrap_or_default() {
            "first" | "data" | "journal" => {
                self.open = Some(OpenReply { head, body: Vec::new(), rest: None })
            }
            "rest" => {
                if let Some(open) = &mut self.open {
                    without_last_line_end(&mut open.body);
                    open.rest = Some(Vec::new());
                }
            }
            "end" => out.extend(self.open.take().and_then(OpenReply::whole)),
            _ => out.extend(short(&head)),
        }
        Ok(())
    }
}

/// The script ends each body with a line end of its own.
fn without_last_line_end(body: &mut Vec<u8>) {
    if body.ends_with(b"\n") {
        body.pop();
    }
}

impl OpenReply {
    fn whole(mut self) -> Option<LogReply> {
        without_last_line_end(self.rest.as_mut().unwrap_or(&mut self.body));
        let mut words = self.head.split(' ');
        let kind = words.next()?;
        let numbers: Vec<u64> = words.map(|word| word.parse().ok()).collect::<Option<_>>()?;
        let body = self.body;
        match (kind, numbers.as_slice()) {
            ("first", [log, inode, at, within, before]) => Some(LogReply::First {
                log: usize::try_from(*log).ok()?,
                place: FilePlace { inode: *inode, at: *at, within: *within == 1 },
                before: *before,
                body,
            }),
            ("data", [log, inode, at, within, lines, bytes, of_line, of_line_before]) => {
                Some(LogReply::Data {
                    log: usize::try_from(*log).ok()?,
                    place: FilePlace { inode: *inode, at: *at, within: *within == 1 },
                    missed: Missed {
                        lines: *lines,
                        bytes: *bytes,
                        of_line: *of_line,
                        of_line_before: *of_line_before,
                    },
                    body,
                })
            }
            ("journal", [log]) => Some(LogReply::Journal {
                log: usize::try_from(*log).ok()?,
                body,
                rest: self.rest.unwrap_or_default(),
            }),
            (_, _) => None,
        }
    }
}

/// A part that is one line.
fn short(head: &str) -> Option<LogReply> {
    let (kind, rest) = head.split_once(' ').unwrap_or((head, ""));
    let (first, more) = rest.split_once(' ').unwrap_or((rest, ""));
    let log = || first.parse::<usize>().ok();
    match kind {
        "pattern" => Some(LogReply::BadPattern(Clean::new(rest))),
        "lacks" => Some(LogReply::Lacks(Clean::new(rest))),
        "clock" => Some(LogReply::Clock { seconds: first.parse().ok()?, offset: offset(more)? }),
        "missing" => Some(LogReply::Missing { log: log()? }),
        "closed" => Some(LogReply::Closed { log: log()? }),
        "other" => Some(LogReply::NoFile { log: log()? }),
        "failed" => Some(LogReply::Failed { log: log()? }),
        "said" => Some(LogReply::Said { log: log()?, text: Clean::new(more) }),
        "turned" => Some(LogReply::Turned { log: log()?, found: more == "1" }),
        "cut" => Some(LogReply::Cut { log: log()? }),
        "there" => {
            let numbers: Vec<u64> = more.split(' ').map(|word| word.parse().ok()).collect::<Option<_>>()?;
            let [inode, at, within] = numbers.as_slice() else { return None };
            let place = FilePlace { inode: *inode, at: *at, within: *within == 1 };
            Some(LogReply::There { log: log()?, place })
        }
        "done" => Some(LogReply::Done { number: first.parse().ok()? }),
        _ => None,
    }
}

/// `+0130` in seconds.
fn offset(zone: &str) -> Option<i32> {
    let digits = zone.strip_prefix(['+', '-']).filter(|digits| digits.len() == 4)?;
    let seconds = digits.get(..2)?.parse::<i32>().ok()? * 3600 + digits.get(2..)?.parse::<i32>().ok()? * 60;
    Some(if zone.starts_with('-') { -seconds } else { seconds })
}

/// Lines of the journal, where it ended, and how many lines came behind those.
pub(super) fn journal(mut body: Vec<u8>, rest: &[u8]) -> (Vec<u8>, Option<String>, u64) {
    const CURSOR: &[u8] = b"-- cursor: ";
    let cursor_in = |line: &[u8]| -> Option<String> {
        let text = std::str::from_utf8(line.strip_prefix(CURSOR)?).ok()?.trim();
        // It is sent back, quoted.
        (text.len() <= 400 && text.bytes().all(|byte| byte.is_ascii_graphic())).then(|| text.to_owned())
    };
    let last = |text: &[u8]| -> usize {
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1)
    };
    // `sed` says how many lines there were, and the last of them.
    let mut counted = rest.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let behind: u64 =
        counted.next().and_then(|count| std::str::from_utf8(count).ok()?.parse().ok()).unwrap_or(0);
    if behind > 0 {
        let cursor = counted.next().and_then(cursor_in);
        if !body.ends_with(b"\n") {
            body.push(b'\n');
        }
        // The first is the end of a line that is shown; the last is the cursor.
        return (body, cursor, behind.saturating_sub(2));
    }
    let at = last(&body);
    let cursor = body.get(at..).and_then(cursor_in);
    if cursor.is_some() {
        body.truncate(at);
    }
    (body, cursor, 0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

    use super::*;

    fn read(text: &str) -> Vec<LogReply> {
        let whole = {
            let mut out = Vec::new();
            AnswerReader::new("M").push(text.as_bytes(), &mut out).unwrap();
            out
        };
        let mut out = Vec::new();
        let mut reader = AnswerReader::new("M");
        text.as_bytes().chunks(1).for_each(|byte| reader.push(byte, &mut out).unwrap());
        assert_eq!(out, whole, "however it comes");
        out
    }

    #[test]
    fn lines_are_between_marks_and_end_as_they_do() {
        let replies = read(
            "noise\nM clock 5 -0130\nM first 0 7 6 0 0\na1\na2\n\nM end 0\nM missing 1\nM there 2 8 3 1\n\
             M data 2 8 9 0 4 5 0 6\nold end\nM end 2\nM data 2 8 9 0 0 0 0 0\n\nM end 2\nM done 3\n",
        );
        let place = |inode, at| FilePlace { inode, at, within: false };
        assert_eq!(
            replies,
            [
                LogReply::Clock { seconds: 5, offset: -5400 },
                LogReply::First { log: 0, place: place(7, 6), before: 0, body: b"a1\na2\n".to_vec() },
                LogReply::Missing { log: 1 },
                LogReply::There { log: 2, place: FilePlace { within: true, ..place(8, 3) } },
                LogReply::Data {
                    log: 2,
                    place: place(8, 9),
                    missed: Missed { lines: 4, bytes: 5, of_line: 0, of_line_before: 6 },
                    body: b"old end".to_vec()
                },
                LogReply::Data { log: 2, place: place(8, 9), missed: Missed::default(), body: Vec::new() },
                LogReply::Done { number: 3 },
            ]
        );
    }

    #[test]
    fn a_line_of_a_log_is_no_answer() {
        let replies =
            read("M data 0 7 6 0 0 0 0 0\nmissing 0\n M done 1\nMM done 1\n\nM end 0\nM x\nM there 0 1\n");
        assert!(
            matches!(replies.as_slice(), [LogReply::Data { body, .. }] if body == b"missing 0\n M done 1\nMM done 1\n"),
            "{replies:?}"
        );
    }

    #[test]
    fn a_journal_says_where_it_ended() {
        let mut read = read("M journal 0\nNov x\n-- cursor: s=1;i=2\n\nM rest 0\n\nM end 0\n");
        let Some(LogReply::Journal { body, rest, .. }) = read.pop() else { panic!("no journal: {read:?}") };
        assert_eq!(journal(body, &rest), (b"Nov x\n".to_vec(), Some("s=1;i=2".to_owned()), 0));
        let cut = journal(b"Nov x\nNov y".to_vec(), b"7\n-- cursor: s=3\n");
        assert_eq!(cut, (b"Nov x\nNov y\n".to_vec(), Some("s=3".to_owned()), 5));
        assert_eq!(journal(b"".to_vec(), b""), (Vec::new(), None, 0));
        assert_eq!(journal(b"-- cursor: a b\n".to_vec(), b"").1, None, "it goes into a command");
    }

    #[test]
    fn a_host_that_sends_without_end_is_refused() {
        let mut reader = AnswerReader::new("M");
        let mut out = Vec::new();
        let piece = vec![b'x'; 1 << 20];
        let sent = (0..4).map(|_| reader.push(&piece, &mut out)).collect::<Result<Vec<()>, TooMuch>>();
        assert_eq!(sent, Err(TooMuch));
        let mut reader = AnswerReader::new("M");
        reader.push(b"M data 0 7 6 0 0 0 0 0\n", &mut out).unwrap();
        let lines = b"x\n".repeat(1 << 20);
        assert_eq!((0..4).try_for_each(|_| reader.push(&lines, &mut out)), Err(TooMuch));
    }

    proptest::proptest! {
        #[test]
        fn no_answer_is_too_odd(text in "(M (first|data|journal|rest|end|there|clock|done)( [0-9]{1,3}){0,9}\n|.{0,9}\n){0,20}") {
            let _ = read(&text);
        }
    }
}
