//! The applications as their hosts have them: which run where, what their files say, whom they are connected to.

use crate::mariadb::Server;
use crate::mariadb::options::OPTION_FILE;
use crate::posix::machine::Machine;
use crate::world::World;
use jumpdeck_fleet::names::HostName;

use super::kinds::{self, Follows, KINDS, Kind, MASTERDB, Names, ZONE_NAME};
use super::{App, Configured, DB_PASSWORD, Login, Orders, config};

/// How an application fared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// Its host.
    pub host: HostName,
    /// What it is.
    pub kind: &'static Kind,
    /// The database server it is connected to.
    pub server: Option<String>,
    /// Rows acknowledged.
    pub acknowledged: u64,
    /// Rows refused.
    pub refused: u64,
    /// Acknowledged rows that the writable server does not hold; `None` as long as there is not exactly one.
    pub lost: Option<u64>,
    /// What the last refusal said.
    pub last_error: Option<String>,
}

/// An application's connection to a database server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The application's host.
    pub client: HostName,
    /// What it is.
    pub kind: &'static Kind,
    /// Its process.
    pub pid: u32,
    /// Its port.
    pub port: u16,
    /// The server's address.
    pub address: String,
}

impl World {
    /// Writes the option files of the database servers and the applications' files, as Salt's states, and people, did
    /// before the world began.
    pub(crate) fn furnish(&mut self) {
        let hosts: Vec<HostName> = self.machines().map(|m| m.name.clone()).collect();
        for host in hosts {
            if let Some(text) = self.databases.server(&host).map(Server::option_file) {
                self.write_file(&host, OPTION_FILE, text.into_bytes());
            }
            // The wiki's is made when it is read: large worlds have a thousand hosts of it.
            let kinds = self.machine(&host).map(Self::kinds_on).into_iter().flatten();
            for kind in kinds.filter(|kind| **kind != kinds::WIKI) {
                let Some(server) = self.server_in_file(kind, self.salt.initial_masterdb.as_deref()) else {
                    continue;
                };
                let text = config::render(kind, &config::Values::first(kind, &server));
                self.write_file(&host, kind.file, text.into_bytes());
                self.set_attributes(&host, kind.file, |attributes| attributes.mode = 0o640);
            }
        }
    }

    /// The kinds of applications that a machine's roles ask for.
    pub(crate) fn kinds_on(machine: &Machine) -> impl Iterator<Item = &'static Kind> + use<> {
        let roles = machine.roles();
        KINDS.iter().copied().filter(move |kind| roles.iter().any(|role| role.as_str() == kind.role))
    }

    /// What the configuration of a kind calls the database server, when that address takes writes.
    pub(crate) fn server_in_file(&self, kind: &Kind, writes: Option<&str>) -> Option<String> {
        let writes = writes?;
        Some(match kind.names {
            Names::Pillar | Names::ByHand => writes.to_owned(),
            Names::Hosts => MASTERDB.to_owned(),
            Names::Zone => self.full_name(ZONE_NAME),
        })
    }

    /// What a host's configuration of a kind says.
    pub(crate) fn configured(&self, host: &HostName, kind: &Kind) -> Option<Configured> {
        let text = self.read_file(host, kind.file)?;
        let text = String::from_utf8_lossy(&text);
        let values = config::read(kind, &text)?;
        let mut password = values.password;
        if *kind == kinds::WIKI {
            let named = text.lines().find_map(|line| Some(line.split_once("password_file")?.1.trim_start()));
            let file = named.and_then(|rest| rest.strip_prefix('=')).map_or(DB_PASSWORD, str::trim);
            let bytes = self.read_file(host, file).unwrap_or_default();
            password = String::from_utf8_lossy(&bytes).trim_end().to_owned();
        }
        Some(Configured { server: values.host, user: values.user, password })
    }

    /// What an application of a kind on a host logs in to the database with, by its configuration; `None` when that names no
    /// server, or the application does not run.
    #[must_use]
    pub fn login_of(&self, host: &HostName, kind: &Kind) -> Option<Login> {
        if !self.is_up(host) || !self.service_runs(host, kind.service) {
            return None;
        }
        let Configured { server, user, password } = self.configured(host, kind)?;
        let turn = self.turn(host, kind);
        Some(Login { server, user, password, database: kind.database.to_owned(), turn })
    }

    /// Whether an application reaches its database with what it has read of its configuration; else what it says.
    pub(crate) fn database_of(&self, host: &HostName, kind: &Kind) -> Result<(), &'static str> {
        const AWAY: &str = "Cannot access the database";
        let app = self.apps.iter().find(|app| app.host == *host && app.kind == kind);
        let configured = match app {
            Some(app) => self.orders(app).configured,
            None => self.configured(host, kind),
        };
        let configured = configured.ok_or(AWAY)?;
        let address = self.address_of(host, &configured.server).ok_or(AWAY)?;
        let from = self.machine(host).map(|m| m.address.clone()).unwrap_or_default();
        // One outside of this environment is not looked into.
        let Some(server) = self.resolve(&address).or_else(|| self.resolve(&configured.server)) else {
            return Err(AWAY);
        };
        let there =
            self.databases.server(&server).filter(|s| s.running && self.is_up(&server)).ok_or(AWAY)?;
        let account = there.data.accounts.matching(&configured.user, &from).filter(|account| {
            account.password.as_ref().is_none_or(|p| *p == configured.password) && (!account.tls || there.tls)
        });
        account.map(|_| ()).ok_or("Access denied by the database")
    }

    /// How often an application was told to look at its configuration again.
    fn turn(&self, host: &HostName, kind: &Kind) -> u64 {
        let (starts, reloads) = self.services.turns(host, kind.service);
        match kind.follows {
            Follows::Requests => 0,
            Follows::Reloads => starts + reloads,
            Follows::Restarts => starts,
        }
    }

    /// What holds for an application now.
    pub(super) fn orders(&self, app: &App) -> Orders {
        let kind = app.kind;
        let turn = self.turn(&app.host, kind);
        let held = app.held.as_ref().filter(|(then, _)| kind.follows != Follows::Requests && *then == turn);
        let configured = match held {
            Some((_, configured)) => configured.clone(),
            None => self.configured(&app.host, kind),
        };
        // Who keeps a connection does not ask again what the name means.
        let kept = held.filter(|_| kind.follows == Follows::Restarts).and(app.connected(&self.databases));
        let address = match kept {
            Some(server) => self.databases.at(server).map(|s| s.address.clone()),
            None => configured.as_ref().and_then(|c| self.address_at(&app.host, &c.server)),
        };
        let runs = self.is_up(&app.host) && self.service_runs(&app.host, kind.service);
        Orders { runs, turn, configured, address }
    }

    /// The applications' connections to database servers. An application that never lived has the one that its
    /// configuration asks for.
    #[must_use]
    pub fn database_links(&self) -> Vec<Link> {
        let of = |machine: &Machine| {
            let client = machine.name.clone();
            Self::kinds_on(machine)
                .filter_map(move |kind| self.database_link(&client, kind))
                .collect::<Vec<_>>()
        };
        self.machines().flat_map(of).collect()
    }

    fn database_link(&self, client: &HostName, kind: &'static Kind) -> Option<Link> {
        let pid = self.service(client, kind.service).filter(|s| s.runs && self.is_up(client))?.pid;
        let link = |address: String, port: u16| Link { client: client.clone(), kind, pid, port, address };
        // What connects for each request has another port a second later.
        let (own, second) = (self.machine(client)?.number(50), self.now().as_secs());
        let fresh = u16::try_from(32_768 + own.wrapping_add(second) % 28_000).unwrap_or(40_000);
        let app = self.apps.iter().find(|app| app.host == *client && app.kind == kind);
        if let Some(app) = app.filter(|app| app.held.is_some()) {
            let server = self.databases.at(app.connected(&self.databases)?)?;
            let shown = &server.sessions.get(app.connection?.1)?.host;
            if kind.follows == Follows::Restarts {
                return Some(link(server.address.clone(), shown.rsplit_once(':')?.1.parse().ok()?));
            }
            return Some(link(server.address.clone(), fresh));
        }
        let address = self.address_of(client, &self.configured(client, kind)?.server)?;
        let server = self.resolve(&address)?;
        (self.is_up(&server) && self.databases.is_running(&server)).then(|| link(address, fresh))
    }

    /// How each application fared.
    pub fn applications(&mut self) -> Vec<Application> {
        self.live();
        let lost = self.ledger.lost_by_app(&self.databases);
        let of = |(index, app): (usize, &App)| Application {
            host: app.host.clone(),
            kind: app.kind,
            server: app.connected(&self.databases).and_then(|at| Some(self.databases.at(at)?.name.clone())),
            acknowledged: app.acknowledged,
            refused: app.refused,
            lost: lost.as_ref().map(|lost| lost.get(&index).copied().unwrap_or(0)),
            last_error: app.last_error.clone(),
        };
        self.apps.iter().enumerate().map(of).collect()
    }
}
