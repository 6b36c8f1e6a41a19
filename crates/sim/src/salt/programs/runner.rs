//! `salt-run`: who is up, which jobs there were, what they returned.

use std::time::Instant;

use serde_json::{Map, Value, json};

use crate::posix::programs::text::{failure, output, write};
use crate::program::{BoxFuture, Call, Program, Reply};
use crate::salt::jobs::{Job, jid_time};
use crate::salt::target::Kind;
use crate::world::World;
use jumpdeck_fleet::names::HostName;

use super::output::{Out, json as pretty, nested};
use super::{LOOK, is_master, lock, refused, silent};

/// Seconds that `manage.status` waits for minions that do not answer.
const PATIENCE: f64 = 5.0;

/// The program.
#[derive(Debug)]
pub(crate) struct SaltRun;

impl Program for SaltRun {
    fn name(&self) -> &'static str {
        "salt-run"
    }

    fn installed(&self, world: &World, host: &HostName) -> bool {
        is_master(world, host)
    }

    fn run(&self, mut call: Call) -> BoxFuture<'static, u8> {
        Box::pin(async move {
            let reply = match refused(&call).or_else(|| silent(&call)) {
                Some(reply) => reply,
                None => evaluate(&mut call).await,
            };
            write(&mut call, reply).await
        })
    }
}

async fn evaluate(call: &mut Call) -> Reply {
    let (mut out, mut words) = (Out::default(), Vec::new());
    let args = call.args.clone();
    let mut rest = args.iter().skip(1);
    while let Some(word) = rest.next() {
        let (name, glued) = match word.split_once('=').filter(|_| word.starts_with("--")) {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (word.as_str(), None),
        };
        let mut value = || glued.clone().or_else(|| rest.next().cloned()).unwrap_or_default();
        match name {
            "--out" | "--output" => out = Out::find(&value()).unwrap_or_default(),
            "-t" | "--timeout" | "-l" | "--log-level" | "--out-indent" => drop(value()),
            "--no-color" | "--hard-crash" => {}
            option if option.starts_with('-') => {
                return failure("salt-run", &format!("error: no such option: {option}"), 2);
            }
            _ => words.push(word.as_str()),
        }
    }
    let value = match words.as_slice() {
        [function @ ("manage.status" | "manage.up" | "manage.down" | "manage.versions"), ..] => {
            manage(call, function).await
        }
        ["jobs.lookup_jid", jid, ..] | ["jobs.print_job", jid, ..] => {
            lookup(call, words.first().copied(), jid)
        }
        ["jobs.list_job", jid, ..] => lookup(call, Some("jobs.list_job"), jid),
        ["jobs.list_jobs", ..] => {
            let mut world = lock(&call.world);
            Value::Object(world.salt().jobs.iter().map(|job| (job.jid.clone(), described(job))).collect())
        }
        ["jobs.active", ..] => active(call),
        ["cache.grains", rest @ ..] => cached(call, rest, |world, host| world.grains(host)),
        ["cache.pillar", rest @ ..] => cached(call, rest, |world, host| world.pillar_of(host).clone()),
        [] => return failure("Usage", "salt-run [options] [function] [arguments]", 2),
        [function, ..] => return failure("Runner function", &format!("'{function}' is unavailable"), 1),
    };
    if out == Out::Json {
        return output(pretty(&value));
    }
    let mut text = String::new();
    match &value {
        Value::Object(map) => {
            for (key, value) in map {
                text.push_str(&format!("{key}:\n"));
                nested(value, 4, &mut text);
            }
        }
        other => nested(other, 0, &mut text),
    }
    output(text)
}

/// Pings everybody; those that do not answer cost patience.
async fn manage(call: &mut Call, function: &str) -> Value {
    let (ids, started) = {
        let mut world = lock(&call.world);
        world.salt_until_now();
        (world.minions_of("*", Kind::Glob), world.now().as_secs_f64())
    };
    let began = Instant::now();
    loop {
        {
            let world = lock(&call.world);
            let now = world.now().as_secs_f64();
            let waited = (now - started).max(began.elapsed().as_secs_f64());
            let answers = |id: &String| {
                let host = world.minion(id)?;
                let mute = world.minion_fault(&host) == Some(&crate::salt::MinionFault::NoReturn);
                (!mute && waited >= world.minion_latency(&host)).then_some(host)
            };
            let up: Vec<(&String, HostName)> = ids.iter().filter_map(|id| Some((id, answers(id)?))).collect();
            if up.len() == ids.len() || waited >= PATIENCE {
                let names: Vec<&String> = up.iter().map(|(id, _)| *id).collect();
                let down: Vec<&String> = ids.iter().filter(|id| !names.contains(id)).collect();
                return match function {
                    "manage.up" => json!(names),
                    "manage.down" => json!(down),
                    "manage.versions" => {
                        let versions =
                            up.iter().map(|(id, host)| ((*id).clone(), json!(world.salt_version(host))));
                        json!({ "Master": "2014.7.5", "Up to date": versions.collect::<Map<_, _>>() })
                    }
                    _ => json!({ "down": down, "up": names }),
                };
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn described(job: &Job) -> Value {
    json!({
        "Arguments": job.arguments,
        "Function": job.function,
        "StartTime": jid_time(&job.jid),
        "Target": job.target,
        "Target-type": job.kind.name(),
        "User": job.user,
    })
}

/// What came back of a job so far.
fn lookup(call: &Call, function: Option<&str>, jid: &str) -> Value {
    let mut world = lock(&call.world);
    let now = world.now().as_secs_f64();
    let Some(job) = world.salt().jobs.iter().find(|job| job.jid == jid).cloned() else { return json!({}) };
    let returned = job.runs.iter().filter(|(_, run)| run.ends.is_none_or(|ends| ends <= now));
    let returned = returned.filter_map(|(id, run)| Some((id.clone(), run.returned.clone()?)));
    if function == Some("jobs.lookup_jid") {
        return Value::Object(returned.collect());
    }
    let results = returned.map(|(id, value)| (id, json!({ "return": value }))).collect::<Map<_, _>>();
    let mut described = described(&job);
    if let Some(map) = described.as_object_mut() {
        map.insert("Result".to_owned(), Value::Object(results));
        map.insert("Minions".to_owned(), json!(job.runs.keys().collect::<Vec<_>>()));
    }
    if function == Some("jobs.print_job") { json!({ jid: described }) } else { described }
}

/// Jobs that some minion says it is at.
fn active(call: &Call) -> Value {
    let mut world = lock(&call.world);
    let jobs = world.salt().jobs.clone();
    let mut found = Map::new();
    for job in jobs {
        let at_it: Vec<Value> = job
            .runs
            .iter()
            .filter(|(_, run)| run.is_running() && run.host.as_ref().is_some_and(|host| world.is_up(host)))
            .map(|(id, run)| json!({ id: run.pid }))
            .collect();
        if at_it.is_empty() {
            continue;
        }
        let mut described = described(&job);
        if let Some(map) = described.as_object_mut() {
            let returned: Vec<&String> =
                job.runs.iter().filter(|(_, r)| r.returned.is_some()).map(|(id, _)| id).collect();
            map.insert("Returned".to_owned(), json!(returned));
            map.insert("Running".to_owned(), Value::Array(at_it));
        }
        found.insert(job.jid.clone(), described);
    }
    Value::Object(found)
}

fn cached(call: &Call, words: &[&str], show: impl Fn(&World, &HostName) -> Value) -> Value {
    let target = words.iter().map(|word| word.strip_prefix("tgt=").unwrap_or(word)).next().unwrap_or("*");
    let world = lock(&call.world);
    let ids = world.minions_of(target, Kind::Glob);
    Value::Object(
        ids.into_iter().filter_map(|id| Some((id.clone(), show(&world, &world.minion(&id)?)))).collect(),
    )
}
