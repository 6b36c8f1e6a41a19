#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use super::*;

fn of(text: &str) -> Result<Service, Gap> {
    super::read(&Raw { status: 0, text: text.to_owned() })
}

fn judged(service: &Service) -> Vec<(Severity, String)> {
    let found = PROBE.kind.findings(service, &Thresholds::default());
    found.into_iter().map(|finding| (finding.severity, finding.message)).collect()
}

fn disk(said: &str, status: u8) -> Service {
    of(&format!("@asked 0\n@disks sda \n@disk sda\n{HEAD}{said}@status {status}\n@end 0\n")).unwrap()
}

// As smartctl's documentation and source print it (5.41 to 7.3).
const HEAD: &str = "smartctl 7.3 2022-02-28 r5338 [x86_64-linux-6.1.0] (local build)\n\
    Copyright (C) 2002-22, Bruce Allen, Christian Franke, www.smartmontools.org\n\n";
const ATA: &str =
    "=== START OF READ SMART DATA SECTION ===\nSMART overall-health self-assessment test result: PASSED\n\n";

#[test]
fn a_disk_that_expects_to_fail_is_critical() {
    assert_eq!(judged(&disk(ATA, 0)), vec![]);
    assert_eq!(disk(ATA, 0).detail.as_str(), "1 of 1 disks in good health");
    assert_eq!(judged(&disk("SMART Health Status: OK\n", 0)), vec![]);
    for (said, words) in [
        (
            ATA.replace("PASSED", "FAILED!\nDrive failure expected in less than 24 hours. SAVE ALL DATA."),
            "sda (FAILED!) is about",
        ),
        (
            "SMART Health Status: FAILURE PREDICTION THRESHOLD EXCEEDED [asc=5d, ascq=0]\n".to_owned(),
            "sda (FAILURE PREDICTION",
        ),
    ] {
        let found = judged(&disk(&said, 24));
        assert!(
            found.len() == 1 && found[0].0 == Severity::Critical && found[0].1.contains(words),
            "{found:?}"
        );
    }
    // One that sleeps is left so.
    let service = disk("Device is in STANDBY mode, exit(2)\n", 2);
    assert_eq!((service.text("asleep"), judged(&service)), (Some("sda"), vec![]));
}

// As nvmeprint.cpp of smartmontools 7.3 prints it.
const NVME: &str =
    "=== START OF SMART DATA SECTION ===\nSMART overall-health self-assessment test result: FAILED!\n";

#[test]
fn an_nvme_disk_fails_for_its_reasons_and_heat_is_no_failure() {
    let heat = "- temperature is above or below threshold\n";
    assert_eq!(
        judged(&disk(&format!("{NVME}{heat}\n"), 8)),
        [(
            Severity::Warning,
            "smart: sda reports a temperature over its limit: see its cooling and smartctl -a".to_owned()
        )]
    );
    let worn = format!("{NVME}- available spare has fallen below threshold\n{heat}\n- not one of them\n");
    let found = judged(&disk(&worn, 8));
    assert!(found.len() == 1 && found[0].0 == Severity::Critical, "{found:?}");
    let words =
        "sda (available spare has fallen below threshold, temperature is above or below threshold) is";
    assert!(found[0].1.contains(words), "{found:?}");
    // Reasons without an end, and what would move the cursor.
    let endless = format!("{NVME}{}", "- \x1b[2J worn\n".repeat(10_000));
    let found = judged(&disk(&endless, 8));
    assert!(found.len() == 1 && found[0].0 == Severity::Critical && found[0].1.len() < 500, "{found:?}");
    assert!(!found[0].1.contains('\x1b'), "{found:?}");
}

#[test]
fn a_warning_of_a_sas_disk_replaces_nothing() {
    // In capitals, as older releases of smartmontools write it.
    for (status, words) in [
        (
            "WARNING - SPECIFIED TEMPERATURE EXCEEDED [asc=b, ascq=1]",
            "smart: sda reports a temperature over its limit: see its cooling and smartctl -a",
        ),
        (
            "WARNING - high critical temperature limit exceeded [asc=b, ascq=a]",
            "smart: sda reports a temperature over its limit: see its cooling and smartctl -a",
        ),
        (
            "WARNING - low critical temperature limit exceeded [asc=b, ascq=b]",
            "smart: a warning of sda (WARNING - low critical temperature limit exceeded [asc=b, ascq=b]): see smartctl -a",
        ),
        (
            "WARNING - ENCLOSURE DEGRADED [asc=b, ascq=2]",
            "smart: a warning of sda (WARNING - ENCLOSURE DEGRADED [asc=b, ascq=2]): see smartctl -a",
        ),
        (
            "FAILURE PREDICTION THRESHOLD EXCEEDED (FALSE) [asc=5d, ascq=ff]",
            "smart: a warning of sda (FAILURE PREDICTION THRESHOLD EXCEEDED (FALSE) [asc=5d, ascq=ff]): see smartctl -a",
        ),
    ] {
        let found = judged(&disk(&format!("SMART Health Status: {status}\n"), 8));
        assert_eq!(found, [(Severity::Warning, words.to_owned())]);
    }
    let both = "@asked 0\n@disks sda sdb \n@disk sda\nSMART Health Status: WARNING - SPECIFIED TEMPERATURE EXCEEDED\n@status 8\n\
        @disk sdb\nSMART Health Status: Warning - specified temperature exceeded\n@status 8\n@end 0\n";
    let found = judged(&of(both).unwrap());
    let words = "smart: sda, sdb report a temperature over their limit: see their cooling and smartctl -a";
    assert_eq!(found, [(Severity::Warning, words.to_owned())]);
    // Newer ones write small letters.
    let found = judged(&disk(
        "SMART Health Status: Media failure prediction threshold exceeded [asc=5d, ascq=1]\n",
        8,
    ));
    assert!(found.len() == 1 && found[0].0 == Severity::Critical, "{found:?}");
}

#[test]
fn an_answer_says_how_old_it_is() {
    let asked = |age: &str| {
        let text = format!("@asked {age}\n@disks sda \n@disk sda\n{HEAD}{ATA}@status 0\n@end 0\n");
        let service = of(&text).unwrap();
        (service.detail.to_string(), service.amount("age"))
    };
    assert_eq!(asked("7"), ("1 of 1 disks in good health".to_owned(), Some(7)));
    assert_eq!(asked("2700"), ("1 of 1 disks in good health, asked 45 min ago".to_owned(), Some(2700)));
    assert_eq!(asked("?"), ("1 of 1 disks in good health, asked at an unknown time".to_owned(), None));
}

#[test]
fn a_disk_that_says_nothing_is_unknown() {
    for (said, words) in [
        (
            "Smartctl open device: /dev/sda failed: Permission denied\n",
            "smart disks not permitted: sda: Smartctl open",
        ),
        ("sudo: a password is required\n", "smart disks not permitted: sda: sudo"),
        (
            "Smartctl open device: /dev/sda failed: DELL or MegaRaid controller, please try adding '-d megaraid,N'\n",
            "smart disks failed: sda: Smartctl open device",
        ),
        ("\x1b[2J\n", "smart disks failed: sda: no health"),
        // A USB bridge, a disk that aborts the question, and words that nobody knows.
        (
            "SMART Status command failed: scsi error aborted command\n\
             SMART overall-health self-assessment test result: UNKNOWN!\n\
             SMART Status, Attributes and Thresholds cannot be read.\n\n",
            "smart disks failed: sda: SMART status cannot be read",
        ),
        ("SMART Health Status: \x1b[2J\n", "smart disks failed: sda: SMART status cannot be read"),
    ] {
        let found = judged(&disk(said, 2));
        assert!(
            found.len() == 1 && found[0].0 == Severity::Unknown && found[0].1.starts_with(words),
            "{found:?}"
        );
    }
    // The first hangs, the second was not reached.
    let found = judged(&of("@asked 0\n@disks sda sdb \n@disk sda\n@end 124\n").unwrap());
    assert!(found.len() == 1 && found[0].1 == "smart disks timed out", "{found:?}");
}

#[test]
fn no_disk_is_nothing_to_say() {
    assert_eq!(of(""), Err(Gap::NotInstalled));
    assert_eq!(of("@later\n"), Err(Gap::NotAsked));
    assert!(matches!(of("\x1b[2J"), Err(Gap::Unreadable(_))));
    assert!(matches!(of("@asked 0\n@end 0\n"), Err(Gap::Unreadable(_))));
}

proptest::proptest! {
    #[test]
    fn nothing_panics(text in "(@asked 7\n|@disks sda sdb\n|@disk sda\n|@status 0\n|@end |SMART Health Status: |OK\n|in STANDBY\n|\\PC)*") {
        let _ = of(&text);
    }
}
