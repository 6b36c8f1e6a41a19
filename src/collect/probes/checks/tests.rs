#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::time::Duration;

use super::*;
use jumpdeck_fleet::check::{CheckCommand, CheckRange};
use jumpdeck_fleet::service::checks::findings;

fn declared(rule: CheckRule) -> DeclaredCheck {
    DeclaredCheck {
        name: DeclaredCheck::name_of("raid"),
        roles: Vec::new(),
        command: CheckCommand::new("/usr/lib/nagios/plugins/check_raid -w 1").unwrap(),
        every: Duration::from_secs(60),
        timeout: Duration::from_secs(3),
        rule,
        when_bad: Some("Call the storage team.".to_owned()),
    }
}

fn over(warning: &str, critical: &str) -> CheckRule {
    let range = |text| CheckNumber::parse(text).map(CheckRange::over);
    CheckRule::Number(CheckLimits { warning: range(warning), critical: range(critical) })
}

fn says(rule: &CheckRule, status: u8, text: &str) -> Result<Service, Gap> {
    ChecksAnswer::read(&format!("@up 600 n0nce\n@check n0nce raid {status} 100\n{text}"))
        .service(&declared(rule.clone()))
}

fn severity(service: &Service) -> Option<Severity> {
    service.check.as_ref().unwrap().severity
}

fn plugin_says(status: u8, text: &str) -> Result<Service, Gap> {
    says(&CheckRule::Plugin, status, text)
}

#[test]
fn a_plugin_is_judged_by_its_exit_status() {
    let well = plugin_says(0, "RAID OK - md0 clean | disks=2;;@0:1;0;2\n").unwrap();
    assert_eq!(
        (well.detail.as_str(), severity(&well), well.amount(AGE)),
        ("RAID OK - md0 clean", None, Some(5))
    );
    assert_eq!((well.perfdata()[0].label.as_str(), well.perfdata()[0].value.get()), ("disks", 2.0));
    assert_eq!(findings(&declared(CheckRule::Plugin), &well), []);

    let bad = plugin_says(2, "RAID CRITICAL - md0 degraded\nlong text\n").unwrap();
    let found = &findings(&declared(CheckRule::Plugin), &bad)[0];
    assert_eq!(found.severity, Severity::Critical);
    assert_eq!(found.message, "check raid: RAID CRITICAL - md0 degraded. Call the storage team.");
    assert_eq!(severity(&plugin_says(1, "slow").unwrap()), Some(Severity::Warning));
}

#[test]
fn what_is_no_verdict_is_unknown_and_says_why() {
    let why = |status, text| plugin_says(status, text).unwrap_err().describe();
    assert_eq!(
        why(3, "RAID UNKNOWN - no mdadm\n"),
        "failed: the plugin does not know: RAID UNKNOWN - no mdadm"
    );
    assert_eq!(why(0, ""), "failed: it printed nothing and ended with status 0: run its command on the host");
    assert_eq!(
        why(1, "\n| a=1"),
        "failed: it printed nothing and ended with status 1: run its command on the host"
    );
    assert_eq!(why(4, "x"), "failed: ended with status 4, which no plugin does: x");
    assert_eq!(why(124, "half"), "timed out");
    assert_eq!(why(126, ""), "not permitted: /usr/lib/nagios/plugins/check_raid may not be run");
    assert_eq!(why(127, ""), "tool missing: /usr/lib/nagios/plugins/check_raid");
    assert_eq!(plugin_says(123, "").unwrap_err(), Gap::Stuck);
    let endless = ChecksAnswer::read("@up 600 n0nce\n@check n0nce raid cut 100\nOK\nOK\n");
    let why = endless.service(&declared(CheckRule::Plugin)).unwrap_err();
    assert_eq!(why.describe(), "cut by jumpdeck: its answer is longer than 64 KiB");
}

#[test]
fn figures_come_from_every_line_that_may_hold_some() {
    let text = "DISK OK|/=10MB;;;0;20\nmore text\nand more|/a=1 '/b c'=2\n/d=3\n";
    let service = plugin_says(0, text).unwrap();
    let labels: Vec<&str> = service.perfdata().iter().map(|datum| datum.label.as_str()).collect();
    assert_eq!(labels, ["/", "/a", "/b c", "/d"]);
    let many = plugin_says(0, &format!("OK|{}", "a=1 ".repeat(100))).unwrap();
    assert_eq!((many.perfdata().len(), many.amount(MORE_FIGURES)), (64, Some(36)));
}

#[test]
fn a_number_is_judged_by_the_limits_of_the_inventory() {
    let rule = over("1000", "5000");
    let well = says(&rule, 0, "  12\n").unwrap();
    assert_eq!((well.detail.as_str(), severity(&well)), ("12", None));
    let bad = says(&rule, 0, "1001\n").unwrap();
    assert_eq!(
        (severity(&bad), bad.detail.as_str()),
        (Some(Severity::Warning), "1001 (warning over 1000, critical over 5000)")
    );
    assert_eq!(severity(&says(&rule, 0, "5001").unwrap()), Some(Severity::Critical));
    let why = |status, text| says(&rule, status, text).unwrap_err().describe();
    assert_eq!(why(0, "12 jobs\n"), "unreadable: no number: 12 jobs");
    assert_eq!(why(0, "1\n2\n"), "unreadable: 2 lines instead of one number");
    assert_eq!(why(0, ""), "unreadable: 0 lines instead of one number");
    assert_eq!(why(1, "no such wiki"), "failed: ended with status 1: no such wiki");
    assert_eq!(why(0, "nan"), "unreadable: no number: nan");
}

#[test]
fn an_old_answer_is_unknown() {
    let old = |seconds: u64| {
        let text = format!("@up {} n0nce\n@check n0nce raid 0 100\nOK\n", 100 + seconds * 100);
        ChecksAnswer::read(&text).service(&declared(CheckRule::Plugin))
    };
    assert_eq!(old(180).unwrap().amount(AGE), Some(180));
    assert_eq!(
        old(181).unwrap_err().describe(),
        "failed: its last answer is 4 min old: other checks of this host hang"
    );
}

#[test]
fn one_check_cannot_speak_for_another() {
    let text = "@up 600 n0nce\n@check n0nce other 0 100\nOK\n@check guess raid 0 100\nfine\n@up 9 guess\n@check raid 0 100\n";
    assert_eq!(ChecksAnswer::read(text).service(&declared(CheckRule::Plugin)), Err(Gap::NotAsked));
    let text = format!("{text}@check n0nce raid 2 100\nRAID CRITICAL\n@check guess raid 0 100\nfine\n");
    let raid = ChecksAnswer::read(&text).service(&declared(CheckRule::Plugin)).unwrap();
    assert_eq!(severity(&raid), Some(Severity::Critical));
    // Without a nonce nothing is a head.
    assert!(ChecksAnswer::read("@up 600\n@check  raid 0 100\nOK\n").answers.is_empty());
}

#[test]
fn whatever_a_host_prints_is_printable_here() {
    let service = plugin_says(1, "\x1b[2J\x1b]0;x\x07bad|\x1b[31mred=1\n").unwrap();
    assert!(
        !service.detail.as_str().contains('\x1b') && !service.perfdata()[0].label.as_str().contains('\x1b')
    );
}
