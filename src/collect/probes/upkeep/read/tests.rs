#![allow(clippy::unwrap_used)]

use jumpdeck_fleet::upkeep::{UpdateSource, WaitingUpdates};

use super::*;

/// All parts, with some of another content.
fn text(others: &[(&str, &str)]) -> String {
    let usual = [
        ("kernel", "0\n6.1.0-28-amd64\n6.1.0-28-amd64"),
        ("oom", "0\noom_kill 0"),
        ("readonly", "0"),
        ("units", "0"),
        ("who", "0"),
        ("keeper", "0\nsystemd-timesyn"),
        ("salt", "0\n1796000000\n1795989200 /var/cache/salt/minion/highstate.cache.p"),
        ("anacron", "none"),
        ("date", "0\n1796000000 2026-11-30"),
        ("lists", "0\n1795990000 /var/lib/apt/lists\n1795900000 /var/lib/apt/lists/partial"),
        ("updates", "0\napt 0 3"),
    ];
    let of = |name: &str, content: &str| {
        let other = others.iter().find(|(other, _)| *other == name);
        format!("@{name} {}\n", other.map_or(content, |(_, content)| content))
    };
    let more = others.iter().filter(|(name, _)| *name == "reboot").map(|(name, c)| format!("@{name} {c}\n"));
    more.chain(usual.iter().map(|(name, content)| of(name, content))).collect()
}

fn with(others: &[(&str, &str)]) -> Upkeep {
    read(&text(others)).unwrap()
}

#[test]
fn a_host_in_order_has_nothing_to_tell() {
    let upkeep = with(&[]);
    let waiting =
        WaitingUpdates { security: 0, all: Some(3), source: UpdateSource::Apt, lists_age_s: Some(10_000) };
    let expected = Upkeep {
        today: Some("2026-11-30".into()),
        updates: Ok(waiting),
        reboot: Ok(None),
        failed_units: Ok(Vec::new()),
        oom_kills: Ok(0),
        read_only: Ok(Vec::new()),
        logged_in: Ok(Vec::new()),
        clock_keeper: Ok(Some("systemd-timesyncd".into())),
        states_age_s: Ok(Some(10_800)),
        daily_jobs_age_s: Err(Gap::NotInstalled),
    };
    assert_eq!(upkeep, expected);
    assert_eq!(upkeep.unknown().count(), 0);
}

#[test]
fn failed_units_are_named_as_systemd_lists_them() {
    // systemd 252, and one that marks them in spite of --plain.
    let listed = "0\nnginx.service     loaded failed failed A high performance web server\n\
                  ● srv-data.mount loaded failed failed /srv/data\n";
    let names = with(&[("units", listed)]).failed_units.unwrap();
    assert_eq!(names, [Clean::from("nginx.service"), Clean::from("srv-data.mount")]);
    let down = "1\nFailed to connect to bus: No such file or directory";
    assert!(matches!(with(&[("units", down)]).failed_units, Err(Gap::Failed(_))));
    assert_eq!(with(&[("units", "none")]).failed_units, Err(Gap::NotInstalled));
    assert_eq!(with(&[("units", "124")]).failed_units, Err(Gap::TimedOut));
    assert!(matches!(with(&[("units", "0\n\x1b[2Jrubbish")]).failed_units, Err(Gap::Unreadable(_))));
}

/// Their names come into commands that people are advised to run.
#[test]
fn a_unit_has_only_the_characters_that_systemd_allows() {
    for name in [r"srv-my\x20data.mount", "getty@tty1.service", "-.mount", "a:b_c.service"] {
        let failed = with(&[("units", &format!("0\n{name} loaded failed failed x"))]).failed_units;
        assert_eq!(failed, Ok(vec![name.into()]));
    }
    for name in ["a.service;reboot", "$(reboot).service", "it's.service", "caf\u{e9}.service", "a`b`.mount"] {
        let failed = with(&[("units", &format!("0\n{name} loaded failed failed x"))]).failed_units;
        assert!(matches!(failed, Err(Gap::Unreadable(_))), "{name}");
    }
}

#[test]
fn a_reboot_is_asked_for_by_packages_or_by_a_newer_kernel() {
    let asked = with(&[("reboot", "0\nlinux-image-3.13.0-170-generic\nlinux-base\nlinux-base")]);
    let reason = asked.reboot.unwrap().unwrap();
    assert_eq!(reason.words(), "linux-base and 1 more");
    assert_eq!(with(&[("reboot", "0")]).reboot.unwrap().unwrap().words(), "packages were updated");
    let newer = with(&[("kernel", "0\n6.1.0-28-amd64\n6.1.0-28-amd64\n6.1.0-41-amd64")]).reboot.unwrap();
    assert_eq!(newer.unwrap().words(), "kernel 6.1.0-28-amd64 runs, 6.1.0-41-amd64 is installed");
    assert!(matches!(with(&[("kernel", "0")]).reboot, Err(Gap::Unreadable(_))));
    // Alpine's, a container, and a newest one behind many of another flavour.
    for none in ["0\n6.6.58-0-lts\nlts", "0\n6.1.0-28-amd64"] {
        assert_eq!(with(&[("kernel", none)]).reboot, Err(Gap::NotInstalled));
    }
    let rescues: String = (10..90).map(|n| format!("0-rescue-{n}\n")).collect();
    let late = with(&[("kernel", &format!("0\n6.1.0-28-amd64\n{rescues}6.1.0-41-amd64"))]).reboot;
    assert!(matches!(late, Ok(Some(RebootReason::Kernel { .. }))), "{late:?}");
}

#[test]
fn update_notifier_is_read_in_the_words_of_its_releases() {
    // Ubuntu 12.04, 14.04; 18.04; 20.04 and later; 22.04 with a contract that nobody has, and with one.
    for (said, expected) in [
        ("\n12 packages can be updated.\n9 updates are security updates.\n\n", Some((9, 12))),
        ("0 packages can be updated.\n0 updates are security updates.\n", Some((0, 0))),
        ("1 package can be updated.\n1 update is a security update.\n", Some((1, 1))),
        (
            "5 updates can be applied immediately.\n2 of these updates are standard security updates.\n\
          To see these additional updates run: apt list --upgradable\n",
            Some((2, 5)),
        ),
        (
            "Expanded Security Maintenance for Applications is not enabled.\n\n0 updates can be applied immediately.\n\n\
          17 additional security updates can be applied with ESM Apps.\n",
            Some((0, 0)),
        ),
        (
            "Expanded Security Maintenance for Applications is enabled.\n\n20 updates can be applied immediately.\n\
          5 of these updates are ESM Apps security updates.\n3 of these updates are standard security updates.\n",
            Some((8, 20)),
        ),
        ("3 of you\n", None),
    ] {
        let updates = with(&[("updates", &format!("0\nnotifier\n{said}"))]).updates;
        match expected {
            Some((security, all)) => {
                let found = updates.unwrap();
                assert_eq!((found.security, found.all), (security, Some(all)), "{said}");
            }
            None => assert!(matches!(updates, Err(Gap::Unreadable(_))), "{said}"),
        }
    }
}

#[test]
fn updates_that_nobody_counted_are_not_none() {
    assert_eq!(with(&[("updates", "later")]).updates, Err(Gap::NotAsked));
    assert_eq!(with(&[("updates", "none")]).updates, Err(Gap::NotInstalled));
    let locked = "1\nE: dpkg was interrupted, you must manually run 'dpkg --configure -a'";
    let upkeep = with(&[("updates", locked)]);
    assert_eq!(upkeep.unknown().map(|(name, _)| name).collect::<Vec<_>>(), ["security updates"]);
    assert!(matches!(upkeep.updates, Err(Gap::Failed(_))));
    assert!(matches!(with(&[("updates", "0\n")]).updates, Err(Gap::Unreadable(_))));
    let rpm = with(&[("updates", "0\nrpm 4")]).updates.unwrap();
    assert_eq!((rpm.security, rpm.all, rpm.lists_age_s), (4, None, None));
    // The stamp is written by a refresh alone; a folder by more.
    let stamped = "0\n1795000000 /var/lib/apt/periodic/update-success-stamp\n1795990000 /var/lib/apt/lists";
    assert_eq!(with(&[("lists", stamped)]).updates.unwrap().lists_age_s, Some(1_000_000));
}

#[test]
fn filesystems_that_became_read_only_are_named() {
    assert_eq!(with(&[("readonly", "0\n/srv\n/mnt/my\\040backup")]).read_only.unwrap().len(), 2);
    let upkeep = with(&[("readonly", "1\n/proc/mounts cannot be read")]);
    assert_eq!(upkeep.unknown().map(|(name, _)| name).collect::<Vec<_>>(), ["read-only filesystems"]);
}

#[test]
fn kills_and_the_clock_are_told_or_unknown() {
    assert_eq!(with(&[("oom", "0\noom_kill 3")]).oom_kills, Ok(3));
    // Before Linux 4.13 nobody counts.
    assert_eq!(with(&[("oom", "none")]).oom_kills, Err(Gap::NotInstalled));
    assert!(matches!(with(&[("oom", "126\n/proc/vmstat")]).oom_kills, Err(Gap::NotPermitted(_))));
    assert!(matches!(with(&[("oom", "0\noom_kill many")]).oom_kills, Err(Gap::Unreadable(_))));
    assert_eq!(with(&[("keeper", "0")]).clock_keeper, Ok(None));
    assert!(matches!(with(&[("keeper", "0\nhidden")]).clock_keeper, Err(Gap::NotPermitted(_))));
    assert_eq!(with(&[("date", "0\nsoon later")]).today, None);
}

proptest::proptest! {
    #[test]
    fn nothing_panics(text in "(@(reboot|kernel|oom|units|who|keeper|date|lists|updates) (0|1|124|none|later|x)\n|notifier\n|apt [0-9 ]{0,4}\n|[0-9]{1,12} [ -~]{0,12}\n|\\PC)*") {
        let _ = read(&text);
    }
}

#[test]
fn the_age_of_a_file_counts_by_the_host_s_clock_and_odd_times_are_unreadable() {
    let age = |content: &str| with(&[("salt", content)]).states_age_s;
    assert_eq!(age("0"), Ok(None), "never");
    assert_eq!(age("none"), Err(Gap::NotInstalled));
    assert_eq!(age("0\n100\n130 /x"), Ok(Some(0)), "its clock was set back a little");
    assert!(matches!(age("126\n/var/cache/salt"), Err(Gap::NotPermitted(_))));
    for odd in ["0\n100", "0\n100\n900 /x", "0\nhello\n100 /x", "0\n100\n-5 /x", "0\n100\n\u{1b}[2J"] {
        assert!(matches!(age(odd), Err(Gap::Unreadable(_))), "{odd:?}");
    }
    assert_eq!(with(&[("anacron", "0\n1000000\n700000 /x")]).daily_jobs_age_s, Ok(300_000));
    assert!(matches!(with(&[("anacron", "0")]).daily_jobs_age_s, Err(Gap::Unreadable(_))));
}
