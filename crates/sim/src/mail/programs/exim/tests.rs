#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::time::Duration;

use crate::programs::tests::{Shared, find, host, run, world};

fn ids(world: &Shared, on: &str, options: &[&str]) -> Vec<String> {
    let args: Vec<&str> = ["exiqgrep", "-i"].iter().chain(options).copied().collect();
    run(world, on, &args, "").0.lines().map(str::to_owned).collect()
}

#[test]
fn the_queue_is_listed_frozen_thawed_and_removed() {
    let world = world("wpd-2015", 0);
    let (text, _, status) = run(&world, "project", &["exim4", "-bp"], "");
    assert_eq!(status, 0);
    assert_eq!(run(&world, "project", &["mailq"], "").0, text);
    assert_eq!(run(&world, "project", &["exim", "-bpc"], "").0, "11\n");
    let form = regex::Regex::new(
        r"(?m)^ ?\d+[mhd] +[0-9.]+K? [0-9A-Za-z]{6}-[0-9A-Za-z]{6}-[0-9A-Za-z]{2} <(www-data@project.production.wpdn)?>( \*\*\* frozen \*\*\*)?\n {10}\S+@\S+\n$",
    );
    assert_eq!(form.unwrap().find_iter(&text).count(), 11, "{text}");
    let mine = ids(&world, "project", &["-f", "^<www-data@project.production.wpdn>$"]);
    assert_eq!((mine.len(), ids(&world, "project", &["-z"]).len()), (9, 2));
    let id = mine[0].as_str();
    let said = |args: &[&str]| run(&world, "project", args, "");
    let done = |words: &str| (format!("Message {id} {words}\n"), String::new(), 0);
    let not = |words: &str| (format!("Message {id} {words}\n"), String::new(), 1);
    assert_eq!(said(&["exim", "-Mt", id]), not("is not frozen"));
    assert_eq!(said(&["exim", "-Mf", id]), done("is now frozen"));
    assert_eq!(said(&["exim", "-Mf", id]), not("is already frozen"));
    assert_eq!(ids(&world, "project", &["-z"]).len(), 3);
    assert_eq!(said(&["exim", "-Mt", id]), done("is no longer frozen"));
    assert!(said(&["exim", "-Mvh", id]).0.contains("Subject: [Bug Genie] issue updated\n"));
    assert!(said(&["exim", "-Mvl", id]).0.contains("rate limited\n"));
    assert_eq!(said(&["exim", "-Mrm", id]), done("has been removed"));
    let (text, _, status) = said(&["exim", "-Mrm", id]);
    assert!(
        text.ends_with(&format!("Message {id} has been removed or did not exist\n")) && status == 1,
        "{text}"
    );
    assert_eq!(said(&["exim", "-Mrm", "all"]).1, "exim: malformed message id all after -Mrm option\n");
    assert_eq!(said(&["exim", "-Mrm"]).1, "exim: no message ids given after -Mrm option\n");
    assert_eq!(said(&["exim", "-bpc"]).0, "10\n");
    assert!(!find("exim").installed(&world.lock().unwrap(), &host("mail")), "it has Postfix");
    assert!(!find("postqueue").installed(&world.lock().unwrap(), &host("project")));
}

#[test]
fn a_message_that_a_process_holds_is_not_touched() {
    let world = world("wpd-2015", 0);
    let id = ids(&world, "project", &["-x"]).remove(0);
    assert!(world.lock().unwrap().mail(&host("project")).unwrap().lock(&id, true));
    let (text, _, status) = run(&world, "project", &["exim", "-Mrm", &id], "");
    assert_eq!((text, status), (format!("Message {id} is locked\n"), 1));
    assert_eq!(run(&world, "project", &["exim", "-bpc"], "").0, "11\n");
}

#[test]
fn mail_waits_while_the_mail_host_takes_none_and_goes_when_it_does() {
    let world = world("wpd-2015", 0);
    let later = |seconds| world.lock().unwrap().advance(Duration::from_secs(seconds));
    let waiting = || run(&world, "db2", &["exim", "-bpc"], "").0.trim().parse::<u32>().unwrap();
    let set = |on: &str, service: &str, runs| world.lock().unwrap().set_service(&host(on), service, runs);
    later(3000);
    assert_eq!(waiting(), 0, "it goes at once");
    assert!(set("mail", "postfix", false));
    later(3000);
    assert_eq!(waiting(), 5);
    let id = ids(&world, "db2", &[]).remove(0);
    let log = run(&world, "db2", &["exim", "-Mvl", &id], "").0;
    assert!(log.ends_with("Connection refused\n"), "{log}");
    run(&world, "db2", &["exim", "-Mf", &id], "");
    assert!(set("mail", "postfix", true));
    run(&world, "db2", &["exim", "-qf"], "");
    assert_eq!(ids(&world, "db2", &[]), [id.as_str()], "what is frozen stays");
    run(&world, "db2", &["exim", "-M", &id], "");
    assert_eq!(waiting(), 0);
    // The daemon tries again every half hour; without it nobody does.
    assert!(set("mail", "postfix", false));
    later(700);
    assert_eq!(waiting(), 1);
    assert!(set("mail", "postfix", true) && set("db2", "exim4", false));
    later(3600);
    assert_eq!(waiting(), 1);
    assert!(set("db2", "exim4", true));
    later(1800);
    assert_eq!(waiting(), 0);
}

#[test]
fn a_bounce_that_nobody_takes_is_frozen_again() {
    let world = world("wpd-2015", 0);
    let frozen = ids(&world, "project", &["-z"]);
    run(&world, "project", &["exim", "-qff"], "");
    assert_eq!(ids(&world, "project", &["-z"]), frozen);
    world.lock().unwrap().mail(&host("project")).unwrap().recipient_accepts("noreply@spam.example.com");
    run(&world, "project", &["exim", "-qff"], "");
    assert_eq!(ids(&world, "project", &["-z"]).len(), 0);
    assert_eq!(ids(&world, "project", &[]).len(), 9);
}

#[test]
fn a_stranger_is_not_relayed_for_unless_the_networks_say_so() {
    let world = world("wpd-2015", 0);
    let asked = "HELO a.example\nMAIL FROM:<a@a.example>\nRCPT TO:<b@b.example>\nQUIT\n";
    let session = || run(&world, "app1", &["exim", "-bh", "192.0.2.1"], asked).0;
    assert!(session().contains("\n550 relay not permitted\n"), "{}", session());
    let path = crate::mail::EXIM_CONFIG;
    let text = String::from_utf8(world.lock().unwrap().read_file(&host("app1"), path).unwrap()).unwrap();
    for (networks, open) in [("0.0.0.0/0", true), ("10.0.0.0/8", false)] {
        let text = text.replace("dc_relay_nets=''", &format!("dc_relay_nets='{networks}'"));
        world.lock().unwrap().write_file(&host("app1"), path, text.into_bytes());
        assert_eq!(session().contains("250 Accepted"), open, "{networks}");
    }
}
