//! What the web servers of a world answer.

pub mod cdn;
pub mod certificates;
pub(crate) mod exchange;
pub mod programs;
pub(crate) mod public;
pub mod status;
pub mod tls;

use std::collections::BTreeMap;

use crate::git::code;
use crate::git::code::Code;
use crate::world::World;
use jumpdeck_fleet::names::HostName;

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

/// What was made to go wrong with web servers.
#[derive(Debug, Default)]
pub(crate) struct WebServers {
    /// The status each answers everything with.
    answers: BTreeMap<HostName, u16>,
    /// How busy they are, where that was changed.
    load: BTreeMap<HostName, status::WebLoad>,
}

impl World {
    /// What a machine's web server answers to a request with that `Host` header; `None` when nothing listens there.
    pub fn web_page(&mut self, host: &HostName, asked: &str) -> Option<Page> {
        let machine = self.machine(host)?;
        let roles = machine.roles();
        let web = roles.iter().find(|role| WEB_ROLES.contains(&role.as_str()))?.as_str().to_owned();
        let full = self.fqdn(host);
        let mut servers =
            self.services(host).into_iter().filter(|s| matches!(*s, "apache2" | "nginx")).peekable();
        if servers.peek().is_some() && !servers.any(|server| self.service_runs(host, server)) {
            return None;
        }
        let kind = World::kinds_on(machine).find(|kind| kind.role == web);
        // Python and node are web servers themselves; PHP may stand behind one.
        let stopped = kind.is_some_and(|kind| !self.service_runs(host, kind.service));
        if stopped && self.services(host).iter().all(|service| !matches!(*service, "apache2" | "nginx")) {
            return None;
        }
        if let Some(status) = self.web.answers.get(host) {
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
        if stopped {
            return Some(Page {
                status: 502,
                body: "<html><head><title>502 Bad Gateway</title></head></html>\n".to_owned(),
            });
        }
        let code = self.code_asked(&web, name);
        if let Some(kind) = kind.filter(|_| code.is_none_or(|code| code.has_database))
            && let Err(why) = self.database_of(host, kind)
        {
            let body = format!(
                "<title>Site error</title>Sorry! This site is experiencing technical difficulties. ({why})\n"
            );
            return Some(Page { status: 500, body });
        }
        let Some(code) = code else {
            let body =
                format!("<html><head><title>{name}</title></head><body>served by {full}</body></html>\n");
            return Some(Page { status: 200, body });
        };
        Some(self.code_page(host, code, &full))
    }

    /// The code that answers to a name on machines of a role.
    fn code_asked(&self, role: &str, name: &str) -> Option<&'static Code> {
        let label = name.split('.').next().unwrap_or_default();
        let codes = || code::of_role(role).filter(|code| code.site.is_some() && self.has_code(code));
        codes().find(|code| code.site == Some(label)).or_else(|| codes().next())
    }

    /// What a host's copy of a code makes of a request.
    fn code_page(&self, host: &HostName, code: &Code, full: &str) -> Page {
        let entry = self.read_file(host, &format!("{}/{}", code.folder, code.entry));
        let version = entry.as_ref().map(|text| code.version(&String::from_utf8_lossy(text)));
        let (status, body) = match version {
            None => (404, "<html><head><title>404 Not Found</title></head></html>\n".to_owned()),
            Some(None) => (500, String::new()),
            Some(Some(version)) => {
                let what = code.generator;
                let head =
                    format!("<title>{what}</title><meta name=\"generator\" content=\"{what} {version}\">");
                (200, format!("<html><head>{head}</head><body>served by {full}</body></html>\n"))
            }
        };
        Page { status, body }
    }

    /// Fault: a machine's web server answers everything with that status; `None`: it is well again.
    pub fn set_web_fault(&mut self, host: &HostName, status: Option<u16>) {
        match status {
            Some(status) => self.web.answers.insert(host.clone(), status),
            None => self.web.answers.remove(host),
        };
    }
}
