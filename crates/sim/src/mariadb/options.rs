//! A server's option files, and its process: what they say holds from the next start on.

use crate::world::World;
use jumpdeck_fleet::names::HostName;

use super::Server;

/// Where a server's own settings are written when the world begins.
pub const OPTION_FILE: &str = "/etc/mysql/conf.d/replication.cnf";

/// The groups that a server reads.
static GROUPS: &[&str] = &["mysqld", "server", "mariadb", "mariadbd"];

impl Server {
    /// The option file that gives it the settings it has.
    pub(crate) fn option_file(&self) -> String {
        let switch = |on: bool| u8::from(on);
        let mut text = format!(
            "[mysqld]\nserver_id = {}\nlog_bin = mariadb-bin\nlog_slave_updates = {}\nread_only = {}\n",
            self.server_id,
            switch(self.settings.log_slave_updates),
            switch(self.read_only),
        );
        if self.version.mariadb {
            text.push_str(&format!("gtid_strict_mode = {}\n", switch(self.settings.strict)));
        }
        if self.tls {
            let [ca, cert, key] = self.tls_files("server");
            text.push_str(&format!("ssl_ca = {ca}\nssl_cert = {cert}\nssl_key = {key}\n"));
        }
        text
    }

    fn set_option(&mut self, name: &str, value: Option<&str>) {
        let on = value.is_none_or(|v| matches!(v.to_ascii_lowercase().as_str(), "1" | "on" | "true"));
        match name.replace('-', "_").as_str() {
            "read_only" => self.read_only = on,
            "skip_read_only" => self.read_only = !on,
            "server_id" => self.server_id = value.and_then(|v| v.parse().ok()).unwrap_or(self.server_id),
            "log_slave_updates" => self.settings.log_slave_updates = on,
            "gtid_strict_mode" => self.settings.strict = on,
            "gtid_domain_id" => self.settings.domain = value.and_then(|v| v.parse().ok()).unwrap_or(0),
            "event_scheduler" => self.settings.event_scheduler = on,
            "skip_slave_start" if on => {
                for c in &mut self.connections {
                    c.switch(true, true, false);
                }
            }
            _ => {}
        }
    }
}

impl World {
    /// Stops a host's database server in good order; false when none runs there.
    pub fn stop_database(&mut self, host: &HostName) -> bool {
        self.live();
        self.end_database(host, false)
    }

    /// Ends a host's database server at once, as a crash does: what was committed and not answered stays in its log.
    pub fn crash_database(&mut self, host: &HostName) -> bool {
        self.live();
        self.end_database(host, true)
    }

    /// Starts a host's database server with what its option files say; false when there is none, or it runs.
    pub fn start_database(&mut self, host: &HostName) -> bool {
        self.live();
        self.begin_database(host)
    }

    /// Stops and starts a host's database server; false when there is none.
    pub fn restart_database(&mut self, host: &HostName) -> bool {
        self.stop_database(host);
        self.start_database(host)
    }

    /// A server goes with its machine's power, and comes back with it.
    pub(crate) fn follow_power(&mut self) {
        let down: Vec<HostName> =
            self.databases.hosts(|s| s.running).filter(|host| !self.is_up(host)).collect();
        for host in down {
            self.end_database(&host, true);
            if let Some(server) = self.databases.server_mut(&host) {
                server.lost_power = true;
            }
        }
        let up: Vec<HostName> =
            self.databases.hosts(|s| s.lost_power && !s.running).filter(|host| self.is_up(host)).collect();
        for host in up {
            self.begin_database(&host);
        }
    }

    fn end_database(&mut self, host: &HostName, at_once: bool) -> bool {
        let Some(index) = self.databases.index(host).filter(|_| self.databases.is_running(host)) else {
            return false;
        };
        if at_once {
            let rows = self.apps.cut(index, &mut self.databases);
            self.ledger.unanswered(rows);
        }
        if let Some(server) = self.databases.server_mut(host) {
            server.running = false;
            server.sessions.close_all();
        }
        self.databases.attach_all();
        true
    }

    fn begin_database(&mut self, host: &HostName) -> bool {
        let lines = self.option_lines(host);
        let Some(server) = self.databases.server_mut(host).filter(|s| !s.running) else { return false };
        server.running = true;
        server.lost_power = false;
        server.read_only = false;
        server.settings.event_scheduler = false;
        server.settings.others.clear();
        server.rotate_log();
        for c in &mut server.connections {
            c.switch(true, true, false);
            c.switch(true, true, true);
        }
        for (name, value) in &lines {
            server.set_option(name, value.as_deref());
        }
        self.databases.attach_all();
        true
    }

    /// What the option files of a host say to its server, in the order in which they are read.
    fn option_lines(&self, host: &HostName) -> Vec<(String, Option<String>)> {
        let mut files = vec!["/etc/mysql/my.cnf".to_owned()];
        for directory in ["/etc/mysql/conf.d", "/etc/mysql/mariadb.conf.d"] {
            let names = self.list_dir(host, directory).unwrap_or_default();
            let options = names.into_iter().filter(|name| name.ends_with(".cnf"));
            files.extend(options.map(|name| format!("{directory}/{name}")));
        }
        let contents = files.iter().filter_map(|file| self.read_file(host, file));
        contents.flat_map(|bytes| option_group(&String::from_utf8_lossy(&bytes), GROUPS)).collect()
    }
}

/// The options of some groups of an option file: name, and value if there is one.
#[must_use]
pub fn option_group(text: &str, groups: &[&str]) -> Vec<(String, Option<String>)> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(group) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            inside = groups.contains(&group.trim());
        } else if inside && !line.is_empty() && !line.starts_with(['#', ';', '!']) {
            let (name, value) = match line.split_once('=') {
                Some((name, value)) => (name, Some(value.trim().trim_matches(['"', '\'']).to_owned())),
                None => (line, None),
            };
            found.push((name.trim().replace('-', "_"), value));
        }
    }
    found
}
