//! What the web servers of a world answer. May import `domain` names.

use std::collections::BTreeMap;

use crate::domain::names::HostName;

use super::World;

/// Roles whose machines serve web pages (`000` 2.2, `002`).
static WEB_ROLES: &[&str] = &[
    "accounts",
    "app",
    "blog",
    "code",
    "hhvmbackend",
    "monitor",
    "nginx",
    "notes",
    "piwik",
    "project",
    "source",
    "specs",
];
/// The public domains (`002`): production's and staging's.
static PUBLIC: &[&str] = &["webplatform.org", "webplatformstaging.org"];

/// What a web server answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// HTTP status.
    pub status: u16,
    /// The page.
    pub body: String,
}

/// What was made to go wrong with web servers: the status each answers everything with.
pub(super) type Faults = BTreeMap<HostName, u16>;

impl World {
    /// What a machine's web server answers to a request with that `Host` header; `None` when nothing listens there.
    pub fn web_page(&mut self, host: &HostName, asked: &str) -> Option<Page> {
        let machine = self.machine(host)?;
        let roles = machine.roles();
        let web = roles.iter().find(|role| WEB_ROLES.contains(&role.as_str()))?.as_str().to_owned();
        let full = self.fqdn(host);
        let config = self.read_file(host, "/etc/webplatform/db.ini");
        let mut servers =
            self.services(host).into_iter().filter(|s| matches!(*s, "apache2" | "nginx")).peekable();
        if servers.peek().is_some() && !servers.any(|server| self.service_runs(host, server)) {
            return None;
        }
        if let Some(status) = self.web.get(host) {
            return Some(Page { status: *status, body: "An internal error occurred.\n".to_owned() });
        }
        let name = asked.split(':').next().unwrap_or_default();
        let address = &self.machine(host)?.address;
        let bare = name == address || name.parse::<std::net::IpAddr>().is_ok() || name == "localhost";
        let own = name == full || name == host.as_str();
        let public = PUBLIC.iter().any(|domain| {
            name == *domain || name.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
        });
        if bare {
            let body = format!("<html><body><h1>It works!</h1><p>{full}</p></body></html>\n");
            return Some(Page { status: 200, body });
        }
        if !own && !public {
            let body = format!("<html><head><title>404 Not Found</title></head><body>{name}</body></html>\n");
            return Some(Page { status: 404, body });
        }
        if web == "app"
            && config.is_some_and(|config| !self.database_answers(&String::from_utf8_lossy(&config)))
        {
            let body = "<title>Site error</title>Sorry! This site is experiencing technical difficulties. \
                        (Cannot access the database)\n";
            return Some(Page { status: 500, body: body.to_owned() });
        }
        let body = format!("<html><head><title>{name}</title></head><body>served by {full}</body></html>\n");
        Some(Page { status: 200, body })
    }

    /// Whether the database that an application's configuration names can be reached.
    fn database_answers(&self, config: &str) -> bool {
        let value = config.lines().find_map(|line| {
            let (key, value) = line.split_once('=')?;
            (key.trim() == "host").then(|| value.trim().to_owned())
        });
        let server = value.and_then(|name| self.resolve(&name));
        server.is_some_and(|server| self.is_up(&server) && self.databases.is_running(&server))
    }

    /// Fault: a machine's web server answers everything with that status; `None`: it is well again.
    pub fn set_web_fault(&mut self, host: &HostName, status: Option<u16>) {
        match status {
            Some(status) => self.web.insert(host.clone(), status),
            None => self.web.remove(host),
        };
    }
}
