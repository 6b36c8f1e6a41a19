//! Rows of hosts that are alike, folded into one.

use std::sync::Arc;

use super::*;
use crate::app::screens::fleet::fleet_lines;
use crate::config::keymap::Keymap;
use jumpdeck_fleet::fleet::Fleet;
use jumpdeck_fleet::snapshot::{Grains, HostSnapshot, Identity, Memory, Os};
use jumpdeck_fleet::storage::{Filesystem, Usage};
use jumpdeck_fleet::time::Moment;
use jumpdeck_fleet::upkeep::Upkeep;

const ALIKE: &str = "this row is several hosts that are alike: unfold the rows, or mark it";

/// Everything that alike hosts are compared by is known.
fn report_whole(model: &mut Model, host: &str) {
    let mut snapshot = HostSnapshot::clone(&answering(model, "production", host, 0.1, model.now));
    let (facts, now) = (&mut snapshot.facts, model.now);
    let identity = Identity { hostname: host.into(), machine_id: None };
    facts.identity.learn(identity, now);
    facts.memory.learn(memory(), now);
    facts.uptime.learn(Duration::from_secs(4000), now);
    facts.clock_offset_ms.learn(0, now);
    facts.filesystems.learn(vec![filesystem()], now);
    facts.network_filesystems.learn(Vec::new(), now);
    facts.deleted_files.learn(Vec::new(), now);
    facts.database_files.learn(Vec::new(), now);
    facts.upkeep.learn(Upkeep::in_order(), now);
    facts.os.learn(Os { pretty: "Debian 12".into(), release: "debian 12".into(), kernel: None }, now);
    facts.grains.learn(Grains { level: Some("production".into()), ..Grains::default() }, now);
    facts.databases.learn(Vec::new(), now);
    update(model, Msg::Fleet(FleetEvent::Host(Arc::new(snapshot))));
}

/// Four applications that are alike, and a host of which nothing is known.
fn apps() -> Model {
    let spec = environment("production", &["app1", "app2", "app3", "app4", "redis1"]);
    let fleet = Fleet { environments: vec![spec], simulated: false };
    let keymap = Arc::new(Keymap::builtin_default());
    let mut model =
        Model::new(Arc::new(fleet), keymap, vec!["dark".into()], Vec::new(), Moment(1000), (80, 24));
    model.settle();
    jump_up(&mut model, "production");
    for host in ["app1", "app2", "app3", "app4"] {
        report_whole(&mut model, host);
    }
    judged(&mut model);
    let env = &model.environments[0];
    let of_apps = env.problems.iter().filter(|p| p.concerns(&host_name("app1"))).collect::<Vec<_>>();
    assert!(of_apps.is_empty(), "{of_apps:?}");
    model
}

fn filesystem() -> Filesystem {
    Filesystem {
        device: "/dev/vda1".into(),
        mount: "/".into(),
        fstype: Some("ext4".into()),
        remote: false,
        usage: Ok(Usage {
            size_kb: 1_000_000,
            used_kb: 400_000,
            available_kb: 600_000,
            use_percent: Some(40),
            inodes_use_percent: Some(3),
        }),
        inodes_gap: None,
    }
}

fn memory() -> Memory {
    Memory {
        total_kb: 4_000_000,
        available_kb: 3_000_000,
        available_estimated: false,
        cache_unread: false,
        swap_total_kb: 0,
        swap_free_kb: 0,
    }
}

fn judged(model: &mut Model) {
    pass(model, LONG);
    frame(model);
}

/// The hosts of each row, and which row is selected.
fn lines(model: &Model) -> (Vec<String>, Option<usize>) {
    let lines = fleet_lines(model).into_iter();
    let names = lines
        .map(|line| line.hosts().iter().map(|host| host.id.host.to_string()).collect::<Vec<_>>().join(" "));
    (names.collect(), selected(model))
}

fn notice(model: &Model) -> &str {
    model.notice.as_ref().map_or("", |(text, _)| text.as_str())
}

fn marked(model: &Model) -> Vec<String> {
    model.marked().into_iter().map(ToString::to_string).collect()
}

#[test]
fn hosts_that_are_alike_are_one_row_and_what_is_unknown_is_its_own() {
    let mut model = apps();
    acts(&mut model, &[Action::SortNext, Action::Fold]);
    let (rows, at) = lines(&model);
    assert_eq!((rows.len(), at), (2, Some(rows.iter().position(|row| row.contains("app1")).unwrap())));
    assert!(rows.contains(&"app1 app2 app3 app4".to_owned()) && rows.contains(&"redis1".to_owned()));
    assert_eq!(notice(&model), "folded: 5 hosts in 2 rows");
    acts(&mut model, &[Action::Fold]);
    assert_eq!((lines(&model).0.len(), notice(&model)), (5, "unfolded: a row for each host"));
    acts(&mut model, &[Action::Screen(Destination::Problems), Action::Fold]);
    assert_eq!(notice(&model), "only the rows of the fleet can be folded");
}

#[test]
fn a_folded_row_acts_on_nothing_that_needs_one_host() {
    let mut model = apps();
    acts(&mut model, &[Action::Fold]);
    let at = lines(&model).0.iter().position(|row| row.contains("app1")).unwrap();
    crate::app::rows::selection::select(&mut model, at);
    for action in [Action::Open, Action::Shell, Action::Command, Action::Logs, Action::Retry, Action::Compare]
    {
        model.notice = None;
        let effects = acts(&mut model, &[action]);
        assert_eq!((effects, notice(&model), model.screen()), (vec![], ALIKE, &Screen::Fleet), "{action:?}");
        assert!(model.runs.dialogs.is_empty() && model.shell.is_none(), "{action:?}");
    }
    acts(&mut model, &[Action::Mark]);
    assert_eq!(
        (marked(&model), notice(&model)),
        (vec!["app1", "app2", "app3", "app4"].into_iter().map(str::to_owned).collect(), "4 hosts marked")
    );
    crate::app::rows::selection::select(&mut model, at);
    acts(&mut model, &[Action::Mark]);
    assert_eq!((marked(&model), notice(&model)), (vec![], "4 hosts unmarked"));
    acts(&mut model, &[Action::MarkAll]);
    assert_eq!(marked(&model).len(), 5, "every host that is listed, in its row or folded");
    assert_eq!(model.unlisted_marks(), 0);
}

#[test]
fn the_selection_stays_with_a_group_that_splits() {
    let mut model = apps();
    acts(&mut model, &[Action::Fold]);
    let at = lines(&model).0.iter().position(|row| row.contains("app1")).unwrap();
    crate::app::rows::selection::select(&mut model, at);
    model.environments[0].selection.chosen = true;
    fail(&mut model, "production", "app1", LinkState::TimedOut);
    model.settle();
    let (rows, at) = lines(&model);
    assert_eq!(
        at.map(|at| rows[at].as_str()),
        Some("app2 app3 app4"),
        "at once, before it is judged: {rows:?}"
    );
    judged(&mut model);
    let (rows, at) = lines(&model);
    assert_eq!(at.map(|at| rows[at].as_str()), Some("app2 app3 app4"), "{rows:?}");
    assert_eq!(acts(&mut model, &[Action::Shell]), []);
    assert_eq!(notice(&model), ALIKE, "the host that left is not acted on");
    report_whole(&mut model, "app1");
    judged(&mut model);
    let (rows, at) = lines(&model);
    assert_eq!(at.map(|at| rows[at].as_str()), Some("app1 app2 app3 app4"), "{rows:?}");
}

#[test]
fn a_selected_host_that_joins_a_group_is_not_acted_on_in_it() {
    let mut model = apps();
    fail(&mut model, "production", "app3", LinkState::TimedOut);
    judged(&mut model);
    acts(&mut model, &[Action::Fold]);
    let at = lines(&model).0.iter().position(|row| row == "app3").unwrap();
    crate::app::rows::selection::select(&mut model, at);
    model.environments[0].selection.chosen = true;
    report_whole(&mut model, "app3");
    judged(&mut model);
    let (rows, at) = lines(&model);
    assert_eq!(at.map(|at| rows[at].as_str()), Some("app1 app2 app3 app4"), "{rows:?}");
    acts(&mut model, &[Action::Shell]);
    assert_eq!(notice(&model), ALIKE);
    acts(&mut model, &[Action::Fold]);
    assert_eq!(selected_host(&model), "app3", "it is the one that was selected");
}

#[test]
fn old_reports_unfold_and_a_paused_screen_stays_as_it_was() {
    let mut model = apps();
    acts(&mut model, &[Action::Fold, Action::Pause]);
    pass(&mut model, Duration::from_secs(60));
    model.settle();
    assert_eq!(lines(&model).0.len(), 2, "as they were when it was paused");
    acts(&mut model, &[Action::Pause]);
    assert_eq!(lines(&model).0.len(), 5, "no report is fresh any more");
}

#[test]
fn a_mark_of_one_host_stays_its_own_and_a_filter_counts_hosts() {
    let mut model = apps();
    acts(&mut model, &[Action::Last, Action::Fold]);
    model.toggle_marks(vec![host_name("app2")]);
    let at = lines(&model).0.iter().position(|row| row.contains("app1")).unwrap();
    crate::app::rows::selection::select(&mut model, at);
    acts(&mut model, &[Action::Mark]);
    assert_eq!(marked(&model).len(), 4, "some were not marked: now all are");
    act(&mut model, Action::Filter);
    type_text(&mut model, "app1");
    press(&mut model, KeyCode::Enter);
    model.settle();
    assert_eq!((lines(&model).0, model.unlisted_marks()), (vec!["app1".to_owned()], 3));
}
