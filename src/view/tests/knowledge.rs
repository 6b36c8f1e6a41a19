//! What is known, how old it is, and what is not known.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use super::*;

#[test]
fn nothing_unknown_is_green_or_zero() {
    let styles = styles("dark");
    for model in [aged(60), jump_down(300)] {
        let buf = drawn(&model, &styles, (200, 50));
        for (y, row) in rows(&buf).iter().enumerate().take(47).skip(2) {
            let line = u16::try_from(y).unwrap();
            assert!((0..200).all(|x| buf[(x, line)].fg != styles.ok.fg.unwrap()), "green: {row}");
            assert!(!row.contains(" 0.0") && !row.contains(" 0%"), "zero: {row}");
        }
    }
}

#[test]
fn an_environment_is_not_well_before_every_host_has_answered() {
    let tab = |model: &Model| text(model, (120, 40)).lines().next().unwrap_or_default().to_owned();
    let mut model = healthy();
    assert!(tab(&model).contains("● production"), "{}", tab(&model));
    let last = model.environments[0].hosts.last().unwrap().id.host.to_string();
    edit(&mut model.environments[0], &last, |h| {
        h.link = jumpdeck_fleet::snapshot::Link::pending(Moment(0));
        h.reported_at = None;
    });
    assert!(tab(&model).contains("◌ production"), "{}", tab(&model));
}

#[test]
fn how_many_hosts_answer_is_told_in_eighty_columns() {
    let mut model = healthy();
    std::sync::Arc::make_mut(&mut model.environments[0].jump).name = name("deployment1");
    let band = text(&model, (80, 24)).lines().nth(1).unwrap_or_default().to_owned();
    assert!(band.contains("26 of 26") && band.contains(" up ") && !band.contains('…'), "{band}");
}

/// The band with the environment's name.
fn band(model: &Model, size: (u16, u16)) -> String {
    text(model, size).lines().nth(1).unwrap_or_default().to_owned()
}

#[test]
fn hosts_that_nobody_could_ask_are_not_counted_as_down() {
    for size in [(80, 24), (120, 40), (200, 50)] {
        for ago in [1, 8, 300] {
            let band = band(&jump_down(ago), size);
            assert!(band.contains("? of 26 hosts up"), "the jump box is down: {band}");
        }
        let expired = band(&aged(60), size);
        assert!(expired.contains("? of 26 hosts up"), "no report is current: {expired}");
        let mut model = healthy();
        edit(&mut model.environments[0], "db2", |h| h.reported_at = Some(Moment(0)));
        let one = band(&settled(model), size);
        assert!(one.contains("25 of 26") && one.contains(" up, 1 unknown"), "one report has expired: {one}");
    }
}

#[test]
fn without_any_host_there_is_no_current_data_and_not_none_yet() {
    let mut model = healthy();
    let hosts: Vec<String> = model.environments[0].hosts.iter().map(|h| h.id.host.to_string()).collect();
    for host in &hosts {
        edit(&mut model.environments[0], host, |h| {
            h.link.state = jumpdeck_fleet::snapshot::LinkState::TimedOut
        });
    }
    let band = band(&settled(model), (120, 40));
    assert!(band.contains("0 of 26 hosts up") && band.contains("no current data"), "{band}");
}

#[test]
fn a_role_of_which_no_host_was_heard_is_not_found_nought_times() {
    for model in [jump_down(300), aged(60)] {
        let screen = text(&on(settled(model), Screen::Roles), (120, 40));
        for line in screen.lines().filter(|line| line.contains('?') && line.contains("required")) {
            assert!(!line.contains(" 0 "), "{line}");
        }
        assert!(screen.contains("hosts are unknown"), "{screen}");
    }
}

#[test]
fn a_lag_that_is_not_known_is_never_a_number() {
    use jumpdeck_fleet::replication::Thread;
    let mut model = healthy();
    edit(&mut model.environments[0], "db2", |h| {
        // What a server with a stopped IO thread really says.
        database(h, |s| s.connections.as_mut().unwrap()[0].io = Thread::Stopped);
    });
    let model = settled(model);
    let fleet = text(&model, (120, 40));
    let row = fleet.lines().find(|l| l.contains("db2 ")).unwrap();
    assert!(row.contains("IO stopped") && !row.contains("lag"), "{row}");
    let screen = text(&on(model, Screen::Replication), (120, 40));
    let row = screen.lines().find(|l| l.contains("db2 ")).unwrap();
    assert!(row.contains(" ? IO stopped") && !row.contains("0s "), "{row}");
}

#[test]
fn a_jump_box_down_is_one_banner_and_no_red_rows() {
    let styles = styles("dark");
    for ago in [3, 8, 300] {
        let buf = drawn(&jump_down(ago), &styles, (80, 24));
        let rows = rows(&buf);
        assert_eq!(rows.iter().filter(|r| r.contains("JUMP BOX salt unreachable")).count(), 1);
        let title = rows.iter().position(|r| r.contains("HOST")).unwrap();
        for (y, row) in rows.iter().enumerate().take(22).skip(title) {
            let line = u16::try_from(y).unwrap();
            assert!((0..80).all(|x| buf[(x, line)].fg != styles.critical.fg.unwrap()), "{row}");
        }
    }
}

#[test]
fn every_gap_has_a_word() {
    for (gap, word) in [
        (Gap::TimedOut, "timed out"),
        (Gap::NotPermitted("no".into()), "denied"),
        (Gap::Unreadable("x".into()), "garbled"),
        (Gap::Failed("x".into()), "failed"),
        (Gap::NotInstalled, "none"),
        (Gap::Stuck, "stuck"),
        (Gap::NoTool("df".into()), "no tool"),
        (Gap::Cut("at 256 KiB".into()), "cut"),
        (Gap::NotAsked, "not asked"),
    ] {
        let mut model = healthy();
        edit(&mut model.environments[0], "app1", |h| h.facts.load.miss(gap));
        let fleet = text(&settled(model), (80, 24));
        let row = fleet.lines().find(|l| l.contains("app1 ")).unwrap();
        assert!(row.contains(word) && !row.contains("0.06"), "{row}");
    }
}

#[test]
fn a_host_that_was_never_reached_was_not_asked_for_its_databases() {
    let screen = text(&on(waiting(), Screen::Host(name("app1"))), (120, 60));
    assert!(!screen.contains("no database on this host"), "{screen}");
    let at = screen.lines().position(|l| l.contains("REPLICATION")).unwrap();
    assert!(screen.lines().nth(at + 1).unwrap().contains("not asked"), "{screen}");
}

#[test]
fn a_paused_screen_grows_old() {
    let mut model = healthy();
    model.paused = Some(Paused { since: model.now, environments: model.environments.clone() });
    model.now = Moment(NOW.0 + 26_000);
    let screen = text(&settled(model), (120, 40));
    assert!(screen.contains("PAUSED 26s"), "{screen}");
    assert!(screen.lines().nth(1).unwrap().contains(" old"), "{screen}");
    assert!(!screen.contains("≤5s") && screen.contains("26s"), "{screen}");
    assert!(!screen.contains("● app1"), "nothing is well that nobody has looked at for 26 s\n{screen}");
}

#[test]
fn an_environment_that_nobody_has_opened_is_not_watched() {
    let head = text(&waiting(), (120, 40)).lines().next().unwrap().to_owned();
    assert!(head.contains("◌ production") && head.contains("– staging"), "{head}");
}

#[test]
fn what_was_known_of_a_host_before_the_jump_box_went_stays_known() {
    let mut model = jump_down(300);
    edit(&mut model.environments[0], "mail", |h| {
        h.link.state = jumpdeck_fleet::snapshot::LinkState::IdentityMismatch
    });
    let screen = text(&settled(model), (120, 40));
    for wanted in ["before the outage: unreachable", "before the outage: WRONG MACHINE"] {
        assert!(screen.contains(wanted), "{wanted}\n{screen}");
    }
    assert!(screen.contains("? mail"), "and nobody knows how it is now\n{screen}");
}

/// As the actors publish it: every host behind a lost jump box is unreachable, with the jump box as the hop that failed.
#[test]
fn a_host_that_is_lost_with_the_jump_box_was_not_unreachable_before() {
    let mut model = jump_down(3);
    edit(&mut model.environments[0], "app1", |h| {
        h.link.state = jumpdeck_fleet::snapshot::LinkState::Unreachable;
        h.link.hop = Some(Hop::Jump(name("salt")));
        h.link.detail = "jump box salt is lost".into();
    });
    let screen = text(&settled(model), (120, 40));
    let row = screen.lines().find(|l| l.contains(" app1 ")).unwrap();
    assert!(!row.contains("before the outage") && row.contains("0.06"), "its last figures stay: {row}");
    assert!(!row.contains('●') && !row.contains('✖'), "{row}");
}
