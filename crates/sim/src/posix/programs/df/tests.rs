#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
use std::time::Duration;

use crate::programs::tests::{find, host, run, world};

#[test]
fn the_table_is_the_seeds_own_for_a_host_of_2013() {
    // The rows and their alignment as they stand in the seed.
    let monitor = "\
Filesystem      Size  Used Avail Use% Mounted on
/dev/vda1       9.9G  1.5G  7.9G  16% /
/dev/vdb         50G  180M   47G   1% /mnt
";
    let world = world("wpd-2013", 0);
    assert_eq!(run(&world, "monitor", &["df", "-h"], ""), (monitor.to_owned(), String::new(), 0));
    let backup = "\
Filesystem                     Size  Used Avail Use% Mounted on
/dev/vda1                      9.9G  887M  8.5G  10% /
/dev/vdb                        50G   50G     0 100% /mnt
/dev/mapper/backup1-lvbackup1   40G   40G  122M 100% /mnt/backup
";
    assert_eq!(run(&world, "backup", &["df", "-h"], "").0, backup);
    assert!(run(&world, "monitor", &["df", "-P", "-k"], "").0.starts_with(
        "Filesystem     1024-blocks    Used Available Capacity Mounted on\n/dev/vda1         10"
    ));
    assert!(run(&world, "monitor", &["df", "-T"], "").0.starts_with(
        "Filesystem     Type 1K-blocks    Used Available Use% Mounted on\n/dev/vda1      ext4 "
    ));
}

#[test]
fn l_leaves_out_what_lives_elsewhere_and_a_path_picks_its_mount() {
    let world = world("wpd-2013", 0);
    let mounts = |args: &[&str]| -> Vec<String> {
        let (text, _, _) = run(&world, "app1", args, "");
        text.lines().skip(1).map(|l| l.split_whitespace().last().unwrap().to_owned()).collect()
    };
    assert_eq!(mounts(&["df"]), ["/", "/mnt", "/srv/webplatform/wiki/images"]);
    assert_eq!(mounts(&["df", "-Plk"]), ["/", "/mnt"]);
    assert_eq!(mounts(&["df", "-x", "ext3"]), ["/srv/webplatform/wiki/images"]);
    assert_eq!(mounts(&["df", "-tfuse.glusterfs"]), ["/srv/webplatform/wiki/images"]);
    assert_eq!(mounts(&["df", "/etc/hostname", "/dev/vdb"]), ["/", "/mnt"]);
    assert!(mounts(&["df", "-a"]).contains(&"/proc".to_owned()));
    let (out, err, status) = run(&world, "app1", &["df", "/nope"], "");
    assert_eq!((out.as_str(), err.as_str(), status), ("", "df: /nope: No such file or directory\n", 1));
    assert_eq!(run(&world, "app1", &["df", "-Z"], "").2, 1);
}

#[test]
fn a_dead_mount_never_answers_and_holds_only_those_who_ask_it() {
    let world = world("wpd-2013", 0);
    let dead = "/srv/webplatform/wiki/images";
    assert!(world.lock().unwrap().set_hanging(&host("app1"), dead, true));
    assert_eq!(run(&world, "app1", &["df", "-P", "-k", "-l"], "").2, 0);
    assert_eq!(run(&world, "app1", &["df", "-P", "-k", "/"], "").2, 0);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let call = |path: &str| crate::program::Call {
            host: host("app1"),
            user: "root".to_owned(),
            world: world.clone(),
            args: vec!["df".to_owned(), path.to_owned()],
            env: Default::default(),
            cwd: "/".to_owned(),
            stdin: Box::new(tokio::io::empty()),
            stdout: Box::new(tokio::io::sink()),
            stderr: Box::new(tokio::io::sink()),
            descriptors: Vec::new(),
        };
        let asked = tokio::time::timeout(Duration::from_millis(20), find("df").run(call(dead)));
        assert!(asked.await.is_err());
    });
}
