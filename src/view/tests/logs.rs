//! Followed logs: at three sizes, in every theme and without colour.

use super::*;
use crate::app::message::Msg;
use crate::app::update::update;
use crate::config::keymap::{KeyCode, KeyPress};
use jumpdeck_fleet::log::{HostLog, LineClock, LogEvent, LogLevel, LogLine, LogNote, NotShown};

fn press(model: &mut Model, c: char) {
    update(model, Msg::Key(KeyPress { code: KeyCode::Char(c), ctrl: false, alt: false }));
}

/// Two hosts, one of them lost, with lines of every kind.
fn followed() -> Model {
    let mut model = healthy();
    for _ in 0..2 {
        press(&mut model, 'm');
    }
    press(&mut model, 'L');
    hear(model)
}

/// What the followed hosts say.
pub(super) fn hear(mut model: Model) -> Model {
    let hosts: Vec<_> = model.logs.as_ref().unwrap().request.hosts.clone();
    let line = |at: i64, host: usize, source: &str, clock, level, text: &str, cut| LogLine {
        host: hosts[host].clone(),
        source: source.into(),
        text: Clean::new(text),
        at: 1_385_830_931_000 + at * 1000,
        clock,
        level,
        cut,
        lead: 0,
    };
    let (own, arrival) = (LineClock::Own, LineClock::Arrival);
    let mut lines: Vec<LogLine> = (0..40)
        .map(|n| {
            line(
                n / 4,
                0,
                "/var/log/syslog",
                own,
                LogLevel::Plain,
                &format!("Nov 30 17:02:1{} CRON[{n}]: job", n % 10),
                0,
            )
        })
        .collect();
    lines.extend([
        line(12, 1, "/var/log/apache2/error.log", own, LogLevel::Error, "[error] upstream refused \x1b[2J the connection", 0),
        line(13, 1, "journal", arrival, LogLevel::Warning, "warning: a line that is longer than the screen is wide, and so goes on and on, and on, and on until it has to be broken or cut", 904),
    ]);
    let number = model.logs.as_ref().unwrap().number;
    let host = hosts[1].clone();
    for event in [
        LogEvent::Lines(lines),
        LogEvent::NotShown(NotShown { host: host.clone(), source: "journal".into(), lines: 1204, bytes: 0 }),
        LogEvent::Note(LogNote {
            host: host.clone(),
            source: Some("/var/log/apache2/error.log".into()),
            text: "access denied: this account may not read it".into(),
            at: 0,
            gap: true,
        }),
        LogEvent::State(hosts[0].clone(), HostLog::Following),
        LogEvent::State(
            host.clone(),
            HostLog::Lost { hop: Hop::Host(host), why: "the connection was lost".into() },
        ),
    ] {
        update(&mut model, Msg::Logs(number, event));
    }
    model.settle();
    model
}

#[test]
fn logs_at_every_size() {
    let mut model = followed();
    snapshot("logs", &model, SIZES[2]);
    press(&mut model, 'w');
    snapshot("logs-wrapped", &model, SIZES[0]);
    press(&mut model, '/');
    for c in "refused".chars() {
        press(&mut model, c);
    }
    snapshot("logs-filtered", &model, SIZES[0]);
}

#[test]
fn logs_that_are_paused_say_what_is_new() {
    let mut model = followed();
    press(&mut model, 'k');
    press(&mut model, 'k');
    snapshot("logs-paused", &model, SIZES[0]);
}

#[test]
fn an_error_stands_out_in_every_theme_and_without_colour() {
    let model = followed();
    let mut all: Vec<Styles> = ["dark", "light", "high-contrast"].iter().map(|theme| styles(theme)).collect();
    all.push(Styles::default());
    for styles in all {
        let buf = drawn(&model, &styles, SIZES[1]);
        let rows = rows(&buf);
        let at = |text: &str| u16::try_from(rows.iter().position(|row| row.contains(text)).unwrap()).unwrap();
        let (error, plain) = (at("upstream refused"), at("CRON[39]"));
        assert!(rows[usize::from(error)].contains(" E "), "{}", rows[usize::from(error)]);
        let column = 60;
        assert_ne!(buf[(column, error)].style(), buf[(column, plain)].style());
        assert!(rows[usize::from(error)].contains("^[[2J"), "{}", rows[usize::from(error)]);
    }
}

#[test]
fn a_line_of_today_shows_its_time_and_host_once() {
    let mut model = followed();
    let number = model.logs.as_ref().unwrap().number;
    let host = model.logs.as_ref().unwrap().request.hosts[0].clone();
    let line = |at: i64, text: &str| LogLine {
        host: host.clone(),
        source: "journal".into(),
        text: Clean::new(text),
        at,
        clock: LineClock::Own,
        level: LogLevel::Plain,
        cut: 0,
        lead: text.find("sshd").unwrap(),
    };
    let now = model.wall().0 * 1000;
    let lines = vec![
        line(now, "Nov 30 17:02:11 app1 sshd[1]: today"),
        line(now - 86_400_000, "Nov 29 17:02:11 app1 sshd[1]: before"),
    ];
    update(&mut model, Msg::Logs(number, LogEvent::Lines(lines)));
    let shown = text(&model, SIZES[0]);
    let row = |what: &str| shown.lines().find(|row| row.contains(what)).unwrap().to_owned();
    assert!(!row("today").contains("Nov 30") && row("today").contains("sshd[1]: today"), "{shown}");
    assert!(row("before").contains("Nov 29 17:02:11"), "its date is nowhere else: {shown}");
}

#[test]
fn the_sign_of_following_is_that_of_the_hosts() {
    let mut model = followed();
    let number = model.logs.as_ref().unwrap().number;
    let hosts = model.logs.as_ref().unwrap().request.hosts.clone();
    assert!(text(&model, SIZES[0]).contains("▲ FOLLOWING 1 OF 2"));
    let lost = |host: &jumpdeck_fleet::names::HostName| HostLog::Lost {
        hop: Hop::Host(host.clone()),
        why: "gone".into(),
    };
    update(&mut model, Msg::Logs(number, LogEvent::State(hosts[0].clone(), lost(&hosts[0]))));
    let none = text(&model, SIZES[0]);
    assert!(none.contains("✖ NOT FOLLOWING") && !none.contains("● FOLLOWING"), "{none}");
    for host in &hosts {
        update(&mut model, Msg::Logs(number, LogEvent::State(host.clone(), HostLog::Following)));
    }
    assert!(text(&model, SIZES[0]).contains("● FOLLOWING"));
}
