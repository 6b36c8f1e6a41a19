#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::time::Duration;

use serde_json::Value;

use crate::programs::tests::{Shared, host, run, world};

fn ask(world: &Shared, line: &str) -> (String, String, u8) {
    let args: Vec<&str> = line.split(' ').collect();
    run(world, "salt", &args, "")
}

fn json(world: &Shared, line: &str) -> Value {
    let (text, complaint, status) = ask(world, line);
    assert_eq!((complaint.as_str(), status), ("", 0), "{line}");
    serde_json::from_str(&text).unwrap()
}

fn cell(table: &str, row: &str, column: usize) -> String {
    let line = table.lines().find(|line| line.contains(&format!("| {row} "))).unwrap();
    line.split('|').nth(column).unwrap().trim().to_owned()
}

const BOOT: &str = "nova boot --image Ubuntu-IMAGE --user-data /srv/opsconfigs/userdata.txt --key_name \
                    renoirb-production --flavor warpspeed --security-groups default,app app1";

/// Orders a second app1 and returns its UUID.
fn boot(world: &Shared) -> String {
    let mut args: Vec<&str> = BOOT.split_whitespace().collect();
    args[3] = "Ubuntu 14.04.2 LTS";
    let (table, complaint, status) = run(world, "salt", &args, "");
    assert_eq!((complaint.as_str(), status), ("", 0));
    assert_eq!(cell(&table, "status", 2), "BUILD");
    cell(&table, "id", 2)
}

/// Does something while the world's time passes.
fn passing(world: &Shared, work: impl FnOnce()) {
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(std::sync::atomic::Ordering::SeqCst) {
                world.lock().unwrap().advance(Duration::from_millis(10));
                std::thread::yield_now();
            }
        });
        let worked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        done.store(true, std::sync::atomic::Ordering::SeqCst);
        worked.unwrap();
    });
}

#[test]
fn a_server_is_built_boots_and_tells_its_keys_on_its_console() {
    let world = world("wpd-2015", 0);
    let before = json(&world, "openstack server list -f json").as_array().unwrap().len();
    let id = boot(&world);
    assert_eq!(json(&world, "openstack server list -f json").as_array().unwrap().len(), before + 1);
    assert_eq!(ask(&world, &format!("nova console-log {id}")).0, "\n");
    world.lock().unwrap().advance(Duration::from_secs(5));
    let show = json(&world, &format!("openstack server show {id} -f json"));
    assert_eq!(show["status"], "ACTIVE");
    assert_eq!(show["flavor"], "warpspeed (400)");
    assert!(!ask(&world, &format!("nova console-log {id}")).0.contains("FINGERPRINTS"), "it boots");
    world.lock().unwrap().advance(Duration::from_secs(30));
    let log = ask(&world, &format!("nova console-log {id}")).0;
    let known = world.lock().unwrap();
    let address = show["addresses"]["private-network"][0].as_str().unwrap();
    let machine = known.resolve(address).unwrap();
    assert!(known.is_up(&machine));
    assert!(log.contains(&crate::sshd::host_key_fingerprint(&known, &machine).unwrap()), "{log}");
    assert!(log.contains(&known.minion_fingerprint(&machine).unwrap()), "{log}");
    assert_eq!(known.read_file(&machine, "/etc/salt/grains").unwrap(), b"level: production\n");
    assert_eq!(known.machine(&machine).unwrap().cpus, 4);
}

#[test]
fn of_two_servers_of_one_name_the_name_means_none_and_the_wrong_uuid_takes_the_wrong_one_down() {
    let world = world("wpd-2015", 0);
    let old = json(&world, "openstack server show app1 -f json")["id"].as_str().unwrap().to_owned();
    let new = boot(&world);
    world.lock().unwrap().advance(Duration::from_secs(60));
    let (out, complaint, status) = ask(&world, "nova delete app1");
    assert_eq!(status, 1);
    assert_eq!(out, "Multiple server matches found for 'app1', use an ID to be more specific.\n");
    assert_eq!(complaint, "ERROR (CommandError): Unable to delete the specified server(s).\n");
    let (_, complaint, status) = ask(&world, "openstack server delete app1");
    assert_eq!((complaint.as_str(), status), ("More than one server exists with the name 'app1'.\n", 1));
    let (out, _, status) = ask(&world, &format!("nova delete {old}"));
    assert_eq!((out, status), (format!("Request to delete server {old} has been accepted.\n"), 0));
    assert_eq!(
        json(&world, &format!("openstack server show {old} -f json"))["OS-EXT-STS:task_state"],
        "deleting"
    );
    world.lock().unwrap().advance(Duration::from_secs(5));
    let (_, complaint, status) = ask(&world, &format!("nova show {old}"));
    let words = format!("ERROR (CommandError): No server with a name or ID of '{old}' exists.\n");
    assert_eq!((complaint, status), (words, 1));
    let twin = world.lock().unwrap().resolve("app1").unwrap();
    assert_ne!(twin, host("app1"), "the machine that is left is the new one");
    assert_eq!(json(&world, "openstack server show app1 -f json")["id"], new.as_str());
}

#[test]
fn a_floating_address_moves_to_another_port() {
    let world = world("wpd-2015", 0);
    let all = json(&world, "neutron floatingip-list -f json");
    let of = |fixed: &str| {
        all.as_array().unwrap().iter().find(|f| f["fixed_ip_address"] == fixed).unwrap().clone()
    };
    let address = world.lock().unwrap().machine(&host("app1")).unwrap().address.clone();
    let public = of(&address);
    let (id, ip) = (public["id"].as_str().unwrap(), public["floating_ip_address"].as_str().unwrap());
    assert_eq!(of("10.10.10.10")["floating_ip_address"], "208.113.157.160", "the jump box's own");
    assert_eq!(
        of("10.10.10.14")["floating_ip_address"],
        "208.113.157.164",
        "the master's, as the other site knows it"
    );
    let new = boot(&world);
    world.lock().unwrap().advance(Duration::from_secs(60));
    let port = json(&world, &format!("openstack port list --server {new} -f json"))[0]["ID"].clone();
    let port = port.as_str().unwrap();
    assert_eq!(world.lock().unwrap().cloud().behind(ip), Some(&host("app1")));
    let (out, _, _) = ask(&world, &format!("neutron floatingip-associate {id} {port}"));
    assert_eq!(out, format!("Associated floating IP {id}\n"));
    let behind = world.lock().unwrap().cloud().behind(ip).cloned().unwrap();
    assert_ne!(behind, host("app1"));
    let old = ask(&world, "nova list").0;
    assert!(old.lines().filter(|l| l.contains("| app1 ")).any(|l| !l.contains(ip)), "{old}");
    // A port has one.
    let spare = all.as_array().unwrap().iter().find(|f| f["port_id"] == "").unwrap()["id"].clone();
    let (_, complaint, status) =
        ask(&world, &format!("openstack floating ip set --port {port} {}", spare.as_str().unwrap()));
    assert_eq!(status, 1);
    assert!(complaint.contains("already has a floating IP"), "{complaint}");
    assert_eq!(ask(&world, &format!("openstack floating ip unset --port {ip}")).2, 0);
    assert_eq!(world.lock().unwrap().cloud().behind(ip), None);
}

#[test]
fn switching_off_fences_and_the_lists_look_as_the_real_ones() {
    let world = world("wpd-2015", 0);
    assert_eq!(
        ask(&world, "nova stop db1-masterdb").0,
        "Request to stop server db1-masterdb has been accepted.\n"
    );
    assert!(!world.lock().unwrap().is_up(&host("db1-masterdb")));
    assert_eq!(json(&world, "openstack server show db1-masterdb -f json")["status"], "SHUTOFF");
    let (_, complaint, status) = ask(&world, "openstack server stop db1-masterdb");
    assert!(complaint.contains("while it is in vm_state stopped (HTTP 409)"), "{complaint}");
    assert_eq!(status, 1);
    assert_eq!(ask(&world, "nova start db1-masterdb").2, 0);
    world.lock().unwrap().advance(Duration::from_secs(13));
    assert!(world.lock().unwrap().is_up(&host("db1-masterdb")));
    let table = ask(&world, "nova flavor-list").0;
    let expected = "\
+-----+------------+-----------+------+-----------+------+-------+-------------+-----------+
| ID  | Name       | Memory_MB | Disk | Ephemeral | Swap | VCPUs | RXTX_Factor | Is_Public |
+-----+------------+-----------+------+-----------+------+-------+-------------+-----------+
| 100 | subsonic   | 1024      | 80   | 0         |      | 1     | 1.0         | True      |
";
    assert!(table.starts_with(expected), "{table}");
    assert_eq!(ask(&world, "openstack server show app1 -f value -c name").0, "app1\n");
    assert_eq!(run(&world, "salt", &["nova", "list"], "").2, 0);
    let elsewhere = crate::programs::tests::find("nova");
    assert!(!elsewhere.installed(&world.lock().unwrap(), &host("app1")));
}

#[test]
fn what_goes_wrong_goes_wrong_as_told() {
    let world = world("wpd-2015", 0);
    world.lock().unwrap().next_server_never_becomes_active();
    let stuck = boot(&world);
    world.lock().unwrap().advance(Duration::from_secs(3600));
    assert_eq!(json(&world, &format!("openstack server show {stuck} -f json"))["status"], "BUILD");
    passing(&world, || assert_eq!(ask(&world, &format!("openstack server delete --wait {stuck}")).2, 0));
    assert_eq!(
        ask(&world, &format!("openstack server show {stuck}")).2,
        1,
        "it is gone when the wait is over"
    );
    world.lock().unwrap().next_server_shows_foreign_fingerprints();
    let foreign = boot(&world);
    world.lock().unwrap().advance(Duration::from_secs(60));
    let log = ask(&world, &format!("openstack console log show {foreign}")).0;
    let known = world.lock().unwrap();
    let address = known.cloud().find(&foreign, known.now().as_secs_f64()).unwrap().address.clone();
    let machine = known.resolve(&address).unwrap();
    assert!(log.contains("FINGERPRINTS"));
    assert!(!log.contains(&known.minion_fingerprint(&machine).unwrap()));
    drop(known);
    world.lock().unwrap().deleting_does_nothing(&foreign).unwrap();
    assert_eq!(ask(&world, &format!("nova delete {foreign}")).2, 0);
    world.lock().unwrap().advance(Duration::from_secs(60));
    assert_eq!(ask(&world, &format!("nova show {foreign}")).2, 0, "it is still there");
    // Without user data there is no minion, and no level.
    let args = ["nova", "boot", "--image", "Ubuntu 14.04.2 LTS", "--flavor", "100", "bots2"];
    assert_eq!(run(&world, "salt", &args, "").2, 0);
    let known = world.lock().unwrap();
    assert_eq!(known.minion_fingerprint(&host("bots2")), None);
    assert_eq!(known.read_file(&host("bots2"), "/etc/salt/grains"), None);
}

#[test]
fn what_is_not_there_is_refused_with_the_programs_own_words() {
    let world = world("wpd-2015", 0);
    let said = |line: &str| {
        let (_, complaint, status) = ask(&world, line);
        assert_ne!(status, 0, "{line}");
        complaint
    };
    assert!(said("nova boot --flavor 100 --image x y").contains("No image with a name or ID of 'x' exists."));
    assert!(said("nova boot --image x y").contains("you need to specify a Flavor ID"));
    assert!(said("nova frobnicate").contains("invalid choice: u'frobnicate'"));
    assert!(said("nova boot --flavor 100 --image x --user-data /none y").contains("Can't open '/none'"));
    assert_eq!(said("neutron floatingip-associate a b"), "Port b could not be found.\n");
    assert!(said("openstack server show x").starts_with("No server with a name or ID of 'x' exists."));
    assert!(said("openstack server list --frob").contains("unrecognized arguments: --frob"));
}

/// Whether the machine of a server answers.
fn is_up(world: &Shared, name: &str) -> bool {
    world.lock().unwrap().is_up(&host(name))
}

fn boot_id(world: &Shared) -> String {
    run(world, "app1", &["cat", "/proc/sys/kernel/random/boot_id"], "").0
}

#[test]
fn a_server_that_hangs_runs_for_the_cloud_answers_nothing_and_comes_back_in_another_boot() {
    let world = world("wpd-2015", 0);
    let (before, updated) = (boot_id(&world), cell(&ask(&world, "nova show app1").0, "updated", 2));
    world.lock().unwrap().server_hangs("app1").unwrap();
    assert!(!is_up(&world, "app1"));
    let shown = ask(&world, "nova show app1").0;
    assert_eq!((cell(&shown, "status", 2).as_str(), cell(&shown, "updated", 2)), ("ACTIVE", updated.clone()));
    assert_eq!(cell(&shown, "OS-EXT-STS:power_state", 2), "1");
    let log = ask(&world, "nova console-log --length 3 app1").0;
    assert!(log.starts_with("[912345.120037] INFO: task") && log.lines().count() == 4, "{log}");
    assert_eq!(
        ask(&world, "nova reboot app1"),
        ("Request to reboot server app1 has been accepted.\n".to_owned(), String::new(), 0)
    );
    assert_ne!(cell(&ask(&world, "nova show app1").0, "updated", 2), updated);
    assert!(!is_up(&world, "app1"), "it boots");
    world.lock().unwrap().advance(Duration::from_secs(30));
    assert!(is_up(&world, "app1"));
    assert_ne!(boot_id(&world), before);
    assert!(!ask(&world, "nova console-log app1").0.contains("blocked"), "that was the boot before");
}

#[test]
fn a_kernel_that_does_not_obey_is_restarted_by_its_power_alone() {
    for (soft, hard) in [
        ("nova reboot app1", "nova reboot --hard app1"),
        ("openstack server reboot --soft app1", "openstack server reboot --hard app1"),
    ] {
        let world = world("wpd-2015", 0);
        {
            let mut world = world.lock().unwrap();
            world.server_hangs("app1").unwrap();
            world.soft_reboot_does_nothing("app1").unwrap();
        }
        for (line, up) in [(soft, false), (hard, true)] {
            assert_eq!(ask(&world, line).2, 0, "{line}");
            world.lock().unwrap().advance(Duration::from_secs(60));
            assert_eq!(is_up(&world, "app1"), up, "{line}");
        }
    }
}

#[test]
fn one_whose_disk_is_broken_does_not_come_back_and_one_that_is_off_is_started() {
    let world = world("wpd-2015", 0);
    world.lock().unwrap().set_boot_hangs(&host("app1"), true);
    assert_eq!(ask(&world, "nova reboot --hard app1").2, 0);
    world.lock().unwrap().advance(Duration::from_secs(3600));
    assert!(!is_up(&world, "app1"));
    assert!(ask(&world, "nova console-log app1").0.contains("Kernel panic"));
    assert_eq!(ask(&world, "nova stop app2").2, 0);
    assert_eq!(cell(&ask(&world, "nova show app2").0, "OS-EXT-STS:power_state", 2), "4");
    let (_, complaint, status) = ask(&world, "nova reboot app2");
    assert_eq!((status, complaint.contains("Unable to reboot")), (1, true), "{complaint}");
    assert_eq!(ask(&world, "nova start app2").2, 0);
    world.lock().unwrap().advance(Duration::from_secs(60));
    assert!(is_up(&world, "app2"));
}

#[test]
fn what_the_cloud_says_of_a_moment_stays_the_same() {
    let universe = crate::world::universe::Universe::load("wpd-2015", 7).unwrap();
    let world = universe.jumps().next().unwrap().1.clone();
    let before = cell(&ask(&world, "nova show app1").0, "updated", 2);
    world.lock().unwrap().advance(Duration::from_secs(5000));
    assert_eq!(cell(&ask(&world, "nova show app1").0, "updated", 2), before);
}
