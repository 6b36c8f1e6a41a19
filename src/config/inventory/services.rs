//! `services`: what must run on hosts of a role.

use toml::de::DeValue;

use super::role::role_name;
use crate::config::diagnostic::nearest;
use crate::config::reader::{At, Reader, Table};
use jumpdeck_fleet::declared::{DeclaredService, PROBED_SERVICES, default_services};
use jumpdeck_fleet::names::RoleName;
use jumpdeck_fleet::problem::Severity;

const HINT: &str = "write apache = { roles = [\"app\"], units = [\"apache2\"], processes = [\"apache2\"] }; or apache = false";
/// As long as the kernel keeps the name of a process.
const LONGEST_PROCESS: usize = 15;
const LONGEST_UNIT: usize = 200;

/// What an inventory says of services.
#[derive(Debug, Clone)]
pub(super) struct ServiceSettings {
    /// Those to look for.
    pub(super) named: Vec<DeclaredService>,
    /// Those that are not looked at, though a role runs them.
    off: Vec<String>,
    /// All that were declared so far, looked for or not.
    declared: Vec<DeclaredService>,
}

impl Default for ServiceSettings {
    fn default() -> Self {
        Self { named: default_services(), off: Vec::new(), declared: default_services() }
    }
}

/// Takes what a table says over what is inherited, service by service and field by field.
pub(super) fn read(reader: &mut Reader, table: &Table<'_>, inherited: ServiceSettings) -> ServiceSettings {
    let mut all = inherited;
    match reader.boolean(table, "default_services") {
        Some(false) => all.named.clear(),
        Some(true) => all.named = default_services(),
        None => {}
    }
    let hint = "write [services] and lines such as apache = { units = [\"apache2\"] } below it";
    let Some(table) = reader.subtable(table, "services", hint) else { return all };
    for (name, value) in table.entries() {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.value.is_empty() || name.value.len() > 32 || !name.value.chars().all(plain) {
            let help = "use at most 32 lower-case letters, digits and -";
            reader.error(
                name.span.clone(),
                format!("{:?} cannot be the name of a service", name.value),
                help,
            );
            continue;
        }
        if let DeValue::Boolean(on) = value.get_ref() {
            if all.knows(name.value) {
                all.switch(name.value, *on);
            } else {
                reader.error(
                    name.span.clone(),
                    format!("unknown service {:?}", name.value),
                    all.help(name.value),
                );
            }
            continue;
        }
        let none = || DeclaredService { name: name.value.to_owned(), ..DeclaredService::default() };
        let was = all.named.iter().find(|service| service.name == name.value).cloned().unwrap_or_else(none);
        let Some(entry) = reader.table(table.name_of(name.value), value, HINT) else { continue };
        let probed = PROBED_SERVICES.contains(&name.value);
        all.declare(if probed {
            DeclaredService { roles: probed_roles(reader, &entry, &name), ..none() }
        } else {
            service(reader, &entry, &name, was)
        });
    }
    all
}

impl ServiceSettings {
    /// Whether something is looked at that has this name, or was before it was turned off.
    fn knows(&self, name: &str) -> bool {
        self.names().any(|known| known == name)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        PROBED_SERVICES.iter().copied().chain(self.declared.iter().map(|service| service.name.as_str()))
    }

    /// What to do about a name that is not known.
    fn help(&self, written: &str) -> String {
        let mut names: Vec<&str> = self.names().collect();
        names.sort_unstable();
        names.dedup();
        let known = names.join(", ");
        match nearest(written, names) {
            Some(name) => format!("did you mean {name:?}? Known are {known}"),
            None => format!(
                "known are {known}; declare another one above: {written} = {{ roles = [\"app\"], units = [{written:?}] }}"
            ),
        }
    }

    /// Turns a service off, or on again as it was declared.
    fn switch(&mut self, name: &str, on: bool) {
        self.off.retain(|off| off != name);
        if !on {
            self.named.retain(|service| service.name != name);
            self.off.push(name.to_owned());
        } else if !self.named.iter().any(|service| service.name == name) {
            self.named.extend(self.declared.iter().find(|service| service.name == name).cloned());
        }
    }

    /// The services that hosts of these roles are not asked for: those that are off, and those that the inventory gives to other roles.
    pub(super) fn unwatched(&self, roles: &[RoleName]) -> Vec<String> {
        let elsewhere = self.named.iter().filter(|service| {
            PROBED_SERVICES.contains(&service.name.as_str())
                && !service.roles.iter().any(|role| roles.contains(role))
        });
        self.off.iter().cloned().chain(elsewhere.map(|service| service.name.clone())).collect()
    }

    fn declare(&mut self, service: DeclaredService) {
        self.off.retain(|off| *off != service.name);
        for list in [&mut self.named, &mut self.declared] {
            match list.iter_mut().find(|known| known.name == service.name) {
                Some(known) => known.clone_from(&service),
                None => list.push(service.clone()),
            }
        }
    }
}

/// The roles of a service with a probe of its own, which needs neither unit nor process.
fn probed_roles(reader: &mut Reader, table: &Table<'_>, name: &At<&str>) -> Vec<RoleName> {
    reader.only(table, &["roles"]);
    let hint = "write which hosts run it: roles = [\"app\"]";
    let Some(names) = reader.strings(table, "roles", hint) else {
        reader.error(name.span.clone(), format!("service {:?} has no roles", name.value), hint);
        return Vec::new();
    };
    names.iter().filter_map(|name| role_name(reader, name)).collect()
}

fn service(reader: &mut Reader, table: &Table<'_>, name: &At<&str>, was: DeclaredService) -> DeclaredService {
    let before = reader.error_count();
    reader.only(table, &["roles", "units", "processes", "command_line", "when_stopped", "stopped"]);
    let roles = match reader.strings(table, "roles", "write roles = [\"app\"]") {
        Some(names) => names.iter().filter_map(|name| role_name(reader, name)).collect::<Vec<RoleName>>(),
        None => was.roles,
    };
    // With roles it is theirs alone.
    let of_minions = was.of_minions && roles.is_empty();
    let units = names(reader, table, "units", "apache2", LONGEST_UNIT).unwrap_or(was.units);
    let processes = names(reader, table, "processes", "apache2", LONGEST_PROCESS).unwrap_or(was.processes);
    let command_line = command_line(reader, table).or(was.command_line);
    let hint = "write one sentence: when_stopped = \"Call the web team.\"";
    let when_stopped =
        reader.string(table, "when_stopped", hint).map(|text| text.value.to_owned()).or(was.when_stopped);
    let words = [("warning", Severity::Warning), ("critical", Severity::Critical)];
    let stopped = reader.word(table, "stopped", &words).unwrap_or(was.stopped);
    let nowhere = roles.is_empty() && !of_minions;
    if reader.error_count() == before && (nowhere || (units.is_empty() && processes.is_empty())) {
        let lacks = if nowhere { "no roles" } else { "neither units nor processes" };
        reader.error(name.span.clone(), format!("service {:?} has {lacks}", name.value), HINT);
    }
    DeclaredService {
        name: was.name,
        roles,
        of_minions,
        units,
        processes,
        command_line,
        when_stopped,
        stopped,
    }
}

/// A part of a command line. It goes into the probe's program: nothing but plain characters.
fn command_line(reader: &mut Reader, table: &Table<'_>) -> Option<String> {
    let hint = "write a word of its command line: command_line = \"/srv/fxa/auth-server\"";
    let text = reader.string(table, "command_line", hint)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._@:+-".contains(c);
    if text.value.is_empty() || text.value.len() > LONGEST_UNIT || !text.value.chars().all(plain) {
        let message = format!("command_line cannot be {:?}", text.value);
        reader.error(
            text.span,
            message,
            "use at most 200 letters, digits and /._@:+-: one word of it, or a part of one",
        );
        return None;
    }
    Some(text.value.to_owned())
}

/// Names that go into the probe's program: nothing but plain characters.
fn names(
    reader: &mut Reader,
    table: &Table<'_>,
    key: &str,
    example: &str,
    longest: usize,
) -> Option<Vec<String>> {
    let found = reader.strings(table, key, &format!("write {key} = [{example:?}]"))?;
    let mut names = Vec::new();
    for name in found {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._@:+-".contains(c);
        let text = name.value.strip_suffix(".service").unwrap_or(name.value);
        if text.is_empty() || text.len() > longest || text.starts_with('-') || !text.chars().all(plain) {
            let help = format!("use at most {longest} letters, digits and ._@:+-");
            reader.error(name.span.clone(), format!("{key}: {:?} cannot be one", name.value), help);
            continue;
        }
        names.push(text.to_owned());
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::config::inventory::{Context, parse};

    /// Each host with the severity of its minion, where the inventory says that it runs one.
    fn minions(hosts: &str, more: &str) -> Vec<(String, Severity)> {
        let text = format!("user = 'ops'\n{more}\n[environments.a]\njump = 'local'\nhosts = {{ {hosts} }}\n");
        let fleet = parse("inventory.toml", &text, &Context::default()).unwrap();
        let hosts = fleet.environments.iter().flat_map(|env| &env.hosts);
        let minion = |service: &DeclaredService| service.name == "salt-minion";
        hosts
            .filter_map(|host| {
                let service = host.services.iter().find(|service| minion(service))?;
                Some((host.id.host.to_string(), service.stopped))
            })
            .collect()
    }

    #[test]
    fn every_host_of_a_salt_master_runs_a_minion_unless_the_inventory_says_otherwise() {
        let named = |names: &[&str], severity| {
            names.iter().map(|name| ((*name).to_owned(), severity)).collect::<Vec<_>>()
        };
        let (hosts, warning) = ("salt = {}, app1 = {}, db1 = {}", Severity::Warning);
        assert_eq!(minions(hosts, ""), named(&["salt", "app1", "db1"], warning));
        assert_eq!(minions("app1 = {}, db1 = {}", ""), [], "a fleet without a master");
        assert_eq!(minions(hosts, "services.salt-minion = false"), []);
        assert_eq!(minions(hosts, "default_services = false"), []);
        assert_eq!(minions(hosts, "services.salt-minion = { roles = ['app'] }"), named(&["app1"], warning));
        let critical = "services.salt-minion = { stopped = 'critical' }";
        assert_eq!(minions(hosts, critical), named(&["salt", "app1", "db1"], Severity::Critical));
        let without = "[environments.b]\nsalt = false\njump = 'local'\nhosts = { salt = {}, app1 = {} }";
        assert_eq!(minions("app1 = {}", without), [], "an environment without Salt");
    }
}
