#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
use super::*;
use jumpdeck_fleet::service::{ServiceHealth, Services};
use jumpdeck_fleet::time::Moment;

const PEERS: &str = "@peers app1=10.0.0.11 app2=10.0.0.12 db1=db1.example.org";
/// As `nova list` of 2015 prints it; `openstack server list` has the same columns among others.
const NOVA: &str = "\
+------+------------------+--------+------------+-------------+---------------------------------------+
| ID   | Name             | Status | Task State | Power State | Networks                              |
+------+------------------+--------+------------+-------------+---------------------------------------+
| 1-a  | app1             | ACTIVE | -          | Running     | private-network=10.0.0.11, 192.0.2.11 |
| 1-b  | web-12           | ACTIVE | -          | Running     | private-network=10.0.0.12             |
| 1-c  | db1.example.org  | ACTIVE | -          | Running     |                                       |
+------+------------------+--------+------------+-------------+---------------------------------------+
";

fn said(status: &str, text: &str) -> Result<Service, Gap> {
    read(&Raw { status: 0, text: format!("@status {status}\n{PEERS}\n{text}\n") })
}

fn judged(text: &str) -> (ServiceHealth, Vec<(Severity, String)>) {
    let service = said("0 no", text).unwrap();
    let findings = PROBE.probe.kind.findings(&service, &Thresholds::default());
    let health = ServiceHealth::of(&service, &findings);
    (health, findings.into_iter().map(|finding| (finding.severity, finding.message)).collect())
}

#[test]
fn servers_that_are_hosts_by_name_or_address_are_well() {
    assert_eq!(judged(NOVA), (ServiceHealth::Ok, vec![]));
    let warned = format!("DeprecationWarning: old | older\n{NOVA}");
    assert_eq!(said("0 no", &warned).unwrap().detail.as_str(), "3 servers");
    let openstack = "+--+\n| ID | Name | Status | Networks | Image | Flavor |\n+--+\n\
                     | 1 | app1 | ACTIVE | net=10.0.0.11 | Debian | small |\n+--+\n";
    assert_eq!(said("0 no", openstack).unwrap().amount("missing"), Some(2));
}

#[test]
fn a_name_is_the_same_with_another_domain_and_another_case() {
    let servers = NOVA.replace("app1 ", "APP1.cloud").replace("10.0.0.11", "192.0.2.9");
    let text = format!("@status 0 no\n@peers app1.example.org=10.0.0.1\n{servers}\n");
    let service = read(&Raw { status: 0, text }).unwrap();
    assert_eq!((service.amount("missing"), service.amount("unknown")), (Some(0), Some(2)));
}

#[test]
fn servers_that_nobody_knows_and_hosts_without_one_are_named() {
    let text = NOVA.replace("web-12 ", "test-7 ").replace("10.0.0.12 ", "10.0.0.121");
    let (health, problems) = judged(&text);
    assert_eq!((health, problems.len()), (ServiceHealth::Degraded, 2));
    assert!(problems.iter().all(|(severity, _)| *severity == Severity::Warning));
    assert!(
        problems[0].1.starts_with("The cloud has servers that the inventory does not: test-7. "),
        "{problems:?}"
    );
    assert!(
        problems[1].1.starts_with("The inventory has hosts that the cloud does not: app2. "),
        "{problems:?}"
    );
}

#[test]
fn what_a_client_cannot_say_is_unknown_and_without_credentials_nothing_is_said() {
    for (text, gap) in [("@later\n", Gap::NotAsked), ("@absent\n", Gap::NotInstalled)] {
        assert_eq!(read(&Raw { status: 0, text: text.into() }), Err(gap));
    }
    let none =
        "ERROR (CommandError): You must provide a username or user id via --os-username, env[OS_USERNAME]";
    assert_eq!(said("1 no", none), Err(Gap::NotInstalled));
    assert_eq!(
        said("1 no", "Missing value auth-url required for auth plugin password"),
        Err(Gap::NotInstalled)
    );
    let refused = said("1 no", "a\nThe request you have made requires authentication. (HTTP 401)");
    assert_eq!(
        refused,
        Err(Gap::Failed("The request you have made requires authentication. (HTTP 401)".into()))
    );
    assert_eq!(said("124 no", ""), Err(Gap::TimedOut));
    let barred = "this account may not run /usr/bin/nova";
    assert_eq!(said("126 no", "/usr/bin/nova\n"), Err(Gap::NotPermitted(barred.into())));
    assert!(matches!(said("0 yes", NOVA), Err(Gap::Cut(_))));
    let other =
        said("0 no", &NOVA.replace("app1 ", "x ").replace("10.0.0.1", "10.9.0.1").replace("db1", "y"));
    let Err(Gap::Failed(why)) = other else { panic!("{other:?}") };
    assert!(why.as_str().starts_with("none of its 3 servers is a host of the inventory"), "{why:?}");
    for text in ["hello", "| a | b |\n| c | d |", "| Name | Networks |\n| a |"] {
        assert!(matches!(said("0 no", text), Err(Gap::Unreadable(_))), "{text:?}");
    }
}

/// What `openstack floating ip list` of client 6 prints.
const FLOATING: &str = "\
+-----+---------------------+------------------+------+------------------+---------+
| ID  | Floating IP Address | Fixed IP Address | Port | Floating Network | Project |
+-----+---------------------+------------------+------+------------------+---------+
| f-1 | 192.0.2.11          | 10.0.0.11        | p-1  | ext              | p       |
| f-2 | 192.0.2.12          | 10.0.0.12        | p-2  | ext              | p       |
| f-3 | 192.0.2.13          | None             | None | ext              | p       |
+-----+---------------------+------------------+------+------------------+---------+
";

fn with_addresses(status: &str, addresses: &str) -> Service {
    said("0 no", &format!("{NOVA}@floating {status}\n{addresses}")).unwrap()
}

fn warnings(service: &Service) -> Vec<String> {
    let findings = PROBE.probe.kind.findings(service, &Thresholds::default());
    findings.into_iter().map(|finding| format!("{} {}", finding.severity.word(), finding.message)).collect()
}

#[test]
fn an_address_in_reserve_is_counted_and_no_problem() {
    let found = with_addresses("0 no", FLOATING);
    assert_eq!((found.amount("floating"), found.amount("unattached")), (Some(3), Some(1)));
    assert_eq!(found.text("unattached_addresses"), Some("192.0.2.13"));
    assert_eq!(found.detail.as_str(), "3 servers, 3 floating addresses, 1 attached to nothing");
    assert_eq!(warnings(&found), Vec::<String>::new());
    // neutron and nova of 2015 call the columns otherwise.
    let neutron = "| id | fixed_ip_address | floating_ip_address | port_id |\n| f | 10.0.0.11 | 192.0.2.11 | p |\n\
                   | g |  | 192.0.2.12 |  |\n";
    assert_eq!(with_addresses("0 no", neutron).amount("unattached"), Some(1));
    let nova = "| Ip | Server Id | Fixed Ip | Pool |\n| 192.0.2.12 | None | None | ext |\n";
    assert_eq!(with_addresses("0 no", nova).amount("unattached"), Some(1));
    assert_eq!(with_addresses("0 no", "\n").amount("floating"), Some(0), "there is none");
}

#[test]
fn addresses_of_unknown_machines_and_a_host_whose_address_leads_nowhere_are_named() {
    let found = with_addresses("0 no", &FLOATING.replace("10.0.0.12 ", "10.0.0.99 "));
    assert_eq!(
        warnings(&found),
        [
            "warning Floating addresses lead to machines that the inventory does not have: 192.0.2.12 (to 10.0.0.99). Add those \
          machines to the inventory, or find out what uses these addresses before they are released."
        ]
    );
    let found = with_addresses("0 no", &FLOATING.replace("192.0.2.13", "10.0.0.11 "));
    assert_eq!(
        warnings(&found),
        [
            "warning The inventory's address of hosts is a floating address that is attached to nothing: app1 (10.0.0.11). \
          Attach it to the server, or correct the address in the inventory."
        ]
    );
    let hostile = FLOATING.replace("10.0.0.12 ", "\u{1b}[2J$(x) ");
    assert!(!format!("{:?}", warnings(&with_addresses("0 no", &hostile))).contains("\\u{1b}"));
}

#[test]
fn addresses_that_the_client_does_not_tell_are_unknown_and_the_servers_stay() {
    for (status, text, words) in [
        ("1 no", "No such service: network", "floating addresses failed: No such service: network"),
        ("124 no", "", "floating addresses timed out"),
        ("0 yes", FLOATING, "floating addresses cut by jumpdeck"),
        ("0 no", "hello", "floating addresses unreadable"),
        ("0 no", "| IP | Fixed IP |\n| x | y |", "floating addresses unreadable"),
    ] {
        let found = with_addresses(status, text);
        assert_eq!(found.amount("servers"), Some(3), "{words}");
        let said = warnings(&found);
        assert!(
            said.len() == 1 && said[0].starts_with(&format!("unknown cloud-servers {words}")),
            "{said:?}"
        );
    }
    // Clients that are too old or too new to know the question.
    for text in [
        "openstack: 'floating ip list' is not an openstack command.",
        "error: argument <subcommand>: invalid choice: u'x'",
    ] {
        let found = with_addresses("2 no", text);
        assert_eq!((warnings(&found), found.reading("floating")), (vec![], None));
    }
}

/// A connection begins again: the client is not asked at once.
#[test]
fn what_was_found_stays_until_the_client_is_asked_again() {
    let kind = PROBE.probe.kind;
    let mut services = Services::default();
    services.take(kind, Err(Gap::NotAsked), Moment(1));
    assert!(services.is_empty(), "nothing to say before the first answer");
    services.take(kind, said("0 no", NOVA), Moment(2));
    services.take(kind, Err(Gap::NotAsked), Moment(3));
    let fact = services.get(kind.name).unwrap();
    assert_eq!(fact.last().unwrap().detail.as_str(), "3 servers");
    assert_eq!(fact.gap, Some(Gap::NotAsked));
}
