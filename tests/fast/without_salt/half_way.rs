//! Fleets that are half-way: Salt and no program for the cloud, such a program and no Salt, an inventory that says Salt where there is
//! none, Salt and a host without a minion.

use std::collections::BTreeSet;
use std::path::Path;

use jumpdeck::runbook::library::Library;
use jumpdeck_fleet::run::{PromptKind, RunState};
use jumpdeck_sim::world::World;

use super::fleet::{differences, fingerprint};
use super::provider::{address, build, console_print, old_server};
use super::rehearsal::{Stage, Told};
use super::{Comes, Does, END, Hand, Row, begun, comes_to_its_end, is_refused, row, runbooks};

/// The server is Salt's, but built on the provider's pages.
const WITH_SALT: &[Hand] = &[
    Hand(
        "Build the new",
        Does::Runs("salt", "salt --out=txt app1 cmd.run 'service salt-minion stop'; salt-key -y -d app1"),
    ),
    Hand("Build the new", Does::Orders(|world| build(world, "app1", Some("level: production")))),
    Hand("Build the new", Does::Runs("salt", ACCEPT)),
    Hand("Build the new", Does::Orders(|world| address(world, "app1"))),
    Hand("The host key of the new", Does::Orders(|world| console_print(world, "app1"))),
    Hand("Stop the old", Does::Orders(|world| old_server(world, "app1", World::stop_server))),
    Hand("Delete the old", Does::Orders(|world| old_server(world, "app1", World::delete_server))),
];

const ACCEPT: &str = "until salt-key -l un | grep -qx app1; do sleep 1; done; salt-key -y -a app1 >/dev/null; \
                      until salt -t 5 --out=txt app1 test.ping | grep -q True; do sleep 1; done; \
                      salt -t 600 --out=txt app1 state.highstate >/dev/null";

#[tokio::test(flavor = "multi_thread")]
async fn with_salt_and_without_a_cloud_client_a_vm_is_replaced_by_hand_and_the_other_runbook_says_so() {
    let row = Row { env: "production", inputs: &[("vm", "app1")], hands: WITH_SALT, ..END };
    let stage = Stage::new(row.world, row.env, true);
    stage.world(World::remove_cloud_clients);
    let sentence =
        "The jump box has no nova, neutron: choose a cloud client that it has, or use replace-vm-by-hand.";
    is_refused("replace-vm", &row, &stage, sentence).await;
    comes_to_its_end("replace-vm-by-hand", &row, &stage).await;
}

/// Who needs the cloud's programs has a test above. failover-masterdb and rolling-reboot only name them, for a person;
/// fastly-backends asks one that is there, and comes to its end without.
#[test]
fn no_other_runbook_needs_a_program_for_the_cloud() {
    let program = regex::Regex::new(r"\b(nova|neutron|openstack) [a-z]").unwrap();
    let library = Library::load(Path::new("/nonexistent")).0;
    let needs: BTreeSet<String> = super::rehearsal::names()
        .into_iter()
        .filter(|name| library.get(name).unwrap().sources.iter().any(|(_, text)| program.is_match(text)))
        .collect();
    assert_eq!(
        needs,
        ["failover-masterdb", "fastly-backends", "reboot-silent-host", "replace-vm", "rolling-reboot"]
            .map(str::to_owned)
            .into()
    );
}

/// It needs no Salt.
const NEEDS_THE_CLIENT_ALONE: &str = "reboot-silent-host";

#[tokio::test(flavor = "multi_thread")]
async fn with_a_cloud_client_and_without_salt_it_is_refused_as_without_both() {
    for name in runbooks() {
        let row = row(&name);
        match row.comes {
            Comes::Refused(sentence) if name != NEEDS_THE_CLIENT_ALONE => {
                is_refused(&name, &row, &row.without_salt(), sentence).await;
            }
            Comes::Refused(_) | Comes::ToItsEnd => {}
        }
    }
    for name in ["replace-vm-by-hand", NEEDS_THE_CLIENT_ALONE] {
        let row = row(name);
        let stage = row.without_salt();
        row.prepare(&stage).await;
        comes_to_its_end(name, &row, &stage).await;
    }
}

/// What the first question after a failure says.
fn failure(told: &Told) -> String {
    let asked = told.prompts.iter().find(|prompt| matches!(prompt.kind, PromptKind::Choose(_)));
    asked.map(|asked| format!("{}: {:?}", asked.title, asked.text)).unwrap_or_default()
}

/// The inventory says nothing, so Salt is expected; the jump box has none.
#[tokio::test(flavor = "multi_thread")]
async fn where_salt_is_expected_and_missing_each_runbook_that_needs_it_says_so_and_touches_nothing() {
    let library = Library::load(Path::new("/nonexistent")).0;
    let speaks =
        |name: &String| library.get(name).unwrap().sources.iter().any(|(_, text)| text.contains("salt"));
    for name in runbooks().into_iter().filter(speaks) {
        let row = row(&name);
        let stage = Stage::new(row.world, row.env, true);
        stage.world(World::remove_salt);
        stage.world(World::remove_cloud_clients);
        row.prepare(&stage).await;
        let before = fingerprint(&stage);
        let told = row.run(&name, &stage).await;
        if told.view.state == RunState::Finished {
            continue;
        }
        let said = failure(&told);
        assert!(
            said.contains("has no Salt")
                || said.contains("has no salt-key")
                || said.contains("no program \\\"salt"),
            "{name}: {said}"
        );
        assert_eq!(begun(&told), Vec::<String>::new(), "{name}\n{}", told.story());
        assert_eq!(differences(&before, &fingerprint(&stage)), Vec::<String>::new(), "{name}");
    }
}

/// Salt works, and one host has no minion that answers: it is named before anything is touched. (failover-masterdb names such a host after
/// the promotion: nobody can write before.)
#[tokio::test(flavor = "multi_thread")]
async fn a_host_without_a_minion_is_named_before_anything_is_touched() {
    for (name, env, host) in [
        ("deploy-code", "production", "app2"),
        ("new-db-credentials", "production", "app2"),
        ("job-queue", "production", "app1-jobrunner"),
        ("promote-masterdb", "staging", "accounts"),
        ("setup-replica", "staging", "db2"),
    ] {
        let row = Row { env, ..row(name) };
        let stage = Stage::new(row.world, row.env, true);
        row.prepare(&stage).await;
        stage.world(|world| assert!(world.set_service(&super::host(host), "salt-minion", false)));
        let told = row.run(name, &stage).await;
        let said = failure(&told);
        assert!(said.contains(host), "{name}: {said}");
        assert_eq!(begun(&told), Vec::<String>::new(), "{name}\n{}", told.story());
    }
}
