//! Looks at a host by their keys.
#![allow(clippy::panic)]

use super::*;
use crate::app::model::look::{LookOrder, LookState};
use crate::app::screens::Screen;
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::look::{HostLook, LookContent, LookEvent, LookKind, ProcessTable, RunningProcess};
use jumpdeck_fleet::names::HostName;

fn with_keys() -> Model {
    let mut model = model();
    model.keymap = std::sync::Arc::new(crate::config::keymap::Keymap::builtin_default());
    model
}

fn keys(model: &mut Model, codes: &str) -> Vec<AppEffect> {
    let key = |c: char| match c {
        '\n' => KeyCode::Enter,
        '<' => KeyCode::Esc,
        '>' => KeyCode::Tab,
        c => KeyCode::Char(c),
    };
    let effects = codes.chars().flat_map(|c| press(model, key(c))).collect();
    frame(model);
    effects
}

/// What was begun: number, host, kind.
fn begun(effects: &[AppEffect]) -> Vec<(u64, String, LookKind)> {
    let one = |effect: &AppEffect| match effect {
        AppEffect::Look { number, host, kind, .. } => Some((*number, host.to_string(), *kind)),
        _ => None,
    };
    effects.iter().filter_map(one).collect()
}

fn answer(model: &Model, rows: &[(&str, u32, f32)]) -> LookEvent {
    let row = |(name, pid, cpu): &(&str, u32, f32)| RunningProcess {
        pid: *pid,
        parent: 1,
        started: u64::from(*pid),
        name: (*name).into(),
        user: Some("root".into()),
        state: 'S',
        cpu: Some(*cpu),
        ticks: 1,
        memory_kb: Some(u64::from(*pid) * 1000),
        seconds: 1,
    };
    let table = ProcessTable { count: rows.len(), rows: rows.iter().map(row).collect() };
    LookEvent::Answer(HostLook { asked: model.now, content: LookContent::Processes(table), notes: vec![] })
}

/// The process that is selected, and the order in which processes are.
fn seen(model: &Model) -> (Option<usize>, Vec<u32>) {
    let look = model.shown_look().unwrap();
    let LookContent::Processes(table) = &look.answer.as_ref().unwrap().content else { panic!() };
    (look.selected_at(), look.rows().iter().map(|at| table.rows[*at].pid).collect())
}

#[test]
fn a_host_is_asked_only_while_it_is_looked_at() {
    let mut model = with_keys();
    assert_eq!(begun(&keys(&mut model, "jP")), [(1, "app2".into(), LookKind::Processes)]);
    assert!(keys(&mut model, "P").is_empty(), "once");
    assert_eq!(begun(&keys(&mut model, "i")), [(2, "app2".into(), LookKind::Ports)]);
    assert_eq!(model.screens.len(), 2, "in its place");
    // A page over it: it is asked no more, and again on the way back.
    let effects = keys(&mut model, "\n");
    assert_eq!((model.screen(), effects), (&Screen::Host(host_name("app2")), vec![AppEffect::StopLooking]));
    assert_eq!(begun(&keys(&mut model, "<")), [(3, "app2".into(), LookKind::Ports)]);
    assert_eq!(keys(&mut model, "<"), [AppEffect::StopLooking]);
    assert!(model.look.is_none());
    // Another environment: it ends.
    keys(&mut model, "F");
    assert!(keys(&mut model, ">").contains(&AppEffect::StopLooking));
    assert_eq!(model.screen(), &Screen::Fleet);
}

#[test]
fn what_was_asked_before_is_no_news_and_a_refresh_asks_now() {
    let mut model = with_keys();
    keys(&mut model, "P<jP");
    let old = answer(&model, &[("old", 1, 0.0)]);
    update(&mut model, Msg::Look(1, old));
    assert!(model.shown_look().unwrap().answer.is_none());
    let new = answer(&model, &[("new", 2, 0.0)]);
    update(&mut model, Msg::Look(2, new));
    assert_eq!(seen(&model).1, [2]);
    assert!(keys(&mut model, "r").contains(&AppEffect::LookAgain));
}

#[test]
fn a_selected_process_stays_selected_when_rows_move() {
    let mut model = with_keys();
    keys(&mut model, "P");
    let first = answer(&model, &[("a", 10, 5.0), ("b", 20, 50.0), ("c", 30, 0.0)]);
    update(&mut model, Msg::Look(1, first));
    frame(&mut model);
    assert_eq!(seen(&model), (Some(0), vec![20, 10, 30]), "busiest first");
    keys(&mut model, "j");
    let later = answer(&model, &[("a", 10, 0.5), ("b", 20, 5.0), ("c", 30, 99.0)]);
    update(&mut model, Msg::Look(1, later));
    frame(&mut model);
    assert_eq!(seen(&model), (Some(2), vec![30, 20, 10]));
    keys(&mut model, "s");
    assert_eq!((model.shown_look().unwrap().order, seen(&model).1), (LookOrder::Memory, vec![30, 20, 10]));
    keys(&mut model, "S");
    assert_eq!(seen(&model), (Some(0), vec![10, 20, 30]));
    keys(&mut model, "/c\n");
    assert_eq!(seen(&model), (Some(0), vec![30]), "the one that is selected is hidden: its neighbour is");
    keys(&mut model, "<");
    assert_eq!(seen(&model).1, [10, 20, 30]);
}

#[test]
fn a_pause_asks_no_more_and_a_lost_host_keeps_its_last_answer() {
    let mut model = with_keys();
    keys(&mut model, "P");
    let first = answer(&model, &[("a", 10, 5.0)]);
    update(&mut model, Msg::Look(1, first));
    assert_eq!(keys(&mut model, "p"), [AppEffect::StopLooking]);
    assert!(model.paused.is_none(), "the fleet is not paused");
    let late = answer(&model, &[("b", 20, 5.0)]);
    update(&mut model, Msg::Look(1, late));
    assert_eq!((seen(&model).1, &model.shown_look().unwrap().state), (vec![10], &LookState::Paused));
    assert_eq!(begun(&keys(&mut model, "p")), [(2, "app1".into(), LookKind::Processes)]);
    let hop = Hop::Host(host_name("app1"));
    update(&mut model, Msg::Look(2, LookEvent::Lost { hop, why: "gone".into(), again: true }));
    assert_eq!(seen(&model).1, [10]);
    assert!(matches!(model.shown_look().unwrap().state, LookState::Lost { .. }));
}

#[test]
fn commands_and_shells_are_for_the_host_that_is_looked_at() {
    let mut model = with_keys();
    keys(&mut model, "mP");
    assert_eq!(model.command_hosts(), [HostName::new("app2").unwrap()], "not for the marked one");
    let effects = keys(&mut model, "$");
    assert!(
        effects.iter().any(
            |effect| matches!(effect, AppEffect::OpenShell(asked) if asked.host.id.host == host_name("app2"))
        ),
        "{effects:?}"
    );
}

#[test]
fn without_a_host_there_is_nothing_to_look_at() {
    let mut model = with_keys();
    assert!(keys(&mut model, "3P").is_empty());
    assert_eq!(model.notice.as_ref().unwrap().0, "select a host first");
}
