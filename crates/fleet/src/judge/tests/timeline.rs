//! What is recorded of an environment's course, and what is not claimed.

use super::*;
use crate::timeline::{
    Acknowledgement, KnownTimeline, Onset, ProblemEnding, Reopening, RowMark, TimelineChange, TimelineRecord,
    WallTime, rows,
};

/// Noon.
const NOON: i64 = 1_796_040_000;

/// A console that looks at a world, and what it recorded.
struct Watch {
    world: World,
    known: KnownTimeline,
    at: WallTime,
    records: Vec<TimelineRecord>,
}

impl Watch {
    /// Nobody has looked before.
    fn new(world: World) -> Self {
        Self { world, known: KnownTimeline::default(), at: WallTime(NOON), records: Vec::new() }
    }

    /// Looked for ten minutes, and forgets the records of it.
    fn settled(world: World) -> Self {
        let mut watch = Self::new(world);
        watch.pass(600);
        watch.records.clear();
        watch
    }

    /// Looks each second for so long.
    fn pass(&mut self, seconds: i64) {
        for _ in 0..seconds {
            self.at = WallTime(self.at.0 + 1);
            self.look();
        }
    }

    fn look(&mut self) {
        let situation = self.world.situation(NOW);
        let judgement = judge(&situation);
        self.records.extend(self.known.look(&situation, &judgement, self.at));
    }

    /// Another console begins so long after the last look.
    fn restart(&mut self, records: &[TimelineRecord], after: i64) {
        self.known = KnownTimeline::replay(records);
        self.at = WallTime(self.at.0 + after);
    }

    /// What was recorded and is shown, in short.
    fn said(&self) -> Vec<String> {
        let mut rows = rows(&self.records);
        rows.reverse();
        let host = |row: &crate::timeline::TimelineRow| {
            row.host.as_ref().map_or("-".to_owned(), ToString::to_string)
        };
        rows.iter()
            .map(|row| format!("{:?} {} {} [{}] {}", row.mark, row.kind, host(row), row.lasted, row.says))
            .collect()
    }

    fn changes(&self) -> Vec<&TimelineChange> {
        let looks = |record: &&TimelineRecord| !matches!(record.change, TimelineChange::Looked { .. });
        self.records.iter().filter(looks).map(|record| &record.change).collect()
    }
}

fn down(watch: &mut Watch, host: &str) {
    watch.world.change(host, |h| h.link.state = LinkState::Unreachable);
}

fn up(watch: &mut Watch, host: &str) {
    watch.world.change(host, |h| h.link = Link::up(NOW));
}

#[test]
fn a_host_that_goes_and_comes_back_is_two_events_with_a_duration() {
    let mut watch = Watch::settled(trio());
    down(&mut watch, "app1");
    watch.pass(240);
    up(&mut watch, "app1");
    watch.pass(1);
    let said = watch.said();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].starts_with("Problem(Critical) host_down app1 [] unreachable"), "{said:?}");
    assert!(said[1].starts_with("Ended host_down app1 [4m] answers again"), "{said:?}");
}

#[test]
fn what_became_unknown_has_not_ended() {
    let mut watch = Watch::settled(trio());
    watch.world.change("app1", |h| h.facts.load.learn(load(9.0, 9.0, Some(2)), NOW));
    watch.pass(60);
    down(&mut watch, "app1");
    watch.pass(600);
    let ended = |change: &&TimelineChange| matches!(change, TimelineChange::Ended { .. });
    assert!(!watch.changes().iter().any(ended), "{:?}", watch.said());
    let last = watch.known.open().find(|open| open.problem.kind == ProblemKind::Load).unwrap().seen;
    assert_eq!(watch.at.since(last).as_secs(), 600, "it was last seen when the host last answered");

    // Ended in a time in which nobody could see it.
    watch.world.change("app1", |h| h.facts.load.learn(load(0.1, 0.1, Some(2)), NOW));
    up(&mut watch, "app1");
    watch.pass(1);
    let load = watch.changes().into_iter().find_map(|change| match change {
        TimelineChange::Ended { problem, ending, .. } if problem.kind == ProblemKind::Load => Some(*ending),
        _ => None,
    });
    assert_eq!(load, Some(ProblemEnding::After(last)));
    let said = watch.said();
    assert!(
        said.iter().any(|row| row.contains("[59s–11m]") && row.contains("not seen meanwhile")),
        "{said:?}"
    );
}

#[test]
fn a_question_that_was_not_answered_ends_no_problem_of_its_answer() {
    let mut watch = Watch::settled(trio());
    watch.world.database("db2", |s| s.connections.as_mut().unwrap()[0].sql = Thread::Stopped);
    watch.pass(5);
    watch.world.database("db2", |s| s.connections = Err(Gap::TimedOut));
    watch.pass(60);
    let open: Vec<_> = watch.known.open().map(|open| open.problem.kind).collect();
    assert!(open.contains(&ProblemKind::Replication), "{open:?}");
    let ended = |change: &&TimelineChange| matches!(change, TimelineChange::Ended { .. });
    assert!(!watch.changes().iter().any(ended), "{:?}", watch.said());
}

#[test]
fn a_jump_box_that_is_lost_ends_nothing_behind_it_and_comes_back() {
    let mut watch = Watch::settled(trio());
    watch.world.change("app1", |h| h.facts.load.learn(load(9.0, 9.0, Some(2)), NOW));
    watch.pass(5);
    watch.world.jump.link.state = LinkState::TimedOut;
    watch.pass(120);
    watch.world.jump.link = Link::up(NOW);
    watch.pass(5);
    let said = watch.said();
    assert!(said.iter().any(|row| row.starts_with("Problem(Critical) jump_down - []")), "{said:?}");
    assert!(
        said.iter().any(|row| row.starts_with("Ended jump_down - [2m] the hosts are reached again")),
        "{said:?}"
    );
    assert_eq!(said.iter().filter(|row| row.contains(" load app1")).count(), 1, "{said:?}");
}

#[test]
fn the_first_look_is_marked_and_a_later_console_sees_what_changed_meanwhile() {
    let mut watch = Watch::new(trio());
    watch.world.change("app1", |h| h.facts.load.learn(load(9.0, 9.0, Some(2)), NOW));
    watch.pass(300);
    let first =
        |change: &&TimelineChange| matches!(change, TimelineChange::Began { onset: Onset::FirstLook, .. });
    assert!(watch.changes().iter().any(first), "{:?}", watch.said());
    let looked = watch.at;

    let kept = watch.records.clone();
    watch.restart(&kept, 3600);
    watch.records.clear();
    watch.world.change("app1", |h| h.facts.load.learn(load(0.1, 0.1, Some(2)), NOW));
    watch.world.change("db2", |h| h.facts.filesystems.learn(vec![filesystem("/", 99)], NOW));
    watch.world.change("app1", |h| {
        h.generation += 1;
        let roles = vec![RoleName::new("app").unwrap(), RoleName::new("cron").unwrap()];
        h.facts
            .grains
            .learn(Grains { roles: Some(roles), level: Some("production".into()), odd_roles: vec![] }, NOW);
    });
    watch.look();
    let since = WallTime(looked.0 - looked.0.rem_euclid(1));
    for change in watch.changes() {
        match change {
            TimelineChange::Ended { ending: ProblemEnding::After(seen), .. } => assert!(seen.0 <= since.0),
            TimelineChange::Began { onset: Onset::After(seen), .. } => assert!(seen.0 <= since.0),
            TimelineChange::Roles { unseen_since: Some(seen), before: Some(_), .. } => {
                assert!(seen.0 <= since.0)
            }
            other => assert!(
                matches!(other, TimelineChange::Began { problem, onset: Onset::After(_) } if problem.kind == ProblemKind::RolesDiffer),
                "{other:?}"
            ),
        }
    }
    let said = watch.said().join("\n");
    for part in ["Ended load app1", "disk db2", "roles app → app, cron", "not seen meanwhile"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn a_second_console_that_sees_the_same_records_nothing_new() {
    let mut watch = Watch::settled(trio());
    down(&mut watch, "app1");
    watch.pass(120);
    let mut all = KnownTimeline::default().baseline(WallTime(NOON));
    all.extend(watch.known.baseline(WallTime(NOON)));
    all.extend(watch.records.clone());
    watch.restart(&all, 20);
    watch.records.clear();
    watch.pass(30);
    assert!(watch.changes().is_empty(), "{:?}", watch.said());
}

#[test]
fn two_full_disks_are_two_problems_and_a_worse_one_is_said() {
    let mut watch = Watch::settled(trio());
    let full = |one: u8, two: u8| vec![filesystem("/", one), filesystem("/srv", two)];
    watch.world.change("app1", |h| h.facts.filesystems.learn(full(90, 90), NOW));
    watch.pass(1);
    watch.world.change("app1", |h| h.facts.filesystems.learn(full(99, 90), NOW));
    watch.pass(1);
    watch.world.change("app1", |h| h.facts.filesystems.learn(full(99, 40), NOW));
    watch.pass(1);
    let said = watch.said();
    assert_eq!(said.len(), 4, "{said:?}");
    assert!(said[2].contains("/ 99%") && said[2].contains("worse, warning before"), "{said:?}");
    assert!(said[3].starts_with("Ended disk app1") && said[3].contains("/srv"), "{said:?}");
}

#[test]
fn changes_that_follow_each_other_closely_are_one_row_with_their_number() {
    let mut watch = Watch::settled(trio());
    for _ in 0..20 {
        down(&mut watch, "app1");
        watch.pass(5);
        up(&mut watch, "app1");
        watch.pass(5);
    }
    let said = watch.said();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("began 20 and ended 20 times since"), "{said:?}");
    assert_eq!(rows(&watch.records)[0].changes, 40);
}

#[test]
fn hosts_of_the_inventory_come_and_go() {
    let mut watch = Watch::settled(trio());
    down(&mut watch, "app1");
    watch.pass(5);
    watch.world.hosts.pop();
    watch.world.env.hosts.pop();
    watch.pass(1);
    let said = watch.said();
    assert!(said.iter().any(|row| row.contains("whether it ended is unknown")), "{said:?}");
    assert!(said.iter().any(|row| row.ends_with("app1 [] removed from the inventory")), "{said:?}");
    assert!(!said.iter().any(|row| row.starts_with("Ended")), "{said:?}");
    assert_eq!(watch.known.open().count(), 0);
}

#[test]
fn a_time_in_which_no_console_looked_is_a_row() {
    let mut watch = Watch::new(trio());
    watch.pass(120);
    let kept = watch.records.clone();
    watch.restart(&kept, 7200);
    watch.pass(5);
    let gaps: Vec<_> = rows(&watch.records).into_iter().filter(|row| row.mark == RowMark::Gap).collect();
    assert_eq!(gaps.len(), 1);
    assert_eq!(gaps[0].lasted, "2h");
}

#[test]
fn an_acknowledgement_ends_with_its_time_when_it_gets_worse_and_with_its_problem() {
    let acknowledge = |watch: &mut Watch, until: Option<i64>| {
        let open = watch.known.open().next().unwrap().problem.clone();
        let acknowledgement = Acknowledgement {
            by: "anna@desk".into(),
            reason: "known".into(),
            until: until.map(|seconds| WallTime(watch.at.0 + seconds)),
        };
        let change = TimelineChange::Acknowledged { problem: open, acknowledgement };
        watch.known.take(&TimelineRecord { at: watch.at, change });
    };
    let disk = |watch: &mut Watch, percent| {
        watch.world.change("app1", |h| h.facts.filesystems.learn(vec![filesystem("/", percent)], NOW));
        watch.pass(1);
    };
    let is_acknowledged = |watch: &Watch| watch.known.has_acknowledgements();
    let mut watch = Watch::settled(trio());
    disk(&mut watch, 90);
    acknowledge(&mut watch, Some(60));
    watch.pass(59);
    assert!(is_acknowledged(&watch));
    watch.pass(1);
    assert!(!is_acknowledged(&watch));
    acknowledge(&mut watch, None);
    watch.pass(9000);
    assert!(is_acknowledged(&watch));
    disk(&mut watch, 99);
    assert!(!is_acknowledged(&watch));
    let whys: Vec<_> = watch
        .changes()
        .into_iter()
        .filter_map(|change| match change {
            TimelineChange::Reopened { why, .. } => Some(*why),
            _ => None,
        })
        .collect();
    assert_eq!(whys, [Reopening::TimeIsUp, Reopening::Worse]);
    acknowledge(&mut watch, None);
    disk(&mut watch, 40);
    disk(&mut watch, 99);
    assert!(!is_acknowledged(&watch), "a new beginning is a new problem");
}

#[test]
fn what_is_kept_of_removed_records_leads_to_the_same_state() {
    let mut watch = Watch::new(trio());
    watch.world.change("app1", |h| h.facts.load.learn(load(9.0, 9.0, Some(2)), NOW));
    watch.pass(300);
    down(&mut watch, "db2");
    watch.pass(300);
    let baseline = watch.known.baseline(watch.at);
    let sorted = |known: &KnownTimeline| {
        let mut open: Vec<_> =
            known.open().map(|open| (open.problem.key(), open.began, open.onset)).collect();
        open.sort_by_key(|(key, ..)| key.clone());
        open
    };
    assert_eq!(sorted(&KnownTimeline::replay(&baseline)), sorted(&watch.known));
    assert!(!sorted(&watch.known).is_empty());
}
