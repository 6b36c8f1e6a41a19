//! `mysqldump` and `mariabackup`: they run a while in the world's time, take space, and fail when there is none.

use std::sync::PoisonError;

use crate::domain::names::HostName;
use crate::sim::program::{Call, Program, Reply, SharedWorld};
use crate::sim::shell::path::absolute;
use crate::sim::world::World;
use crate::sim::world::backups::DUMPED;
use crate::ssh::dial::BoxFuture;

use super::quick::{failure, output, write};
use super::wait;

/// One of them, by its name.
pub(super) struct Dump(pub(super) &'static str);

/// Seconds one may take.
const PATIENCE: u64 = 3600;
/// kB a second that are read.
const SPEED: u64 = 6 * 1024 * 1024;

impl Program for Dump {
    fn name(&self) -> &'static str {
        self.0
    }

    fn installed(&self, world: &World, host: &HostName) -> bool {
        world.has_database(host)
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        let name = self.0;
        Box::pin(async move {
            let args = call.args.get(1..).unwrap_or_default().to_vec();
            let (shared, host, cwd) = (call.world.clone(), call.host.clone(), call.cwd.clone());
            let reply = if name.ends_with("dump") {
                dump(&shared, &host, &cwd, name, &args).await
            } else {
                physical(&shared, &host, &cwd, &args).await
            };
            write(reply, call.stdout, call.stderr).await
        })
    }
}

/// A process that is in the list for as long as this lives.
struct Running {
    world: SharedWorld,
    host: HostName,
    pid: u32,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.world.lock().unwrap_or_else(PoisonError::into_inner).kill_task(&self.host, self.pid);
    }
}

/// Reads the data for as long as that takes; returns how many kB they are, or `None` when no server runs.
async fn read_data(shared: &SharedWorld, host: &HostName, command: &str) -> Option<u64> {
    let (kb, until, running) = {
        let mut world = shared.lock().unwrap_or_else(PoisonError::into_inner);
        if !world.service_runs(host, "mysql") {
            return None;
        }
        let mounts = world.filesystems(host).unwrap_or_default();
        let data = mounts.iter().filter(|m| "/var/lib/mysql".starts_with(m.path.as_str()));
        let kb = data.max_by_key(|m| m.path.len()).map_or(0, |m| m.used_kb);
        let until = world.now() + std::time::Duration::from_secs(1 + kb / SPEED);
        let pid = world.start_task(host, "root", command, None);
        (kb, until, Running { world: shared.clone(), host: host.clone(), pid })
    };
    let pid = running.pid;
    let watched = host.clone();
    let ended = wait::until(shared, PATIENCE, move |world| {
        // Somebody may end it.
        if !world.tasks(&watched).any(|task| task.pid == pid) {
            return Some(None);
        }
        (world.now() >= until).then_some(Some(kb))
    });
    let ended = ended.await.flatten();
    drop(running);
    ended
}

/// The value of `--name=VALUE` or `--name VALUE`.
fn value<'a>(args: &'a [String], name: &str) -> Option<&'a str> {
    let glued = args.iter().find_map(|arg| arg.strip_prefix(name)?.strip_prefix('='));
    glued.or_else(|| {
        let at = args.iter().position(|arg| arg == name)?;
        args.get(at + 1).map(String::as_str)
    })
}

/// Writes a file of that size; false, with what there was room for, when the disk is full.
fn put(world: &mut World, host: &HostName, path: &str, content: &[u8], kb: u64) -> bool {
    if !world.has_room(host, path, content.len()) {
        return false;
    }
    let room = world.available_kb(host, path);
    world.write_file(host, path, content.to_vec());
    if let Some(found) = world.metadata(host, path) {
        world.store_file(host, path, content.to_vec(), kb.min(room) * 1024, found.attributes);
    }
    kb <= room
}

async fn dump(shared: &SharedWorld, host: &HostName, cwd: &str, name: &str, args: &[String]) -> Reply {
    let words: Vec<&str> = args.iter().filter(|arg| !arg.starts_with('-')).map(String::as_str).collect();
    let everything = args.iter().any(|arg| arg == "--all-databases" || arg == "-A");
    let file = value(args, "--result-file").or(value(args, "-r"));
    if words.iter().all(|word| Some(*word) == file) && !everything {
        let lines = format!(
            "Usage: {name} [OPTIONS] database [tables]\nOR     {name} [OPTIONS] --databases DB1 [DB2 DB3...]\nOR     {name} [OPTIONS] --all-databases\nFor more options, use {name} --help"
        );
        return failure(1, &lines);
    }
    let Some(kb) = read_data(shared, host, &format!("{name} {}", args.join(" "))).await else {
        let what = "Got error: 2002: \"Can't connect to local MySQL server through socket '/var/run/mysqld/mysqld.sock' (2)\" when trying to connect";
        return failure(2, &format!("{name}: {what}"));
    };
    let mut world = shared.lock().unwrap_or_else(PoisonError::into_inner);
    #[allow(clippy::cast_possible_truncation)] // seconds since 1970
    let at = jiff::Timestamp::from_second(world.epoch(host) as i64).unwrap_or_default();
    let database = words.iter().find(|word| Some(**word) != file).copied().unwrap_or("");
    let text = format!(
        "-- MySQL dump 10.15\n-- Host: localhost    Database: {database}\n{DUMPED}-- Dump completed on {}\n",
        at.strftime("%Y-%m-%d %H:%M:%S")
    );
    let Some(file) = file else { return output(text) };
    // As text, the data take about two thirds.
    if put(&mut world, host, &absolute(cwd, file), text.as_bytes(), kb * 2 / 3) {
        Reply::default()
    } else {
        failure(5, &format!("{name}: Got errno 28 on write"))
    }
}

async fn physical(shared: &SharedWorld, host: &HostName, cwd: &str, args: &[String]) -> Reply {
    let said =
        |text: &str, status: u8| Reply { stderr: text.as_bytes().to_vec(), status, ..Reply::default() };
    let Some(target) = value(args, "--target-dir").map(|target| absolute(cwd, target)) else {
        return said("mariabackup: Error: --target-dir must be specified\n", 1);
    };
    let checkpoints = format!("{target}/xtrabackup_checkpoints");
    if args.iter().any(|arg| arg == "--prepare") {
        let mut world = shared.lock().unwrap_or_else(PoisonError::into_inner);
        if world.read_file(host, &checkpoints).is_none() {
            return said("[00] FATAL ERROR: failed to read metadata from 'xtrabackup_checkpoints'\n", 1);
        }
        world.write_file(host, &checkpoints, b"backup_type = full-prepared\nfrom_lsn = 0\n".to_vec());
        return said("[00] Last binlog file , position 0\n[00] completed OK!\n", 0);
    }
    if !args.iter().any(|arg| arg == "--backup") {
        return said("mariabackup: the simulated fleet knows --backup and --prepare\n", 1);
    }
    let there = {
        let world = shared.lock().unwrap_or_else(PoisonError::into_inner);
        world.list_dir(host, &target).is_some_and(|names| !names.is_empty())
    };
    if there {
        return said(
            &format!(
                "mariabackup: Can't create/write to file '{target}/ibdata1' (Errcode: 17 \"File exists\")\n"
            ),
            1,
        );
    }
    let Some(kb) = read_data(shared, host, &format!("mariabackup {}", args.join(" "))).await else {
        return said(
            "Failed to connect to MySQL server: Can't connect to local MySQL server through socket '/var/run/mysqld/mysqld.sock' (2).\n",
            1,
        );
    };
    let mut world = shared.lock().unwrap_or_else(PoisonError::into_inner);
    if !put(&mut world, host, &format!("{target}/ibdata1"), b"", kb) {
        return said(
            "[00] Error: write to ibdata1 failed: No space left on device\n[00] FATAL ERROR: copying failed\n",
            1,
        );
    }
    world.write_file(host, &checkpoints, b"backup_type = full-backuped\nfrom_lsn = 0\n".to_vec());
    said(&format!("[00] Backup created in directory '{target}/'\n[00] completed OK!\n"), 0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use crate::sim::programs::tests::{Shared, host, run, world};

    fn used(world: &Shared, on: &str, path: &str) -> u64 {
        let (text, _, _) = run(world, on, &["df", "-P", "-k", path], "");
        text.lines().nth(1).unwrap().split_whitespace().nth(2).unwrap().parse().unwrap()
    }

    fn passing<T>(world: &Shared, work: impl FnOnce() -> T) -> T {
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    world.lock().unwrap().advance(Duration::from_millis(10));
                    std::thread::yield_now();
                }
            });
            let worked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            done.store(true, Ordering::SeqCst);
            worked.unwrap()
        })
    }

    #[test]
    fn removing_old_dumps_frees_the_full_disk_of_2013() {
        let world = world("wpd-2013", 0);
        let before = used(&world, "backup", "/mnt/backup");
        let names = world.lock().unwrap().list_dir(&host("backup"), "/mnt/backup/mysql").unwrap();
        assert_eq!(names.len(), 40);
        let oldest = format!("/mnt/backup/mysql/{}", names[0]);
        let size = world.lock().unwrap().metadata(&host("backup"), &oldest).unwrap().size / 1024;
        assert!(size > 100_000, "{size}");
        assert_eq!(run(&world, "backup", &["gzip", "-t", &oldest], "").2, 0);
        assert_eq!(run(&world, "backup", &["rm", &oldest], "").2, 0);
        let after = used(&world, "backup", "/mnt/backup");
        assert!(before - after >= size - 1 && before - after <= size + 1, "{before} {after} {size}");
        let newest = format!("/mnt/backup/mysql/{}", names[39]);
        let (sql, _, _) = run(&world, "backup", &["zcat", &newest], "");
        assert!(sql.contains("INSERT INTO `page`"), "{sql}");
        assert!(world.lock().unwrap().corrupt_file(&host("backup"), &newest));
        let (_, said, status) = run(&world, "backup", &["gzip", "-t", &newest], "");
        assert_eq!((status, said.contains("unexpected end of file")), (1, true));
        let files = world.lock().unwrap().list_dir(&host("backup"), "/mnt/backup/files").unwrap();
        let (list, _, _) =
            run(&world, "backup", &["tar", "-tzf", &format!("/mnt/backup/files/{}", files[0])], "");
        assert!(list.contains("wiki/images/"), "{list}");
    }

    #[test]
    fn a_dump_takes_time_and_space_and_says_when_there_is_none() {
        let world = world("wpd-2015", 0);
        let before = used(&world, "db2", "/srv");
        let args = ["mysqldump", "--single-transaction", "--all-databases", "--result-file=/srv/all.sql"];
        let (_, said, status) = passing(&world, || run(&world, "db2", &args, ""));
        assert_eq!((said.as_str(), status), ("", 0));
        assert!(used(&world, "db2", "/srv") > before + 20_000_000);
        assert_eq!(run(&world, "db2", &["pgrep", "mysqldump"], "").2, 1, "it has ended");
        let args = ["mysqldump", "-A", "--result-file=/var/lib/mysql/all.sql"];
        let (_, _, status) = passing(&world, || run(&world, "db2", &args, ""));
        assert_eq!(status, 0);
        let args = ["mariabackup", "--backup", "--target-dir=/var/lib/mysql/backup"];
        let (_, said, status) = passing(&world, || run(&world, "db2", &args, ""));
        assert!(said.contains("No space left on device") && status == 1, "{said}");
        let args = ["mariabackup", "--backup", "--target-dir=/srv/backup"];
        let (_, said, _) = passing(&world, || run(&world, "db2", &args, ""));
        assert!(said.ends_with("completed OK!\n"), "{said}");
        assert_eq!(run(&world, "db2", &["mariabackup", "--prepare", "--target-dir=/srv/backup"], "").2, 0);
    }
}
