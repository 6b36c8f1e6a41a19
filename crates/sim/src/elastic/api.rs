//! What an Elasticsearch node answers, as 1.4 (2015) does.

pub(crate) mod cat;
pub(crate) mod snapshot;

use serde_json::{Map, Value, json};

use crate::web::exchange::{Request, Response, Served};
use crate::world::World;
use jumpdeck_fleet::names::HostName;

use super::{Elastic, Health, Status};

/// The version of that time.
const VERSION: &str = "1.4.4";

/// The body as JSON: an empty object when there is none.
pub(crate) fn sent(request: &Request) -> Result<Value, Response> {
    if request.body.trim().is_empty() {
        return Ok(json!({}));
    }
    serde_json::from_str(&request.body).map_err(|error| {
        refused(400, &format!("ElasticsearchParseException[Failed to parse content]; nested: {error}"))
    })
}

/// An error as 1.x writes it.
pub(crate) fn refused(status: u16, error: &str) -> Response {
    Response::json(status, &json!({ "error": error, "status": status }))
}

pub(crate) fn missing(name: &str) -> Response {
    refused(404, &format!("IndexMissingException[[{name}] missing]"))
}

/// Serves a request to the node on a machine, which is in the cluster.
pub(crate) fn serve(world: &mut World, machine: &HostName, request: Request) -> Served {
    let pretty = request.parameter("pretty").is_some_and(|value| value != "false");
    match route(world, machine, request) {
        Served::Now(response) => Served::Now(laid_out(response, pretty)),
        Served::When { seconds, mut holds, mut late } => Served::When {
            seconds,
            holds: Box::new(move |world| holds(world).map(|response| laid_out(response, pretty))),
            late: Box::new(move |world| late(world).map(|response| laid_out(response, pretty))),
        },
    }
}

fn laid_out(mut response: Response, pretty: bool) -> Response {
    if pretty && let Ok(value) = serde_json::from_str::<Value>(&response.body) {
        response.body = serde_json::to_string_pretty(&value).unwrap_or_default() + "\n";
    }
    response
}

fn route(world: &mut World, machine: &HostName, request: Request) -> Served {
    let path = request.path.trim_matches('/').to_owned();
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let method = request.method.clone();
    let response = match (method.as_str(), parts.as_slice()) {
        ("GET" | "HEAD", []) => hello(world, machine),
        ("GET", ["_cluster", "health"]) => return health(&request),
        ("GET", ["_cluster", "settings"]) => settings(world.elastic()),
        ("PUT", ["_cluster", "settings"]) => change_settings(world.elastic(), &request),
        ("GET", ["_cat", what]) => cat::table(world, what, &request),
        ("GET", ["_nodes", ..]) => nodes(world, machine, parts.get(1) == Some(&"_local")),
        (_, ["_snapshot", rest @ ..]) => return snapshot::serve(world, &method, rest, request),
        ("POST", [names, "_close"]) => open(world.elastic(), names, false),
        ("POST", [names, "_open"]) => open(world.elastic(), names, true),
        ("POST" | "GET", [_, "_flush"] | ["_flush"]) => acknowledged(),
        ("GET" | "POST", [name, "_count"]) => count(world.elastic(), name),
        ("PUT", ["_settings"]) => replicas(world.elastic(), "_all", &request),
        ("PUT", [names, "_settings"]) => replicas(world.elastic(), names, &request),
        ("DELETE", [name]) => match world.elastic().delete_index(name) {
            true => acknowledged(),
            false => missing(name),
        },
        ("GET" | "HEAD", [name]) if !name.starts_with('_') => index(world.elastic(), name),
        _ => {
            Response::text(400, format!("No handler found for uri [{}] and method [{method}]", request.path))
        }
    };
    Served::Now(response)
}

pub(crate) fn acknowledged() -> Response {
    Response::json(200, &json!({ "acknowledged": true }))
}

fn hello(world: &mut World, machine: &HostName) -> Response {
    let elastic = world.elastic();
    let name = elastic.member(machine).map(|node| node.name.clone());
    Response::json(
        200,
        &json!({
            "status": 200,
            "name": name,
            "cluster_name": elastic.name,
            "version": {
                "number": VERSION,
                "build_hash": "c88f77ffc81301dfa9dfd81ca2232f09588bd512",
                "build_timestamp": "2015-02-19T13:05:36Z",
                "build_snapshot": false,
                "lucene_version": "4.10.3",
            },
            "tagline": "You Know, for Search",
        }),
    )
}

fn health_response(elastic: &Elastic, timed_out: bool) -> Response {
    let Health { status, nodes, primaries, active, relocating, initializing, unassigned } = elastic.health();
    let body = json!({
        "cluster_name": elastic.name,
        "status": status.text(),
        "timed_out": timed_out,
        "number_of_nodes": nodes,
        "number_of_data_nodes": nodes,
        "active_primary_shards": primaries,
        "active_shards": active,
        "relocating_shards": relocating,
        "initializing_shards": initializing,
        "unassigned_shards": unassigned,
        "number_of_pending_tasks": 0,
    });
    Response::json(if timed_out { 408 } else { 200 }, &body)
}

/// `50s`, `500ms`, `1m`: seconds, rounded up.
pub(crate) fn seconds(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().ok()?;
    match text.get(digits.len()..)? {
        "ms" | "" => Some(number.div_ceil(1000)),
        "s" => Some(number),
        "m" => Some(number * 60),
        _ => None,
    }
}

fn health(request: &Request) -> Served {
    let wanted = match request.parameter("wait_for_status") {
        None => None,
        Some("green") => Some(Status::Green),
        Some("yellow") => Some(Status::Yellow),
        Some("red") => Some(Status::Red),
        Some(other) => {
            let text =
                format!("ElasticsearchIllegalArgumentException[unknown cluster health status [{other}]]");
            return Served::Now(refused(400, &text));
        }
    };
    let nodes = request.parameter("wait_for_nodes").map(str::to_owned);
    let relocating = request.parameter("wait_for_relocating_shards").and_then(|n| n.parse::<usize>().ok());
    let holds = move |world: &mut World| {
        let elastic = world.elastic();
        let now = elastic.health();
        let enough = nodes.as_deref().is_none_or(|wanted| nodes_hold(wanted, now.nodes));
        let met = wanted.is_none_or(|wanted| now.status >= wanted)
            && relocating.is_none_or(|most| now.relocating <= most)
            && enough;
        met.then(|| health_response(elastic, false))
    };
    Served::When {
        seconds: request.parameter("timeout").and_then(seconds).unwrap_or(30),
        holds: Box::new(holds),
        late: Box::new(|world| Some(health_response(world.elastic(), true))),
    }
}

/// `2`, `>=2`, `ge(2)` and their like.
fn nodes_hold(wanted: &str, there: usize) -> bool {
    let number = wanted.trim_start_matches(|c: char| !c.is_ascii_digit()).trim_end_matches(')');
    let Ok(number) = number.parse::<usize>() else { return false };
    match wanted.trim_end_matches(|c: char| c.is_ascii_digit() || c == ')') {
        ">=" | "ge(" => there >= number,
        "<=" | "le(" => there <= number,
        ">" | "gt(" => there > number,
        "<" | "lt(" => there < number,
        _ => there == number,
    }
}

/// Full names as the nested objects they are written as.
fn nested<'a>(settings: impl Iterator<Item = (&'a String, &'a String)>) -> Value {
    let mut root = Map::new();
    for (name, value) in settings {
        nest(&mut root, name, value);
    }
    Value::Object(root)
}

fn nest(map: &mut Map<String, Value>, name: &str, value: &str) {
    match name.split_once('.') {
        None => drop(map.insert(name.to_owned(), json!(value))),
        Some((first, rest)) => {
            let inner = map.entry(first).or_insert_with(|| json!({}));
            if let Some(inner) = inner.as_object_mut() {
                nest(inner, rest, value);
            }
        }
    }
}

fn settings(elastic: &Elastic) -> Response {
    let [transient, persistent] = elastic.settings();
    Response::json(
        200,
        &json!({ "persistent": nested(persistent.iter()), "transient": nested(transient.iter()) }),
    )
}

/// Settings by their full names, whether they come nested or not. `null` is what forgets a setting.
fn flat(prefix: &str, value: &Value, out: &mut Vec<(String, String)>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                flat(&name, value, out);
            }
        }
        Value::Null => out.push((prefix.to_owned(), String::new())),
        Value::String(text) => out.push((prefix.to_owned(), text.clone())),
        other => out.push((prefix.to_owned(), other.to_string())),
    }
}

fn change_settings(elastic: &mut Elastic, request: &Request) -> Response {
    let body = match sent(request) {
        Ok(body) => body,
        Err(response) => return response,
    };
    let mut answer = Map::new();
    answer.insert("acknowledged".to_owned(), json!(true));
    for (part, transient) in [("persistent", false), ("transient", true)] {
        let mut given = Vec::new();
        flat("", body.get(part).unwrap_or(&json!({})), &mut given);
        for (name, value) in &given {
            if let Err(what) = elastic.set(transient, name, value) {
                return refused(400, &format!("ElasticsearchIllegalArgumentException[{what}]"));
            }
        }
        answer.insert(part.to_owned(), nested(given.iter().map(|(name, value)| (name, value))));
    }
    Response::json(200, &Value::Object(answer))
}

fn nodes(world: &mut World, machine: &HostName, local: bool) -> Response {
    let elastic = world.elastic();
    let shown = elastic.members().filter(|node| !local || node.host == *machine).map(|node| {
        let body = json!({
            "name": node.name,
            "transport_address": format!("inet[/{}:9300]", node.address),
            "host": node.name,
            "ip": node.address,
            "version": VERSION,
            "http_address": format!("inet[/{}:9200]", node.address),
        });
        (node.id.clone(), body)
    });
    let shown: Map<String, Value> = shown.collect();
    Response::json(200, &json!({ "cluster_name": elastic.name, "nodes": shown }))
}

fn open(elastic: &mut Elastic, names: &str, open: bool) -> Response {
    let found = elastic.named(names);
    if found.is_empty() {
        return missing(names);
    }
    for name in found {
        elastic.open(&name, open);
    }
    acknowledged()
}

fn count(elastic: &Elastic, name: &str) -> Response {
    let Some(index) = elastic.indices().iter().find(|index| index.name == name) else { return missing(name) };
    if !index.open {
        return refused(403, &format!("IndexClosedException[[{name}] closed]"));
    }
    let shards = index.shards;
    let served = index.copies.iter().filter(|c| c.primary && c.place.is_active()).count();
    Response::json(
        200,
        &json!({
            "count": index.documents,
            "_shards": { "total": shards, "successful": served, "failed": 0 },
        }),
    )
}

fn replicas(elastic: &mut Elastic, names: &str, request: &Request) -> Response {
    let body = match sent(request) {
        Ok(body) => body,
        Err(response) => return response,
    };
    let mut given = Vec::new();
    flat("", &body, &mut given);
    for (name, value) in given {
        let name = name.trim_start_matches("index.");
        let Some(replicas) = value.parse().ok().filter(|_| name == "number_of_replicas") else {
            return refused(400, &format!("ElasticsearchIllegalArgumentException[can't change [{name}]]"));
        };
        let found = elastic.named(names);
        if found.is_empty() {
            return missing(names);
        }
        for index in found {
            elastic.set_replicas(&index, replicas);
        }
    }
    acknowledged()
}

fn index(elastic: &Elastic, name: &str) -> Response {
    let Some(index) = elastic.indices().iter().find(|index| index.name == name) else { return missing(name) };
    let settings = json!({ "index": {
        "number_of_shards": index.shards.to_string(),
        "number_of_replicas": index.replicas.to_string(),
    } });
    let mut body = Map::new();
    body.insert(
        name.to_owned(),
        json!({ "aliases": {}, "mappings": {}, "settings": settings, "warmers": {} }),
    );
    Response::json(200, &Value::Object(body))
}
