//! What may stand at the top level and again in an environment: the nearer one holds.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use toml::de::DeValue;

use super::context::Context;
use super::services::ServiceSettings;
use super::{address, backups, checks, contacts, logs, requirements, services, thresholds};
use crate::config::reader::{Reader, Table};
use jumpdeck_fleet::access::{Access, HostKeyFiles, KeySource, KnownHosts};
use jumpdeck_fleet::backup::{DeclaredBackup, default_backups};
use jumpdeck_fleet::check::DeclaredCheck;
use jumpdeck_fleet::contact::Contacts;
use jumpdeck_fleet::fleet::{Cadence, Requirement, Thresholds, Transport, default_requirements};
use jumpdeck_fleet::log::{DeclaredLog, default_logs};

/// The keys read here.
pub(super) const KEYS: [&str; 19] = [
    "user",
    "port",
    "keys",
    "known_hosts",
    "global_known_hosts",
    "revoked_host_keys",
    "agent",
    "sudo",
    "transport",
    "cadence",
    "thresholds",
    "requirements",
    "default_requirements",
    "services",
    "default_services",
    "backups",
    "checks",
    "logs",
    "contacts",
];

/// Which agent is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AgentChoice {
    Off,
    /// The one at `SSH_AUTH_SOCK`.
    Environment,
    /// The one at this socket.
    At(PathBuf),
}

/// Settings that are inherited: context → top level → environment → jump box or host.
#[derive(Debug, Clone)]
pub(super) struct SettingScope {
    pub(super) user: String,
    pub(super) port: u16,
    pub(super) keys: Vec<KeySource>,
    pub(super) host_keys: HostKeyFiles,
    pub(super) agent: AgentChoice,
    pub(super) sudo: bool,
    pub(super) transport: Transport,
    pub(super) cadence: Cadence,
    pub(super) thresholds: Thresholds,
    pub(super) requirements: Vec<Requirement>,
    pub(super) services: ServiceSettings,
    pub(super) backups: Vec<DeclaredBackup>,
    pub(super) checks: Vec<DeclaredCheck>,
    pub(super) logs: Vec<Arc<DeclaredLog>>,
    pub(super) contacts: Contacts,
}

impl SettingScope {
    /// What holds when an inventory says nothing.
    pub(super) fn of_context(context: &Context) -> Self {
        let file = |path: &PathBuf| KeySource::File { path: path.clone(), certificate: None };
        Self {
            user: context.user.clone(),
            port: 22,
            keys: context.default_keys.iter().map(file).collect(),
            host_keys: default_host_key_files(context),
            agent: AgentChoice::Environment,
            sudo: false,
            transport: Transport::default(),
            cadence: Cadence::default(),
            thresholds: Thresholds::default(),
            requirements: default_requirements(),
            services: ServiceSettings::default(),
            backups: default_backups(),
            checks: Vec::new(),
            logs: default_logs(),
            contacts: Contacts::default(),
        }
    }

    /// Takes what a table says over what is inherited.
    pub(super) fn read(mut self, reader: &mut Reader, table: &Table<'_>, context: &Context) -> Self {
        if let Some(user) = address::read_user(reader, table) {
            self.user = user;
        }
        if let Some(port) = address::read_port(reader, table) {
            self.port = port;
        }
        if let Some(keys) = read_keys(reader, table, context) {
            self.keys = keys;
        }
        if let Some(files) = read_known_hosts(reader, table, context) {
            self.host_keys.own = files;
        }
        let hint = "write global_known_hosts = [\"/etc/ssh/ssh_known_hosts\"]";
        if let Some(files) = read_paths(reader, table, "global_known_hosts", hint, context) {
            self.host_keys.global = files;
        }
        let hint = "write revoked_host_keys = [\"/etc/ssh/revoked_host_keys\"]";
        if let Some(files) = read_paths(reader, table, "revoked_host_keys", hint, context) {
            self.host_keys.revoked = files;
        }
        if let Some(agent) = read_agent(reader, table, context) {
            self.agent = agent;
        }
        self.sudo = reader.boolean(table, "sudo").unwrap_or(self.sudo);
        self.transport =
            reader.word(table, "transport", &[("ssh", Transport::Ssh)]).unwrap_or(self.transport);
        self.cadence = read_cadence(reader, table, self.cadence);
        self.thresholds = thresholds::read(reader, table, self.thresholds);
        self.requirements = requirements::read(reader, table, self.requirements);
        self.services = services::read(reader, table, self.services);
        self.backups = backups::read(reader, table, self.backups);
        self.checks = checks::read(reader, table, self.checks);
        self.logs = logs::read(reader, table, self.logs, logs::TablePlace::OfRoles);
        self.contacts = contacts::read(reader, table, self.contacts);
        self
    }

    /// The files of host keys. A key revoked in a default file stays refused when the inventory names other files.
    fn with_default_revocations(&self, context: &Context) -> HostKeyFiles {
        let mut files = self.host_keys.clone();
        let defaults = default_host_key_files(context);
        let replaced = defaults.known_hosts().filter(|default| !files.known_hosts().any(|f| f == *default));
        files.revocations_only = replaced.cloned().collect();
        files
    }

    /// How to log in, for an account with these keys.
    pub(super) fn access(
        &self,
        user: Option<String>,
        keys: Option<Vec<KeySource>>,
        alias: Option<String>,
        password: bool,
        context: &Context,
    ) -> Arc<Access> {
        Arc::new(Access {
            user: user.unwrap_or_else(|| self.user.clone()),
            keys: keys.unwrap_or_else(|| self.keys.clone()),
            agent: match &self.agent {
                AgentChoice::Off => None,
                AgentChoice::Environment => context.ssh_auth_sock.clone(),
                AgentChoice::At(socket) => Some(socket.clone()),
            },
            password,
            known_hosts: KnownHosts::Files(HostKeyFiles { alias, ..self.with_default_revocations(context) }),
        })
    }
}

/// The files that `ssh` reads when nothing is configured.
fn default_host_key_files(context: &Context) -> HostKeyFiles {
    HostKeyFiles {
        own: [".ssh/known_hosts", ".ssh/known_hosts2"].map(|name| context.home.join(name)).into(),
        global: ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"].map(PathBuf::from).into(),
        ..HostKeyFiles::default()
    }
}

const KEYS_HINT: &str = "write keys = [\"~/.ssh/id_ed25519\"], or keys = [{ file = \"~/.ssh/id_ed25519\", certificate = \
                         \"~/.ssh/id_ed25519-cert.pub\" }]";

/// Key files: a path, or a table with its certificate.
pub(super) fn read_keys(reader: &mut Reader, table: &Table<'_>, context: &Context) -> Option<Vec<KeySource>> {
    let name = table.name_of("keys");
    let items = reader.list(table, "keys", KEYS_HINT)?;
    let mut keys = Vec::new();
    for item in items {
        if !item.get_ref().is_table() {
            if let Some(text) = reader.as_string(&name, item, KEYS_HINT)
                && let Some(path) = path(reader, text, context)
            {
                keys.push(KeySource::File { path, certificate: None });
            }
            continue;
        }
        let Some(entry) = reader.table(name.clone(), item, KEYS_HINT) else { continue };
        reader.only(&entry, &["file", "certificate"]);
        if entry.get("file").is_none() {
            reader.error(entry.span.clone(), "this key has no file", KEYS_HINT);
        }
        let file = reader.string(&entry, "file", KEYS_HINT).and_then(|t| path(reader, t, context));
        let certificate =
            reader.string(&entry, "certificate", KEYS_HINT).and_then(|t| path(reader, t, context));
        keys.extend(file.map(|path| KeySource::File { path, certificate }));
    }
    Some(keys)
}

fn read_agent(reader: &mut Reader, table: &Table<'_>, context: &Context) -> Option<AgentChoice> {
    let hint = "write agent = true (the agent at SSH_AUTH_SOCK), agent = false, or agent = \"~/.1password/agent.sock\"";
    let value = table.get("agent")?;
    if let DeValue::Boolean(yes) = value.get_ref() {
        return Some(if *yes { AgentChoice::Environment } else { AgentChoice::Off });
    }
    let text = reader.string(table, "agent", hint)?;
    if matches!(text.value, "true" | "false" | "yes" | "no" | "on" | "off") {
        reader.error(text.span, format!("agent cannot be {:?}", text.value), hint);
        return None;
    }
    path(reader, text, context).map(AgentChoice::At)
}

/// The name that host keys are looked up by instead of the address.
pub(super) fn read_host_key_alias(reader: &mut Reader, table: &Table<'_>) -> Option<String> {
    let hint = "write host_key_alias = \"app1.example.org\", as in the known_hosts file";
    let text = reader.string(table, "host_key_alias", hint)?;
    let sound = (1..=253).contains(&text.value.len())
        && text.value.chars().all(|c| c.is_ascii_graphic() && !",*?!#@|".contains(c));
    if !sound {
        reader.error(text.span, format!("{:?} cannot be a name in a known_hosts file", text.value), hint);
        return None;
    }
    Some(text.value.to_owned())
}

fn read_known_hosts(reader: &mut Reader, table: &Table<'_>, context: &Context) -> Option<Vec<PathBuf>> {
    let hint = "write known_hosts = [\"~/.ssh/known_hosts\"]; an accepted key goes into the first";
    let files = read_paths(reader, table, "known_hosts", hint, context)?;
    if files.is_empty()
        && let Some(value) = table.get("known_hosts")
    {
        reader.error(value.span(), "without a known_hosts file no host key can be checked", hint);
    }
    Some(files)
}

pub(super) fn read_paths(
    reader: &mut Reader,
    table: &Table<'_>,
    key: &str,
    hint: &str,
    context: &Context,
) -> Option<Vec<PathBuf>> {
    let texts = reader.strings(table, key, hint)?;
    Some(texts.into_iter().filter_map(|text| path(reader, text, context)).collect())
}

/// A path: absolute, or under `~/`. A relative one would mean another file in each folder the console is started in.
fn path(reader: &mut Reader, text: crate::config::reader::At<&str>, context: &Context) -> Option<PathBuf> {
    let path = context.expand(text.value);
    if path.is_absolute() && !text.value.contains('\0') {
        return Some(path);
    }
    let help = "write the absolute path, or one that starts with ~/";
    reader.error(text.span, format!("{:?} is not a path from / or ~/", text.value), help);
    None
}

fn read_cadence(reader: &mut Reader, table: &Table<'_>, inherited: Cadence) -> Cadence {
    let hint = "write cadence = { poll = \"5s\", deadline = \"8s\", connect = \"10s\" }";
    let Some(table) = reader.subtable(table, "cadence", hint) else { return inherited };
    reader.only(&table, &["poll", "deadline", "connect"]);
    let seconds = |low, high| Duration::from_secs(low)..=Duration::from_secs(high);
    Cadence {
        poll: reader.duration(&table, "poll", seconds(1, 3600)).unwrap_or(inherited.poll),
        deadline: reader.duration(&table, "deadline", seconds(1, 600)).unwrap_or(inherited.deadline),
        connect: reader.duration(&table, "connect", seconds(1, 300)).unwrap_or(inherited.connect),
    }
}
