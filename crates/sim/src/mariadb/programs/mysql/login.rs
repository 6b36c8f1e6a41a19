//! Logging in: which server an address means, and which account somebody becomes there.

use std::sync::PoisonError;

use crate::mariadb::accounts::Account;
use crate::mariadb::session::Session as Open;
use crate::program::SharedWorld;
use crate::world::World;
use jumpdeck_fleet::names::HostName;

use super::SqlError;
use super::execute::Session;
use super::options::Options;

/// Connects from a host, as a user of its system.
pub(super) fn connect(
    world: &SharedWorld,
    host: &HostName,
    user: &str,
    options: &Options,
) -> Result<Session, SqlError> {
    let mut world = world.lock().unwrap_or_else(PoisonError::into_inner);
    let local = matches!(options.host.as_deref(), None | Some("localhost"));
    let here = world.database_version(host);
    let newer = here.as_ref().is_some_and(|v| v.mariadb_from(10, 5));
    let target = target(&world, host, options, newer)?;
    let from = world.machine(host).map(|m| m.address.clone()).unwrap_or_default();
    let people = world.people().to_vec();
    let now = world.now().as_secs_f64();
    let wanted = options.user.clone().unwrap_or_else(|| user.to_owned());
    let found = world.databases().server_mut(&target).filter(|server| server.running);
    let Some(address) = found.map(|server| server.address.clone()) else {
        return Err(nobody_listens(options, local, newer));
    };
    if !local && world.databases().is_cut(&from, &address) {
        return Err(nobody_listens(options, local, newer));
    }
    let Some(server) = world.databases().server_mut(&target) else {
        return Err(nobody_listens(options, local, newer));
    };
    let at = if local { "localhost" } else { from.as_str() };
    let version = server.version.clone();
    // Over the socket, root, and the people who keep the fleet, are let in by who they are on the host.
    let by_socket =
        local && (user == "root" || wanted == user) && (wanted == "root" || people.contains(&wanted));
    let account = if by_socket {
        let known = server.data.accounts.matching(&wanted, at).cloned();
        known.unwrap_or_else(|| Account::all_powerful(&wanted, at, &version))
    } else {
        let given = options.password.clone().unwrap_or_default();
        let matching = server.data.accounts.matching(&wanted, at).cloned();
        let fits = |a: &Account| a.password.as_ref().is_none_or(|p| *p == given);
        let encrypted = options.tls || version.mariadb_from(11, 4);
        let account = matching.filter(fits).filter(|a| !a.tls || encrypted && server.tls);
        account.ok_or_else(|| {
            let with = if options.password.is_some() { "YES" } else { "NO" };
            let message = format!("Access denied for user '{wanted}'@'{at}' (using password: {with})");
            SqlError::new(1045, "28000", message)
        })?
    };
    if options.tls && !local && !server.tls {
        let message = "SSL connection error: SSL is required, but the server does not support it";
        return Err(SqlError::new(2026, "HY000", message));
    }
    if let Some(name) = options.database.as_ref().filter(|name| !server.data.databases.contains_key(*name)) {
        return Err(SqlError::new(1049, "42000", format!("Unknown database '{name}'")));
    }
    let port = 33_000 + server.sessions.last() * 7 % 27_000;
    let shown = if local { at.to_owned() } else { format!("{at}:{port}") };
    let id = server.sessions.open(Open::new(&wanted, &shown, account.clone(), now));
    let mut session = Session::new(target, id, account, format!("{wanted}@{at}"), version);
    session.database.clone_from(&options.database);
    Ok(session)
}

/// The host whose server is meant.
fn target(world: &World, host: &HostName, options: &Options, newer: bool) -> Result<HostName, SqlError> {
    let name = match options.host.as_deref() {
        None | Some("localhost" | "127.0.0.1") => return Ok(host.clone()),
        Some(name) => name,
    };
    let found = world.address_of(host, name).and_then(|address| world.resolve(&address));
    found.or_else(|| world.resolve(name)).ok_or_else(|| {
        let word = if newer { "server" } else { "MySQL server" };
        let reason = if newer { -2 } else { 0 };
        SqlError::new(2005, "HY000", format!("Unknown {word} host '{name}' ({reason})"))
    })
}

fn nobody_listens(options: &Options, local: bool, newer: bool) -> SqlError {
    if local {
        let socket = match &options.socket {
            Some(path) => path.as_str(),
            None if newer => "/run/mysqld/mysqld.sock",
            None => "/var/run/mysqld/mysqld.sock",
        };
        let which = if newer { "local server" } else { "local MySQL server" };
        let message = format!("Can't connect to {which} through socket '{socket}' (2)");
        return SqlError::new(2002, "HY000", message);
    }
    let word = if newer { "server" } else { "MySQL server" };
    let name = options.host.as_deref().unwrap_or_default();
    SqlError::new(2003, "HY000", format!("Can't connect to {word} on '{name}' (111)"))
}
