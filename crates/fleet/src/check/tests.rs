#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;

fn number(text: &str) -> CheckNumber {
    CheckNumber::parse(text).unwrap()
}

#[test]
fn ranges_are_those_of_plugins() {
    // The table of the Monitoring Plugins Development Guidelines, and what it leaves open.
    for (range, well, bad) in [
        ("10", &["0", "10"][..], &["-1", "10.1"][..]),
        ("10:", &["10", "1e9"], &["9.99", "-1"]),
        ("~:10", &["-5", "10"], &["11"]),
        ("10:20", &["10", "20"], &["9", "21"]),
        ("@10:20", &["9", "21"], &["10", "20"]),
        ("@5", &["-1", "6"], &["0", "5"]),
        ("~:", &["-1", "0", "1"], &[]),
        ("-3:-1", &["-2"], &["0", "-4"]),
        (":7", &["0"], &["8", "-1"]),
    ] {
        let read = CheckRange::parse(range).unwrap();
        well.iter().for_each(|text| assert!(!read.alerts(number(text)), "{range} {text}"));
        bad.iter().for_each(|text| assert!(read.alerts(number(text)), "{range} {text}"));
    }
    for none in ["", "@", "x", "20:10", "1:2:3", "nan", "~:inf", "1,5", " 5"] {
        assert_eq!(CheckRange::parse(none), None, "{none:?}");
    }
    let said =
        ["10", "10:", "~:10", "10:20", "@10:20"].map(|text| CheckRange::parse(text).unwrap().to_string());
    assert_eq!(said, ["over 10", "below 10", "over 10", "outside 10 to 20", "from 10 to 20"]);
}

#[test]
fn a_number_is_shown_as_it_is() {
    let said = ["0", "12", "-0.5", "1e20", "0.0000000001"].map(|text| number(text).to_string());
    assert_eq!(said, ["0", "12", "-0.5", "1e20", "1e-10"]);
    for none in ["", "nan", "inf", "-infinity", "1e999", "0x10", "1_000", "12%", "1 2"] {
        assert_eq!(CheckNumber::parse(none), None, "{none:?}");
    }
}

#[test]
fn figures_are_read_as_monitoring_systems_read_them() {
    // check_disk, check_http, check_load of the Monitoring Plugins 2.3.
    let (found, more) = perfdata(
        "/=2643MiB;5948;5958;0;5968 '/var/lib/my db'=69MB;;20:;0;2643 time=0.004532s;;;0.000000;10.000000 load1=0.260;5.000;10.000;0;",
    );
    assert_eq!((found.len(), more), (4, 0));
    let shown: Vec<String> =
        found.iter().map(|datum| format!("{} {}{}", datum.label, datum.value, datum.unit)).collect();
    assert_eq!(shown, ["/ 2643MiB", "/var/lib/my db 69MB", "time 0.004532s", "load1 0.26"]);
    assert_eq!(found[0].limits.to_string(), "warning over 5948, critical over 5958");
    assert_eq!(
        (found[1].limits.to_string().as_str(), found[1].max),
        ("critical below 20", Some(number("2643")))
    );
    assert_eq!(found[2].limits, CheckLimits::default());
}

#[test]
fn what_is_no_figure_is_left_out_and_the_next_one_is_read() {
    let (found, _) = perfdata("junk a=U b= =5 'it''s'=1;x;y;z c=1e3 d=12e 'open=3");
    let shown: Vec<String> =
        found.iter().map(|datum| format!("{} {}{}", datum.label, datum.value, datum.unit)).collect();
    assert_eq!(shown, ["it's 1", "c 1000", "d 12e"]);
    assert_eq!(perfdata("\u{1b}[2J=5 x=\u{9b}").0.len(), 1);
    let (kept, more) = perfdata(&"a=1 ".repeat(1000));
    assert_eq!((kept.len(), more), (PERFDATA_SHOWN, 1000 - PERFDATA_SHOWN));
}

#[test]
fn a_command_is_one_line() {
    assert_eq!(CheckCommand::new("echo 'a b' | wc -c").unwrap().as_str(), "echo 'a b' | wc -c");
    for bad in ["", " ", "a\nb", "a\0", &"x".repeat(2001)] {
        assert!(CheckCommand::new(bad).is_err(), "{bad:?}");
    }
}
