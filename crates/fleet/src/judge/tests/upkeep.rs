//! What waits for a keeper.

use super::*;
use crate::upkeep::{RebootReason, UpdateSource, WaitingUpdates};

fn change(w: &mut World, host: &str, change: impl FnOnce(&mut Upkeep)) {
    w.change(host, |h| {
        let mut upkeep = h.facts.upkeep.last().cloned().unwrap();
        change(&mut upkeep);
        h.facts.upkeep.learn(upkeep, NOW);
    });
}

fn waiting(security: u64, lists_age_s: Option<u64>) -> Result<WaitingUpdates, Gap> {
    Ok(WaitingUpdates { security, all: Some(security + 1), source: UpdateSource::Apt, lists_age_s })
}

#[test]
fn a_kill_and_failed_units_are_warnings_of_their_host() {
    let mut w = trio();
    change(&mut w, "app1", |upkeep| {
        upkeep.oom_kills = Ok(2);
        upkeep.failed_units = Ok(vec!["a.service".into(), "b.mount".into()]);
    });
    assert_eq!(brief(&w.judge()), ["warning oom_kill app1", "warning failed_units app1"]);
    assert!(
        w.judge()[0].message.starts_with("the kernel killed 2 processes for lack of memory since boot. See")
    );
    let words = "2 units failed: a.service, b.mount. See why: systemctl status -- 'UNIT'";
    assert_eq!(w.judge()[1].message, words);
}

#[test]
fn failed_units_are_quoted_and_counted_as_far_as_they_are_known() {
    let mut w = trio();
    change(&mut w, "app1", |upkeep| upkeep.failed_units = Ok(vec![r"srv-my\x20data.mount".into()]));
    let words = r"systemctl status -- 'srv-my\x20data.mount'. Then restart it, or forget it: systemctl reset-failed -- 'srv-my\x20data.mount'";
    assert!(w.judge()[0].message.ends_with(words), "{}", w.judge()[0].message);
    let many = |count: u8| (0..count).map(|n| Clean::new(&format!("n{n}.service"))).collect::<Vec<_>>();
    for (count, words) in [(39, "39 units failed: n0.service"), (40, "at least 40 units failed: n0.service")]
    {
        change(&mut w, "app1", |upkeep| upkeep.failed_units = Ok(many(count)));
        assert!(w.judge()[0].message.starts_with(words), "{}", w.judge()[0].message);
    }
}

#[test]
fn a_filesystem_that_became_read_only_is_critical() {
    let mut w = trio();
    change(&mut w, "app1", |upkeep| upkeep.read_only = Ok(vec!["/srv".into(), "/var".into()]));
    assert_eq!(brief(&w.judge()), ["critical read_only app1"]);
    assert!(w.judge()[0].message.starts_with("/srv, /var is read-only, and /etc/fstab mounts it writable"));
}

#[test]
fn what_waits_on_many_hosts_is_one_problem_that_names_them_all() {
    let mut w = trio();
    change(&mut w, "app1", |upkeep| {
        upkeep.updates = waiting(3, Some(40 * 86_400));
        upkeep.reboot = Ok(Some(RebootReason::Packages(vec!["libc6".into()])));
    });
    let alone =
        ["warning security_updates app1", "warning package_lists app1", "warning reboot_required app1"];
    assert_eq!(brief(&w.judge()), alone);
    assert_eq!(w.judge()[2].message, "reboot required: libc6");
    change(&mut w, "db2", |upkeep| {
        upkeep.updates = waiting(7, Some(30 * 86_400 + 1));
        upkeep.reboot = Ok(Some(RebootReason::Packages(Vec::new())));
    });
    let problems = w.judge();
    let together = ["warning security_updates -", "warning package_lists app1", "warning reboot_required -"];
    assert_eq!(brief(&problems), together);
    assert_eq!(problems[0].message, "security updates wait on 2 hosts: db2 (7), app1 (3)");
    assert_eq!(problems[2].message, "reboot required on 2 hosts: db2 (packages were updated), app1 (libc6)");
    assert_eq!(problems[0].named.len(), 2);
}

#[test]
fn an_old_system_is_one_finding_that_marks_no_row() {
    let mut w = trio();
    for host in ["app1", "db2"] {
        change(&mut w, host, |upkeep| upkeep.today = Some("2026-11-30".into()));
    }
    let problems = w.judge();
    assert_eq!(brief(&problems), ["warning os_support -"]);
    assert!(problems[0].named.is_empty());
    let words = "out of support on 2 of 3 hosts: ubuntu 14.04 since 2019-04-25 on db2, app1.";
    assert!(problems[0].message.starts_with(words), "{}", problems[0].message);
    for host in ["app1", "db2"] {
        change(&mut w, host, |upkeep| upkeep.today = Some("2019-04-25".into()));
    }
    assert_eq!(brief(&w.judge()), [""; 0], "its last day");
}

/// What could not be asked is unknown; what a host cannot have, or is not asked for yet, is nothing to say.
#[test]
fn a_part_that_nobody_knows_is_unknown() {
    let mut w = trio();
    change(&mut w, "app1", |upkeep| {
        upkeep.failed_units = Err(Gap::TimedOut);
        upkeep.updates = Err(Gap::NotAsked);
        upkeep.oom_kills = Err(Gap::NotInstalled);
        upkeep.logged_in = Err(Gap::NoTool("who".into()));
    });
    let problems = w.judge();
    assert_eq!(brief(&problems), ["unknown unreadable app1"]);
    assert_eq!(problems[0].message, "failed units timed out");
}

#[test]
fn daily_jobs_that_did_not_end_for_two_days_are_a_warning_unless_the_host_was_off() {
    let mut w = trio();
    change(&mut w, "app1", |upkeep| upkeep.daily_jobs_age_s = Ok(2 * 86_400));
    assert_eq!(brief(&w.judge()), [""; 0]);
    change(&mut w, "app1", |upkeep| upkeep.daily_jobs_age_s = Ok(3 * 86_400 + 5));
    let problems = w.judge();
    assert_eq!(brief(&problems), ["warning daily_jobs app1"]);
    assert!(problems[0].message.starts_with("the daily jobs of anacron ended 3 days ago. "));
    w.change("app1", |h| h.facts.uptime.learn(Duration::from_secs(3600), NOW));
    assert_eq!(brief(&w.judge()), [""; 0], "it was off");
    change(&mut w, "app1", |upkeep| upkeep.daily_jobs_age_s = Err(Gap::TimedOut));
    assert_eq!(brief(&w.judge()), ["unknown unreadable app1"]);
}
