//! The probe of GlusterFS under every shell, with a client and folders of the test's own.

use std::path::Path;
use std::time::Duration;

use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::Host;
use jumpdeck_fleet::service::Service;

use super::bench::ServiceBench;
use crate::support::shell::{host, script, shells_here};

const CLIENT: &str = r#"here=${0%/*}
shift 2
echo "$*" >> "$here/asked"
if [ -e "$here/hangs" ]; then exec sleep 60; fi
case $* in
    'peer status') cat "$here/peers" ;;
    'volume info') cat "$here/volumes" ;;
    'volume status all detail') cat "$here/bricks"; [ ! -e "$here/locked" ] ;;
    'volume heal gv statistics heal-count')
        cat "$here/heal"
        case $(cat "$here/heal") in *unsuccessful*) exit 1 ;; esac ;;
    'volume heal gw statistics heal-count') exec sleep 60 ;;
    *) echo "unrecognized word: $1 (position 0)"; exit 1 ;;
esac"#;
const PEERS: &str =
    "Number of Peers: 1\n\nHostname: storage5\nUuid: aea1fa36\nState: Peer in Cluster (Connected)\n";
const VOLUMES: &str = "Volume Name: gv\nType: Replicate\nStatus: Started\nNumber of Bricks: 1 x 2 = 2\nBricks:\n\
    Brick1: storage3:/b\nBrick2: storage5:/b\n \nVolume Name: old;reboot\nType: Replicate\nStatus: Started\n\
    Number of Bricks: 1 x 2 = 2\nBricks:\nBrick1: storage3:/o\nBrick2: storage5:/o\n";
const BRICKS: &str = "Status of volume: gv\nBrick : Brick storage3:/b\nOnline : Y\nBrick : Brick storage5:/b\nOnline : Y\n \n\
    Status of volume: old;reboot\nBrick : Brick storage3:/o\nOnline : Y\nBrick : Brick storage5:/o\nOnline : Y\n";
const HEAL: &str = "Brick storage3:/b\nNumber of entries: 7\n\nBrick storage5:/b\nNumber of entries: 0\n";
const DISABLED: &str = "Gathering count of entries to be healed on volume gv has been unsuccessful:\n\
    Self-heal-daemon is disabled. Heal will not be triggered on volume gv\n\n";

fn changed(program: String, here: &str) -> String {
    assert!(program.contains("gluster_wait=3"));
    program.replace("/var/lib/glusterd", &format!("{here}/glusterd"))
}

fn files(dir: &Path, client: bool) {
    std::fs::create_dir_all(dir.join("glusterd/vols/gv")).unwrap();
    for (file, text) in [
        ("glusterd/glusterd.info", "UUID=1\n"),
        ("peers", PEERS),
        ("volumes", VOLUMES),
        ("bricks", BRICKS),
        ("heal", HEAL),
    ] {
        std::fs::write(dir.join(file), text).unwrap();
    }
    if client {
        script(dir, "gluster", CLIENT);
    }
}

/// Its answer is 50 s older than it is.
fn start(shell: &[&str], of: &Host) -> ServiceBench {
    let prepare = |dir: &Path| {
        files(dir, true);
        super::process(dir, "812", "glusterd", "/usr/sbin/glusterd");
    };
    ServiceBench::start(shell, (of, "gluster"), prepare, |program, here| {
        let program = changed(program, here);
        assert!(program.contains("gluster_asked=$jd_up"));
        program.replace("gluster_asked=$jd_up", "gluster_asked=$((jd_up - 5000))")
    })
}

/// All but how old it is.
fn ageless(mut service: Service) -> Service {
    service.readings = service.readings.iter().filter(|reading| reading.name != "age").cloned().collect();
    service
}

#[test]
fn every_shell_asks_every_fourth_time_and_only_of_plain_volumes() {
    for shell in shells_here() {
        let mut bench = start(shell, &host("storage3"));
        let found = ageless(bench.known("gluster").unwrap());
        assert_eq!((found.amount("bricks"), found.amount("backlog")), (Some(4), Some(7)), "{shell:?}");
        assert_eq!(
            found.detail.as_str(),
            "gv Replicate 2 of 2 bricks, old;reboot Replicate 2 of 2 bricks",
            "{shell:?}"
        );
        let asked = [
            "peer status",
            "volume info",
            "volume status all detail",
            "volume heal gv statistics heal-count",
        ];
        for _ in 0..3 {
            let kept = bench.poll().unwrap();
            assert!(kept.amount("age").is_some_and(|age| (50..80).contains(&age)), "{shell:?}: {kept:?}");
            assert_eq!(ageless(kept), found, "{shell:?}: what it said last");
        }
        assert_eq!(bench.asked(), asked, "{shell:?}");
        bench.says("bricks", &BRICKS.replacen("Online : Y\n \n", "Online : N\n \n", 1));
        let down = bench.poll().unwrap();
        assert_eq!(down.text("last_copy"), Some("gv: brick storage5:/b is down"), "{shell:?}");
        assert_eq!(bench.asked().len(), 8, "{shell:?}");
        assert!(bench.it.finish().success(), "{shell:?}");
    }
}

#[test]
fn every_shell_counts_how_long_a_backlog_does_not_shrink() {
    for shell in shells_here() {
        let prepare = |dir: &Path| {
            files(dir, true);
            std::fs::write(dir.join("uptime"), "1000.00 1.0\n").unwrap();
            super::process(dir, "812", "glusterd", "/usr/sbin/glusterd");
        };
        let mut bench =
            ServiceBench::start(shell, (&host("storage3"), "gluster"), prepare, |program, here| {
                // Nothing else of the report may see a clock that stands still.
                let program = changed(program, here).replace("gluster_wait=3", "gluster_wait=0");
                program
                    .replacen(
                        "say \"@idle",
                        &format!(
                            "read -r jd_up jd_idle < {here}/uptime; jd_up=${{jd_up%.*}}00\n say \"@idle"
                        ),
                        1,
                    )
                    .replacen(
                        "gluster_at=$jd_up",
                        &format!("{{ read -r jd_up jd_idle < {here}/uptime; gluster_at=${{jd_up%.*}}00; }}"),
                        1,
                    )
            });
        let mut idle = |uptime: &str, heal: &str| {
            bench.says("uptime", &format!("{uptime}.00 1.0\n"));
            bench.says("heal", heal);
            let found = bench.poll().unwrap();
            (found.amount("backlog"), found.amount("not_shrinking"))
        };
        let some = |n: u32| format!("Brick a\nNumber of entries: {n}\n");
        assert_eq!(idle("2000", &some(7)), (Some(7), Some(1000)), "{shell:?}");
        assert_eq!(idle("2100", &some(9)), (Some(9), Some(1100)), "{shell:?}");
        assert_eq!(idle("2200", &some(8)), (Some(8), Some(0)), "{shell:?}");
        assert_eq!(idle("2300", &some(8)), (Some(8), Some(100)), "{shell:?}");
        assert_eq!(idle("2350", DISABLED), (None, None), "{shell:?}: nobody counted");
        assert_eq!(idle("2360", &some(8)), (Some(8), Some(160)), "{shell:?}: the time goes on");
        assert_eq!(
            idle("2400", &format!("{}Brick b\nStatus: Brick is not connected\n", some(8))),
            (Some(8), Some(0)),
            "{shell:?}"
        );
        assert_eq!(idle("2500", &some(0)), (Some(0), None), "{shell:?}");
        assert_eq!(idle("9000", &some(3)), (Some(3), Some(0)), "{shell:?}: they are new");
        assert!(bench.it.finish().success(), "{shell:?}");
    }
}

#[test]
fn every_shell_says_that_nobody_counts_what_waits_to_be_healed() {
    for shell in shells_here() {
        let prepare = |dir: &Path| {
            files(dir, true);
            super::process(dir, "812", "glusterd", "/usr/sbin/glusterd");
        };
        let of = host("storage3");
        let mut bench = ServiceBench::start(shell, (&of, "gluster"), prepare, |program, here| {
            changed(program, here).replace("gluster_wait=3", "gluster_wait=0")
        });
        bench.says("heal", DISABLED);
        let found = bench.poll().unwrap();
        let [("backlog", Gap::Failed(why))] = &*found.gaps else { panic!("{shell:?}: {found:?}") };
        assert!(why.as_str().starts_with("gv: Self-heal-daemon is disabled."), "{shell:?}: {why}");
        assert_eq!(found.amount("bricks"), Some(4), "{shell:?}: the rest is known");

        // The second volume hangs: what the first said is there.
        bench.says("heal", HEAL);
        bench.says("volumes", &VOLUMES.replace("old;reboot", "gw"));
        bench.says("bricks", &BRICKS.replace("old;reboot", "gw"));
        let (_, took) = bench.it.poll(&["gluster", "uptime"]);
        let found = bench.known("gluster").unwrap();
        assert_eq!(*found.gaps, [("backlog", Gap::TimedOut)], "{shell:?}");
        assert_eq!((found.text("backlog_of"), found.amount("backlog")), (Some("gv 7"), None), "{shell:?}");
        assert!(took < Duration::from_secs(8), "{shell:?}: {took:?}");

        // An answer that is longer than what is read.
        bench.says("volumes", VOLUMES);
        bench.says("bricks", BRICKS);
        bench.says("heal", &"Brick storage3:/b\nNumber of entries: 7\n".repeat(1000));
        let gaps = bench.poll().unwrap().gaps;
        assert!(matches!(&*gaps, [("backlog", Gap::Cut(_))]), "{shell:?}: {gaps:?}");
        assert!(bench.it.finish().success(), "{shell:?}");
    }
}

#[test]
fn every_shell_says_nothing_without_a_volume_and_what_is_wrong_with_one() {
    for shell in shells_here() {
        let mut none = ServiceBench::start(shell, (&host("app1"), "gluster"), |_| (), changed);
        std::fs::create_dir_all(none.path().join("glusterd/vols")).unwrap();
        none.it.poll(&["gluster"]);
        assert!(none.it.facts.services.get("gluster").is_none(), "{shell:?}");

        let mut bench = start(shell, &host("storage3"));
        bench.ends(&["812"]);
        assert!(!bench.poll().unwrap().running, "{shell:?}: its server is stopped");
        bench.runs("812", "glusterd", "/usr/sbin/glusterd");

        bench.says("locked", "");
        bench
            .says("bricks", "Another transaction is in progress for gv. Please try again after some time.\n");
        let asked = bench.asked().len();
        for _ in 0..2 {
            let gaps = bench.poll().unwrap().gaps;
            assert!(
                matches!(&*gaps, [("bricks", Gap::Failed(why))] if why.as_str().starts_with("Another")),
                "{shell:?}: {gaps:?}"
            );
        }
        assert_eq!(bench.asked().len(), asked + 8, "{shell:?}: asked again with the next look");

        bench.says("hangs", "");
        let (_, took) = bench.it.poll(&["gluster", "uptime"]);
        assert_eq!(*bench.known("gluster").unwrap().gaps, [("state", Gap::TimedOut)], "{shell:?}");
        assert!(
            took < Duration::from_secs(8) && bench.it.facts.uptime.current().is_some(),
            "{shell:?}: {took:?}"
        );
        bench.forget("hangs");

        bench.forget("gluster");
        if crate::support::shell::find("gluster").is_none() {
            let gaps = bench.poll().unwrap().gaps;
            assert_eq!(*gaps, [("state", Gap::NoTool("gluster".into()))], "{shell:?}");
        }
        bench.forget("glusterd/glusterd.info");
        script(bench.path(), "gluster", CLIENT);
        let asked = bench.asked().len();
        let gaps = bench.poll().unwrap().gaps;
        assert!(matches!(*gaps, [("state", Gap::NotPermitted(_))]), "{shell:?}: {gaps:?}");
        assert_eq!(bench.asked().len(), asked, "{shell:?}: nobody is asked who would not answer");
        assert!(bench.it.finish().success(), "{shell:?}");
    }
}
