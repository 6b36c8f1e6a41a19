//! What is kept over a restart, and files that are not to be used.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use proptest::prelude::*;

use super::*;
use crate::collect::tests::fleet;
use jumpdeck_fleet::snapshot::Identity;
use jumpdeck_fleet::storage::Usage;
use jumpdeck_fleet::time::Moment;

/// Puts something in the place of a file.
type Put = fn(&Path);

/// A day in 2026.
const START: u32 = 29_500_000;
/// 100 GiB.
const SIZE: u64 = 100 << 20;

fn facts(machine: &str, used_kb: u64) -> HostFacts {
    let filesystem = |mount: &str, fstype: &str| Filesystem {
        device: "/dev/vdb".into(),
        mount: mount.into(),
        fstype: Some(fstype.into()),
        remote: false,
        usage: Ok(Usage {
            size_kb: SIZE,
            used_kb,
            available_kb: i64::try_from(SIZE - used_kb).unwrap(),
            use_percent: Some(80),
            inodes_use_percent: None,
        }),
        inodes_gap: None,
    };
    let mut facts = HostFacts::default();
    let identity = Identity { hostname: "app1".into(), machine_id: Some(machine.into()) };
    facts.identity.learn(identity, Moment::default());
    let all = vec![filesystem("/mnt/a b", "ext4"), filesystem("/run", "tmpfs")];
    facts.filesystems.learn(all, Moment::default());
    facts
}

/// Reports from one hour to another, a GiB an hour more than 60.
fn report(
    history: &DiskHistory,
    fleet: &Fleet,
    hours: std::ops::RangeInclusive<u32>,
) -> Vec<FilesystemGrowth> {
    let host = &fleet.environments[0].hosts[0];
    let mut growing = Vec::new();
    for minute in (hours.start() * 60..=hours.end() * 60).step_by(10) {
        let used = (60 << 20) + u64::from(minute) * (1 << 20) / 60;
        growing = history.record(host, &facts("m1", used), START + minute);
    }
    growing
}

fn open(folder: &Path, fleet: &Fleet) -> (DiskHistory, Vec<String>) {
    let (history, wrong) = DiskHistory::open(folder.join("state/disks"), fleet);
    (history, wrong.iter().map(ToString::to_string).collect())
}

#[test]
fn what_was_seen_before_a_restart_counts() {
    let folder = tempfile::tempdir().unwrap();
    let fleet = fleet(&["app1"]);
    let (history, wrong) = open(folder.path(), &fleet);
    assert_eq!((wrong.len(), report(&history, &fleet, 0..=4)), (0, Vec::new()), "four hours are too few");
    history.save(START + 240).unwrap();
    let (again, wrong) = open(folder.path(), &fleet);
    assert_eq!(wrong, [] as [&str; 0]);
    let growing = report(&again, &fleet, 5..=7);
    assert_eq!(growing.len(), 1, "/run is memory: {growing:?}");
    assert_eq!((growing[0].mount.as_str(), growing[0].growth.kb_per_day), ("/mnt/a b", 24 << 20));
    // For nobody else, and nothing is left beside it.
    let place = folder.path().join("state/disks");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&place), mode(&place.join("production.disks"))), (0o700, 0o600));
    assert_eq!(fs::read_dir(&place).unwrap().count(), 1);
    // Another machine of that name has other disks.
    let host = &fleet.environments[0].hosts[0];
    assert_eq!(again.record(host, &facts("m2", 90 << 20), START + 500), []);
    assert_eq!(again.record(host, &facts("m1", 90 << 20), START + 501), []);
}

#[test]
fn nothing_is_written_of_a_fleet_that_keeps_nothing_or_has_nothing_new() {
    let folder = tempfile::tempdir().unwrap();
    let fleet = fleet(&["app1"]);
    let memory = DiskHistory::default();
    assert_eq!(report(&memory, &fleet, 0..=8).len(), 1);
    let env = &fleet.environments[0].name;
    assert!(memory.save(START).is_ok() && !memory.is_due(env));
    let (history, _) = open(folder.path(), &fleet);
    history.save(START).unwrap();
    assert!(!folder.path().join("state").exists());
    report(&history, &fleet, 0..=0);
    assert!(!history.is_due(env), "it was read just now");
    history.environments().get_mut(env).unwrap().saved_at = None;
    assert!(history.is_due(env) && !history.is_due(env), "once");
}

#[test]
fn two_that_write_keep_what_the_other_saw() {
    let folder = tempfile::tempdir().unwrap();
    let fleet = fleet(&["app1"]);
    let (console, _) = open(folder.path(), &fleet);
    let (cron, _) = open(folder.path(), &fleet);
    report(&console, &fleet, 0..=3);
    report(&cron, &fleet, 4..=7);
    console.save(START + 180).unwrap();
    cron.save(START + 420).unwrap();
    let (both, _) = open(folder.path(), &fleet);
    assert_eq!(report(&both, &fleet, 8..=8)[0].growth.span.as_secs(), 8 * 3600);
    // What nobody has seen for two weeks is forgotten.
    both.save(START + 15 * 1440).unwrap();
    let text = fs::read_to_string(folder.path().join("state/disks/production.disks")).unwrap();
    assert_eq!(text, "jumpdeck disks 1\nend 0\n");
}

#[test]
fn what_a_host_says_can_always_be_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let fleet = fleet(&["app1"]);
    let (history, _) = open(folder.path(), &fleet);
    report(&history, &fleet, 0..=2);
    let host = &fleet.environments[0].hosts[0];
    let mut odd = facts("m1", 70 << 20);
    let mut all = odd.filesystems.current().cloned().unwrap();
    // A quota; and a name that no file of ours has.
    all[0].usage.as_mut().unwrap().used_kb = SIZE * 4;
    all[1].fstype = Some("ext4".into());
    all[1].mount = format!("/{}", "x".repeat(5000)).as_str().into();
    odd.filesystems.learn(all, Moment::default());
    let _ = history.record(host, &odd, START + 200);
    let _ = history.record(host, &facts(&"m".repeat(5000), 1), START + 201);
    report(&history, &fleet, 4..=4);
    history.save(START + 240).unwrap();
    let text = fs::read_to_string(folder.path().join("state/disks/production.disks")).unwrap();
    assert!(text.len() < 4000, "{text}");
    assert_eq!(open(folder.path(), &fleet).1, [] as [&str; 0], "{text}");
}

#[test]
fn a_file_that_is_broken_or_not_ours_is_said_and_not_used() {
    let fleet = fleet(&["app1"]);
    let good = {
        let folder = tempfile::tempdir().unwrap();
        let (history, _) = open(folder.path(), &fleet);
        report(&history, &fleet, 0..=8);
        history.save(START + 480).unwrap();
        fs::read_to_string(folder.path().join("state/disks/production.disks")).unwrap()
    };
    let line = good.lines().nth(1).unwrap();
    let fields: Vec<&str> = line.split('\t').collect();
    let with = |at: usize, text: &str| {
        let mut fields = fields.clone();
        fields[at] = text;
        format!("jumpdeck disks 1\n{}\nend 1\n", fields.join("\t"))
    };
    let many = format!("{};{}", fields[5], vec!["20,1"; 1000].join(";"));
    let bad = [
        (String::new(), "line 1 "),
        ("garbage\n".to_owned(), "line 1 "),
        (good.lines().take(2).collect::<Vec<_>>().join("\n"), "line 2 "),
        (format!("{good}more\n"), "line 3 "),
        (good.replace("end 1", "end 2"), "line 3 "),
        (with(0, "a b"), "line 2 "),
        (with(2, "\u{1b}[31m"), "line 2 "),
        (with(3, "/\u{202e}"), "line 2 "),
        (with(4, "-1"), "line 2 "),
        (with(4, "18446744073709551616"), "line 2 "),
        (with(5, ""), "line 2 "),
        (with(5, "1,2;4294967295,1"), "line 2 "),
        (with(5, "1,9223372036854775807;1,1"), "line 2 "),
        (with(5, "9,1;0,1"), "line 2 "),
        (with(5, &many), "line 2 "),
        (format!("jumpdeck disks 1\n{line}\n{line}\nend 2\n"), "line 3 "),
    ];
    for (text, place) in bad {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/disks/production.disks");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &text).unwrap();
        let (history, wrong) = open(folder.path(), &fleet);
        assert_eq!(wrong.len(), 1, "{text}");
        assert!(wrong[0].contains(place) && wrong[0].contains("production.disks"), "{}", wrong[0]);
        assert!(!wrong[0].contains('\u{1b}'), "{}", wrong[0]);
        // It begins anew, in that file.
        report(&history, &fleet, 0..=8);
        history.save(START + 480).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), good, "{text}");
    }
}

#[test]
fn a_link_a_pipe_or_a_file_of_others_is_not_read() {
    let fleet = fleet(&["app1"]);
    let kinds: [(&str, Put); 4] = [
        ("link", |path| symlink("/etc/passwd", path).unwrap()),
        ("pipe", |path| assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success())),
        ("of others", |path| {
            fs::write(path, "jumpdeck disks 1\nend 0\n").unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o666)).unwrap();
        }),
        ("folder", |path| fs::create_dir(path).unwrap()),
    ];
    for (kind, put) in kinds {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/disks/production.disks");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        put(&path);
        let (history, wrong) = open(folder.path(), &fleet);
        assert_eq!(wrong.len(), 1, "{kind}");
        report(&history, &fleet, 0..=8);
        let saved = history.save(START + 480);
        if kind == "folder" {
            let wrong = saved.unwrap_err()[0].to_string();
            assert!(wrong.contains("production.disks") && wrong.contains("is not kept"), "{wrong}");
            assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
            continue;
        }
        saved.unwrap();
        assert!(fs::symlink_metadata(&path).unwrap().is_file(), "{kind} is replaced");
        assert!(!fs::read_to_string("/etc/passwd").unwrap().starts_with("jumpdeck"));
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "(jumpdeck disks 1\n)?([a-z0-9./,;\t -]|\n)*(end [0-9]\n)?") {
        if let Ok(hosts) = file::parse(&text) {
            let again = file::render(&hosts);
            prop_assert_eq!(file::parse(&again), Ok(hosts));
        }
    }
}

/// A report's figures.
fn loaded(machine: &str, one: f64) -> HostFacts {
    let mut facts = facts(machine, 60 << 20);
    let load = jumpdeck_fleet::snapshot::Load {
        one,
        five: one,
        fifteen: one,
        cpus: Some(2),
        of_container_host: false,
    };
    facts.load.learn(load, Moment::default());
    facts
}

#[test]
fn figures_are_there_after_a_restart_with_a_hole_for_the_time_between() {
    use jumpdeck_fleet::course::{CourseFigure, CourseSpan, CourseSummary};
    let (fleet, folder) = (fleet(&["app1"]), tempfile::tempdir().unwrap());
    let host = &fleet.environments[0].hosts[0];
    let open = || DiskHistory::open(folder.path().to_owned(), &fleet);
    let start = START * 60;
    let (first, wrong) = open();
    assert!(wrong.is_empty());
    first.record_figures(host, &loaded("m1", 1.0), start);
    first.save(START).unwrap();
    let path = figures_path(folder.path(), &host.id.env);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let (second, wrong) = open();
    assert!(wrong.is_empty(), "{wrong:?}");
    second.record_figures(host, &loaded("m1", 3.0), start + 600);
    let courses = second.courses(&host.id, start + 600).unwrap();
    let load = &courses.figures[&CourseFigure::Load];
    let steps = load.steps(CourseSpan::Hour, start + 600);
    assert_eq!(steps.iter().flatten().map(|step| step.most).collect::<Vec<_>>(), [1.0, 3.0]);
    assert_eq!(CourseSummary::of(load, CourseSpan::Hour, start + 600).unwrap().unknown, 19 * 30);
    assert!(!courses.figures.contains_key(&CourseFigure::Lag), "no replica, no lag");
    // Another machine of the same name begins anew.
    second.record_figures(host, &loaded("m2", 5.0), start + 660);
    let courses = second.courses(&host.id, start + 660).unwrap();
    assert_eq!(
        courses.figures[&CourseFigure::Load].steps(CourseSpan::Hour, start + 660).iter().flatten().count(),
        1
    );
}

#[test]
fn a_broken_file_of_figures_is_said_and_disks_are_kept() {
    let (fleet, folder) = (fleet(&["app1"]), tempfile::tempdir().unwrap());
    let host = &fleet.environments[0].hosts[0];
    let (history, _) = DiskHistory::open(folder.path().to_owned(), &fleet);
    report(&history, &fleet, 0..=12);
    history.record_figures(host, &loaded("m1", 1.0), START * 60);
    history.save(START + 720).unwrap();
    let path = figures_path(folder.path(), &host.id.env);
    let text = fs::read_to_string(&path).unwrap();
    for broken in [
        &text[..text.len() / 2],
        "",
        "jumpdeck figures 9\nend 0\n",
        &text.replace("load", "laod"),
        &text.replace("end 4", "end 3"),
    ] {
        fs::write(&path, broken).unwrap();
        let (history, wrong) = DiskHistory::open(folder.path().to_owned(), &fleet);
        assert_eq!(wrong.len(), 1, "{broken}");
        assert!(wrong[0].to_string().ends_with("charts begin now"), "{}", wrong[0]);
        let courses = history.courses(&host.id, START * 60).unwrap();
        assert!(courses.figures.is_empty() && courses.disks.len() == 1, "{courses:?}");
        // The next time it is whole.
        history.record_figures(host, &loaded("m1", 1.0), START * 60);
        history.save(START + 730).unwrap();
        assert!(DiskHistory::open(folder.path().to_owned(), &fleet).1.is_empty());
    }
}

#[test]
fn figures_of_a_thousand_hosts_are_less_than_twenty_megabytes() {
    let mut of_host = figures::HostFigures { machine: "m".repeat(32), ..Default::default() };
    for figure in [CourseFigure::Load, CourseFigure::Memory] {
        let course = of_host.courses.entry(figure).or_default();
        for step in 0..20_160_u32 {
            // No two alike: that is what takes most room.
            course.record(
                START * 60 + step * 30,
                f32::from(u16::try_from(step * 7919 % 9973).unwrap()) / 100.0,
            );
        }
    }
    let hosts = HostsFigures::from([(HostName::new("a-host-with-a-name").unwrap(), of_host)]);
    let text = figures::render(&hosts);
    assert!(text.len() < 20_000, "{} bytes of one host", text.len());
    let read = figures::parse(&text).unwrap();
    assert_eq!(figures::render(&read), text);
}
