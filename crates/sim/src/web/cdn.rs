//! The content delivery network in front of an environment's web servers, as Fastly has it: services, whose
//! configuration is a line of numbered versions. One version is active; a version that is or was active is
//! locked, and only a draft can be changed.

use serde_json::{Map, Value, json};

use crate::world::World;
use crate::world::noise::{draw, key};
use crate::world::spec::Era;
use jumpdeck_fleet::names::HostName;

use super::Page;

/// Where its API answers.
pub(crate) const API: &str = "api.fastly.com";
/// Where the jump box has the token of its API.
pub const TOKEN_FILE: &str = "/root/.fastly-token";
/// The first labels of the public names behind it (`procedures.md`, replace-vm: docs, www, code), each a service.
static SITES: &[&str] = &["docs", "www", "code"];
/// Environments with more hosts are generated ones.
const MOST_HOSTS: usize = 100;
/// The services' ids are that long.
const ID: usize = 22;
/// Settings of a backend: what it has when nobody says anything.
static NUMBERS: &[(&str, u64)] = &[
    ("between_bytes_timeout", 10_000),
    ("connect_timeout", 1_000),
    ("error_threshold", 0),
    ("first_byte_timeout", 15_000),
    ("max_conn", 200),
    ("port", 80),
    ("weight", 100),
];
static TEXTS: &[&str] = &[
    "healthcheck",
    "max_tls_version",
    "min_tls_version",
    "override_host",
    "shield",
    "ssl_ca_cert",
    "ssl_cert_hostname",
    "ssl_ciphers",
    "ssl_client_cert",
    "ssl_client_key",
    "ssl_hostname",
    "ssl_sni_hostname",
];

/// A server that a version sends requests to: its settings by the API's names.
pub(crate) type Backend = Map<String, Value>;

/// One version of a service's configuration.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    pub(crate) number: u64,
    pub(crate) active: bool,
    pub(crate) locked: bool,
    pub(crate) comment: String,
    /// Seconds since 1970.
    pub(crate) created: f64,
    pub(crate) backends: Vec<Backend>,
    /// Names of directors, the older way to group backends.
    pub(crate) directors: Vec<String>,
}

/// A service: public names and the versions of what is done with them.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) domain: String,
    /// The oldest first.
    pub(crate) versions: Vec<Version>,
}

/// What is made to go wrong with it.
#[derive(Debug, Clone, Default)]
pub struct CdnFaults {
    /// The API answers every request with that status.
    pub status: Option<u16>,
    /// No version is valid, with these words.
    pub invalid: Option<String>,
    /// Activating says that it was done, and does nothing.
    pub activation_lies: bool,
    /// Changes that are answered before the limit of the hour is reached.
    pub changes_left: Option<u32>,
    /// Every token is refused: it was revoked.
    pub revoked: bool,
    /// The edge serves nothing, whatever is configured.
    pub edge_down: bool,
}

/// The network as one environment has it; without services where the environment has none.
#[derive(Debug, Default)]
pub struct Cdn {
    token: String,
    pub(crate) services: Vec<Service>,
    /// What goes wrong.
    pub faults: CdnFaults,
    asked: usize,
}

impl Version {
    /// A backend by its name.
    pub(crate) fn backend(&self, name: &str) -> Option<&Backend> {
        self.backends.iter().find(|backend| text_of(backend, "name") == name)
    }

    /// What a version lacks to be activated.
    pub(crate) fn lacks(&self) -> Option<&'static str> {
        self.backends.is_empty().then_some("Version has no associated backends")
    }
}

impl Service {
    /// The version that serves.
    pub(crate) fn active(&self) -> Option<&Version> {
        self.versions.iter().find(|version| version.active)
    }

    /// A version by its number.
    pub(crate) fn version(&mut self, number: u64) -> Option<&mut Version> {
        self.versions.iter_mut().find(|version| version.number == number)
    }

    /// A draft like that version; its number is the next one.
    pub(crate) fn clone_version(&mut self, number: u64, now: f64) -> Option<&Version> {
        let newest = self.versions.last().map_or(0, |version| version.number);
        let mut draft = self.version(number)?.clone();
        (draft.number, draft.active, draft.locked, draft.created) = (newest + 1, false, false, now);
        self.versions.push(draft);
        self.versions.last()
    }

    /// Lets that version serve in place of the active one.
    pub(crate) fn activate(&mut self, number: u64) {
        for version in &mut self.versions {
            version.active = version.number == number;
            version.locked |= version.active;
        }
    }
}

impl Cdn {
    /// Whether the API takes a token.
    pub(crate) fn knows(&self, token: &str) -> bool {
        !self.token.is_empty() && self.token == token && !self.faults.revoked
    }

    /// Whether it serves a public name.
    pub(crate) fn serves(&self, name: &str) -> bool {
        self.services.iter().any(|service| service.domain == name)
    }

    /// Counts a change; false when the hour's are used up.
    pub(crate) fn may_change(&mut self) -> bool {
        match self.faults.changes_left.as_mut() {
            None => true,
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }

    fn service(&self, name: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.name == name)
    }

    /// Number of a service's active version.
    #[must_use]
    pub fn active_version(&self, service: &str) -> Option<u64> {
        Some(self.service(service)?.active()?.number)
    }

    /// Names and addresses of a service's backends, in its active version.
    #[must_use]
    pub fn backends(&self, service: &str) -> Vec<(String, String)> {
        let active = self.service(service).and_then(Service::active);
        let pair =
            |backend: &Backend| (text_of(backend, "name").to_owned(), text_of(backend, "address").to_owned());
        active.map(|version| version.backends.iter().map(pair).collect()).unwrap_or_default()
    }

    /// A setting of each of them: the backend's name, and the value as a text.
    #[must_use]
    pub fn settings(&self, service: &str, setting: &str) -> Vec<(String, String)> {
        let active = self.service(service).and_then(Service::active);
        let pair = |backend: &Backend| {
            let value = backend.get(setting).map(ToString::to_string).unwrap_or_default();
            (text_of(backend, "name").to_owned(), value)
        };
        active.map(|version| version.backends.iter().map(pair).collect()).unwrap_or_default()
    }

    /// How many versions of a service can be changed still.
    #[must_use]
    pub fn drafts(&self, service: &str) -> usize {
        self.service(service).map_or(0, |service| service.versions.iter().filter(|v| !v.locked).count())
    }

    /// Somebody else clones the active version, and activates the clone where that is wanted.
    pub fn changed_elsewhere(&mut self, service: &str, activated: bool) {
        let Some(service) = self.services.iter_mut().find(|s| s.name == service) else { return };
        let Some((active, at)) = service.active().map(|version| (version.number, version.created)) else {
            return;
        };
        let made = service.clone_version(active, at + 1.0).map(|version| version.number);
        if let Some(draft) = made.and_then(|number| service.version(number)) {
            "by hand".clone_into(&mut draft.comment);
        }
        if let Some(number) = made.filter(|_| activated) {
            service.activate(number);
        }
    }

    /// Somebody configured a backend's setting, in every version.
    pub fn set_backend(&mut self, service: &str, backend: &str, setting: &str, value: &str) {
        let found = self.services.iter_mut().filter(|s| s.name == service);
        let backends = found.flat_map(|s| &mut s.versions).flat_map(|version| &mut version.backends);
        for one in backends.filter(|one| text_of(one, "name") == backend) {
            set(one, setting, value);
        }
    }

    /// Somebody groups the backends of a service, in every version.
    pub fn set_director(&mut self, service: &str, name: &str) {
        let found = self.services.iter_mut().filter(|s| s.name == service);
        found.flat_map(|s| &mut s.versions).for_each(|version| version.directors.push(name.to_owned()));
    }
}

/// A setting that is a text; nothing where it has none.
pub(crate) fn text_of<'a>(backend: &'a Backend, setting: &str) -> &'a str {
    backend.get(setting).and_then(Value::as_str).unwrap_or_default()
}

/// A backend with the settings that nobody changed.
pub(crate) fn new_backend(name: &str, address: &str) -> Backend {
    let mut backend = Backend::new();
    for (setting, value) in NUMBERS {
        backend.insert((*setting).to_owned(), json!(value));
    }
    for setting in TEXTS {
        backend.insert((*setting).to_owned(), Value::Null);
    }
    for (setting, value) in [("auto_loadbalance", true), ("ssl_check_cert", true), ("use_ssl", false)] {
        backend.insert(setting.to_owned(), json!(value));
    }
    for (setting, value) in [("comment", ""), ("request_condition", ""), ("name", name), ("address", "")] {
        backend.insert(setting.to_owned(), json!(value));
    }
    set(&mut backend, "address", address);
    backend
}

/// Changes a setting as a form does: a text, which is read as what the setting is. What it has not is ignored.
pub(crate) fn set(backend: &mut Backend, setting: &str, text: &str) {
    let value = match backend.get(setting) {
        None => return,
        Some(Value::Number(_)) => match text.parse::<u64>() {
            Ok(number) => json!(number),
            Err(_) => return,
        },
        Some(Value::Bool(_)) => json!(matches!(text, "1" | "true")),
        Some(_) => json!(text),
    };
    if setting == "address" {
        let number = text.parse::<std::net::Ipv4Addr>().is_ok();
        backend.insert("hostname".to_owned(), if number { Value::Null } else { json!(text) });
        backend.insert("ipv4".to_owned(), if number { json!(text) } else { Value::Null });
    }
    backend.insert(setting.to_owned(), value);
}

impl World {
    /// The web servers of a production of 2015 are behind it; other environments have none.
    pub(crate) fn start_cdn(&mut self) {
        let old = self.identity.as_ref().is_none_or(|identity| identity.era != Era::Of2015);
        let Some(jump) = self.jump().cloned() else { return };
        if old || self.level() != "production" || self.machines().count() > MOST_HOSTS {
            return;
        }
        // The runners have the code of the role, and serve nobody.
        let serves = |m: &&crate::posix::machine::Machine| {
            let has = |role: &str| m.roles().iter().any(|own| own.as_str() == role);
            has("app") && !has("jobrunner")
        };
        let now = self.seconds();
        let public = |name: &HostName| {
            let server = self.cloud.find(name.as_str(), now).ok()?;
            Some(self.cloud.public_address(server)?.to_owned())
        };
        let behind: Vec<Backend> = self
            .machines()
            .filter(serves)
            .filter_map(|m| Some(new_backend(m.name.as_str(), &public(&m.name)?)))
            .collect();
        if behind.is_empty() {
            return;
        }
        let drawn = key(self.seed(), "cdn");
        let made = self.epoch(&jump);
        let version = |number: u64| Version {
            number,
            active: number == 7,
            locked: true,
            comment: String::new(),
            #[allow(clippy::cast_precision_loss)] // some days
            created: made - (8 - number) as f64 * 864_000.0,
            backends: behind.clone(),
            directors: Vec::new(),
        };
        let service = |(site, number): (&&str, u64)| Service {
            id: word(draw(drawn, number), ID),
            name: format!("{site}.webplatform.org"),
            domain: format!("{site}.webplatform.org"),
            versions: (1..=7).map(version).collect(),
        };
        self.cdn.services = SITES.iter().zip(1..).map(service).collect();
        self.cdn.token = word(drawn, 32);
        let token = format!("{}\n", self.cdn.token).into_bytes();
        self.write_file(&jump, TOKEN_FILE, token);
        self.set_attributes(&jump, TOKEN_FILE, |attributes| attributes.mode = 0o600);
    }

    /// The network in front of this environment.
    pub fn cdn(&mut self) -> &mut Cdn {
        &mut self.cdn
    }

    /// Whether a public name leads to the network.
    #[must_use]
    pub fn is_behind_cdn(&self, name: &str) -> bool {
        self.cdn.serves(name)
    }

    /// What the network answers for a public name: the page of a backend that is well, each in its turn.
    pub(crate) fn cdn_page(&mut self, name: &str) -> Page {
        let active = self.cdn.services.iter().find(|s| s.domain == name).and_then(Service::active);
        let addresses: Vec<String> = active
            .map(|version| version.backends.iter().map(|b| text_of(b, "address").to_owned()).collect())
            .unwrap_or_default();
        self.cdn.asked += 1;
        let (count, first) = (addresses.len().max(1), self.cdn.asked);
        for at in 0..addresses.len() {
            let address = addresses.get((first + at) % count).map_or("", String::as_str);
            let machine = self.cloud.behind(address).cloned().filter(|machine| self.is_up(machine));
            let page = machine.and_then(|machine| self.web_page(&machine, name));
            if let Some(page) = page.filter(|page| page.status < 500 && !self.cdn.faults.edge_down) {
                return page;
            }
        }
        let body = "<html><head><title>503 Backend is unhealthy</title></head></html>\n".to_owned();
        Page { status: 503, body }
    }
}

/// Letters and digits, drawn.
fn word(drawn: u64, length: usize) -> String {
    let letters = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let letter = |at: usize| {
        let number = draw(drawn, u64::try_from(at).unwrap_or(0)) % 62;
        usize::try_from(number).ok().and_then(|number| letters.get(number)).map_or('0', |byte| *byte as char)
    };
    (0..length).map(letter).collect()
}
