//! `php`, as far as it runs MediaWiki's maintenance scripts about jobs: `showJobs.php`, `runJobs.php`,
//! `manageJobs.php`.

use std::sync::PoisonError;
use std::time::Duration;

use crate::apps::jobs::WIKI;
use crate::program::quick::{failure, output, write};
use crate::program::wait;
use crate::program::{BoxFuture, Call, Program, Reply};
use crate::shell::path::absolute;
use crate::world::World;
use jumpdeck_fleet::names::HostName;

/// `php`.
pub(crate) struct Php;

/// The script of Semantic MediaWiki that works through every page.
const REFRESH: &str = "extensions/SemanticMediaWiki/maintenance/SMW_refreshData.php";
/// Pages that it works through, and how many a second.
const PAGES: u64 = 4212;
const PAGES_A_SECOND: u64 = 120;
/// Seconds it may take.
const PATIENCE: u64 = 7200;

/// Roles whose machines have the wiki.
static ROLES: &[&str] = &["app", "jobrunner", "hhvmbackend"];

impl Program for Php {
    fn name(&self) -> &'static str {
        "php"
    }

    fn installed(&self, world: &World, host: &HostName) -> bool {
        world.machine(host).is_some_and(|m| m.roles().iter().any(|role| ROLES.contains(&role.as_str())))
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        Box::pin(async move {
            if call
                .args
                .get(1)
                .is_some_and(|script| absolute(&call.cwd, script) == format!("{WIKI}/{REFRESH}"))
            {
                return refresh(call).await;
            }
            let reply = {
                let mut world = call.world.lock().unwrap_or_else(PoisonError::into_inner);
                answer(&mut world, &call.cwd, call.args.get(1..).unwrap_or_default())
            };
            write(reply, call.stdout, call.stderr).await
        })
    }
}

fn answer(world: &mut World, cwd: &str, args: &[String]) -> Reply {
    let Some(script) = args.first() else {
        return failure(1, "php: the simulated fleet runs maintenance scripts only");
    };
    let path = absolute(cwd, script);
    let name = path.strip_prefix(&format!("{WIKI}/maintenance/")).unwrap_or_default();
    let rest = args.get(1..).unwrap_or_default();
    match name {
        "showJobs.php" => show(world, rest),
        "runJobs.php" => run(world, rest),
        "manageJobs.php" => manage(world, rest),
        _ => failure(1, &format!("Could not open input file: {script}")),
    }
}

/// The value of `--name VALUE` or `--name=VALUE`.
fn value<'a>(args: &'a [String], name: &str) -> Option<&'a str> {
    let glued = args.iter().find_map(|arg| arg.strip_prefix(name)?.strip_prefix('='));
    glued.or_else(|| {
        let at = args.iter().position(|arg| arg == name)?;
        args.get(at + 1).map(String::as_str)
    })
}

/// `SMW_refreshData.php [-s FIRST] [--startidfile FILE]`: at its end the file says where a next run would begin.
async fn refresh(call: Call) -> u8 {
    let args = call.args.get(2..).unwrap_or_default().to_vec();
    let file = value(&args, "--startidfile").map(|file| absolute(&call.cwd, file));
    let (shared, host) = (call.world.clone(), call.host.clone());
    let (pid, until) = {
        let mut world = shared.lock().unwrap_or_else(PoisonError::into_inner);
        let pid = world.start_task(&host, &call.user, &format!("php {}", call.args.join(" ")), None);
        (pid, world.now() + Duration::from_secs(PAGES / PAGES_A_SECOND))
    };
    let watched = host.clone();
    let ended = wait::until(&shared, PATIENCE, move |world| {
        let there = world.tasks(&watched).any(|task| task.pid == pid);
        if there { (world.now() >= until).then_some(true) } else { Some(false) }
    });
    let whole = ended.await.unwrap_or(false);
    let reply = {
        let mut world = shared.lock().unwrap_or_else(PoisonError::into_inner);
        world.kill_task(&host, pid);
        if let Some(file) = file.filter(|_| whole) {
            world.write_file(&host, &file, format!("{}\n", PAGES + 1).into_bytes());
        }
        if whole {
            output(format!("Refreshing all semantic data in the database!\n{PAGES} IDs refreshed.\n"))
        } else {
            failure(143, "Terminated")
        }
    };
    write(reply, call.stdout, call.stderr).await
}

fn show(world: &mut World, args: &[String]) -> Reply {
    let jobs = world.jobs();
    if args.iter().any(|arg| arg == "--group") {
        let line = |(kind, count): (&String, &u64)| {
            format!("{kind}: {count} queued; 0 claimed (0 active, 0 abandoned); 0 delayed\n")
        };
        return output(jobs.counts().iter().map(line).collect::<String>());
    }
    output(format!("{}\n", jobs.total()))
}

fn run(world: &mut World, args: &[String]) -> Reply {
    let most = value(args, "--maxjobs").and_then(|most| most.parse().ok()).unwrap_or(u64::MAX);
    let done = world.jobs().run(value(args, "--type"), most);
    if done.is_empty() {
        return Reply::default();
    }
    output(done.iter().map(|(kind, count)| format!("{kind}: {count} good\n")).collect::<String>())
}

fn manage(world: &mut World, args: &[String]) -> Reply {
    let (Some(kind), Some(action)) = (value(args, "--type"), value(args, "--action")) else {
        return failure(1, "ERROR: \"type\" and \"action\" parameters required!");
    };
    if action != "delete" {
        return failure(1, &format!("Invalid action '{action}'."));
    }
    let jobs = world.jobs();
    let count = jobs.counts().get(kind).copied().unwrap_or(0);
    jobs.truncate(Some(kind));
    output(format!("Queue has {count} job(s); deleting...\nDone; current size is 0 job(s).\n"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

    use std::time::Duration;

    use crate::apps::jobs::CRON;
    use crate::programs::tests::{Shared, host, run, world};

    const ON: &str = "app1-jobrunner";
    const SHOW: &str = "/srv/webplatform/wiki/current/maintenance/showJobs.php";

    fn waiting(world: &Shared) -> u64 {
        run(world, ON, &["php", SHOW], "").0.trim().parse().unwrap()
    }

    fn pass(world: &Shared, seconds: u64) {
        world.lock().unwrap().advance(Duration::from_secs(seconds));
    }

    #[test]
    fn a_refresh_of_semantic_data_takes_its_time_and_says_where_it_ended() {
        let world = world("wpd-2015", 0);
        let script =
            "/srv/webplatform/wiki/current/extensions/SemanticMediaWiki/maintenance/SMW_refreshData.php";
        let done = std::sync::atomic::AtomicBool::new(false);
        let said = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(std::sync::atomic::Ordering::SeqCst) {
                    pass(&world, 1);
                    std::thread::yield_now();
                }
            });
            let said = run(&world, ON, &["php", script, "--startidfile=/tmp/at"], "");
            done.store(true, std::sync::atomic::Ordering::SeqCst);
            said
        });
        assert!(said.0.contains("4212 IDs refreshed") && said.2 == 0, "{said:?}");
        assert_eq!(world.lock().unwrap().read_file(&host(ON), "/tmp/at").unwrap(), b"4213\n");
    }

    #[test]
    fn a_queue_out_of_control_grows_until_its_runners_are_gone() {
        let world = world("wpd-2015", 0);
        pass(&world, 600);
        assert!(waiting(&world) < 60, "cron works them off");
        world.lock().unwrap().jobs_run_away(80_000, 5);
        let before = waiting(&world);
        pass(&world, 60);
        assert!(waiting(&world) > before + 2000);
        // cron is taken away: a name with a dot is passed over.
        assert!(world.lock().unwrap().rename(&host(ON), CRON, &format!("{CRON}.off")));
        let (pids, _, _) = run(&world, ON, &["pgrep", "-f", "runJobs.php"], "");
        assert_eq!(pids.lines().count(), 5, "{pids}");
        let (list, _, _) = run(&world, ON, &["ps", "-eo", "pid,user,args"], "");
        assert_eq!(list.matches("www-data php /srv").count(), 5, "{list}");
        for pid in pids.lines() {
            assert!(world.lock().unwrap().kill_task(&host(ON), pid.parse().unwrap()));
        }
        assert_eq!(run(&world, ON, &["pgrep", "-f", "runJobs.php"], "").2, 1);
        let still = waiting(&world);
        pass(&world, 30);
        assert!(waiting(&world) <= still + 10);
        let (groups, _, _) = run(&world, ON, &["php", SHOW, "--group"], "");
        assert!(groups.contains("refreshLinks: "), "{groups}");
        world.lock().unwrap().jobs().truncate(None);
        assert_eq!(waiting(&world), 0);
    }
}
