//! What Fastly's API answers (`/service`, versions, backends), by its own documentation: objects are flat, forms change them, and a
//! version that was active once can be changed no more.

use serde_json::{Value, json};

use crate::posix::programs::files::moment;
use crate::web::cdn;
use crate::web::cdn::{Backend, Service, Version};
use crate::web::exchange::{Request, Response};
use crate::world::World;

/// Serves a request; `token` is what the header `Fastly-Key` says.
pub(super) fn serve(world: &mut World, token: Option<&str>, request: &Request) -> Response {
    let now = world.jump().cloned().map_or(0.0, |jump| world.epoch(&jump));
    let cdn = world.cdn();
    if let Some(status) = cdn.faults.status {
        return Response::json(status, &json!({ "msg": "An error occurred, please try again." }));
    }
    if !token.is_some_and(|token| cdn.knows(token)) {
        return Response::json(401, &json!({ "msg": "Provided credentials are missing or invalid" }));
    }
    if !matches!(request.method.as_str(), "GET" | "HEAD") && !cdn.may_change() {
        let msg = "You have exceeded your hourly rate limit. Please contact support@fastly.com if you think this \
                   is a mistake.";
        return Response::json(429, &json!({ "msg": msg }));
    }
    route(world, request, now)
}

fn route(world: &mut World, request: &Request, now: f64) -> Response {
    let path = request.path.trim_matches('/');
    let parts: Vec<&str> = path.split('/').collect();
    match (request.method.as_str(), parts.as_slice()) {
        ("GET", ["service"]) => {
            let all: Vec<Value> = world.cdn().services.iter().map(service_json).collect();
            Response::json(200, &json!(all))
        }
        ("GET", ["service", "search"]) => {
            let name = request.parameter("name").unwrap_or_default().to_owned();
            let found = world.cdn().services.iter().find(|service| service.name == name).map(service_json);
            found.map_or_else(|| missing("service", &name), |service| Response::json(200, &service))
        }
        (method, ["service", id, "version", rest @ ..]) => {
            let (invalid, lies) = (world.cdn().faults.invalid.clone(), world.cdn().faults.activation_lies);
            match world.cdn().services.iter_mut().find(|service| service.id == *id) {
                None => missing("service", id),
                Some(service) => versions(service, method, rest, request, &Odds { invalid, lies, now }),
            }
        }
        _ => missing("path", &request.path),
    }
}

/// What a request to a service depends on besides the service.
struct Odds {
    invalid: Option<String>,
    lies: bool,
    now: f64,
}

fn versions(service: &mut Service, method: &str, rest: &[&str], request: &Request, odds: &Odds) -> Response {
    let Some((number, rest)) = rest.split_first() else {
        let all: Vec<Value> = service.versions.iter().map(|v| version_json(service, v)).collect();
        return Response::json(200, &json!(all));
    };
    let Some(number) = number.parse().ok().filter(|number| service.version(*number).is_some()) else {
        return missing("version", number);
    };
    match (method, rest) {
        ("GET", []) => shown(service, number),
        ("PUT", []) => {
            let comment = request.form("comment");
            if let (Some(comment), Some(version)) = (comment, service.version(number)) {
                version.comment = comment;
            }
            shown(service, number)
        }
        ("PUT", ["clone"]) => {
            let made = service.clone_version(number, odds.now).map(|version| version.number);
            made.map_or_else(|| missing("version", ""), |made| shown(service, made))
        }
        ("GET", ["validate"]) => match invalid(service, number, odds) {
            Some(msg) => Response::json(200, &json!({ "status": "error", "msg": msg })),
            None => Response::json(200, &json!({ "status": "ok", "msg": null })),
        },
        ("PUT", ["activate"]) => match invalid(service, number, odds) {
            Some(msg) => bad(400, "Bad request", &msg),
            None => {
                if !odds.lies {
                    service.activate(number);
                }
                let mut answer = shown(service, number);
                answer.body = answer.body.replace("\"active\":false", "\"active\":true");
                answer
            }
        },
        ("GET", ["domain"]) => {
            let domain = json!([{ "name": service.domain, "service_id": service.id, "version": number, "comment": "" }]);
            Response::json(200, &domain)
        }
        ("GET", ["director"]) => {
            let named = |name: &String| json!({ "name": name, "service_id": service.id, "version": number });
            let version = service.versions.iter().find(|version| version.number == number);
            let all: Vec<Value> =
                version.map(|v| v.directors.iter().map(named).collect()).unwrap_or_default();
            Response::json(200, &json!(all))
        }
        (method, ["backend", rest @ ..]) => backends(service, number, method, rest, request),
        _ => missing("path", &request.path),
    }
}

fn backends(service: &mut Service, number: u64, method: &str, rest: &[&str], request: &Request) -> Response {
    let id = service.id.clone();
    let Some(version) = service.version(number) else { return missing("version", "") };
    let shown = |backend: &Backend| {
        let mut backend = backend.clone();
        backend.insert("service_id".to_owned(), json!(id));
        backend.insert("version".to_owned(), json!(number));
        Value::Object(backend)
    };
    if method != "GET" && version.locked {
        return bad(422, "Bad request", "Version is locked");
    }
    let form = request.forms();
    match (method, rest) {
        ("GET", []) => Response::json(200, &json!(version.backends.iter().map(shown).collect::<Vec<_>>())),
        ("POST", []) => {
            let said = |name: &str| request.form(name).unwrap_or_default();
            let (name, address) = (said("name"), said("address"));
            if name.is_empty() || address.is_empty() {
                return bad(400, "Bad request", "Name and address can't be blank");
            }
            if version.backend(&name).is_some() {
                return bad(409, "Duplicate record", &format!("Duplicate backend: '{name}'"));
            }
            let mut backend = cdn::new_backend(&name, &address);
            form.iter().for_each(|(setting, value)| cdn::set(&mut backend, setting, value));
            version.backends.push(backend.clone());
            Response::json(200, &shown(&backend))
        }
        (_, [name]) => {
            let found = version.backends.iter().position(|one| cdn::text_of(one, "name") == *name);
            let Some(at) = found else { return missing("backend", name) };
            match (method, version.backends.get_mut(at)) {
                ("GET", Some(backend)) => Response::json(200, &shown(backend)),
                ("PUT", Some(backend)) => {
                    form.iter().for_each(|(setting, value)| cdn::set(backend, setting, value));
                    Response::json(200, &shown(backend))
                }
                ("DELETE", Some(_)) => {
                    version.backends.remove(at);
                    Response::json(200, &json!({ "status": "ok" }))
                }
                _ => bad(405, "Method not allowed", method),
            }
        }
        _ => missing("path", &request.path),
    }
}

impl Request {
    /// The body as a form has it.
    fn forms(&self) -> Vec<(String, String)> {
        super::options::pairs(&self.body)
    }

    /// One value of it.
    fn form(&self, name: &str) -> Option<String> {
        self.forms().into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }
}

/// Why a version cannot be activated.
fn invalid(service: &mut Service, number: u64, odds: &Odds) -> Option<String> {
    let lacks = service.version(number).and_then(|version| version.lacks());
    lacks.map(str::to_owned).or_else(|| odds.invalid.clone())
}

fn shown(service: &Service, number: u64) -> Response {
    match service.versions.iter().find(|version| version.number == number) {
        Some(version) => Response::json(200, &version_json(service, version)),
        None => missing("version", ""),
    }
}

fn version_json(service: &Service, version: &Version) -> Value {
    let created = moment(version.created, "%Y-%m-%dT%H:%M:%SZ");
    json!({
        "service_id": service.id, "number": version.number, "active": version.active, "locked": version.locked,
        "comment": version.comment, "created_at": created, "updated_at": created, "deleted_at": null,
        "deployed": false, "staging": false, "testing": false, "environments": [],
    })
}

fn service_json(service: &Service) -> Value {
    let versions: Vec<Value> =
        service.versions.iter().map(|version| version_json(service, version)).collect();
    json!({
        "id": service.id, "name": service.name, "customer_id": "2RoPzTEJTKc4YLgJ3RuGzL", "comment": "",
        "type": "vcl", "version": service.active().map(|version| version.number), "versions": versions,
    })
}

fn missing(kind: &str, name: &str) -> Response {
    bad(404, "Record not found", &format!("Couldn't find {kind} '{name}'"))
}

fn bad(status: u16, msg: &str, detail: &str) -> Response {
    Response::json(status, &json!({ "msg": msg, "detail": detail }))
}
