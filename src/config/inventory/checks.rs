//! `checks`: commands of the inventory's own that hosts are asked with, and how their answers are judged.

use std::sync::Arc;
use std::time::Duration;

use toml::de::DeValue;

use super::named::{NamedTable, TablePlace};
use super::role::role_name;
use crate::config::reader::{At, Reader, Table};
use jumpdeck_fleet::check::{
    CheckCommand, CheckLimits, CheckNumber, CheckRange, CheckRule, DeclaredCheck, checks_of_roles,
};
use jumpdeck_fleet::names::RoleName;

const HINT: &str =
    "write raid = { roles = [\"db\"], command = \"/usr/lib/nagios/plugins/check_raid\" }; or raid = false";
const HOST_HINT: &str = "write raid = { command = \"/usr/lib/nagios/plugins/check_raid\" }; or raid = false";
const EVERY: Duration = Duration::from_secs(60);
const TIMEOUT: Duration = Duration::from_secs(3);
/// A report of a host must be there in 8 s.
const LONGEST: Duration = Duration::from_secs(5);

static CHECKS: NamedTable<DeclaredCheck> = NamedTable {
    key: "checks",
    entry: "check",
    hint: HINT,
    host_hint: HOST_HINT,
    name_of: DeclaredCheck::name_of,
    name: |check| &check.name,
    read: check,
};

/// Takes what a table says over what is inherited, check by check and field by field.
pub(super) fn read(
    reader: &mut Reader,
    table: &Table<'_>,
    inherited: Vec<DeclaredCheck>,
) -> Vec<DeclaredCheck> {
    CHECKS.read_over(reader, table, inherited, TablePlace::OfRoles)
}

/// The checks that a host is asked for: those of its roles, and what its own table says.
pub(super) fn of_host(
    reader: &mut Reader,
    table: &Table<'_>,
    inherited: &[DeclaredCheck],
    roles: &[RoleName],
) -> Vec<Arc<DeclaredCheck>> {
    CHECKS.of_host(reader, table, checks_of_roles(inherited, roles))
}

fn check(
    reader: &mut Reader,
    table: &Table<'_>,
    key: &At<&str>,
    was: Option<DeclaredCheck>,
    place: TablePlace,
) -> Option<DeclaredCheck> {
    let before = reader.error_count();
    let (allowed, hint): (&[&str], _) = match place {
        TablePlace::OfRoles => {
            (&["roles", "command", "every", "timeout", "warning", "critical", "when_bad"], HINT)
        }
        TablePlace::OfHost => {
            (&["command", "every", "timeout", "warning", "critical", "when_bad"], HOST_HINT)
        }
    };
    reader.only(table, allowed);
    let roles = match place {
        TablePlace::OfRoles => reader.strings(table, "roles", "write roles = [\"db\"]"),
        TablePlace::OfHost => None,
    };
    let roles = roles.map(|names| names.iter().filter_map(|name| role_name(reader, name)).collect());
    let example = "write command = \"/usr/lib/nagios/plugins/check_raid -w 1\"";
    let command =
        reader.string(table, "command", example).and_then(|text| match CheckCommand::new(text.value) {
            Ok(command) => Some(command),
            Err(why) => {
                let help = "write one line for the host's shell; put a longer one into a script on the host";
                reader.error(text.span, format!("command {why}"), help);
                None
            }
        });
    let every = reader.duration(table, "every", Duration::from_secs(5)..=Duration::from_secs(86_400));
    let timeout = reader.duration(table, "timeout", Duration::from_secs(1)..=LONGEST);
    let rule = rule(reader, table, was.as_ref().map(|check| &check.rule));
    let hint_bad = "write one sentence: when_bad = \"Call the storage team.\"";
    let when_bad = reader.string(table, "when_bad", hint_bad).map(|text| text.value.to_owned());
    if reader.error_count() > before {
        return None;
    }
    let Some(command) = command.or(was.as_ref().map(|check| check.command.clone())) else {
        reader.error(key.span.clone(), format!("check {:?} has no command", key.value), hint);
        return None;
    };
    let roles: Vec<RoleName> = roles.or(was.as_ref().map(|check| check.roles.clone())).unwrap_or_default();
    if place == TablePlace::OfRoles && roles.is_empty() {
        reader.error(key.span.clone(), format!("check {:?} has no roles", key.value), hint);
        return None;
    }
    Some(DeclaredCheck {
        name: DeclaredCheck::name_of(key.value),
        roles,
        command,
        every: every.or(was.as_ref().map(|check| check.every)).unwrap_or(EVERY),
        timeout: whole(timeout.or(was.as_ref().map(|check| check.timeout)).unwrap_or(TIMEOUT)),
        rule,
        when_bad: when_bad.or(was.and_then(|check| check.when_bad)),
    })
}

/// Not every `timeout` knows parts of a second.
fn whole(time: Duration) -> Duration {
    Duration::from_secs(time.as_millis().div_ceil(1000).try_into().unwrap_or(TIMEOUT.as_secs()))
}

/// With a limit it is a number, else a plugin.
fn rule(reader: &mut Reader, table: &Table<'_>, was: Option<&CheckRule>) -> CheckRule {
    let (warning, critical) = (range(reader, table, "warning"), range(reader, table, "critical"));
    let before = match was {
        Some(CheckRule::Number(limits)) => limits.clone(),
        Some(CheckRule::Plugin) | None => CheckLimits::default(),
    };
    let limits = CheckLimits { warning: warning.or(before.warning), critical: critical.or(before.critical) };
    if limits == CheckLimits::default() { CheckRule::Plugin } else { CheckRule::Number(limits) }
}

fn range(reader: &mut Reader, table: &Table<'_>, key: &str) -> Option<CheckRange> {
    let value = table.get(key)?;
    match value.get_ref() {
        DeValue::String(_) => {
            let help = "write a range as for a plugin: \"~:100\" (bad over 100), \"10:\" (below 10), \"10:20\" (outside), \"@10:20\" (inside)";
            let text = reader.string(table, key, help)?;
            let range = CheckRange::parse(text.value);
            if range.is_none() {
                reader.error(text.span, format!("{key} cannot be {:?}", text.value), help);
            }
            range
        }
        _ => {
            let number = reader.number(table, key, &(f64::MIN..=f64::MAX))?;
            CheckNumber::new(number).map(CheckRange::over)
        }
    }
}
