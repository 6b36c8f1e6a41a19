//! `_snapshot`: repositories, snapshots, restoring.

use serde_json::{Map, Value, json};

use crate::elastic::{Outcome, Refusal, Repository, Restore, Snapshot};
use crate::web::exchange::{Request, Response, Served};
use crate::world::World;

use super::{acknowledged, refused, sent};

/// Seconds that `wait_for_completion` waits for: as long as it takes.
const AS_LONG_AS_IT_TAKES: u64 = 3600;

impl From<Refusal> for Response {
    fn from(refusal: Refusal) -> Self {
        refused(refusal.status, &refusal.text)
    }
}

pub(crate) fn serve(world: &mut World, method: &str, rest: &[&str], request: Request) -> Served {
    let waits = request.flag("wait_for_completion");
    let done = match (method, rest) {
        ("GET", [] | ["_all"]) => Ok(repositories(world, None)),
        ("GET", [name]) => world
            .elastic()
            .repository(name)
            .map(|_| ())
            .map_err(Response::from)
            .map(|()| repositories(world, Some(name))),
        ("PUT" | "POST", [name]) => register(world, name, &request),
        ("GET", [repository, "_all"]) => list(world, repository, None),
        ("GET", [repository, name]) => list(world, repository, Some(name)),
        ("PUT" | "POST", [repository, name]) => {
            return match begin(world, repository, name, &request) {
                Ok(()) if waits => when_done(repository, name),
                Ok(()) => Served::Now(Response::json(202, &json!({ "accepted": true }))),
                Err(response) => Served::Now(response),
            };
        }
        ("DELETE", [repository, name]) => {
            world.elastic().delete_snapshot(repository, name).map(|()| acknowledged()).map_err(Response::from)
        }
        ("POST", [repository, name, "_restore"]) => {
            return restore(world, repository, name, &request).unwrap_or_else(Served::Now);
        }
        _ => {
            let text = format!("No handler found for uri [{}] and method [{method}]", request.path);
            Ok(Response::text(400, text))
        }
    };
    Served::Now(done.unwrap_or_else(|response| response))
}

fn repositories(world: &mut World, only: Option<&str>) -> Response {
    let all = world.elastic().repositories().iter().filter(|(name, _)| only.is_none_or(|only| *name == only));
    let all: Map<String, Value> =
        all.map(|(name, r)| (name.clone(), json!({ "type": r.kind, "settings": r.settings }))).collect();
    Response::json(200, &Value::Object(all))
}

fn register(world: &mut World, name: &str, request: &Request) -> Result<Response, Response> {
    let body = sent(request)?;
    let kind = body.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    if kind != "fs" {
        let text = format!("RepositoryException[[{name}] repository type [{kind}] does not exist]");
        return Err(refused(500, &text));
    }
    let settings = body.get("settings").and_then(Value::as_object).cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let settings = settings.iter().map(|(name, value)| (name.clone(), text(value))).collect();
    let repository = Repository { kind, settings, snapshots: Vec::new() };
    let Some(location) = repository.settings.get("location").cloned() else {
        return Err(refused(500, &format!("RepositoryException[[{name}] missing location]")));
    };
    // Every node must see the place, alive.
    let hosts: Vec<_> = world.elastic().members().map(|node| node.host.clone()).collect();
    for host in hosts {
        let hangs = world
            .filesystems(&host)
            .unwrap_or_default()
            .iter()
            .any(|mount| mount.hanging && location.starts_with(&mount.path));
        if hangs || world.list_dir(&host, &location).is_none() {
            let text = format!(
                "RepositoryVerificationException[[{name}] path  is not accessible on node [{host}]]; nested: \
                 FileNotFoundException[{location} (No such file or directory)]; "
            );
            return Err(refused(500, &text));
        }
    }
    world.elastic().register(name, repository);
    Ok(acknowledged())
}

fn begin(world: &mut World, repository: &str, name: &str, request: &Request) -> Result<(), Response> {
    let body = sent(request)?;
    let indices = body.get("indices").and_then(Value::as_str).unwrap_or_default().to_owned();
    let now = world.now().as_secs_f64();
    Ok(world.elastic().begin_snapshot(repository, name, &indices, now)?)
}

fn when_done(repository: &str, name: &str) -> Served {
    let (repository, name) = (repository.to_owned(), name.to_owned());
    Served::When {
        seconds: AS_LONG_AS_IT_TAKES,
        holds: Box::new(move |world| {
            let clock = Clock::of(world);
            let found = world.elastic().snapshot(&repository, &name).cloned();
            match found {
                Ok(snapshot) if clock.now < snapshot.ends => None,
                Ok(snapshot) => Some(Response::json(200, &json!({ "snapshot": clock.described(&snapshot) }))),
                Err(refusal) => Some(refusal.into()),
            }
        }),
        late: Box::new(|_| None),
    }
}

/// The moment, in the world and as clocks show it.
struct Clock {
    now: f64,
    epoch: f64,
}

impl Clock {
    fn of(world: &World) -> Self {
        let epoch = world.jump().map_or(0.0, |jump| world.epoch(jump));
        Self { now: world.now().as_secs_f64(), epoch }
    }

    #[allow(clippy::cast_possible_truncation)] // milliseconds since 1970
    fn millis(&self, at: f64) -> i64 {
        ((self.epoch - self.now + at) * 1000.0) as i64
    }

    fn time(&self, at: f64) -> String {
        let at = jiff::Timestamp::from_millisecond(self.millis(at)).unwrap_or_default();
        at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
    }

    fn described(&self, snapshot: &Snapshot) -> Value {
        let indices: Vec<&str> = snapshot.contents.iter().map(|index| index.name.as_str()).collect();
        let total: u32 = snapshot.contents.iter().map(|index| index.shards).sum();
        let running = self.now < snapshot.ends;
        let failed = match snapshot.outcome {
            _ if running => 0,
            Outcome::Success => 0,
            Outcome::Partial => 1,
            Outcome::Failed => total,
        };
        let failures: Vec<Value> = indices
            .iter()
            .take(usize::from(failed > 0))
            .map(|index| {
                json!({
                    "node_id": "", "index": index, "reason":
                        "IndexShardSnapshotFailedException[No space left on device]",
                    "shard_id": 0, "status": "INTERNAL_SERVER_ERROR",
                })
            })
            .collect();
        let mut body = json!({
            "snapshot": snapshot.name,
            "indices": indices,
            "state": snapshot.state(self.now),
            "start_time": self.time(snapshot.began),
            "start_time_in_millis": self.millis(snapshot.began),
        });
        if let Some(body) = body.as_object_mut() {
            if !running {
                body.insert("end_time".to_owned(), json!(self.time(snapshot.ends)));
                body.insert("end_time_in_millis".to_owned(), json!(self.millis(snapshot.ends)));
                let took = self.millis(snapshot.ends) - self.millis(snapshot.began);
                body.insert("duration_in_millis".to_owned(), json!(took));
            }
            body.insert("failures".to_owned(), json!(failures));
            let successful = if running { 0 } else { total - failed };
            let shards = json!({ "total": total, "failed": failed, "successful": successful });
            body.insert("shards".to_owned(), shards);
        }
        body
    }
}

fn list(world: &mut World, repository: &str, only: Option<&str>) -> Result<Response, Response> {
    let clock = Clock::of(world);
    let elastic = world.elastic();
    let snapshots: Vec<Value> = match only {
        Some(name) => vec![clock.described(elastic.snapshot(repository, name)?)],
        None => elastic.repository(repository)?.snapshots.iter().map(|s| clock.described(s)).collect(),
    };
    Ok(Response::json(200, &json!({ "snapshots": snapshots })))
}

fn restore(world: &mut World, repository: &str, name: &str, request: &Request) -> Result<Served, Response> {
    let body = sent(request)?;
    let word = |key: &str| body.get(key).and_then(Value::as_str).map(str::to_owned);
    let rename = word("rename_pattern").zip(word("rename_replacement"));
    let wish = Restore { indices: word("indices").unwrap_or_default(), rename };
    let now = world.now().as_secs_f64();
    let names = world.elastic().restore(repository, name, &wish, now)?;
    if !request.flag("wait_for_completion") {
        return Ok(Served::Now(Response::json(200, &json!({ "accepted": true }))));
    }
    let snapshot = name.to_owned();
    Ok(Served::When {
        seconds: AS_LONG_AS_IT_TAKES,
        holds: Box::new(move |world| {
            let restored: Vec<_> = world
                .elastic()
                .indices()
                .iter()
                .filter(|index| names.contains(&index.name))
                .cloned()
                .collect();
            let primaries = || restored.iter().flat_map(|index| &index.copies).filter(|copy| copy.primary);
            let total = primaries().count();
            primaries().all(|copy| copy.place.is_active()).then(|| {
                let shards = json!({ "total": total, "failed": 0, "successful": total });
                Response::json(
                    200,
                    &json!({ "snapshot": { "snapshot": snapshot, "indices": names, "shards": shards } }),
                )
            })
        }),
        late: Box::new(|_| None),
    })
}
