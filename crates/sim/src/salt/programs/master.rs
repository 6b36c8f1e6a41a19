//! `salt`: asks minions, and waits for what they return.

use std::collections::BTreeSet;
use std::time::Instant;

use serde_json::{Map, Value, json};
use tokio::io::AsyncWriteExt as _;

use crate::posix::programs::text::{failure, output, write};
use crate::program::{BoxFuture, Call, Program, Reply, SharedWorld};
use crate::salt::jobs::is_state_run;
use crate::salt::target::Kind;
use crate::world::World;
use jumpdeck_fleet::names::HostName;

use super::functions::{answer, command, is_command};
use super::output::Out;
use super::{LOOK, is_master, lock, refused, silent, yaml_text};

/// Seconds the master waits for an answer to its question whether a job still runs.
const GATHER: f64 = 2.0;

/// The program.
#[derive(Debug)]
pub(crate) struct Salt;

impl Program for Salt {
    fn name(&self) -> &'static str {
        "salt"
    }

    fn installed(&self, world: &World, host: &HostName) -> bool {
        is_master(world, host)
    }

    fn run(&self, mut call: Call) -> BoxFuture<'static, u8> {
        Box::pin(async move {
            let wanted = match refused(&call)
                .or_else(|| silent(&call))
                .map_or_else(|| Wanted::read(&call.args), Err)
            {
                Ok(wanted) => wanted,
                Err(reply) => return write(&mut call, reply).await,
            };
            ask(&mut call, &wanted).await
        })
    }
}

#[derive(Debug)]
struct Wanted {
    kind: Kind,
    target: String,
    function: String,
    arguments: Vec<String>,
    out: Out,
    together: bool,
    at_once: bool,
    silent_about_missing: bool,
    timeout: f64,
    batch: Option<String>,
}

impl Wanted {
    fn read(args: &[String]) -> Result<Self, Reply> {
        let usage = |what: &str| {
            Err(failure(
                "Usage",
                &format!("salt [options] '<target>' <function> [arguments]\n\nsalt: error: {what}"),
                2,
            ))
        };
        let mut wanted = Self {
            kind: Kind::Glob,
            target: String::new(),
            function: String::new(),
            arguments: Vec::new(),
            out: Out::default(),
            together: false,
            at_once: false,
            silent_about_missing: false,
            timeout: 5.0,
            batch: None,
        };
        let mut words = Vec::new();
        let mut rest = args.iter().skip(1);
        while let Some(word) = rest.next() {
            let (name, glued) = match word.split_once('=').filter(|_| word.starts_with("--")) {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (word.as_str(), None),
            };
            let mut value = || glued.clone().or_else(|| rest.next().cloned()).unwrap_or_default();
            match name {
                "-L" | "--list" => wanted.kind = Kind::List,
                "-G" | "--grain" => wanted.kind = Kind::Grain,
                "-E" | "--pcre" => wanted.kind = Kind::Expression,
                "-I" | "--pillar" => wanted.kind = Kind::Pillar,
                "-C" | "--compound" => wanted.kind = Kind::Compound,
                "--static" | "-s" => wanted.together = true,
                "--async" => wanted.at_once = true,
                "--hide-timeout" => wanted.silent_about_missing = true,
                "-v" | "--verbose" | "--show-timeout" | "--show-jid" | "--no-color" | "--force-color" => {}
                "-t" | "--timeout" => wanted.timeout = value().parse().unwrap_or(5.0),
                "-b" | "--batch-size" | "--batch" => wanted.batch = Some(value()),
                "-l" | "--log-level" | "--gather-job-timeout" | "--state-output" | "--out-indent" => {
                    drop(value())
                }
                "--out" | "--output" => match Out::find(&value()) {
                    Some(out) => wanted.out = out,
                    None => return usage("invalid outputter"),
                },
                option if option.starts_with('-') && words.len() < 2 => {
                    return usage(&format!("no such option: {option}"));
                }
                _ => words.push(word.clone()),
            }
        }
        let mut words = words.into_iter();
        let (Some(target), Some(function)) = (words.next(), words.next()) else {
            return usage("Arguments <target> and <function> required.");
        };
        (wanted.target, wanted.function, wanted.arguments) =
            (target, function, words.map(|word| yaml_text(&word)).collect());
        Ok(wanted)
    }

    /// How many minions are asked at a time.
    fn batch_of(&self, count: usize) -> usize {
        let Some(text) = &self.batch else { return count };
        let size = match text.strip_suffix('%') {
            Some(percent) => percent.parse::<usize>().map(|percent| count * percent / 100),
            None => text.parse(),
        };
        size.unwrap_or(count).clamp(1, count.max(1))
    }
}

async fn ask(call: &mut Call, wanted: &Wanted) -> u8 {
    let ids = {
        let mut world = lock(&call.world);
        world.salt_until_now();
        world.minions_of(&wanted.target, wanted.kind)
    };
    if ids.is_empty() {
        let text = "No minions matched the target. No command was sent, no jid was assigned.\n";
        return write(call, Reply { status: 2, ..output(text) }).await;
    }
    let mut together = Map::new();
    for ids in ids.chunks(wanted.batch_of(ids.len())) {
        let jid = {
            let target = (wanted.target.as_str(), wanted.kind);
            lock(&call.world).start_job(&wanted.function, &wanted.arguments, target, ids, &call.user)
        };
        let job = work_off(call.world.clone(), jid.clone());
        if wanted.at_once {
            tokio::spawn(job);
            return write(call, output(format!("Executed command with job ID: {jid}\n"))).await;
        }
        // Going away ends the waiting, not the job.
        tokio::spawn(job);
        let mut waiting = Waiting::new(call, wanted, &jid, ids);
        while !waiting.missing.is_empty() {
            let news = waiting.look(&call.world);
            for (id, value) in news {
                if wanted.together {
                    together.insert(id, value);
                } else {
                    let text = wanted.out.show(&Map::from_iter([(id, value)]));
                    if call.stdout.write_all(text.as_bytes()).await.is_err() {
                        return 141;
                    }
                }
            }
            if !waiting.missing.is_empty() {
                tokio::time::sleep(LOOK).await;
            }
        }
    }
    if wanted.together {
        let text = wanted.out.show(&together);
        return write(call, output(text)).await;
    }
    0
}

/// Does on the minions what was asked, and files what they return. States end by themselves.
pub(super) async fn work_off(world: SharedWorld, jid: String) {
    let mut commands = Vec::new();
    loop {
        let open = {
            let mut world_held = lock(&world);
            world_held.salt_until_now();
            let now = world_held.now().as_secs_f64();
            let Some(job) = world_held.salt().jobs.iter().find(|job| job.jid == jid).cloned() else { return };
            let states = is_state_run(&job.function);
            let mut open = false;
            for (id, run) in job.runs.iter().filter(|(_, run)| run.is_running()) {
                open |= run.ends.is_some();
                let (Some(host), Some(ends)) = (&run.host, run.ends) else { continue };
                if states || ends > now || commands.contains(id) {
                    continue;
                }
                if is_command(&job.function) {
                    commands.push(id.clone());
                    let (world, host, job, id) = (world.clone(), host.clone(), job.clone(), id.clone());
                    tokio::spawn(async move {
                        let value = command(world.clone(), host, &job.function, &job.arguments).await;
                        lock(&world).job_returns(&job.jid, &id, value);
                    });
                } else {
                    let value = answer(&mut world_held, host, &job.function, &job.arguments);
                    world_held.job_returns(&jid, id, value);
                }
            }
            open
        };
        if !open {
            return;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// What is still waited for.
struct Waiting {
    jid: String,
    missing: BTreeSet<String>,
    quiet: bool,
    timeout: f64,
    began: Instant,
    /// The world's time then.
    started: f64,
}

impl Waiting {
    fn new(call: &Call, wanted: &Wanted, jid: &str, ids: &[String]) -> Self {
        Self {
            jid: jid.to_owned(),
            missing: ids.iter().cloned().collect(),
            quiet: wanted.silent_about_missing,
            timeout: wanted.timeout.max(0.0),
            began: Instant::now(),
            started: lock(&call.world).now().as_secs_f64(),
        }
    }

    /// What came in since the last look. A minion is given up when it has not returned in time and does not say that
    /// it is still at it.
    fn look(&mut self, world: &SharedWorld) -> Vec<(String, Value)> {
        let mut world = lock(world);
        let now = world.now().as_secs_f64();
        // A world that stands still lets nobody wait for ever.
        let waited = (now - self.started).max(self.began.elapsed().as_secs_f64());
        let overdue = waited >= self.timeout + GATHER;
        let jid = &self.jid;
        let Some(job) = world.salt().jobs.iter().find(|job| job.jid == *jid).cloned() else {
            self.missing.clear();
            return Vec::new();
        };
        let mut news = Vec::new();
        for id in self.missing.clone() {
            let Some(run) = job.runs.get(&id) else { continue };
            let value = match (&run.returned, &run.host) {
                (Some(value), _) if run.ends.is_none_or(|ends| ends <= now) => value.clone(),
                (Some(_), _) => continue,
                (None, Some(host)) if run.ends.is_some() && run.is_running() && world.is_up(host) => continue,
                (None, _) if !overdue => continue,
                (None, _) if self.quiet => {
                    self.missing.remove(&id);
                    continue;
                }
                (None, _) => json!("Minion did not return. [No response]"),
            };
            self.missing.remove(&id);
            news.push((id, value));
        }
        news
    }
}
