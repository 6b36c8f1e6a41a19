//! `salt-call`: the minion itself, with what its master gives it, or (`--local`) without.

use serde_json::{Map, Value, json};

use crate::posix::programs::text::{failure, output, write};
use crate::program::{BoxFuture, Call, Program, Reply};
use crate::salt::jobs::is_state_run;
use crate::salt::target::Kind;
use crate::world::World;
use jumpdeck_fleet::names::HostName;

use super::functions::{answer, command, is_command};
use super::output::Out;
use super::{LOOK, lock, master};

/// The program.
#[derive(Debug)]
pub(crate) struct SaltCall;

impl Program for SaltCall {
    fn name(&self) -> &'static str {
        "salt-call"
    }

    fn installed(&self, world: &World, _: &HostName) -> bool {
        world.has_salt()
    }

    fn run(&self, mut call: Call) -> BoxFuture<'static, u8> {
        Box::pin(async move {
            let reply = evaluate(&mut call).await;
            write(&mut call, reply).await
        })
    }
}

struct Wanted {
    local: bool,
    out: Out,
    strict: bool,
    words: Vec<String>,
}

fn read(args: &[String]) -> Result<Wanted, Reply> {
    let mut wanted = Wanted { local: false, out: Out::default(), strict: false, words: Vec::new() };
    let mut rest = args.iter().skip(1);
    while let Some(word) = rest.next() {
        let (name, glued) = match word.split_once('=').filter(|_| word.starts_with("--")) {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (word.as_str(), None),
        };
        let mut value = || glued.clone().or_else(|| rest.next().cloned()).unwrap_or_default();
        match name {
            "--local" => wanted.local = true,
            "--retcode-passthrough" => wanted.strict = true,
            "--no-color" | "--skip-grains" => {}
            "-l" | "--log-level" | "-c" | "--config-dir" | "--out-indent" => drop(value()),
            "--out" | "--output" => match Out::find(&value()) {
                Some(out) => wanted.out = out,
                None => return Err(failure("salt-call", "error: invalid outputter", 2)),
            },
            option if option.starts_with('-') && wanted.words.is_empty() => {
                return Err(failure("salt-call", &format!("error: no such option: {option}"), 2));
            }
            _ => wanted.words.push(word.clone()),
        }
    }
    Ok(wanted)
}

async fn evaluate(call: &mut Call) -> Reply {
    let Wanted { local, out, strict, words } = match read(&call.args) {
        Ok(wanted) => wanted,
        Err(reply) => return reply,
    };
    let [function, arguments @ ..] = words.as_slice() else {
        return failure("Usage", "salt-call [options] <function> [arguments]", 2);
    };
    let (id, known) = {
        let mut world = lock(&call.world);
        world.salt_until_now();
        let id = world.minion_id(&call.host);
        let known = world.minion(&id).as_ref() == Some(&call.host);
        (id, known)
    };
    if !local && !known {
        return failure(
            "[ERROR   ] The Salt Master has cached the public key for this node",
            "this salt minion will wait for 10 seconds before attempting to re-authenticate",
            1,
        );
    }
    let value = if is_command(function) {
        command(call.world.clone(), call.host.clone(), function, arguments).await
    } else if is_state_run(function) && local {
        json!(["No matching sls found in env 'base'"])
    } else if is_state_run(function) {
        states(call, &id, function, arguments).await
    } else if local && function.starts_with("pillar.") {
        json!("")
    } else {
        answer(&mut lock(&call.world), &call.host, function, arguments)
    };
    let missing = value.as_str().is_some_and(|text| text == format!("'{function}' is not available."));
    if missing {
        return failure("Function", &format!("{function} was not found"), 1);
    }
    let failed = value.is_array() && is_state_run(function)
        || value.as_object().is_some_and(|states| {
            is_state_run(function)
                && states.values().any(|state| state.get("result") == Some(&Value::Bool(false)))
        });
    let text = out.show(&Map::from_iter([("local".to_owned(), value)]));
    Reply { status: if strict && failed { 2 } else { 0 }, ..output(text) }
}

/// Applies states as a job of its own, and waits for its end.
async fn states(call: &mut Call, id: &str, function: &str, arguments: &[String]) -> Value {
    let ids = [id.to_owned()];
    let jid = lock(&call.world).start_job(function, arguments, (id, Kind::List), &ids, &call.user);
    let world = call.world.clone();
    tokio::spawn(master::work_off(world, jid.clone()));
    loop {
        {
            let mut world = lock(&call.world);
            let now = world.now().as_secs_f64();
            let run =
                world.salt().jobs.iter().find(|job| job.jid == jid).and_then(|job| job.runs.get(id)).cloned();
            match run {
                Some(run) if run.returned.is_some() && run.ends.is_none_or(|ends| ends <= now) => {
                    return run.returned.unwrap_or_default();
                }
                Some(run) if run.is_running() => {}
                Some(run) if run.returned.is_some() => {}
                _ => return json!([]),
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}
