//! `mysqldump` and `mariabackup`: they run a while in the world's time, take space, and fail when there is none.

use std::sync::PoisonError;

use tokio::io::AsyncWriteExt as _;

use crate::program::quick::{failure, write};
use crate::program::wait;
use crate::program::{BoxFuture, Call, Program, Reply, SharedWorld};
use crate::shell::path::absolute;
use crate::world::World;
use jumpdeck_fleet::names::HostName;

use super::mysql::dump::{Error, Source, Wanted};
use super::mysql::{no_option_file, option_file};

/// One of them, by its name.
pub(crate) struct Dump(pub(crate) &'static str);

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
            if name.ends_with("dump") {
                return dump(name, call).await;
            }
            let args = call.args.get(1..).unwrap_or_default().to_vec();
            let reply = physical(&call.world, &call.host, &call.cwd, &args).await;
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

/// Reads a server's data, from `at`, for as long as that takes; returns how many kB they are, or `None` when no server runs, or not
/// until the end.
async fn read_data(
    shared: &SharedWorld,
    host: &HostName,
    (at, heard): (&HostName, impl Fn(&mut World) -> bool + Send + 'static),
    command: &str,
) -> Option<u64> {
    let (kb, until, running) = {
        let mut world = shared.lock().unwrap_or_else(PoisonError::into_inner);
        if !world.service_runs(at, "mysql") {
            return None;
        }
        let kb = world.data_kb(at);
        let until = world.now() + std::time::Duration::from_secs(1 + kb / SPEED);
        let pid = world.start_task(host, "root", command, None);
        (kb, until, Running { world: shared.clone(), host: host.clone(), pid })
    };
    let pid = running.pid;
    let watched = host.clone();
    let ended = wait::until(shared, PATIENCE, move |world| {
        // Somebody may end it, or its server.
        if !world.tasks(&watched).any(|task| task.pid == pid) || !heard(world) {
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

/// What is wanted: words that are no options, and the options that say what is in it.
fn wanted(args: &[String]) -> Wanted {
    let has = |names: &[&str]| args.iter().any(|arg| names.contains(&arg.as_str()));
    let place = args.iter().find_map(|arg| arg.strip_prefix("--master-data"));
    let valued = ["--result-file", "-r", "-h", "-u", "-S", "--host", "--user", "--socket"];
    let mut databases = Vec::new();
    let mut value = false;
    for arg in args {
        if !value && !arg.starts_with('-') {
            databases.push(arg.clone());
        }
        value = valued.contains(&arg.as_str());
    }
    Wanted {
        databases,
        everything: has(&["--all-databases", "-A"]),
        named: has(&["--databases", "-B"]),
        place: place.map_or(0, |value| if value == "=2" { 2 } else { 1 }),
        gtid: has(&["--gtid"]),
    }
}

/// The options that say where to log in, and as whom.
fn login(args: &[String]) -> Vec<String> {
    let long = ["--host", "--user", "--socket", "--ssl", "--password", "--port", "--protocol"];
    let short = ["-h", "-u", "-S", "-p", "-P"];
    let mut chosen = Vec::new();
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        let is_long = long.iter().any(|name| arg.starts_with(name));
        if !is_long && !short.iter().any(|name| arg.starts_with(name) && !arg.starts_with("--")) {
            continue;
        }
        chosen.push(arg.clone());
        let alone = short.contains(&arg.as_str()) && arg != "-p";
        if alone || ["--host", "--user", "--socket", "--port"].contains(&arg.as_str()) {
            chosen.extend(rest.next().cloned());
        }
    }
    chosen
}

async fn dump(name: &str, call: Call) -> u8 {
    let Call {
        host, user, world: shared, args, cwd, mut stdin, mut stdout, mut stderr, mut descriptors, ..
    } = call;
    let args = args.get(1..).unwrap_or_default();
    let wanted = wanted(args);
    if wanted.databases.is_empty() && !wanted.everything {
        let lines = format!(
            "Usage: {name} [OPTIONS] database [tables]\nOR     {name} [OPTIONS] --databases DB1 [DB2 DB3...]\nOR     {name} [OPTIONS] --all-databases\nFor more options, use {name} --help"
        );
        return write(failure(1, &lines), stdout, stderr).await;
    }
    let mut defaults = String::new();
    for option in ["--defaults-extra-file", "--defaults-file"] {
        let Some(path) = value(args, option) else { continue };
        match option_file(path, (&shared, &host), &mut stdin, &mut descriptors).await {
            Ok(Some(text)) => defaults.push_str(&text),
            _ => {
                let said = no_option_file(path);
                let reply = Reply { stderr: said.into_bytes(), status: 1, ..Reply::default() };
                return write(reply, stdout, stderr).await;
            }
        }
    }
    let connecting = |(code, what): Error| {
        failure(2, &format!("{name}: Got error: {code}: \"{what}\" when trying to connect"))
    };
    let mut source = match Source::connect(&shared, (&host, &user), &login(args), &defaults) {
        Ok(source) => source,
        Err(error) => return write(connecting(error), stdout, stderr).await,
    };
    let text = {
        let mut world = shared.lock().unwrap_or_else(PoisonError::into_inner);
        let made = source.text(&mut world, &wanted);
        #[allow(clippy::cast_possible_truncation)] // seconds since 1970
        let at = jiff::Timestamp::from_second(world.epoch(&host) as i64).unwrap_or_default();
        made.map(|text| {
            let database = wanted.databases.first().map_or("", String::as_str);
            let from = value(args, "--host").unwrap_or("localhost");
            format!(
                "-- MySQL dump 10.15\n-- Host: {from}    Database: {database}\n{text}-- Dump completed on {}\n",
                at.strftime("%Y-%m-%d %H:%M:%S")
            )
        })
    };
    let text = match text {
        Ok(text) => text,
        Err((code, what)) => {
            let said = format!("{name}: Couldn't execute the dump: {what} ({code})");
            return write(failure(2, &said), stdout, stderr).await;
        }
    };
    let file = value(args, "--result-file").or(value(args, "-r")).map(|file| absolute(&cwd, file));
    // What is sent before the end stays where it came to.
    let half = text.len() / 2;
    let half = (0..=half).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let (first, rest) = text.split_at(half);
    if file.is_none() && stdout.write_all(first.as_bytes()).await.is_err() {
        return broken(name, &mut stderr).await;
    }
    let at = source.host();
    let heard = move |world: &mut World| source.is_heard(world);
    let Some(kb) = read_data(&shared, &host, (&at, heard), &format!("{name} {}", args.join(" "))).await
    else {
        let what =
            "Error 2013: Lost connection to MySQL server during query when dumping table `page` at row: 4711";
        return write(failure(3, &format!("{name}: {what}")), stdout, stderr).await;
    };
    let Some(file) = file else {
        if stdout.write_all(rest.as_bytes()).await.is_err() || stdout.flush().await.is_err() {
            return broken(name, &mut stderr).await;
        }
        return 0;
    };
    // As text, the data take about two thirds.
    let fits = {
        let mut world = shared.lock().unwrap_or_else(PoisonError::into_inner);
        put(&mut world, &host, &file, text.as_bytes(), kb * 2 / 3)
    };
    let reply = if fits { Reply::default() } else { failure(5, &format!("{name}: Got errno 28 on write")) };
    write(reply, stdout, stderr).await
}

/// Whoever reads it is gone, or has no room.
async fn broken(name: &str, stderr: &mut crate::program::Output) -> u8 {
    let said = format!("{name}: Got errno 32 on write\n");
    let _nobody_reads_it = stderr.write_all(said.as_bytes()).await;
    5
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
    let here = (host, |_: &mut World| true);
    let Some(kb) = read_data(shared, host, here, &format!("mariabackup {}", args.join(" "))).await else {
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

    use crate::programs::tests::{Shared, host, run, world};

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
