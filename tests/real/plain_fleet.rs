//! promote-masterdb, failover-masterdb and setup-replica on a real fleet without Salt (`tests/fleet up --layout plain`), while
//! applications write all the time. Needs `JUMPDECK_PLAIN_FLEET`, the directory of such a fleet that is up (tests/run gives it).

use crate::support::{lane, plain_lane, sweep};
use std::collections::BTreeSet;

use jumpdeck_fleet::run::{PromptKind, Reply};
use lane::{MASTER, agrees, slave, until};
use plain_lane::Plain;

const POSITION: &str = "SELECT @@global.gtid_current_pos";
const ROWS: &str = "SELECT CONCAT(COUNT(*), ' ', SUM(CRC32(CONCAT(id, app, seq)))) FROM webplatform.journal";

/// Issue 10, part 8: there and back without Salt, while applications write.
#[tokio::test(flavor = "multi_thread")]
async fn writes_move_to_a_replica_and_back_without_salt_and_none_is_lost() {
    let Some(fleet) = Plain::new("JUMPDECK_PLAIN_FLEET") else { return };
    let salt =
        "command -v salt salt-call; ls -d /etc/salt/pki /etc/salt/grains /srv/pillar 2>/dev/null; true";
    for host in ["salt", "app1", "db2"] {
        assert_eq!(fleet.lane(&["exec", host, "sh", "-c", salt]), "", "{host} has something of Salt");
    }
    for (old, candidate) in [(MASTER, "db2"), ("db2", MASTER)] {
        let told = fleet.run(("promote-masterdb", &[("old", old), ("candidate", candidate)]), agrees).await;
        assert_eq!(told.view.in_effect, [], "{}", told.story());
        assert_eq!(sweep::mentions(&fleet.dir, old), BTreeSet::new());
        fleet.files_are_tidy();
        for replica in [old, "db3"] {
            assert_eq!(
                slave(&fleet.dir, replica, "Master_Server_Id"),
                fleet.sql(candidate, "SELECT @@server_id")
            );
        }
    }
    fleet.is_clean(MASTER);
}

/// Issue 10, part 8: the master is killed while applications write, a replica takes its place, and the old master comes back as
/// a replica of it. With semi-synchronous replication nothing that was acknowledged is lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_master_is_replaced_and_comes_back_as_a_replica_without_salt() {
    let Some(fleet) = Plain::new("JUMPDECK_PLAIN_FLEET") else { return };
    fleet.waits_for_replicas();
    fleet.lane(&["db", MASTER, "kill"]);

    let mut promoted = String::new();
    let told = fleet
        .run(("failover-masterdb", &[("old", MASTER)]), |prompt| match &prompt.kind {
            PromptKind::Input(view) if view.name == "fence_proof" => {
                Reply::Text("port-dropped".to_owned().into())
            }
            PromptKind::Challenge(value) => {
                promoted = value.to_string();
                agrees(prompt)
            }
            _ => agrees(prompt),
        })
        .await;
    assert_eq!(told.view.in_effect, [], "{}", told.story());
    let asked = told.prompts.iter().any(|prompt| prompt.title.as_str().contains("assword"));
    assert!(!asked, "replicas keep their password\n{}", told.story());
    let left = sweep::mentions(&fleet.dir, MASTER);
    // What the dead master itself has nobody can change yet.
    let left: Vec<_> = left.iter().filter(|mention| !mention.starts_with("db1-masterdb: ")).collect();
    assert!(left.is_empty(), "{left:#?}");
    fleet.files_are_tidy();

    fleet.lane(&["db", MASTER, "start"]);
    until("the old master is up again, read-only", 20, || {
        fleet.sql(MASTER, "SELECT @@global.read_only") == "1"
    });
    // A replica has what the master has: the other one gives its data.
    let source = if promoted == "db2" { "db3" } else { "db2" };
    let inputs = [("master", promoted.as_str()), ("replica", MASTER), ("source", source)];
    let told = fleet.run(("setup-replica", &inputs), agrees).await;
    assert!(!told.story().contains("Skipped(\"{own}"), "its own data were put aside\n{}", told.story());
    let aside =
        "gunzip -c /var/lib/mysql-before-*.sql.gz | tail -n 1; ls /var/lib | grep jumpdeck-seed; true";
    let aside = fleet.lane(&["exec", MASTER, "sh", "-c", aside]);
    assert!(aside.trim().starts_with("-- Dump completed") && aside.trim().lines().count() == 1, "{aside}");
    for host in [MASTER, "db2", "db3"] {
        assert_eq!(
            fleet.sql(host, "SELECT COUNT(*) FROM mysql.user WHERE User = 'jumpdeck_seed'"),
            "0",
            "{host}"
        );
    }
    fleet.lane(&["exec", MASTER, "sh", "-c", "rm -f /var/lib/mysql-before-*.sql.gz"]);
    assert_eq!(sweep::mentions(&fleet.dir, MASTER), BTreeSet::new());
    fleet.is_clean(&promoted);
    let end = fleet.sql(&promoted, POSITION);
    for replica in ["db1-masterdb", "db2", "db3"].into_iter().filter(|host| *host != promoted) {
        assert_eq!(fleet.sql(replica, &format!("SELECT MASTER_GTID_WAIT('{end}', 20)")), "0", "{replica}");
        let status = fleet.lane(&["sql", replica, "SHOW ALL SLAVES STATUS", "--vertical"]);
        let text = format!("{replica} at {}, {end} wanted\n{status}", fleet.sql(replica, POSITION));
        assert_eq!(fleet.sql(replica, ROWS), fleet.sql(&promoted, ROWS), "{text}");
        assert_eq!(fleet.sql(replica, "SELECT @@global.read_only"), "1", "{replica}");
        assert_eq!(slave(&fleet.dir, replica, "Master_SSL_Allowed"), "Yes", "{replica}");
    }
}
