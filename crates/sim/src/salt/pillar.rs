//! Pillars: YAML files on the master, what they come to, and what a minion holds of it in memory.

use serde_json::{Map, Value, json};

use crate::apps::kinds::{KINDS, WIKI};
use crate::mariadb::{REPLICATION_PASSWORD, REPLICATION_USER};
use crate::posix::calendar::moment;
use crate::world::World;
use jumpdeck_fleet::names::HostName;

use super::MinionFault;

/// Where addresses stand.
fn infra(level: &str) -> String {
    format!("/srv/pillar/infra/{level}.sls")
}

/// Where secrets stand.
fn accounts(level: &str) -> String {
    format!("/srv/private/pillar/accounts/{level}.sls")
}

/// Where the web servers' certificates and their key stand.
fn certificates(level: &str) -> String {
    format!("/srv/private/pillar/certificates/{level}.sls")
}

/// Where people are named.
const USERS: &str = "/srv/pillar/users.sls";

impl World {
    /// Writes the pillars of the world's start.
    pub(super) fn seed_pillar(&mut self, jump: &HostName) {
        let level = self.level().to_owned();
        let of_role = |role: &str| -> Vec<String> {
            let has = |m: &&crate::posix::machine::Machine| m.roles().iter().any(|r| r.as_str() == role);
            self.machines().filter(has).map(|m| m.address.clone()).collect()
        };
        let first = |role: &str| of_role(role).into_iter().next().unwrap_or_else(|| "127.0.0.1".to_owned());
        let list = |name: &str, addresses: Vec<String>| {
            let rows: String = addresses.iter().map(|address| format!("    - {address}\n")).collect();
            if rows.is_empty() { format!("  {name}: []\n") } else { format!("  {name}:\n{rows}") }
        };
        let mut alpha = (Vec::new(), Vec::new());
        for m in self.machines().filter(|m| m.roles().iter().any(|r| r.as_str() == "alpha")) {
            let redis = m.roles().iter().any(|r| r.as_str() == "redis");
            if redis { &mut alpha.0 } else { &mut alpha.1 }.push(m.address.clone());
        }
        let masterdb = self.salt.initial_masterdb.clone().unwrap_or_else(|| first("db"));
        let salt = self.machine(jump).map(|m| m.address.clone()).unwrap_or_default();
        let tld = match level.as_str() {
            "production" => "webplatform.org".to_owned(),
            other => format!("webplatform{other}.org"),
        };
        let serial = moment(self.epoch(jump), "%Y%m%d01");
        let elastic = of_role("elastic");
        let private = elastic.first().cloned().unwrap_or_else(|| "127.0.0.1".to_owned());
        let nodes: String = elastic.iter().map(|address| format!("      - {address}\n")).collect();
        let nodes =
            if nodes.is_empty() { "    nodes: []\n".to_owned() } else { format!("    nodes:\n{nodes}") };
        let text = format!(
            "# Addresses of the level {level}. Bump gdnsd_timestamp with every change.\ninfra:\n  current:\n    \
             tld: {tld}\n  gdnsd_timestamp: {serial}\n  hosts_entries:\n    salt: {salt}\n    mail: {}\n    \
             backup: {}\n    masterdb: {masterdb}\n  db_servers:\n    mysql:\n      writes: {masterdb}\n      \
             masterdb: {masterdb}\n      port: 3306\n  elasticsearch:\n    private: {private}\n    port: 9200\n\
             {nodes}{}{}{}{}",
            first("mail"),
            first("backup"),
            list("sessions_redis", of_role("sessions")),
            list("sessions_memcache", of_role("sessions")),
            list("alpha_redis", alpha.0),
            list("alpha_memcache", alpha.1),
        );
        let runs = |user: &str| -> bool {
            user == WIKI.user || self.machines().any(|m| World::kinds_on(m).any(|kind| kind.user == user))
        };
        let mut secret = "accounts:\n  mysql:\n".to_owned();
        for kind in KINDS.iter().filter(|kind| kind.state.is_some() && runs(kind.user)) {
            let (user, password) = (kind.user, kind.password);
            secret.push_str(&format!("    {user}:\n      username: {user}\n      password: {password}\n"));
        }
        secret.push_str(&format!("    {REPLICATION_USER}: {REPLICATION_PASSWORD}\n"));
        self.write_file(jump, &infra(&level), text.into_bytes());
        let mut people = "# Who has an account on every host: present, or absent.\nusers:\n".to_owned();
        for person in self.people() {
            people
                .push_str(&format!("  {person}:\n    state: present\n    key: {}\n", self.key_line(person)));
        }
        if self.people().is_empty() {
            people = "users: {}\n".to_owned();
        }
        self.write_file(jump, USERS, people.into_bytes());
        self.write_file(jump, "/srv/pillar/top.sls", TOP.as_bytes().to_vec());
        self.write_file(jump, &accounts(&level), secret.into_bytes());
        self.set_attributes(jump, &accounts(&level), |attributes| attributes.mode = 0o600);
        self.write_file(jump, &certificates(&level), self.tls_pillar().into_bytes());
        self.set_attributes(jump, &certificates(&level), |attributes| attributes.mode = 0o600);
    }

    /// What the pillar files of a level come to now.
    ///
    /// # Errors
    /// What Salt says when it cannot render them.
    pub(crate) fn rendered_pillar(&self, level: &str) -> Result<Value, String> {
        let Some(jump) = self.jump() else { return Ok(json!({})) };
        let mut whole = Map::new();
        for (sls, path) in [
            ("infra", infra(level)),
            ("accounts", accounts(level)),
            ("certificates", certificates(level)),
            ("users", USERS.to_owned()),
        ] {
            let Some(bytes) = self.read_file(jump, &path) else {
                return Err(format!(
                    "Specified SLS '{sls}.{level}' in environment 'base' is not available on the salt master"
                ));
            };
            let text = String::from_utf8_lossy(&bytes);
            let read: Value = serde_saphyr::from_str(&text).map_err(|error| {
                let first = error.to_string();
                let first = first.lines().next().unwrap_or_default().to_owned();
                format!("Rendering SLS '{sls}.{level}' failed, render error:\n{first}")
            })?;
            match read {
                Value::Object(map) => whole.extend(map),
                Value::Null => {}
                _ => return Err(format!("SLS '{sls}.{level}' does not render to a dictionary")),
            }
        }
        Ok(Value::Object(whole))
    }

    /// Lets a minion fetch its pillar; what is wrong stands under `_errors`.
    pub(crate) fn refresh_pillar(&mut self, host: &HostName) {
        let pillar = self.compiled_pillar(host);
        self.salt.pillars.insert(host.clone(), pillar);
    }

    /// What a minion would fetch now.
    pub(crate) fn compiled_pillar(&self, host: &HostName) -> Value {
        if self.minion_fault(host) == Some(&MinionFault::PillarBroken) {
            return json!({ "_errors": ["Rendering SLS 'infra' failed. Please see master log for details."] });
        }
        // States assume production where nobody says otherwise.
        let level = self.grain(host, "level").and_then(|v| v.as_str().map(str::to_owned));
        match self.rendered_pillar(level.as_deref().unwrap_or("production")) {
            Ok(pillar) => pillar,
            Err(why) => json!({ "_errors": [why] }),
        }
    }

    /// What a minion holds in memory.
    pub(crate) fn pillar_of(&self, host: &HostName) -> &Value {
        self.salt.pillars.get(host).unwrap_or(&self.salt.initial_pillar)
    }
}

static TOP: &str = "base:\n  '*':\n    - infra.{{ grains['level'] }}\n    - accounts.{{ grains['level'] }}\n    - certificates.{{ grains['level'] }}\n    - users\n";

/// `infra:db_servers:mysql`: the value at a path of keys.
#[must_use]
pub fn lookup<'a>(pillar: &'a Value, path: &str) -> Option<&'a Value> {
    path.split(':').try_fold(pillar, |value, key| match value {
        Value::Array(items) => items.get(key.parse::<usize>().ok()?),
        other => other.get(key),
    })
}
