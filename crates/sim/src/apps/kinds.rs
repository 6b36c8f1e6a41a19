//! The kinds of applications that write to the database: on which role each runs, which file tells it where
//! the database is and how, and when it follows a change of that file. A new kind is one entry here.

/// How a configuration file names the database server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// By an address that Salt renders from the pillar `infra:db_servers:mysql:writes`.
    Pillar,
    /// By a name, `masterdb`, that `/etc/hosts` tells.
    Hosts,
    /// By a name in the internal zone that the name server tells.
    Zone,
    /// By an address that somebody typed: no state renders the file.
    ByHand,
}

/// When an application looks at its configuration, and at what its server's name means, again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follows {
    /// With each request: PHP reads its files, and connects, anew.
    Requests,
    /// The file is read when the service is reloaded or restarted; each request connects anew.
    Reloads,
    /// The file is read when the service is restarted; the connection is kept until it breaks.
    Restarts,
}

/// A kind of application.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// Its name.
    pub name: &'static str,
    /// The role whose hosts run it.
    pub role: &'static str,
    /// Its account at the database, and the word for it in the pillar below `accounts:mysql`.
    pub user: &'static str,
    /// The account's password in the simulated world.
    pub password: &'static str,
    /// Its own database.
    pub database: &'static str,
    /// Its configuration file.
    pub file: &'static str,
    /// The file's text, with `{host}`, `{user}` and so on in place of what differs.
    pub template: &'static str,
    /// How the file names the database server.
    pub names: Names,
    /// The state that renders the file.
    pub state: Option<&'static str>,
    /// The service that has to run for it to write.
    pub service: &'static str,
    /// What `ss -p` calls its process.
    pub process: &'static str,
    /// When it follows a change.
    pub follows: Follows,
}

/// The name of the database server in `/etc/hosts` and in the internal zone.
pub const MASTERDB: &str = "masterdb";
/// Its second name, which only the internal zone has.
pub const ZONE_NAME: &str = "mysql";

/// The wiki: its password is in a file of its own, so that its configuration can be read by everybody.
pub static WIKI: Kind = Kind {
    name: "MediaWiki",
    role: "app",
    user: "wiki",
    password: "wiki-simulated",
    database: "webplatform",
    file: "/etc/webplatform/db.ini",
    template: "; written by Salt from pillar infra:db_servers:mysql\n[database]\nhost = {host}\nport = {port}\n\
               user = {user}\npassword_file = /etc/webplatform/db.password\n",
    names: Names::Pillar,
    state: Some("code"),
    service: "apache2",
    process: "apache2",
    follows: Follows::Requests,
};

/// Every kind.
pub static KINDS: &[&Kind] = &[
    &WIKI,
    &Kind {
        name: "job runner",
        role: "jobrunner",
        user: "jobs",
        password: "jobs-simulated",
        database: "jobqueue",
        file: "/etc/jobrunner/database.yml",
        template: "# Managed by Salt\nproduction:\n  adapter: mysqli\n  host: {host}\n  port: {port}\n  username: {user}\n  \
                   password: {password}\n  database: {database}\n",
        names: Names::Hosts,
        state: Some("jobrunner"),
        service: "jobrunner",
        process: "php",
        follows: Follows::Restarts,
    },
    &Kind {
        name: "WordPress",
        role: "blog",
        user: "blog",
        password: "blog-simulated",
        database: "blog",
        file: "/etc/wordpress/wp-config.php",
        template: "<?php\n// Managed by Salt\ndefine('DB_NAME', '{database}');\ndefine('DB_USER', '{user}');\n\
                   define('DB_PASSWORD', '{password}');\ndefine('DB_HOST', '{host}');\n",
        names: Names::Hosts,
        state: Some("blog"),
        service: "apache2",
        process: "apache2",
        follows: Follows::Requests,
    },
    &Kind {
        name: "Piwik",
        role: "piwik",
        user: "piwik",
        password: "piwik-simulated",
        database: "piwik",
        file: "/etc/piwik/config.ini.php",
        template: "; <?php exit; ?> DO NOT REMOVE THIS LINE\n; Managed by Salt\n[database]\nhost = \"{host}\"\n\
                   port = {port}\nusername = \"{user}\"\npassword = \"{password}\"\ndbname = \"{database}\"\n",
        names: Names::Pillar,
        state: Some("piwik"),
        service: "php5-fpm",
        process: "php5-fpm",
        follows: Follows::Requests,
    },
    &Kind {
        name: "The Bug Genie",
        role: "project",
        user: "project",
        password: "project-simulated",
        database: "project",
        file: "/etc/thebuggenie/b2db_bootstrap.inc.php",
        template: "<?php\n// Managed by Salt\nb2db\\Core::setUsername('{user}');\nb2db\\Core::setPassword('{password}');\n\
                   b2db\\Core::setDSN('mysql:host={host};port={port};dbname={database}');\n",
        names: Names::Pillar,
        state: Some("project"),
        service: "apache2",
        process: "apache2",
        follows: Follows::Reloads,
    },
    &Kind {
        name: "Hypothes.is",
        role: "notes",
        user: "notes",
        password: "notes-simulated",
        database: "notes",
        file: "/etc/h/production.ini",
        template: "# Managed by Salt\n[app:main]\nuse = egg:h\n\
                   sqlalchemy.url = mysql://{user}:{password}@{host}:{port}/{database}\n",
        names: Names::Zone,
        state: Some("notes"),
        service: "hypothesis",
        process: "gunicorn",
        follows: Follows::Restarts,
    },
    &Kind {
        name: "Firefox Accounts",
        role: "accounts",
        user: "accounts",
        password: "accounts-simulated",
        database: "accounts",
        file: "/etc/fxa/auth-db.json",
        template: "{ \"master\": {\n  \"host\": \"{host}\",\n  \"port\": {port},\n  \"user\": \"{user}\",\n  \
                   \"password\": \"{password}\",\n  \"database\": \"{database}\"\n} }\n",
        names: Names::Pillar,
        state: Some("accounts"),
        service: "fxa-auth-server",
        process: "node",
        follows: Follows::Restarts,
    },
    &Kind {
        name: "Pierc",
        role: "bots",
        user: "bots",
        password: "bots-simulated",
        database: "irclogs",
        file: "/srv/bots/pierc.conf",
        template: "# shepazu, 2014-11-02: typed in by hand, Salt knows nothing of it\nDB_HOST={host}\nDB_USER={user}\n\
                   DB_PASSWORD={password}\nDB_NAME={database}\n",
        names: Names::ByHand,
        state: None,
        service: "pierc",
        process: "python",
        follows: Follows::Restarts,
    },
];

/// The kind with that database.
#[must_use]
pub fn with_database(database: &str) -> Option<&'static Kind> {
    KINDS.iter().copied().find(|kind| kind.database == database)
}
