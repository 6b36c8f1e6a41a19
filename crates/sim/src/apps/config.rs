//! The applications' configuration files: written from a kind's template, and read back by it.

use std::sync::OnceLock;

use regex::Regex;

use super::kinds::{KINDS, Kind};

/// What differs from one configuration to another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Values {
    /// The database server: a name or an address.
    pub(crate) host: String,
    /// Its port.
    pub(crate) port: String,
    /// The account.
    pub(crate) user: String,
    /// Its password, where the file holds it.
    pub(crate) password: String,
    /// The database.
    pub(crate) database: String,
}

/// The fields of a template, and what may stand in each.
static FIELDS: &[(&str, &str)] = &[
    ("host", r#"[^\s'";,/@:]+"#),
    ("port", "[0-9]+"),
    ("user", r#"[^\s'";,/@:]+"#),
    ("password", r#"[^\s'"@]*"#),
    ("database", r#"[^\s'";,/@:]+"#),
];

impl Values {
    fn of(&self, field: &str) -> &str {
        match field {
            "host" => &self.host,
            "port" => &self.port,
            "user" => &self.user,
            "password" => &self.password,
            _ => &self.database,
        }
    }

    /// The values of a kind that are there as long as nobody changes them.
    pub(crate) fn first(kind: &Kind, host: &str) -> Self {
        Self {
            host: host.to_owned(),
            port: "3306".to_owned(),
            user: kind.user.to_owned(),
            password: kind.password.to_owned(),
            database: kind.database.to_owned(),
        }
    }
}

/// The file of a kind with these values.
pub(crate) fn render(kind: &Kind, values: &Values) -> String {
    let put =
        |text: String, (field, _): &(&str, &str)| text.replace(&format!("{{{field}}}"), values.of(field));
    FIELDS.iter().fold(kind.template.to_owned(), put)
}

/// What a file of a kind says. Where it says nothing of a field, the kind's own value holds; `None` when it names no
/// server.
pub(crate) fn read(kind: &Kind, text: &str) -> Option<Values> {
    let mut values = Values::first(kind, "");
    for line in expressions(kind) {
        let Some(found) = line.captures(text) else { continue };
        let of = |field: &str| found.name(field).map(|m| m.as_str().to_owned());
        values = Values {
            host: of("host").unwrap_or(values.host),
            port: of("port").unwrap_or(values.port),
            user: of("user").unwrap_or(values.user),
            password: of("password").unwrap_or(values.password),
            database: of("database").unwrap_or(values.database),
        };
    }
    (!values.host.is_empty()).then_some(values)
}

/// An expression for each line of a kind's template with something in it that differs.
fn expressions(kind: &Kind) -> &'static [Regex] {
    static ALL: OnceLock<Vec<(&'static str, Vec<Regex>)>> = OnceLock::new();
    let of = |kind: &&Kind| (kind.name, kind.template.lines().filter_map(expression).collect());
    let all = ALL.get_or_init(|| KINDS.iter().map(of).collect());
    all.iter().find(|(name, _)| *name == kind.name).map_or(&[], |(_, lines)| lines.as_slice())
}

fn expression(line: &str) -> Option<Regex> {
    if !FIELDS.iter().any(|(field, _)| line.contains(&format!("{{{field}}}"))) {
        return None;
    }
    // Space is free where there is some.
    let words: Vec<String> = line.split_whitespace().map(regex::escape).collect();
    let spaced = words.join(r"[ \t]*");
    let put = |text: String, (field, may): &(&str, &str)| {
        text.replace(&format!(r"\{{{field}\}}"), &format!("(?P<{field}>{may})"))
    };
    Regex::new(&format!(r"(?m)^[ \t]*{}", FIELDS.iter().fold(spaced, put))).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_kind_reads_back_what_was_rendered_and_what_somebody_changed_in_it() {
        for kind in KINDS {
            let mut wanted = Values::first(kind, "10.10.10.14");
            let text = render(kind, &wanted);
            assert!(!text.contains("{host}") && !text.contains("{user}"), "{}: {text}", kind.name);
            assert_eq!(read(kind, &text), Some(wanted.clone()), "{}: {text}", kind.name);
            let edited = text.replace("10.10.10.14", "db2.production.wpdn");
            wanted.host = "db2.production.wpdn".to_owned();
            assert_eq!(read(kind, &edited).unwrap(), wanted, "{}: {edited}", kind.name);
            assert_eq!(read(kind, ""), None, "{}", kind.name);
        }
    }
}
