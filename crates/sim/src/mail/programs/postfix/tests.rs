#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::time::Duration;

use serde_json::Value;

use crate::programs::tests::{Shared, find, host, run, world};

fn queue(world: &Shared) -> Vec<Value> {
    let (text, _, _) = run(world, "mail", &["postqueue", "-j"], "");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_queue_is_listed_looked_into_and_cleared_by_sender() {
    let world = world("wpd-2015", 0);
    let (text, _, _) = run(&world, "mail", &["postqueue", "-p"], "");
    assert!(
        text.starts_with("----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------\n"),
        "{text}"
    );
    assert!(text.ends_with(" in 42 Requests.\n"), "{text}");
    assert_eq!(run(&world, "mail", &["mailq"], "").0, text);
    let sender = "www-data@project.production.wpdn";
    let ids: Vec<String> = queue(&world)
        .iter()
        .filter(|m| m["sender"] == sender)
        .map(|m| m["queue_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), 37);
    let (message, _, status) = run(&world, "mail", &["postcat", "-q", &ids[0]], "");
    assert!(message.contains("Subject: [Bug Genie] issue updated\n") && status == 0, "{message}");
    let (_, said, status) = run(&world, "mail", &["postsuper", "-d", "-"], &ids.join("\n"));
    assert_eq!(status, 0);
    assert!(said.ends_with("postsuper: Deleted: 37 messages\n"), "{said}");
    assert_eq!(queue(&world).len(), 5);
    let (out, said, status) = run(&world, "mail", &["postsuper", "-d", &ids[0]], "");
    assert_eq!((out.as_str(), said.as_str(), status), ("", "", 0), "what is not there is passed over");
    assert_eq!(run(&world, "mail", &["postcat", "-q", "none"], "").2, 1);
}

#[test]
fn what_a_recipient_takes_goes_what_is_held_stays() {
    let world = world("wpd-2015", 0);
    let waiting =
        |recipient: &str| queue(&world).iter().filter(|m| m["recipients"][0]["address"] == recipient).count();
    let to = "visitor@mail.example.net";
    let id = queue(&world).iter().find(|m| m["recipients"][0]["address"] == to).unwrap()["queue_id"].clone();
    let (_, said, _) = run(&world, "mail", &["postsuper", "-h", id.as_str().unwrap()], "");
    assert!(said.ends_with("postsuper: Placed on hold: 1 message\n"), "{said}");
    run(&world, "mail", &["postqueue", "-f"], "");
    world.lock().unwrap().advance(Duration::from_secs(10));
    assert_eq!(waiting(to), 3, "its server does not take them yet");
    world.lock().unwrap().mail(&host("mail")).unwrap().recipient_accepts(to);
    run(&world, "mail", &["postqueue", "-f"], "");
    world.lock().unwrap().advance(Duration::from_secs(10));
    assert_eq!(waiting(to), 1);
    run(&world, "mail", &["postsuper", "-H", id.as_str().unwrap()], "");
    run(&world, "mail", &["postqueue", "-f"], "");
    world.lock().unwrap().advance(Duration::from_secs(10));
    assert_eq!(waiting(to), 0);
}

#[test]
fn mail_comes_in_until_intake_is_switched_off() {
    let world = world("wpd-2015", 0);
    run(&world, "mail", &["postsuper", "-d", "ALL"], "");
    world.lock().unwrap().advance(Duration::from_secs(4000));
    queue(&world);
    let delivered = world.lock().unwrap().mail(&host("mail")).unwrap().delivered();
    assert!(delivered > 90, "{delivered}");
    assert_eq!(run(&world, "mail", &["postconf", "-e", "master_service_disable=inet"], "").2, 0);
    assert_eq!(run(&world, "mail", &["postconf", "-h", "master_service_disable"], "").0, "inet\n");
    world.lock().unwrap().advance(Duration::from_secs(4000));
    assert_eq!(run(&world, "mail", &["mailq"], "").0, "Mail queue is empty\n");
    assert!(world.lock().unwrap().mail(&host("mail")).unwrap().delivered() <= delivered + 1);
    let (_, said, status) = run(&world, "mail", &["postfix", "reload"], "");
    assert_eq!((said.as_str(), status), ("postfix/postfix-script: refreshing the Postfix mail system\n", 0));
    assert_eq!(run(&world, "mail", &["postfix", "stop"], "").2, 0);
    assert_eq!(run(&world, "mail", &["postfix", "status"], "").2, 1);
    assert!(!find("postsuper").installed(&world.lock().unwrap(), &host("app1")));
}

#[test]
fn of_a_postfix_that_is_stopped_only_root_sees_the_queue() {
    let world = world("wpd-2015", 0);
    assert_eq!(run(&world, "mail", &["systemctl", "stop", "postfix"], "").2, 0);
    for form in ["-j", "-p"] {
        let (out, said, status) = run(&world, "mail", &["postqueue", form], "");
        assert!(
            said.starts_with("postqueue: warning: Mail system is down -- accessing queue directly"),
            "{said}"
        );
        assert_eq!((out.contains("www-data@project"), status), (true, 0), "{out}");
    }
}
