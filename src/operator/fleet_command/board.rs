//! Answers on their way to the screen: grouped as they come, and cut to what a screen can show.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::answers::{CommandAnswer, CommandEnd, NotRun, kept_lines};
use super::groups::{AnswerGroup, add};
use crate::transport::StreamOutput;
use jumpdeck_fleet::command::{
    CommandOrder, CommandOutcome, CommandState, CommandView, PrintedLine, SameAnswers,
};
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::time::Moment;

/// Lines of a stream that a screen shows.
const MOST_LINES: usize = 2000;
/// What prints all of it.
const ELSEWHERE: &str = "jumpdeck exec prints more of it";

/// The answers so far.
pub struct AnswerBoard {
    order: Arc<CommandOrder>,
    /// Where each host stands in the order.
    places: HashMap<HostName, usize>,
    began: Moment,
    groups: Vec<AnswerGroup>,
    /// What of each group is shown; it stays with its group.
    printed: Vec<Option<Arc<[PrintedLine]>>>,
    answered: BTreeSet<HostName>,
}

impl AnswerBoard {
    /// One without answers.
    #[must_use]
    pub fn new(order: Arc<CommandOrder>, began: Moment) -> Self {
        let places = order.hosts.iter().enumerate().map(|(at, host)| (host.clone(), at)).collect();
        Self { order, places, began, groups: Vec::new(), printed: Vec::new(), answered: BTreeSet::new() }
    }

    /// Takes an answer; a second one of a host changes nothing.
    pub fn take(&mut self, answer: CommandAnswer) {
        if !self.answered.insert(answer.host.clone()) {
            return;
        }
        add(&mut self.groups, answer);
        if let Some(new) = self.groups.get(self.printed.len()) {
            self.printed.push(new.end.printed().map(shown));
        }
    }

    /// What is to be shown now. `over`: when every host had its answer.
    #[must_use]
    pub fn view(&self, over: Option<Moment>) -> CommandView {
        let mut groups: Vec<(usize, &AnswerGroup)> = self.groups.iter().enumerate().collect();
        if over.is_some() {
            groups.sort_by_key(|(_, group)| group.place());
        }
        let same = |(number, group): (usize, &AnswerGroup)| SameAnswers {
            number,
            hosts: self.in_order(&group.hosts),
            outcome: outcome(&group.end),
            why: group.end.why().map(|why| Clean::new(&why)),
            printed: self.printed.get(number).cloned().flatten(),
        };
        let waiting = self.order.hosts.iter().filter(|host| !self.answered.contains(host));
        CommandView {
            order: self.order.clone(),
            began: self.began,
            state: over.map_or(CommandState::UnderWay, CommandState::Over),
            groups: groups.into_iter().map(same).collect(),
            waiting: waiting.cloned().collect(),
        }
    }
}

impl AnswerBoard {
    /// Hosts in the order's order, whichever answered first.
    fn in_order(&self, hosts: &[HostName]) -> Vec<HostName> {
        let mut hosts = hosts.to_vec();
        hosts.sort_by_key(|host| self.places.get(host).copied());
        hosts
    }
}

fn outcome(end: &CommandEnd) -> CommandOutcome {
    match end {
        CommandEnd::Exit { status, .. } => CommandOutcome::Exit(*status),
        CommandEnd::Signal { signal, .. } => CommandOutcome::Signal(signal.clone()),
        CommandEnd::Unknown { .. } => CommandOutcome::Unknown,
        CommandEnd::NotRun(NotRun::Failed(_)) => CommandOutcome::NotAsked,
        CommandEnd::NotRun(NotRun::Interrupted) => CommandOutcome::Stopped,
    }
}

/// Both streams, each within bounds, with what of it is not shown.
fn shown([stdout, stderr]: &[StreamOutput; 2]) -> Arc<[PrintedLine]> {
    let mut lines = Vec::new();
    add_stream(&mut lines, stdout, "standard output", PrintedLine::Out);
    add_stream(&mut lines, stderr, "standard error", PrintedLine::Err);
    lines.into()
}

fn add_stream(
    lines: &mut Vec<PrintedLine>,
    stream: &StreamOutput,
    name: &str,
    line: fn(Clean) -> PrintedLine,
) {
    let (kept, is_utf8) = kept_lines(stream);
    let more = kept.len().saturating_sub(MOST_LINES);
    lines.extend(kept.into_iter().take(MOST_LINES).map(line));
    let mut remark = |text: String| lines.push(PrintedLine::Remark(Clean::new(&text)));
    if more > 0 {
        remark(format!("{more} lines more on {name} are not shown; {ELSEWHERE}"));
    }
    if stream.beyond > 0 {
        remark(format!("{} bytes more on {name} are not shown; {ELSEWHERE}", stream.beyond));
    }
    if !is_utf8 {
        remark(format!("{name} is not all UTF-8; what is not is shown as \u{fffd}"));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;
    use jumpdeck_fleet::command::CommandText;
    use jumpdeck_fleet::names::EnvName;

    fn host(name: &str) -> HostName {
        HostName::new(name).unwrap()
    }

    fn board() -> AnswerBoard {
        let order = CommandOrder {
            id: 7,
            env: EnvName::new("production").unwrap(),
            hosts: ["a", "b", "c", "d"].map(host).to_vec(),
            text: CommandText::new("uptime"),
        };
        AnswerBoard::new(Arc::new(order), Moment(1000))
    }

    fn exit(status: u32, out: &[u8], beyond: u64) -> CommandEnd {
        let stdout = StreamOutput { kept: out.to_vec(), beyond, beyond_sha256: None };
        CommandEnd::Exit { status, left_open: false, printed: [stdout, StreamOutput::default()] }
    }

    fn answer(name: &str, end: CommandEnd) -> CommandAnswer {
        CommandAnswer { host: host(name), end }
    }

    #[test]
    fn groups_keep_their_numbers_when_they_are_sorted() {
        let mut board = board();
        board.take(answer("b", CommandEnd::NotRun(NotRun::Interrupted)));
        board.take(answer("a", exit(1, b"x\n", 0)));
        board.take(answer("a", exit(0, b"again\n", 0)));
        let view = board.view(None);
        assert_eq!(view.groups.iter().map(|group| group.number).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(view.waiting, ["c", "d"].map(host));
        board.take(answer("d", exit(0, b"y\n", 0)));
        board.take(answer("c", exit(0, b"y\n", 0)));
        let view = board.view(Some(Moment(2000)));
        assert_eq!(view.state, CommandState::Over(Moment(2000)));
        assert_eq!(view.groups.iter().map(|group| group.number).collect::<Vec<_>>(), [2, 1, 0]);
        assert_eq!(view.groups[0].hosts, ["c", "d"].map(host));
        assert_eq!(view.groups[2].outcome, CommandOutcome::Stopped);
        assert!(view.waiting.is_empty());
    }

    #[test]
    fn what_is_not_shown_is_counted_and_nothing_of_it_reaches_the_terminal() {
        let mut board = board();
        let long: Vec<u8> = b"\x1b[2J\xff\n".iter().copied().cycle().take(6 * 3000).collect();
        board.take(answer("a", exit(0, &long, 99)));
        let view = board.view(None);
        let lines = view.groups[0].printed.as_ref().unwrap();
        assert_eq!(lines.len(), MOST_LINES + 3);
        assert_eq!(lines[0], PrintedLine::Out(Clean::new("\u{1b}[2J\u{fffd}")));
        let PrintedLine::Out(first) = &lines[0] else { unreachable!() };
        assert_eq!(first.as_str(), "^[[2J\u{fffd}");
        let remarks: Vec<&str> = lines[MOST_LINES..]
            .iter()
            .map(|line| match line {
                PrintedLine::Remark(text) | PrintedLine::Out(text) | PrintedLine::Err(text) => text.as_str(),
            })
            .collect();
        assert!(remarks[0].starts_with("1000 lines more on standard output"), "{remarks:?}");
        assert!(remarks[1].starts_with("99 bytes more on standard output"), "{remarks:?}");
        assert!(remarks[2].contains("not all UTF-8"), "{remarks:?}");
    }
}
