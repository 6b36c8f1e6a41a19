#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use proptest::prelude::*;

use super::*;

fn context() -> Context {
    Context { home: "/home/ada".into(), user: "ada".into(), ..Context::default() }
}

fn env() -> EnvName {
    EnvName::new("production").unwrap()
}

fn set(host: &str, set: Set) -> HostChange {
    HostChange { host: HostName::new(host).unwrap(), set }
}

fn role(name: &str) -> RoleName {
    RoleName::new(name).unwrap()
}

fn gains(host: &str, name: &str) -> HostChange {
    set(host, Set::Gains(role(name)))
}

fn loses(host: &str, name: &str) -> HostChange {
    set(host, Set::Loses(role(name)))
}

fn moved(host: &str, address: &str) -> HostChange {
    set(host, Set::Address(address.to_owned()))
}

fn edited(text: &str, changes: &[HostChange]) -> String {
    change("inventory.toml", text, &env(), changes, &context()).unwrap_or_else(|e| panic!("{e}\n{text}")).text
}

const HEAD: &str = "[environments.production]\njump = \"local\"\n";

/// A promotion: what each way of writing a host becomes.
#[test]
fn a_role_moves_in_every_way_that_hosts_are_written() {
    let promotion = [gains("db2", "masterdb"), loses("db1-masterdb", "masterdb")];
    for (before, after) in [
        (
            "[environments.production.hosts] # all\ndb1-masterdb = {} # old\n\n# the replica\ndb2 = { sudo = true } # new\n",
            "[environments.production.hosts] # all\ndb1-masterdb = { roles = [\"db\"] } # old\n\n# the replica\ndb2 = { sudo = true, roles = [\"db\", \"masterdb\"] } # new\n",
        ),
        (
            "[environments.production.hosts.db1-masterdb] # old\n  port = 22 # why\n[environments.production.hosts.db2]\n# nothing yet",
            "[environments.production.hosts.db1-masterdb] # old\n  port = 22 # why\n  roles = [\"db\"]\n[environments.production.hosts.db2]\nroles = [\"db\", \"masterdb\"]\n# nothing yet",
        ),
        (
            "[environments.production.hosts]\n  db1-masterdb.port = 22 # x\n  db2.sudo = true",
            "[environments.production.hosts]\n  db1-masterdb.port = 22 # x\n  db1-masterdb.roles = [\"db\"]\n  db2.sudo = true\n  db2.roles = [\"db\", \"masterdb\"]",
        ),
        (
            "[[environments.production.hosts]]\nname = \"db1-masterdb\"\nroles = [\n  \"db\", # it is one\n  \"masterdb\", # the one\n]\n[[environments.production.hosts]]\nname = \"db2\"\nroles = [\n  \"db\" # it is one\n]\n",
            "[[environments.production.hosts]]\nname = \"db1-masterdb\"\nroles = [\n  \"db\", # it is one\n   # the one\n]\n[[environments.production.hosts]]\nname = \"db2\"\nroles = [\n  \"db\", # it is one\n  \"masterdb\"\n]\n",
        ),
        (
            "[[hosts]]\nname = \"db2\"\nenvironment = \"production\"\n# between\n[[hosts]]\nenvironment = \"production\"\nname = \"db1-masterdb\"\nroles = [\"db\", \"masterdb\"]\n",
            "[[hosts]]\nname = \"db2\"\nenvironment = \"production\"\nroles = [\"db\", \"masterdb\"]\n# between\n[[hosts]]\nenvironment = \"production\"\nname = \"db1-masterdb\"\nroles = [\"db\"]\n",
        ),
    ] {
        assert_eq!(edited(&format!("{HEAD}{before}"), &promotion), format!("{HEAD}{after}"));
    }
    let inline = "environments = { production = { jump = \"local\", hosts = [ { name = \"db2\" }, { name = \"db1-masterdb\", roles = [ \"masterdb\", \"db\" ] } ] } } # one line";
    assert_eq!(
        edited(inline, &promotion),
        "environments = { production = { jump = \"local\", hosts = [ { name = \"db2\", roles = [\"db\", \"masterdb\"] }, { name = \"db1-masterdb\", roles = [ \"db\" ] } ] } } # one line"
    );
}

#[test]
fn line_ends_stay_as_they_are() {
    let before = format!("{HEAD}[environments.production.hosts.db2]\nroles = [\n  \"db\",\n]\n# end\n")
        .replace('\n', "\r\n");
    let after = edited(&before, &[gains("db2", "masterdb"), moved("db2", "10.0.0.9")]);
    assert_eq!(
        after,
        format!("{HEAD}[environments.production.hosts.db2]\nroles = [\n  \"db\",\n  \"masterdb\",\n]\naddress = \"10.0.0.9\"\n# end\n").replace('\n', "\r\n")
    );
}

#[test]
fn an_address_is_replaced_or_added() {
    let before = format!(
        "{HEAD}domain = \"wpdn\"\n[environments.production.hosts]\napp1 = {{}}\napp2 = {{ address = '10.0.0.2', port = 2222 }} # two\n"
    );
    let after = edited(&before, &[moved("app1", "10.0.0.1"), moved("app2", "fe80::1%eth0")]);
    assert_eq!(
        after,
        format!(
            "{HEAD}domain = \"wpdn\"\n[environments.production.hosts]\napp1 = {{ address = \"10.0.0.1\" }}\napp2 = {{ address = \"fe80::1%eth0\", port = 2222 }} # two\n"
        )
    );
}

#[test]
fn what_the_inventory_says_already_changes_nothing() {
    let text = format!(
        "{HEAD}[environments.production.hosts]\ndb1-masterdb = {{}}\ndb2 = {{ address = \"10.0.0.2\" }}\n"
    );
    for there in [gains("db1-masterdb", "masterdb"), loses("db2", "masterdb"), moved("db2", "10.0.0.2")] {
        assert_eq!(edited(&text, &[there]), text);
    }
}

#[test]
fn what_cannot_be_said_is_refused_with_its_reason() {
    let text =
        format!("{HEAD}[environments.production.hosts]\ndb1 = {{ address = \"10.0.0.1\" }}\ndb2 = {{}}\n");
    let why = |change_it: HostChange| {
        change("inventory.toml", &text, &env(), &[change_it], &context()).unwrap_err().to_string()
    };
    assert!(why(gains("db3", "masterdb")).contains("no host db3"));
    assert!(why(moved("db2", "10.0.0.1")).contains("the same address"), "{}", why(moved("db2", "10.0.0.1")));
    assert!(why(moved("db2", "not an address")).contains("address"));
    let broken = change("inventory.toml", "[environments", &env(), &[gains("db2", "x")], &context());
    assert!(broken.unwrap_err().to_string().contains("mistakes"));
    // A host that is written in a way that is not understood.
    let odd = "environments = { production = { jump = \"local\", hosts = { db2.sudo = true } } }";
    let odd = change("inventory.toml", odd, &env(), &[gains("db2", "masterdb")], &context());
    assert_eq!(odd, Err(EditError::Layout(HostName::new("db2").unwrap())));
}

/// A host in one of the ways to write one, with comments all over it.
fn written(at: usize, way: usize, roles: &[&str], lines: bool) -> String {
    let name = format!("h{at}");
    let quoted: Vec<String> = roles.iter().map(|role| format!("\"{role}\"")).collect();
    let list = match lines {
        true => format!(
            "[ # open {at}\n{}  # last {at}\n  ]",
            quoted.iter().map(|role| format!("    {role}, # of {at}\n")).collect::<String>()
        ),
        false => format!("[{}]", quoted.join(", ")),
    };
    // An inline table stays on its line in TOML 1.0.
    let line = format!("[{}]", quoted.join(" , "));
    match way {
        0 => format!(
            "[environments.production.hosts.{name}] # head {at}\n\troles = {list} # roles {at}\n# below {at}\n"
        ),
        1 => format!("[environments.production.hosts.{name}] # head {at}\n"),
        2 => format!(
            "[environments.production.hosts] # all\n{name} = {{ sudo = true , roles = {line} }} # {at}\n"
        ),
        3 => format!("[environments.production.hosts]\n# before\n  {name}.roles = {list} # {at}\n"),
        4 => format!("[environments.production.hosts]\n{name}.port = 2222 # {at}\n"),
        5 => format!("[environments.production.hosts]\n{name} = {{}} # {at}"),
        6 => format!("[[environments.production.hosts]] # {at}\nname = \"{name}\" # its name\n"),
        7 => format!("[[hosts]]\nroles = {list}\nname = '{name}'\nenvironment = \"production\" # {at}\n"),
        _ => format!("[[hosts]] # {at}\nname = \"{name}\"\n\nenvironment = \"production\"\n# after\n"),
    }
}

/// The text behind each `#`, and what line it is on does not matter.
fn comments(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| line.split_once('#').map(|(_, comment)| comment.trim_end())).collect()
}

proptest! {
    /// An edit keeps every comment of an accepted inventory, and changes only what was asked for.
    #[test]
    fn comments_and_everything_else_stay(
        ways in proptest::collection::vec((0..9usize, 0..4usize, any::<bool>()), 1..5),
        windows in any::<bool>(), at in 0..5usize, what in 0..4usize,
    ) {
        let roles = ["db", "masterdb", "app", "mail"];
        // A table of hosts and a list of them exclude each other, and a table has one head.
        let mut text = format!("# first\n{HEAD}# own\n");
        let mut names = Vec::new();
        for (n, (way, count, lines)) in ways.iter().enumerate() {
            let mut part = written(n, *way, &roles[..*count], *lines);
            let head = "[environments.production.hosts]";
            if part.starts_with(head) && text.contains(head) {
                part = part.replace(head, "# again");
                // Its lines must stand below that head, not below another one.
                if !matches!(ways[n - 1].0, 2..=5) { continue; }
            }
            let candidate = format!("{}{part}", if text.ends_with('\n') { text.clone() } else { format!("{text}\n") });
            if parse("inventory.toml", &candidate, &context()).is_ok() {
                text = candidate;
                names.push(format!("h{n}"));
            }
        }
        prop_assume!(!names.is_empty());
        if windows { text = text.replace('\n', "\r\n"); }
        let host = &names[at % names.len()];
        let wish = match what {
            0 => gains(host, "masterdb"),
            1 => loses(host, "masterdb"),
            2 => moved(host, "10.9.9.9"),
            _ => loses(host, "db"),
        };
        let before = parse("inventory.toml", &text, &context()).unwrap();
        let changed = change("inventory.toml", &text, &env(), std::slice::from_ref(&wish), &context());
        let changed = changed.unwrap_or_else(|e| panic!("{e}\n{text}"));
        prop_assert_eq!(&changed.fleet, &before.with(&env(), std::slice::from_ref(&wish)).unwrap());
        prop_assert_eq!(comments(&changed.text), comments(&text), "{}\n->\n{}", text, changed.text);
        prop_assert_eq!(changed.text.contains('\r'), text.contains('\r'));
        if windows {
            prop_assert!(!changed.text.replace("\r\n", "").contains(['\r', '\n']), "{:?}", changed.text);
        }
        // Back again: nothing is lost on the way.
        let again = change("inventory.toml", &changed.text, &env(), &[wish], &context()).unwrap();
        prop_assert_eq!(again.text, changed.text);
    }
}
