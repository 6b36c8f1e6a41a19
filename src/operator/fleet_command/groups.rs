//! Answers grouped by sameness: hosts on which a command ended alike and printed the same.

use super::answers::{CommandAnswer, CommandEnd, NotRun};
use crate::transport::error::TransportError;
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::names::HostName;

/// Hosts whose answers are the same.
#[derive(Debug, PartialEq, Eq)]
pub struct AnswerGroup {
    /// The hosts, in the order of the answers.
    pub hosts: Vec<HostName>,
    /// How the command ended on each of them.
    pub end: CommandEnd,
}

/// How many hosts ended how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// With exit status 0.
    pub zero: usize,
    /// With another status, or by a signal.
    pub other: usize,
    /// How it ended is not known.
    pub unknown: usize,
    /// It did not run.
    pub not_run: usize,
}

impl Tally {
    /// Hosts in all.
    #[must_use]
    pub fn all(&self) -> usize {
        self.zero + self.other + self.unknown + self.not_run
    }
}

/// Groups answers: those that ran first, each with the largest group first; then unknown ones; then those that did not run.
#[must_use]
pub fn grouped(answers: Vec<CommandAnswer>) -> Vec<AnswerGroup> {
    let mut groups: Vec<AnswerGroup> = Vec::new();
    for answer in answers {
        add(&mut groups, answer);
    }
    // A stable order: groups of one size stay in the order of their first hosts.
    groups.sort_by_key(AnswerGroup::place);
    groups
}

/// Adds an answer to the group that it belongs to; a new one is the last.
pub(super) fn add(groups: &mut Vec<AnswerGroup>, CommandAnswer { host, end }: CommandAnswer) {
    match groups.iter_mut().find(|group| alike(&group.end, &end)) {
        Some(group) => group.hosts.push(host),
        None => groups.push(AnswerGroup { hosts: vec![host], end }),
    }
}

impl AnswerGroup {
    /// Where it stands among groups.
    pub(super) fn place(&self) -> (u8, std::cmp::Reverse<usize>) {
        (rank(&self.end), std::cmp::Reverse(self.hosts.len()))
    }
}

/// Counts answers.
#[must_use]
pub fn tally(answers: &[CommandAnswer]) -> Tally {
    let mut tally = Tally::default();
    for answer in answers {
        *match &answer.end {
            CommandEnd::Exit { status: 0, .. } => &mut tally.zero,
            CommandEnd::Exit { .. } | CommandEnd::Signal { .. } => &mut tally.other,
            CommandEnd::Unknown { .. } => &mut tally.unknown,
            CommandEnd::NotRun(_) => &mut tally.not_run,
        } += 1;
    }
    tally
}

fn rank(end: &CommandEnd) -> u8 {
    match end {
        CommandEnd::Exit { .. } | CommandEnd::Signal { .. } => 0,
        CommandEnd::Unknown { .. } => 1,
        CommandEnd::NotRun(_) => 2,
    }
}

fn alike(one: &CommandEnd, other: &CommandEnd) -> bool {
    match (one, other) {
        (
            CommandEnd::Unknown { why: Some(a), printed: one },
            CommandEnd::Unknown { why: Some(b), printed: other },
        ) => one == other && same_failure(a, b),
        (CommandEnd::NotRun(NotRun::Failed(a)), CommandEnd::NotRun(NotRun::Failed(b))) => same_failure(a, b),
        (
            CommandEnd::Exit { .. }
            | CommandEnd::Signal { .. }
            | CommandEnd::Unknown { .. }
            | CommandEnd::NotRun(NotRun::Failed(_) | NotRun::Interrupted),
            _,
        ) => one == other,
    }
}

/// A failure of the host itself is the same on two hosts when it reads the same, though each names its own hop.
fn same_failure(one: &TransportError, other: &TransportError) -> bool {
    let hops = match (&one.hop, &other.hop) {
        (Hop::Host(_), Hop::Host(_)) => true,
        (Hop::Here | Hop::Jump(_) | Hop::Host(_), _) => one.hop == other.hop,
    };
    hops && one.kind == other.kind && one.describe() == other.describe()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::transport::StreamOutput;
    use crate::transport::error::ErrorKind;

    fn name(name: &str) -> HostName {
        HostName::new(name).unwrap()
    }

    fn printed(out: &[u8], err: &[u8]) -> [StreamOutput; 2] {
        [out, err].map(|bytes| StreamOutput { kept: bytes.to_vec(), ..StreamOutput::default() })
    }

    fn exit(status: u32, out: &str) -> CommandEnd {
        CommandEnd::Exit { status, left_open: false, printed: printed(out.as_bytes(), b"") }
    }

    fn failed(hop: Hop, text: &str) -> TransportError {
        TransportError::new(&hop, ErrorKind::Unreachable, text)
    }

    fn groups(ends: Vec<(&str, CommandEnd)>) -> Vec<Vec<String>> {
        let answers = ends.into_iter().map(|(host, end)| CommandAnswer { host: name(host), end }).collect();
        let groups = grouped(answers);
        groups.iter().map(|group| group.hosts.iter().map(ToString::to_string).collect()).collect()
    }

    #[test]
    fn what_ended_alike_and_printed_the_same_is_one_group() {
        let found = groups(vec![
            ("a", exit(1, "x")),
            ("b", exit(0, "x")),
            ("c", exit(0, "y")),
            ("d", exit(0, "x")),
            ("e", CommandEnd::Signal { signal: "KILL".into(), printed: printed(b"x", b"") }),
            ("f", CommandEnd::Exit { status: 0, left_open: true, printed: printed(b"x", b"") }),
            ("g", CommandEnd::Exit { status: 0, left_open: false, printed: printed(b"", b"x") }),
        ]);
        assert_eq!(found, [vec!["b", "d"], vec!["a"], vec!["c"], vec!["e"], vec!["f"], vec!["g"]]);
    }

    #[test]
    fn bytes_that_look_alike_are_not_the_same() {
        let end = |byte: u8| CommandEnd::Exit { status: 0, left_open: false, printed: printed(&[byte], b"") };
        assert_eq!(groups(vec![("a", end(0xfe)), ("b", end(0xff))]).len(), 2);
        let beyond = |count: u64, digest: u8| CommandEnd::Exit {
            status: 0,
            left_open: false,
            printed: [
                StreamOutput { kept: vec![1], beyond: count, beyond_sha256: Some([digest; 32]) },
                StreamOutput::default(),
            ],
        };
        let found = groups(vec![("a", beyond(9, 1)), ("b", beyond(9, 2)), ("c", beyond(9, 1))]);
        assert_eq!(found, [vec!["a", "c"], vec!["b"]], "what is not kept counts");
    }

    #[test]
    fn hosts_that_could_not_be_asked_come_last_by_hop_and_reason() {
        let not_run = |hop: Hop, text: &str| CommandEnd::NotRun(NotRun::Failed(failed(hop, text)));
        let jump = || Hop::Jump(name("gate"));
        let found = groups(vec![
            ("a", not_run(Hop::Host(name("a")), "refused")),
            ("b", not_run(jump(), "gone")),
            ("c", not_run(Hop::Host(name("c")), "refused")),
            ("d", not_run(jump(), "refused")),
            ("e", CommandEnd::Unknown { why: None, printed: printed(b"", b"") }),
            ("f", CommandEnd::NotRun(NotRun::Interrupted)),
            ("g", exit(0, "")),
        ]);
        assert_eq!(found, [vec!["g"], vec!["e"], vec!["a", "c"], vec!["b"], vec!["d"], vec!["f"]]);
    }

    #[test]
    fn each_end_is_counted_once() {
        let unknown = CommandEnd::Unknown { why: None, printed: printed(b"", b"") };
        let signal = CommandEnd::Signal { signal: "TERM".into(), printed: printed(b"", b"") };
        let ends = [
            exit(0, ""),
            exit(0, "x"),
            exit(2, ""),
            signal,
            unknown,
            CommandEnd::NotRun(NotRun::Interrupted),
        ];
        let answers: Vec<_> = ends.into_iter().map(|end| CommandAnswer { host: name("a"), end }).collect();
        let counted = tally(&answers);
        assert_eq!(counted, Tally { zero: 2, other: 2, unknown: 1, not_run: 1 });
        assert_eq!(counted.all(), answers.len());
    }
}
