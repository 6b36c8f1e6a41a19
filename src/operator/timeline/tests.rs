//! What is on disk after a crash, of two consoles at once, with no room, and when it is broken.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::os::unix::fs::PermissionsExt;

use super::*;
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::problem::{ProblemKind, Severity};
use jumpdeck_fleet::timeline::{
    Acknowledgement, Onset, ProblemEnding, RecordedProblem, Reopening, TimelineChange, WallTime,
};

fn file(home: &Path) -> TimelineFile {
    TimelineFile::new(&home.join("state/events"), &EnvName::new("production").unwrap())
}

fn problem() -> RecordedProblem {
    RecordedProblem {
        severity: Severity::Critical,
        kind: ProblemKind::Disk,
        host: Some(HostName::new("db1").unwrap()),
        about: Some("/srv".into()),
        count: 1,
        message: "/srv 99% \"full\"".into(),
    }
}

fn at(second: i64, change: TimelineChange) -> TimelineRecord {
    TimelineRecord { at: WallTime(1_796_040_000 + second), change }
}

fn began(second: i64) -> TimelineRecord {
    at(second, TimelineChange::Began { problem: problem(), onset: Onset::Seen })
}

/// One of each.
fn every() -> Vec<TimelineRecord> {
    let host = HostName::new("db1").unwrap();
    let roles =
        |names: &[&str]| names.iter().map(|n| jumpdeck_fleet::names::RoleName::new(n).unwrap()).collect();
    let (earlier, problem) = (WallTime(1_796_000_000), problem());
    let acknowledged = |until| TimelineChange::Acknowledged {
        problem: problem.clone(),
        acknowledgement: Acknowledgement { by: "anna@desk".into(), reason: "known".into(), until },
    };
    let ended =
        |ending, onset| TimelineChange::Ended { problem: problem.clone(), began: earlier, onset, ending };
    let changes = vec![
        TimelineChange::Looked { since: earlier },
        TimelineChange::Hosts(vec![host.clone()]),
        TimelineChange::Added(host.clone()),
        TimelineChange::Removed(host.clone()),
        TimelineChange::Roles { host: host.clone(), before: None, after: roles(&["db"]), unseen_since: None },
        TimelineChange::Roles {
            host,
            before: Some(roles(&["db"])),
            after: roles(&[]),
            unseen_since: Some(earlier),
        },
        TimelineChange::Began { problem: problem.clone(), onset: Onset::After(earlier) },
        TimelineChange::Began { problem: problem.clone(), onset: Onset::FirstLook },
        TimelineChange::Changed { problem: problem.clone(), before: Severity::Warning },
        ended(ProblemEnding::Seen, Onset::Seen),
        ended(ProblemEnding::After(earlier), Onset::FirstLook),
        ended(ProblemEnding::Unwatched, Onset::After(earlier)),
        acknowledged(None),
        acknowledged(Some(earlier)),
        TimelineChange::Reopened { problem: problem.clone(), why: Reopening::TimeIsUp },
        TimelineChange::Reopened { problem: problem.clone(), why: Reopening::Worse },
        TimelineChange::Reopened { problem, why: Reopening::Removed },
        TimelineChange::Cut,
    ];
    changes.into_iter().enumerate().map(|(second, change)| at(second as i64, change)).collect()
}

#[test]
fn what_is_written_is_read_and_for_nobody_else() {
    let home = tempfile::tempdir().unwrap();
    let file = file(home.path());
    assert_eq!(file.read().unwrap(), []);
    file.append(&every()).unwrap();
    file.append(&[began(60)]).unwrap();
    let mut all = every();
    all.push(began(60));
    assert_eq!(file.read().unwrap(), all);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&file.path()), 0o600);
    assert_eq!(mode(&home.path().join("state/events")), 0o700);
}

#[test]
fn half_a_line_of_a_killed_console_is_no_record_and_is_not_in_the_way() {
    let home = tempfile::tempdir().unwrap();
    let file = file(home.path());
    file.append(&[began(0), began(1)]).unwrap();
    let text = fs::read_to_string(file.path()).unwrap();
    for cut in [1, 20, 100] {
        fs::write(file.path(), &text[..text.len() - cut]).unwrap();
        assert_eq!(file.read().unwrap(), [began(0)]);
        file.append(&[began(2)]).unwrap();
        assert_eq!(file.read().unwrap(), [began(0), began(2)]);
    }
}

#[test]
fn a_broken_file_is_not_taken_for_an_empty_one() {
    let home = tempfile::tempdir().unwrap();
    let file = file(home.path());
    for (broken, where_it_is) in [
        ("rubbish\n".to_owned(), "line 1"),
        (format!("{HEAD}\n{}\nrubbish\n{}\n", wire::line(&began(0)), wire::line(&began(1))), "line 3"),
        (format!("{HEAD}\n{{\"at\":\"2026-11-30T17:02:03Z\",\"event\":\"exploded\"}}\n"), "line 2"),
    ] {
        file.append(&[]).unwrap();
        fs::write(file.path(), broken).unwrap();
        let error = file.read().unwrap_err().to_string();
        assert!(error.contains(where_it_is), "{error}");
        let aside = file.move_aside().unwrap();
        assert!(aside.exists() && !file.path().exists());
    }
}

#[test]
fn of_two_consoles_one_records_until_it_ends() {
    let home = tempfile::tempdir().unwrap();
    let file = file(home.path());
    let first = file.record().unwrap();
    assert!(first.is_some());
    assert!(file.record().unwrap().is_none());
    // Its acknowledgements are written all the same.
    file.append(&[began(0)]).unwrap();
    drop(first);
    assert!(file.record().unwrap().is_some());
}

#[test]
fn consoles_that_write_at_once_lose_nothing() {
    let home = tempfile::tempdir().unwrap();
    let file = file(home.path());
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let file = &file;
            scope.spawn(move || {
                for n in 0..25 {
                    file.append(&[began(writer * 100 + n)]).unwrap();
                }
            });
        }
    });
    assert_eq!(file.read().unwrap().len(), 100);
}

#[test]
fn a_full_file_is_made_shorter_and_says_so() {
    let home = tempfile::tempdir().unwrap();
    let file = file(home.path());
    let ended = |second| {
        let change = TimelineChange::Ended {
            problem: problem(),
            began: WallTime(1_796_040_000),
            onset: Onset::Seen,
            ending: ProblemEnding::Seen,
        };
        at(second, change)
    };
    let mut written = 0;
    while file.stamp().is_none_or(|stamp| stamp.length < FULL - (1 << 20)) || written < KEPT {
        let batch: Vec<TimelineRecord> =
            (0..2000).map(|n| if n % 2 == 0 { began(n) } else { ended(n) }).collect();
        file.append(&batch).unwrap();
        written += batch.len();
    }
    let many: Vec<TimelineRecord> = (0..6000).map(began).collect();
    file.append(&many).unwrap();
    let records = file.read().unwrap();
    assert!(file.stamp().unwrap().length < FULL, "{:?}", file.stamp());
    assert_eq!(records[0].change, TimelineChange::Cut);
    assert!(records.len() >= KEPT && records.len() < KEPT + 10, "{}", records.len());
    assert_eq!(records.last(), many.last());
}

#[test]
fn a_folder_that_cannot_be_written_is_said() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join("state")).unwrap();
    fs::write(home.path().join("state/events"), "a file").unwrap();
    let file = file(home.path());
    assert!(file.append(&[began(0)]).is_err());
    assert!(file.record().is_err());
}

/// The next news of a recorder.
fn news(recorder: &mut recorder::TimelineRecorder) -> jumpdeck_fleet::timeline::TimelineNews {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let next = async { tokio::time::timeout(Duration::from_secs(30), recorder.news.recv()).await };
    runtime.block_on(next).unwrap().unwrap()
}

#[test]
fn a_recorder_reads_writes_and_hands_over() {
    use jumpdeck_fleet::timeline::TimelineKeeping;
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("events");
    let env = EnvName::new("production").unwrap();
    let mut first = recorder::TimelineRecorder::start(folder.clone(), vec![env.clone()]);
    let said = news(&mut first);
    assert_eq!((said.keeping, said.records), (TimelineKeeping::Recording, Some(vec![])));
    let mut second = recorder::TimelineRecorder::start(folder.clone(), vec![env.clone()]);
    assert_eq!(news(&mut second).keeping, TimelineKeeping::Following);
    first.append(&env, vec![began(0)]);
    let said = news(&mut second);
    assert_eq!((said.keeping, said.records), (TimelineKeeping::Following, Some(vec![began(0)])));
    first.end();
    let said = news(&mut second);
    assert_eq!((said.keeping, said.records), (TimelineKeeping::Recording, Some(vec![began(0)])));
}

#[test]
fn a_recorder_moves_a_broken_file_aside_and_goes_on() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("events");
    let env = EnvName::new("production").unwrap();
    DirBuilder::new().mode(0o700).create(&folder).unwrap();
    let file = TimelineFile::new(&folder, &env);
    fs::write(file.path(), "rubbish\n").unwrap();
    fs::set_permissions(file.path(), fs::Permissions::from_mode(0o600)).unwrap();
    let mut recorder = recorder::TimelineRecorder::start(folder, vec![env.clone()]);
    let said = news(&mut recorder).wrong.unwrap();
    assert!(said.as_str().contains("line 1") && said.as_str().contains("production.broken-1"), "{said}");
    recorder.append(&env, vec![began(0)]);
    recorder.end();
    assert_eq!(file.read().unwrap(), [began(0)]);
}
