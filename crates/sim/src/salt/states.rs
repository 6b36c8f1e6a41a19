//! States: which a machine's roles ask for, what they make of it, and what Salt says of each. The files under
//! `/srv/salt` are what people read there; that one is there makes its state known, what it says is not interpreted.

use serde_json::{Map, Value, json};

use crate::apps::config::{Values, render};
use crate::apps::jobs::{CRON, cron_text};
use crate::apps::kinds::{Follows, KINDS, Kind, WIKI};
use crate::apps::{DB_INI, DB_PASSWORD};
use crate::dns::GDNSD;
use crate::git::code::{Code, of_role};
use crate::posix::calendar::moment;
use crate::posix::people::key_file;
use crate::world::World;
use jumpdeck_fleet::names::HostName;

use super::pillar::lookup;

mod effect;

use effect::one;

/// A state file: its name, the roles that get it (`*`: every machine), its text.
struct Sls(&'static str, &'static [&'static str], &'static str);

static FILES: &[Sls] = &[
    Sls(
        "common",
        &["*"],
        "ntp:\n  pkg.installed: []\n  service.running: []\nWATCHER:\n  pkg.installed: []\n  service.running: []\n",
    ),
    Sls(
        "hosts",
        &["*"],
        "/etc/hosts:\n  file.managed:\n    - source: salt://hosts/files/hosts.jinja\n    - template: jinja\n",
    ),
    Sls(
        "users",
        &["*"],
        "{%- for name, user in salt['pillar.get']('users', {}).items() %}\n{{ name }}:\n  user.{{ user.state }}: []\n{%- \
         if user.state == 'present' %}\n{{ name }}-keys:\n  file.managed:\n    - name: /home/{{ name \
         }}/.ssh/authorized_keys\n    - contents: {{ user.key }}\n    - mode: 600\n{%- endif %}\n{%- endfor %}\n",
    ),
    Sls("mail", &["mail"], "postfix:\n  pkg.installed: []\n  service.running: []\n"),
    Sls("mysql", &["db"], "mariadb-server:\n  pkg.installed: []\nmysql:\n  service.running: []\n"),
    Sls(
        "code",
        &["app"],
        "# The code of all roles of a minion, and the configuration on top of it.\ninclude:\n{%- for role in \
         salt['grains.get']('roles') %}\n  - roles.{{ role }}\n{%- endfor %}\n",
    ),
    Sls("accounts", &["accounts"], ""),
    Sls("blog", &["blog"], ""),
    Sls("jobrunner", &["jobrunner"], ""),
    Sls("notes", &["notes"], ""),
    Sls("piwik", &["piwik"], ""),
    Sls("project", &["project"], ""),
    // Their program only: its configuration was typed in on the machine.
    Sls("bots", &["bots"], "pierc:\n  service.running: []\n"),
    Sls(
        "gdnsd",
        &["salt"],
        "zone:\n  file.managed:\n    - name: /etc/gdnsd/zones/{{ grains['domain'] }}\n    - source: \
         salt://gdnsd/files/zone.jinja\n    - template: jinja\ngdnsd:\n  service.running:\n    - reload: True\n    - \
         watch:\n      - file: zone\n",
    ),
    Sls("nginx", &["nginx", "hhvmbackend", "piwik"], "nginx:\n  pkg.installed: []\n  service.running: []\n"),
    Sls("elastic", &["elastic"], "elasticsearch:\n  pkg.installed: []\n  service.running: []\n"),
    Sls("memcache", &["memcache", "sessions"], "memcached:\n  pkg.installed: []\n  service.running: []\n"),
    Sls("redis", &["redis", "sessions"], "redis-server:\n  pkg.installed: []\n  service.running: []\n"),
    Sls("backup", &["backup"], "rsync:\n  pkg.installed: []\nnfs-kernel-server:\n  pkg.installed: []\n"),
];

/// One thing that a state sees to.
enum Wanted {
    Package(&'static str),
    Running(&'static str),
    /// A service that is restarted, or reloaded, when one of the files before it was changed.
    Watching(&'static str, bool),
    Code(&'static Code),
    /// A person's account: there, or not.
    Account(String, bool),
    File {
        path: String,
        content: String,
        mode: u32,
        secret: bool,
    },
}

impl Wanted {
    /// Its module, its name and its function.
    fn parts(&self) -> (&'static str, String, &'static str) {
        match self {
            Self::Package(name) => ("pkg", (*name).to_owned(), "installed"),
            Self::Running(name) | Self::Watching(name, _) => ("service", (*name).to_owned(), "running"),
            Self::Account(name, true) => ("user", name.clone(), "present"),
            Self::Account(name, false) => ("user", name.clone(), "absent"),
            Self::Code(code) => ("cmd", code.command(), "run"),
            Self::File { path, .. } => ("file", path.clone(), "managed"),
        }
    }
}

/// What came of one state of one machine.
struct Outcome {
    key: String,
    name: String,
    result: Value,
    comment: String,
    changes: Value,
    seconds: f64,
}

/// Writes the state files of the world's start.
pub(super) fn seed(world: &mut World, jump: &HostName) {
    let mut top = "base:\n  '*':\n    - common\n    - hosts\n    - users\n".to_owned();
    for Sls(name, roles, text) in FILES {
        let own = KINDS.iter().find(|kind| kind.state == Some(*name) && text.is_empty());
        let text = text.replace("WATCHER", world.watcher());
        let text = own.map_or(text, |kind| seed_kind(world, jump, kind));
        world.write_file(jump, &format!("/srv/salt/{name}/init.sls"), text.into_bytes());
        for role in roles.iter().filter(|role| **role != "*") {
            top.push_str(&format!("  'roles:{role}':\n    - match: grain\n    - {name}\n"));
        }
    }
    world.write_file(jump, "/srv/salt/top.sls", top.into_bytes());
    let app = "/etc/webplatform/db.ini:\n  file.managed:\n    - source: salt://code/files/db.ini.jinja\n    - template: \
               jinja\n/etc/webplatform/db.password:\n  file.managed:\n    - contents_pillar: \
               accounts:mysql:wiki:password\n    - mode: 600\n    - show_diff: False\napache2:\n  \
               service.running:\n    - watch:\n      - file: /etc/webplatform/db.ini\n";
    world.write_file(jump, "/srv/salt/roles/app.sls", (code_text("app") + app).into_bytes());
    world.write_file(
        jump,
        "/srv/salt/roles/bots.sls",
        (code_text("bots") + "include:\n  - bots\n").into_bytes(),
    );
    let ini = world.db_ini(
        "{{ salt['pillar.get']('infra:db_servers:mysql:writes') }}",
        "3306",
        "{{ salt['pillar.get']('accounts:mysql:wiki:username') }}",
    );
    world.write_file(jump, "/srv/salt/code/files/db.ini.jinja", ini.into_bytes());
    world.write_file(
        jump,
        "/srv/salt/hosts/files/hosts.jinja",
        b"127.0.0.1 localhost\n127.0.1.1 {{ grains['fqdn'] }} {{ grains['id'] }}\n{{ masterdb }} masterdb.{{ domain }} masterdb\n{{ salt }} salt.{{ domain }} salt\n".to_vec(),
    );
}

/// How a state file says that hosts of a role get its code.
fn code_text(role: &str) -> String {
    let of = |code: &Code| format!("rsync-{}:\n  cmd.run:\n    - name: \"{}\"\n", code.name, code.command());
    of_role(role).map(of).collect()
}

/// Writes the source of an application's configuration; the text of its state.
fn seed_kind(world: &mut World, jump: &HostName, kind: &Kind) -> String {
    let pillar = |path: String| format!("{{{{ salt['pillar.get']('{path}') }}}}");
    let own = |what: &str| pillar(format!("accounts:mysql:{}:{what}", kind.user));
    let writes = pillar("infra:db_servers:mysql:writes".to_owned());
    let values = Values {
        host: world.server_in_file(kind, Some(&writes)).unwrap_or_default(),
        port: pillar("infra:db_servers:mysql:port".to_owned()),
        user: own("username"),
        password: own("password"),
        database: kind.database.to_owned(),
    };
    let state = kind.state.unwrap_or_default();
    let (file, service) = (kind.file, kind.service);
    let source = format!("{state}/files/{}.jinja", file.rsplit('/').next().unwrap_or_default());
    world.write_file(jump, &format!("/srv/salt/{source}"), render(kind, &values).into_bytes());
    let reload = if kind.follows == Follows::Reloads { "    - reload: True\n" } else { "" };
    let included = format!("include:\n  - {state}\n");
    world.write_file(jump, &format!("/srv/salt/roles/{}.sls", kind.role), included.into_bytes());
    code_text(kind.role)
        + &format!(
            "{file}:\n  file.managed:\n    - source: salt://{source}\n    - template: jinja\n    - mode: 640\n    - \
         show_diff: False\n{service}:\n  service.running:\n{reload}    - watch:\n      - file: {file}\n"
        )
}

/// The roles that a machine's grain lists.
fn roles_of(world: &World, host: &HostName) -> Vec<String> {
    let roles = world.grain(host, "roles");
    let roles = roles.as_ref().and_then(Value::as_array);
    roles.into_iter().flatten().filter_map(|role| role.as_str().map(str::to_owned)).collect()
}

/// The state that brings a role's code and its configuration.
fn state_of_role(role: &str) -> Option<&'static str> {
    match role {
        "app" => Some("roles.app"),
        "bots" => Some("roles.bots"),
        role => KINDS.iter().find(|kind| kind.role == role).and_then(|kind| kind.state),
    }
}

/// What a role's states do for its code.
fn codes(world: &World, role: &str) -> Vec<Wanted> {
    of_role(role).filter(|code| world.has_code(code)).map(Wanted::Code).collect()
}

/// Whether a copy of its code would change something on a host.
fn code_waits(world: &World, host: &HostName, code: &Code) -> bool {
    !world.code_waits(host, code).0.is_empty()
}

/// The states of a machine's roles, in order: what a highstate applies.
pub(crate) fn of_roles(world: &World, host: &HostName) -> Vec<String> {
    let roles = roles_of(world, host);
    let asked =
        |wanted: &[&str]| wanted.iter().any(|role| *role == "*" || roles.iter().any(|own| own == role));
    FILES.iter().filter(|Sls(_, wanted, _)| asked(wanted)).map(|Sls(name, ..)| (*name).to_owned()).collect()
}

/// What a highstate would do on a machine, one by one, as `state.show_lowstate` tells it; a list of errors when it cannot be told.
pub(crate) fn low(world: &World, host: &HostName) -> Value {
    low_of(world, host, of_roles(world, host))
}

/// The same of these states: `state.show_low_sls`.
pub(crate) fn low_of(world: &World, host: &HostName, names: Vec<String>) -> Value {
    let unknown = not_found(world, &names);
    if !unknown.is_empty() {
        return Value::Array(unknown);
    }
    let mut told = Vec::new();
    for sls in names {
        let wanted = match of_state(world, host, &sls) {
            Ok(wanted) => wanted,
            Err(why) => return json!([format!("Rendering SLS 'base:{sls}' failed: {why}")]),
        };
        for wanted in wanted {
            let (state, name, function) = wanted.parts();
            told.push(json!({
                "state": state, "name": name, "__sls__": sls, "__env__": "base", "__id__": name,
                "order": 10_000 + told.len(), "fun": function,
            }));
        }
    }
    Value::Array(told)
}

/// Seconds that applying so many states takes on a machine.
pub(crate) fn duration(world: &World, host: &HostName, states: usize, highstate: bool) -> f64 {
    #[allow(clippy::cast_precision_loss)] // a few
    let each = states as f64 * 0.35;
    let fresh = world.machine(host).is_some_and(|m| m.added) && !world.salt.settled.contains(host);
    let base = match (highstate, fresh) {
        (true, true) => 25.0,
        (true, false) => 4.0,
        (false, _) => 0.5,
    };
    (base + each) * world.minion_pace(host)
}

/// What Salt says of states that have no file on the master.
fn not_found(world: &World, names: &[String]) -> Vec<Value> {
    let there = |file: String| world.jump().is_some_and(|jump| world.metadata(jump, &file).is_some());
    let missing = |name: &&String| {
        let path = name.replace('.', "/");
        !there(format!("/srv/salt/{path}.sls")) && !there(format!("/srv/salt/{path}/init.sls"))
    };
    let said = |name: &String| json!(format!("No matching sls found for '{name}' in env 'base'"));
    names.iter().filter(missing).map(said).collect()
}

/// Applies states, or only tells what they would do; what Salt returns: an object of results, or a list of errors.
pub(crate) fn apply(world: &mut World, host: &HostName, names: &[String], test: bool) -> Value {
    let unknown = not_found(world, names);
    if !unknown.is_empty() {
        return Value::Array(unknown);
    }
    if let Some(errors) = world.pillar_of(host).get("_errors").cloned() {
        let mut said = vec![json!("Pillar failed to render with the following messages:")];
        said.extend(errors.as_array().cloned().unwrap_or_default());
        return Value::Array(said);
    }
    let mut wanted = Vec::new();
    for name in names {
        match of_state(world, host, name) {
            Ok(mut found) => wanted.append(&mut found),
            Err(why) => return json!([format!("Rendering SLS 'base:{name}' failed: {why}")]),
        }
    }
    applied(world, host, wanted, test)
}

/// `state.single file.managed`, of a text that the minion's pillar has.
pub(crate) fn managed(world: &mut World, host: &HostName, path: &str, pillar: &str, mode: u32) -> Value {
    let text = lookup(world.pillar_of(host), pillar).and_then(Value::as_str).map(str::to_owned);
    let Some(text) = text else {
        return json!({ format!("file_|-{path}_|-{path}_|-managed"): {
            "comment": format!("Pillar {pillar} does not exist"), "name": path, "result": false, "changes": {},
        } });
    };
    let content = format!("{}\n", text.trim_end_matches('\n'));
    applied(world, host, vec![Wanted::File { path: path.to_owned(), content, mode, secret: true }], false)
}

fn applied(world: &mut World, host: &HostName, wanted: Vec<Wanted>, test: bool) -> Value {
    let mut results = Map::new();
    let started = world.epoch(host);
    let mut offset = 0.0;
    let mut changed = false;
    for (number, wanted) in wanted.into_iter().enumerate() {
        let service = matches!(wanted, Wanted::Running(_) | Wanted::Watching(..));
        let file = matches!(wanted, Wanted::File { .. });
        let code = matches!(&wanted, Wanted::Code(code) if code_waits(world, host, code));
        let outcome = one(world, host, wanted, (test, changed));
        // Files and code stand before the service that watches them.
        changed = !service && (changed || code || file && outcome.changes != json!({}));
        results.insert(
            outcome.key,
            json!({
                "comment": outcome.comment,
                "name": outcome.name,
                "start_time": moment(started + offset, "%H:%M:%S.%6f"),
                "result": outcome.result,
                "duration": format!("{:.1} ms", outcome.seconds * 1000.0),
                "__run_num__": number,
                "changes": outcome.changes,
            }),
        );
        offset += outcome.seconds;
    }
    Value::Object(results)
}

fn of_state(world: &World, host: &HostName, name: &str) -> Result<Vec<Wanted>, String> {
    let pillar = world.pillar_of(host);
    let get = |path: &str| -> Result<String, String> {
        let found = lookup(pillar, path).filter(|value| !value.is_object() && !value.is_null());
        let last = path.rsplit(':').next().unwrap_or(path);
        let found = found.ok_or_else(|| format!("Jinja variable 'dict object' has no attribute '{last}'"))?;
        Ok(found.as_str().map_or_else(|| found.to_string(), str::to_owned))
    };
    let file =
        |path: &str, content, mode, secret| Wanted::File { path: path.to_owned(), content, mode, secret };
    let writes = || get("infra:db_servers:mysql:writes");
    if let Some(kind) = KINDS.iter().find(|kind| kind.state == Some(name) && **kind != &WIKI) {
        let values = Values {
            host: world.server_in_file(kind, Some(&writes()?)).unwrap_or_default(),
            port: get("infra:db_servers:mysql:port")?,
            user: get(&format!("accounts:mysql:{}:username", kind.user))?,
            password: get(&format!("accounts:mysql:{}:password", kind.user))?,
            database: kind.database.to_owned(),
        };
        let mut wanted = codes(world, kind.role);
        if kind.role == "jobrunner" {
            wanted.push(file(CRON, cron_text(), 0o644, false));
        }
        wanted.push(file(kind.file, render(kind, &values), 0o640, true));
        wanted.push(Wanted::Watching(kind.service, kind.follows == Follows::Reloads));
        return Ok(wanted);
    }
    Ok(match name {
        "code" => {
            let mut wanted = Vec::new();
            for state in roles_of(world, host).iter().filter_map(|role| state_of_role(role)) {
                wanted.extend(of_state(world, host, state)?);
            }
            wanted
        }
        "common" => vec![
            Wanted::Package("ntp"),
            Wanted::Running("ntp"),
            Wanted::Package(world.watcher()),
            Wanted::Running(world.watcher()),
        ],
        "hosts" => vec![file(
            "/etc/hosts",
            world.hosts_with(
                host,
                Some(&get("infra:hosts_entries:masterdb")?),
                Some(&get("infra:hosts_entries:salt")?),
            ),
            0o644,
            false,
        )],
        "users" => people(world, host),
        "mail" => vec![Wanted::Package("postfix"), Wanted::Running("postfix")],
        "mysql" => vec![Wanted::Package("mariadb-server"), Wanted::Running("mysql")],
        "roles.app" => {
            let (port, user) = (get("infra:db_servers:mysql:port")?, get("accounts:mysql:wiki:username")?);
            let password = get("accounts:mysql:wiki:password")? + "\n";
            let mut wanted = codes(world, "app");
            wanted.push(file(DB_INI, world.db_ini(&writes()?, &port, &user), 0o644, false));
            wanted.push(file(DB_PASSWORD, password, 0o600, true));
            wanted.push(Wanted::Watching("apache2", false));
            wanted
        }
        "roles.bots" => {
            let mut wanted = codes(world, "bots");
            wanted.push(Wanted::Watching("pierc", false));
            wanted
        }
        "bots" => vec![Wanted::Running("pierc")],
        "gdnsd" => {
            let path = world.zone_path().ok_or("Jinja variable 'domain' is undefined")?;
            let text = world.zone_text(&get("infra:hosts_entries:masterdb")?, &get("infra:gdnsd_timestamp")?);
            vec![file(&path, text, 0o644, false), Wanted::Watching(GDNSD, true)]
        }
        "nginx" => vec![Wanted::Package("nginx"), Wanted::Running("nginx")],
        "elastic" => vec![Wanted::Package("elasticsearch"), Wanted::Running("elasticsearch")],
        "memcache" => vec![Wanted::Package("memcached"), Wanted::Running("memcached")],
        "redis" => vec![Wanted::Package("redis-server"), Wanted::Running("redis-server")],
        "backup" => vec![Wanted::Package("rsync"), Wanted::Package("nfs-kernel-server")],
        _ => Vec::new(),
    })
}

/// The accounts that the pillar names, and their keys.
fn people(world: &World, host: &HostName) -> Vec<Wanted> {
    let named = lookup(world.pillar_of(host), "users").and_then(Value::as_object);
    let of = |(name, user): (&String, &Value)| {
        let there = lookup(user, "state").and_then(Value::as_str) != Some("absent");
        let mut wanted = vec![Wanted::Account(name.clone(), there)];
        if there {
            let key = lookup(user, "key").and_then(Value::as_str).unwrap_or_default();
            let (path, content) = (key_file(name), format!("{key}\n"));
            wanted.push(Wanted::File { path, content, mode: 0o600, secret: false });
        }
        wanted
    };
    named.into_iter().flatten().flat_map(of).collect()
}

impl World {
    /// What the applications read: where their database is.
    pub(crate) fn db_ini(&self, address: &str, port: &str, user: &str) -> String {
        let (host, port, user) = (address.to_owned(), port.to_owned(), user.to_owned());
        render(&WIKI, &Values { host, port, user, ..Values::default() })
    }

    /// A file as the states of the world's start left it; a machine that came later has had none applied.
    pub(crate) fn initially_rendered(&self, host: &HostName, path: &str) -> Option<String> {
        let machine = self.machine(host).filter(|m| !m.added)?;
        if path == "/etc/hosts" {
            // As its state would write it.
            let masterdb =
                lookup(&self.salt.initial_pillar, "infra:hosts_entries:masterdb").and_then(Value::as_str);
            return Some(self.hosts_with(host, masterdb, self.jump_address()));
        }
        let address = self.salt.initial_masterdb.as_deref()?;
        let application = || machine.roles().iter().any(|role| role.as_str() == "app");
        match path {
            "/etc/webplatform/db.ini" if application() => Some(self.db_ini(address, "3306", WIKI.user)),
            "/etc/webplatform/db.password" if application() => Some(format!("{}\n", WIKI.password)),
            _ => None,
        }
    }
}
