#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
use super::*;

fn of(status: u8, text: &str) -> Result<Service, Gap> {
    read(&Raw { status, text: text.to_owned() })
}

// As GlusterFS 10.3 prints it (Debian 12), two hosts.
const PEERS: &str = "Number of Peers: 1\n\nHostname: storage5\nUuid: aea1fa36-ff7d-43b8-ad97-477c6a8c8182\nState: Peer in Cluster (Connected)\n";
const MIRROR: &str = " \nVolume Name: gv\nType: Replicate\nVolume ID: 57d17402-b637-4db0-adbe-d76b20797e23\nStatus: Started\nSnapshot Count: 0\n\
    Number of Bricks: 1 x 2 = 2\nTransport-type: tcp\nBricks:\nBrick1: storage3:/mnt/b1\nBrick2: storage5:/mnt/b1\nOptions Reconfigured:\n\
    cluster.granular-entry-heal: on\nnfs.disable: on\n";
const RULE: &str = "------------------------------------------------------------------------------\n";

fn info(name: &str, kind: &str, shape: &str, bricks: &[&str]) -> String {
    let rows: String =
        bricks.iter().enumerate().map(|(n, brick)| format!("Brick{}: {brick}\n", n + 1)).collect();
    format!(
        " \nVolume Name: {name}\nType: {kind}\nStatus: Started\nNumber of Bricks: {shape}\nTransport-type: tcp\nBricks:\n{rows}"
    )
}

fn brick(name: &str, up: bool, free: &str) -> String {
    let (port, online, pid) = if up { ("51386", "Y", "18784") } else { ("N/A", "N", "N/A") };
    format!(
        "{RULE}Brick                : Brick {name}\nTCP Port             : {port:<20}\nRDMA Port            : 0                   \n\
         Online               : {online:<20}\nPid                  : {pid:<20}\nFile System          : xfs                 \n\
         Device               : /dev/vdc            \nMount Options        : rw,relatime\nInode Size           : 512                 \n\
         Disk Space Free      : {free:<20}\nTotal Disk Space     : 50.0GB              \nInode Count          : 3085511             \n\
         Free Inodes          : 3085237             \n"
    )
}

fn status(name: &str, bricks: &[(&str, bool)]) -> String {
    let rows: String = bricks.iter().map(|(name, up)| brick(name, *up, "49.2GB")).collect();
    format!("Status of volume: {name}\n{rows} \n")
}

fn answer(peers: &str, volumes: &str, bricks: &str, heals: &str) -> Service {
    of(0, &format!("@asked 7\n@answer no\n{peers}@volumes\n{volumes}@bricks\n{bricks}@status 0\n{heals}"))
        .unwrap()
}

fn judged(service: &Service) -> Vec<(Severity, String)> {
    let found = PROBE.kind.findings(service, &Thresholds::default());
    found.into_iter().map(|finding| (finding.severity, finding.message)).collect()
}

/// What is wrong with one volume whose bricks are up or not.
fn with(kind: &str, shape: &str, bricks: &[(&str, bool)]) -> Vec<(Severity, String)> {
    let names: Vec<&str> = bricks.iter().map(|(name, _)| *name).collect();
    judged(&answer(PEERS, &info("v", kind, shape, &names), &status("v", bricks), ""))
}

#[test]
fn a_volume_that_runs_and_of_which_no_brick_is_listed_is_unknown() {
    let volumes = info("v", "Replicate", "1 x 2 = 2", &["storage3:/b", "storage5:/b"])
        + &info("w", "Distribute", "1", &["storage3:/w"]);
    let judged = judged(&answer(PEERS, &volumes, &status("w", &[("storage3:/w", true)]), ""));
    assert_eq!(judged.len(), 1, "{judged:?}");
    assert_eq!(judged[0].0, Severity::Unknown);
    assert!(
        judged[0].1.starts_with("gluster: v: bricks storage3:/b, storage5:/b are unknown: "),
        "{judged:?}"
    );
}

#[test]
fn a_mirror_with_both_bricks_is_well_and_shows_how_full_each_is() {
    let bricks = format!(
        "Volume arb is not started\n \nStatus of volume: gv\n{}{} \n",
        brick("storage3:/mnt/b1", true, "49.2GB"),
        brick("storage5:/mnt/b1", true, "49.5GB")
    );
    let volumes = format!(
        "{MIRROR}{}",
        info("arb", "Replicate", "1 x (2 + 1) = 3", &["a:/a", "b:/b", "c:/c (arbiter)"])
            .replace("Started", "Created")
    );
    let heals = "@heals 0 no\n@heal gv\nGathering count of entries to be healed on volume gv has been successful \n\n\
        Brick storage3:/mnt/b1\nNumber of entries: 0\n\nBrick storage5:/mnt/b1\nNumber of entries: 0\n@idle 0\n";
    let service = answer(PEERS, &volumes, &bricks, heals);
    assert_eq!(judged(&service), vec![]);
    assert_eq!(service.detail.as_str(), "gv Replicate 2 of 2 bricks, arb Replicate stopped");
    assert_eq!(service.text("used"), Some("storage3:/mnt/b1 819.2 MiB, storage5:/mnt/b1 512.0 MiB"));
    assert_eq!((service.amount("peers"), service.amount("backlog")), (Some(1), Some(0)));
    assert_eq!((service.amount("bricks"), service.text("stopped")), (Some(2), Some("arb")));
    assert_eq!(service.amount("age"), Some(7));
}

#[test]
fn a_brick_that_is_down_is_critical_when_one_more_loses_files() {
    let (up, down) = (true, false);
    for (kind, shape, bricks, severity, words) in [
        (
            "Replicate",
            "1 x 2 = 2",
            &[("a:/b", up), ("b:/b", down)][..],
            Severity::Critical,
            "v: brick b:/b is down: one more failure",
        ),
        (
            "Replicate",
            "1 x 2 = 2",
            &[("a:/b", down), ("b:/b", down)],
            Severity::Critical,
            "v: bricks a:/b, b:/b are down: files on it cannot",
        ),
        (
            "Replicate",
            "1 x 3 = 3",
            &[("a:/b", up), ("b:/b", down), ("c:/b", up)],
            Severity::Warning,
            "v: brick b:/b is down: fewer copies",
        ),
        (
            "Replicate",
            "1 x (2 + 1) = 3",
            &[("a:/b", up), ("b:/b", up), ("c:/b", down)],
            Severity::Warning,
            "c:/b is down: fewer",
        ),
        (
            "Replicate",
            "1 x (2 + 1) = 3",
            &[("a:/b", down), ("b:/b", up), ("c:/b", up)],
            Severity::Critical,
            "one more failure",
        ),
        (
            "Distribute",
            "2",
            &[("a:/b", up), ("b:/b", down)],
            Severity::Critical,
            "files on it cannot be read",
        ),
        (
            "Stripe",
            "1 x 2 = 2",
            &[("a:/b", up), ("b:/b", down)],
            Severity::Critical,
            "files on it cannot be read",
        ),
        (
            "Disperse",
            "1 x (2 + 1) = 3",
            &[("a:/b", up), ("b:/b", down), ("c:/b", up)],
            Severity::Critical,
            "one more failure",
        ),
        (
            "Disperse",
            "1 x (1 + 2) = 3",
            &[("a:/b", up), ("b:/b", down), ("c:/b", up)],
            Severity::Warning,
            "fewer copies",
        ),
        // Each of two sets has lost one.
        (
            "Distributed-Replicate",
            "2 x 2 = 4",
            &[("a:/b", up), ("b:/b", down), ("c:/b", down), ("d:/b", up)],
            Severity::Critical,
            "v: bricks b:/b, c:/b are down: one more failure",
        ),
    ] {
        let found = with(kind, shape, bricks);
        assert!(
            found.len() == 1 && found[0].0 == severity && found[0].1.contains(words),
            "{kind} {shape}: {found:?}"
        );
        // Started on a mount point without its disk, a brick heals onto the root filesystem.
        let (first, then) = found[0].1.split_once(": started on an empty mount point").unwrap();
        assert!(first.contains(". First see that the brick's filesystem is mounted on its host"), "{first}");
        assert!(then.ends_with(". Then: gluster volume start VOLUME force"), "{then}");
    }
}

#[test]
fn a_peer_that_is_away_leaves_its_bricks_unknown() {
    let away = PEERS.replace("(Connected)", "(Disconnected)");
    let service = answer(&away, MIRROR, &status("gv", &[("storage3:/mnt/b1", true)]), "");
    let found = judged(&service);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].0 == Severity::Warning
            && found[0].1.starts_with("gluster: peer storage5 is disconnected: what its")
    );
    assert_eq!(service.text("unknown_bricks"), Some("gv: brick storage5:/mnt/b1 is unknown"));
    // The last brick here is down as well: the other may be up.
    let down = judged(&answer(&away, MIRROR, &status("gv", &[("storage3:/mnt/b1", false)]), ""));
    assert!(down[0].1.contains("storage3:/mnt/b1 is down: one more failure"), "{down:?}");
    let found = judged(&answer(PEERS, MIRROR, &status("gv", &[("storage3:/mnt/b1", true)]), ""));
    assert!(found.len() == 1 && found[0].0 == Severity::Unknown, "{found:?}");
    let rejected = judged(&answer(
        &PEERS.replace("Peer in Cluster", "Peer Rejected"),
        "No volumes present\n",
        "No volumes present\n",
        "",
    ));
    assert!(
        rejected.len() == 1 && rejected[0].1.contains("storage5 is in state Peer Rejected (Connected)"),
        "{rejected:?}"
    );
}

#[test]
fn a_backlog_that_does_not_shrink_is_a_warning_while_every_brick_is_up() {
    let both = status("gv", &[("storage3:/mnt/b1", true), ("storage5:/mnt/b1", true)]);
    let heals = "@heals 0 no\n@heal gv\nBrick storage3:/mnt/b1\nNumber of entries: 4\n\nBrick storage5:/mnt/b1\nNumber of entries: 8\n@idle ";
    assert_eq!(judged(&answer(PEERS, MIRROR, &both, &format!("{heals}1199\n"))), vec![]);
    let found = judged(&answer(PEERS, MIRROR, &both, &format!("{heals}1500\n")));
    assert!(found.len() == 1 && found[0].0 == Severity::Warning, "{found:?}");
    assert!(
        found[0].1.starts_with("gluster: 12 entries wait to be healed (gv 12), no fewer than 25 min ago."),
        "{found:?}"
    );
    let one = status("gv", &[("storage3:/mnt/b1", true), ("storage5:/mnt/b1", false)]);
    let found = judged(&answer(PEERS, MIRROR, &one, &format!("{heals}1500\n")));
    assert!(found.len() == 1 && found[0].1.contains("is down"), "{found:?}");
    // 3.4 counts none.
    let old = "@heals 1 no\n@heal gv\nUsage: volume heal <VOLNAME> [{full | info {healed | heal-failed | split-brain}}]\n";
    let service = answer(PEERS, MIRROR, &both, old);
    assert!(service.amount("backlog").is_none() && judged(&service).is_empty());
}

#[test]
fn a_backlog_that_nobody_counted_is_unknown() {
    const KNOWN: &str = "@heal gv\nBrick storage3:/mnt/b1\nNumber of entries: 4\n";
    // The words of a daemon that is disabled, as cli-rpc-ops.c and glusterd-volume-ops.c of GlusterFS 10 write them.
    const DISABLED: &str = "@heal gw\nGathering count of entries to be healed on volume gw has been unsuccessful:\n\
        Self-heal-daemon is disabled. Heal will not be triggered on volume gw\n\n";
    const USAGE: &str =
        "@heal gw\n\nUsage:\nvolume heal <VOLNAME> [enable | disable | full |statistics [heal-count]]\n";
    let volumes =
        format!("{MIRROR}{}", info("gw", "Replicate", "1 x 2 = 2", &["storage3:/w", "storage5:/w"]));
    let bricks = status("gv", &[("storage3:/mnt/b1", true), ("storage5:/mnt/b1", true)])
        + &status("gw", &[("storage3:/w", true), ("storage5:/w", true)]);
    for (heals, gap, waiting) in [
        (
            format!("@heals 1 no\n{KNOWN}{DISABLED}"),
            "failed: gw: Self-heal-daemon is disabled. Heal will not be triggered on volume gw",
            Some("gv 4"),
        ),
        (
            format!("@heals 0 no\n{KNOWN}@heal gw\n\n@idle 0\n"),
            "failed: gw: gluster volume heal failed",
            Some("gv 4"),
        ),
        (format!("@heals 1 no\n{KNOWN}{USAGE}"), "failed: gw: volume heal <VOLNAME>", Some("gv 4")),
        ("@heals 1 no\n\n".to_owned(), "failed: gluster volume heal failed", None),
        ("@heals 124 no\n\n".to_owned(), "timed out", None),
        (format!("@heals 124 no\n{KNOWN}@heal gw\n"), "timed out", Some("gv 4")),
        // The answer ends within the last volume, so its total is unknown.
        (
            format!("@heals 0 yes\n{KNOWN}@heal gw\nNumber of entries: 9\n"),
            "cut by jumpdeck: 16 KiB",
            Some("gv 4"),
        ),
    ] {
        let service = answer(PEERS, &volumes, &bricks, &heals);
        let found = judged(&service);
        assert!(found.len() == 1 && found[0].0 == Severity::Unknown, "{heals}: {found:?}");
        assert!(found[0].1.starts_with(&format!("gluster backlog {gap}")), "{heals}: {found:?}");
        assert_eq!((service.amount("backlog"), service.text("backlog_of")), (None, waiting), "{heals}");
    }
}

#[test]
fn three_three_has_a_port_and_a_brick_without_the_word() {
    let text = status("gv", &[("storage3:/mnt/b1", true), ("storage5:/mnt/b1", false)])
        .replace(": Brick ", ": ")
        .replace("TCP Port             : ", "Port                 : ")
        .replace("RDMA Port            : 0                   \n", "");
    let service = answer(PEERS, MIRROR, &text, "");
    assert_eq!(service.text("last_copy"), Some("gv: brick storage5:/mnt/b1 is down"));
}

#[test]
fn no_answer_is_unknown_and_no_volume_is_nothing_to_say() {
    assert_eq!(of(0, ""), Err(Gap::NotInstalled));
    let stopped = judged(&of(0, "@stopped\n").unwrap());
    assert!(
        stopped.len() == 1
            && stopped[0].0 == Severity::Warning
            && stopped[0].1.starts_with("gluster is stopped: volumes are")
    );
    for (status, said, words) in [
        (126, "only root may ask gluster", "gluster state not permitted: only root may ask gluster"),
        (1, "sudo: a password is required", "gluster state not permitted: sudo: a password is required"),
        (
            1,
            "Connection failed. Please check if gluster daemon is operational.",
            "gluster state failed: Connection failed.",
        ),
        (127, "gluster", "gluster state tool missing: gluster"),
        (124, "", "gluster state timed out"),
        (0, "@asked 0\n@answer yes\nNumber of Peers: 1\n", "gluster state was cut"),
        (0, "@asked 0\n@answer no\n\x1b[2Jrubbish\n", "gluster state unreadable"),
    ] {
        let found = judged(&of(status, said).unwrap());
        assert!(found.len() == 1 && found[0].0 == Severity::Unknown, "{found:?}");
        assert!(found[0].1.starts_with(words) || words.contains("cut"), "{found:?}");
    }
    let locked = format!(
        "@asked \n@answer no\n{PEERS}@volumes\n{MIRROR}@bricks\nAnother transaction is in progress for gv. Please try again after some time.\n \n@status 1\n"
    );
    let found = judged(&of(0, &locked).unwrap());
    assert!(
        found.len() == 1 && found[0].1.contains("bricks failed: Another transaction is in progress"),
        "{found:?}"
    );
}

#[test]
fn hostile_names_are_clean_and_bounded() {
    let many: Vec<String> = (0..2000).map(|n| format!("host{n}:/\x1b[2J{}", "x".repeat(200))).collect();
    let names: Vec<&str> = many.iter().map(String::as_str).collect();
    let bricks: Vec<(&str, bool)> = names.iter().map(|name| (*name, false)).collect();
    let service = answer(
        PEERS,
        &info("v\x1b]0;x\x07", "Replicate", "1 x 999999 = 9", &names),
        &status("v\x1b]0;x\x07", &bricks),
        "",
    );
    let found = judged(&service);
    assert!(!found.is_empty());
    for (_, message) in found {
        assert!(message.len() < 600 && !message.contains('\x1b'), "{message}");
    }
}

proptest::proptest! {
    #[test]
    fn nothing_panics(text in "@asked 0\n@answer no\n(Number of Peers: |Hostname: |State: |@volumes\n|Volume Name: |Type: Replicate\n|Number of Bricks: |1 x |\\(2 \\+ 1\\)|Brick1: |@bricks\n|Status of volume: |Online : |Disk Space Free : |9GB|@status 0\n|@heals 0 no\n|@heals 124 yes\n|@heal gv\n|Number of entries: |@heal |@idle |\n|\\PC)*") {
        let _ = of(0, &text);
    }
}
