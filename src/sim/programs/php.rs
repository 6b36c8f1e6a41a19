//! `php`, as far as it runs MediaWiki's maintenance scripts about jobs: `showJobs.php`, `runJobs.php`,
//! `manageJobs.php`.

use std::sync::PoisonError;

use crate::domain::names::HostName;
use crate::sim::program::{Call, Program, Reply};
use crate::sim::shell::path::absolute;
use crate::sim::world::World;
use crate::sim::world::jobs::WIKI;
use crate::ssh::dial::BoxFuture;

use super::quick::{failure, output, write};

/// `php`.
pub(super) struct Php;

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

    use crate::sim::programs::tests::{Shared, host, run, world};
    use crate::sim::world::jobs::CRON;

    const ON: &str = "app1-jobrunner";
    const SHOW: &str = "/srv/webplatform/wiki/current/maintenance/showJobs.php";

    fn waiting(world: &Shared) -> u64 {
        run(world, ON, &["php", SHOW], "").0.trim().parse().unwrap()
    }

    fn pass(world: &Shared, seconds: u64) {
        world.lock().unwrap().advance(Duration::from_secs(seconds));
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
