//! Whom a problem is for.

use super::*;
use crate::contact::{Contact, Contacts};
use crate::outside::{ClosedPort, OutsideCheck, OutsideTarget, Viewpoint};

fn contact(owner: &str, docs: &str, runbook: &str) -> Contact {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Contact { owner: text(owner), docs: text(docs), runbook: text(runbook) }
}

fn ask(world: &World, problem: &Problem) -> [String; 3] {
    let found = world.env.contact(problem);
    [found.owner, found.docs, found.runbook].map(|text| text.unwrap_or("-").to_owned())
}

#[test]
fn a_problem_is_for_its_service_then_its_hosts_roles_then_the_environment() {
    let mut w = world(&["db1-masterdb", "mail", "app1"]);
    let role = |name: &str| RoleName::new(name).unwrap();
    w.env.contacts = Contacts {
        environment: contact("operations", "env", ""),
        roles: vec![
            (role("masterdb"), contact("master", "master", "promote")),
            (role("db"), contact("databases", "", "")),
            (role("mail"), contact("mail", "mail", "")),
        ],
        services: vec![
            ("postfix".to_owned(), contact("", "queue", "mail-queue")),
            ("203.0.113.10".to_owned(), contact("firewall", "", "")),
        ],
    };
    let of = |host: &str, kind, service: Option<&str>| Problem {
        severity: Severity::Critical,
        env: w.env.name.clone(),
        host: Some(HostName::new(host).unwrap()),
        named: Vec::new(),
        kind,
        service: service.map(str::to_owned),
        subject: None,
        message: String::new(),
    };
    // Field by field: what the nearer one leaves open comes from the next.
    assert_eq!(ask(&w, &of("mail", ProblemKind::Service, Some("postfix"))), ["mail", "queue", "mail-queue"]);
    assert_eq!(ask(&w, &of("mail", ProblemKind::Disk, None)), ["mail", "mail", "-"]);
    assert_eq!(
        ask(&w, &of("app1", ProblemKind::Service, Some("postfix"))),
        ["operations", "queue", "mail-queue"]
    );
    assert_eq!(ask(&w, &of("app1", ProblemKind::Service, Some("exim"))), ["operations", "env", "-"]);
    // Roles in the host's order: db1-masterdb is a db first.
    assert_eq!(ask(&w, &of("db1-masterdb", ProblemKind::Load, None)), ["databases", "master", "promote"]);
    // Of a host that is gone from the inventory nothing is known but the environment's.
    assert_eq!(ask(&w, &of("gone", ProblemKind::Load, None)), ["operations", "env", "-"]);
    // A problem that names hosts is for the first one that has an entry, and nobody's runbook is another's.
    let all = Problem { host: None, ..of("app1", ProblemKind::OsDiffers, None) };
    assert_eq!(ask(&w, &all), ["operations", "env", "-"]);
    let named = ["app1", "mail", "db1-masterdb"].map(|name| HostName::new(name).unwrap()).into();
    assert_eq!(ask(&w, &Problem { named, ..all.clone() }), ["mail", "mail", "-"]);
    // What is looked at from outside has its key in the inventory, which is the address without the port.
    let check = OutsideCheck {
        name: "203.0.113.10:3306".to_owned(),
        from: Viewpoint::JumpBox,
        target: OutsideTarget::Closed(ClosedPort { address: "203.0.113.10".to_owned(), port: 3306 }),
    };
    let outside = Problem { kind: ProblemKind::Outside, service: Some(check.id()), ..all };
    w.env.outside.checks = vec![Arc::new(check)];
    assert_eq!(ask(&w, &outside), ["firewall", "env", "-"]);
}
