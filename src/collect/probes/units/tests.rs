#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use jumpdeck_fleet::names::RoleName;

fn declared(name: &str, units: &[&str], processes: &[&str]) -> DeclaredService {
    let owned = |words: &[&str]| words.iter().map(ToString::to_string).collect();
    DeclaredService {
        name: name.to_owned(),
        roles: vec![RoleName::new("app").unwrap()],
        units: owned(units),
        processes: owned(processes),
        ..DeclaredService::default()
    }
}

/// What the section says of Apache: whether it runs and the detail, or the gap's words.
fn apache(text: &str) -> (Option<bool>, String) {
    match UnitsAnswer::read(text).service(&declared("apache", &["apache2", "httpd"], &["apache2", "httpd"])) {
        Ok(service) => (Some(service.running), service.detail.to_string()),
        Err(gap) => (None, gap.describe()),
    }
}

#[test]
fn a_process_is_one_that_runs() {
    assert_eq!(apache("runs apache 812 apache2\n"), (Some(true), "process 812, apache2".to_owned()));
    let (running, said) = apache("runs apache 812 \x1b[2Japache2 evil\n");
    assert!(running == Some(true) && !said.contains('\x1b'), "{said:?}");
}

#[test]
fn without_a_process_the_init_system_says_whether_it_is_stopped_or_not_there() {
    assert_eq!(apache("stopped apache apache2\n"), (Some(false), "no process apache2, httpd".to_owned()));
    let (running, said) = apache("missing apache\n");
    assert!(running.is_none() && said.contains("not installed: no unit apache2, httpd"), "{said}");
    let (running, said) = apache("missing apache\n@hidden\n");
    assert!(running.is_none() && said.contains("hidden"), "{said}");
}

/// Answers of systemd 252 (Debian 12) to the very question.
#[test]
fn systemd_says_why() {
    let absent = "Id=httpd.service\nLoadState=not-found\nActiveState=inactive\nSubState=dead\nResult=success\nExecMainStatus=0\n";
    let answer = |state: &str| format!("missing apache\n@systemd 0\nId=apache2.service\n{state}\n\n{absent}");
    let failed = "LoadState=loaded\nActiveState=failed\nSubState=failed\nResult=exit-code\nExecMainStatus=1";
    assert_eq!(
        apache(&answer(failed)),
        (Some(false), "unit apache2 is failed, result exit-code, exit status 1".to_owned())
    );
    let dead = "LoadState=loaded\nActiveState=inactive\nSubState=dead\nResult=success\nExecMainStatus=0";
    assert_eq!(apache(&answer(dead)), (Some(false), "unit apache2 is inactive".to_owned()));
    let again = "LoadState=loaded\nActiveState=activating\nSubState=auto-restart\nResult=exit-code\nExecMainStatus=203";
    assert_eq!(
        apache(&answer(again)),
        (Some(false), "unit apache2 ends again and again, result exit-code, exit status 203".to_owned())
    );
    let masked = "LoadState=masked\nActiveState=inactive\nSubState=dead\nResult=success\nExecMainStatus=0";
    assert_eq!(apache(&answer(masked)), (Some(false), "unit apache2 is masked".to_owned()));
    // One whose processes have other names: systemd knows.
    let active = "LoadState=loaded\nActiveState=active\nSubState=running\nResult=success\nExecMainStatus=0";
    assert_eq!(apache(&answer(active)), (Some(true), "unit apache2 is active (running)".to_owned()));
    let neither = format!("missing apache\n@systemd 0\n{absent}");
    assert!(apache(&neither).1.contains("not installed"), "{:?}", apache(&neither));
}

#[test]
fn processes_without_their_main_one_are_no_service() {
    let (running, said) = apache("alone apache 59 5 httpd\n");
    let next = "End them: kill -TERM -59. Then: service httpd start";
    assert!(running.is_none() && said.contains("5 of its processes go on") && said.ends_with(next), "{said}");
    // systemd knows better, and a group that is no number is no advice.
    let failed = "LoadState=loaded\nActiveState=failed\nSubState=failed\nResult=signal\nExecMainStatus=9";
    let text = format!("alone apache 59 5 apache2\n@systemd 0\nId=apache2.service\n{failed}\n");
    assert_eq!(
        apache(&text),
        (Some(false), "unit apache2 is failed, result signal, exit status 9".to_owned())
    );
    for text in
        ["alone apache 0 5 x\n", "alone apache 1 5 x\n", "alone apache 5;reboot 5 x\n", "alone apache 59 x\n"]
    {
        let (running, said) = apache(text);
        assert!(running.is_none() && !said.contains("kill"), "{said}");
    }
}

#[test]
fn what_nobody_can_read_is_unknown() {
    for text in [
        "",
        "runs\n",
        "nonsense\n",
        "runs other 1 x\n",
        "missing apache more\n",
        "@systemd 0\n",
        "missing apache\n@systemd 124\n\n",
        "missing apache\n@systemd 1\n\n",
    ] {
        assert_eq!(apache(text).0, None, "{text:?}");
    }
    let flood = "runs x 1 y\n".repeat(20_000) + "\n@systemd 0\n" + &"Id=apache2.service\n\n".repeat(5_000);
    assert_eq!(apache(&flood).0, None);
}

#[test]
fn a_unit_that_systemd_never_names_is_not_taken_for_ours() {
    let other =
        "missing apache\n@systemd 0\nId=apache2-extra.service\nLoadState=loaded\nActiveState=active\n";
    assert!(apache(other).1.contains("not installed"));
}
