//! What a variable means at a place of a run: inputs, targets, what was captured before, the host a step runs
//! on.

use std::collections::{BTreeMap, BTreeSet};

use super::definition::{On, Script};
use super::ids::StepId;
use super::place::Place;
use super::plan::{Plan, PlannedStep};
use super::template::{Template, Variable};
use super::value::{Value, ValueKind};
use jumpdeck_fleet::names::HostName;

/// Everything captured so far: by name, then by place.
pub type Captured = BTreeMap<String, BTreeMap<Place, Value>>;

/// A value that an earlier process of the run had, and this one does not: it is or holds a secret, so it was not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotKept {
    /// The variable.
    pub name: String,
    /// The step that had it.
    pub step: StepId,
    /// Whether it is a secret itself, which nothing hides while it is not known.
    pub secret: bool,
}

/// Why a text could not be filled in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// Nothing is known of it (yet).
    #[error("{{{0}}} is not known here")]
    Unknown(String),
    /// A step had it before the run was resumed, and it was not kept.
    #[error(
        "{{{0}}} is no longer known: {1} read it before the run was resumed, and a value that holds a secret is not stored"
    )]
    NotKept(String, String),
    /// It differs from host to host, and no host is meant.
    #[error("{{{0}}} differs from host to host")]
    Ambiguous(String),
    /// It means several hosts where one is wanted.
    #[error("{{{0}}} means several hosts here")]
    Several(String),
    /// What should mean a host is no host's name.
    #[error("{{{0}}} means no host: {1}")]
    NoHost(String, String),
    /// In a file that Salt renders it would be more than a text in one line.
    #[error(
        "{{{0}}} is not allowed in a line of this file: it holds Jinja or a control character; edit it by hand"
    )]
    NotALine(String),
    /// Salt would read it as an option, a keyword or a number.
    #[error(
        "{{{0}}} cannot be passed to Salt: Salt would read its value as an option, a keyword or a number"
    )]
    NotForSalt(String),
    /// A secret is not allowed here.
    #[error("{{{0}}} is a secret, and would be shown")]
    Secret(String),
}

/// A place of a run, to look variables up from.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// What was captured.
    pub captured: &'a Captured,
    /// What was captured before the run was resumed, and was not kept.
    pub not_kept: &'a [NotKept],
    /// Hosts that are left out, and why.
    pub excluded: &'a BTreeMap<HostName, String>,
    /// The run's id.
    pub run: &'a str,
    /// Why it is run.
    pub reason: &'a str,
    /// The day it began, `20261121`.
    pub today: &'a str,
    /// Who runs it: `account@machine`.
    pub operator: &'a str,
    /// The step.
    pub step: &'a PlannedStep,
    /// The host it runs on; none for no host.
    pub host: Option<&'a HostName>,
}

impl<'a> Scope<'a> {
    /// The same place, on a host.
    #[must_use]
    pub fn on(self, host: Option<&'a HostName>) -> Self {
        Self { host, ..self }
    }

    /// The value of a variable.
    ///
    /// # Errors
    /// When there is none here.
    pub fn value(&self, variable: &Variable) -> Result<Value, ScopeError> {
        let unknown = || ScopeError::Unknown(variable.to_string());
        if variable.field.as_deref() == Some("count") {
            let count = self.names(&variable.name).ok_or_else(unknown)?.len();
            return Value::new(ValueKind::Int, &count.to_string()).map_err(|_| unknown());
        }
        if variable.field.as_deref() == Some("roles")
            && let Some(hosts) = self.names(&variable.name).filter(|hosts| hosts.len() > 1)
        {
            let of = |name: &String| self.plan.host(name).map(|host| host.roles.clone());
            let roles: BTreeSet<String> = hosts.iter().filter_map(of).flatten().collect();
            let roles: Vec<String> = roles.into_iter().collect();
            return Value::new(ValueKind::Text, &roles.join(" ")).map_err(|_| unknown());
        }
        let value = self.plain(&variable.name)?;
        let Some(field) = &variable.field else { return Ok(value) };
        match (value.kind(), field.as_str()) {
            (ValueKind::Host, "address") => {
                let host = self.plan.host(value.text()).ok_or_else(unknown)?;
                Value::new(ValueKind::Address, &host.address).map_err(|_| unknown())
            }
            (ValueKind::Host, "name") => Ok(value),
            (ValueKind::Host, "port") => {
                let host = self.plan.host(value.text()).ok_or_else(unknown)?;
                Value::new(ValueKind::Int, &host.port.to_string()).map_err(|_| unknown())
            }
            (ValueKind::Host, "database_files") => {
                let files = &self.plan.host(value.text()).ok_or_else(unknown)?.database_files;
                Value::new(ValueKind::Lines, files).map_err(|_| unknown())
            }
            (ValueKind::Host, "roles") => {
                let roles = self.plan.host(value.text()).ok_or_else(unknown)?.roles.join(" ");
                Value::new(ValueKind::Text, &roles).map_err(|_| unknown())
            }
            (ValueKind::Position, "file") => {
                let file = value.text().rsplit_once(':').map(|(file, _)| file).ok_or_else(unknown)?;
                Value::new(ValueKind::Word, file).map_err(|_| unknown())
            }
            (ValueKind::Position, "offset") => {
                let offset = value.text().rsplit_once(':').map(|(_, at)| at).ok_or_else(unknown)?;
                Value::new(ValueKind::Int, offset).map_err(|_| unknown())
            }
            _ => Err(unknown()),
        }
    }

    fn plain(&self, name: &str) -> Result<Value, ScopeError> {
        let unknown = || ScopeError::Unknown(name.to_owned());
        let text = |text: &str| Value::new(ValueKind::Text, text).map_err(|_| unknown());
        let host = |name: &str| Value::new(ValueKind::Host, name).map_err(|_| unknown());
        if let Some(value) = self.plan.inputs.get(name) {
            return Ok(value.clone());
        }
        if let Some(by_host) = self.captured.get(name) {
            return self.of_hosts(name, by_host);
        }
        if let Some(error) = self.not_kept(name) {
            return Err(error);
        }
        if let Some(hosts) = self.names(name) {
            return match hosts.as_slice() {
                [one] => host(one),
                several => text(&several.join(", ")),
            };
        }
        match name {
            "host" => self.host.map_or_else(|| Err(unknown()), |name| host(name.as_str())),
            "jump" => host(&self.plan.frozen.jump),
            "level" => text(&self.plan.frozen.level),
            "domain" => text(&self.plan.frozen.domain),
            "environment" => text(&self.plan.frozen.environment),
            "managed_by" => text(self.plan.frozen.managed_by.word()),
            "run" => text(self.run),
            "operator" => text(self.operator),
            "reason" => text(self.reason),
            "today" => text(self.today),
            _ => Err(unknown()),
        }
    }

    /// Why a captured value is not known any more, when it was known once.
    fn not_kept(&self, name: &str) -> Option<ScopeError> {
        let gone = self.not_kept.iter().find(|value| value.name == name)?;
        Some(ScopeError::NotKept(gone.name.clone(), gone.step.to_string()))
    }

    /// A captured value: this host's, else the only one there is.
    fn of_hosts(&self, name: &str, by_host: &BTreeMap<Place, Value>) -> Result<Value, ScopeError> {
        if let Some(value) =
            self.host.and_then(|h| by_host.get(&h.into())).or_else(|| by_host.get(&Place::Nowhere))
        {
            return Ok(value.clone());
        }
        // Another host's value does not replace one that was not kept.
        if let Some(error) = self.not_kept(name) {
            return Err(error);
        }
        let mut values = by_host.values();
        let first = values.next().ok_or_else(|| ScopeError::Unknown(name.to_owned()))?;
        match values.all(|v| v.text() == first.text()) {
            true => Ok(first.clone()),
            false => Err(ScopeError::Ambiguous(name.to_owned())),
        }
    }

    /// The hosts a name means: a batch's, a target's (but for its exceptions), an input's, an elected one's. Hosts that
    /// were left out are not among them.
    #[must_use]
    pub fn names(&self, name: &str) -> Option<Vec<String>> {
        let hosts = if let Some(batch) = self.step.items.get(name) {
            batch.clone()
        } else if let Some(target) = self.plan.runbook.targets.iter().find(|t| t.name == name) {
            let except: Vec<String> = target.except.iter().filter_map(|e| self.names(e)).flatten().collect();
            let frozen = self.plan.frozen.targets.get(name).into_iter().flatten();
            frozen.map(|h| h.name.clone()).filter(|h| !except.contains(h)).collect()
        } else if let Some(value) = self.plan.inputs.get(name).filter(|v| v.kind() == ValueKind::Host) {
            vec![value.text().to_owned()]
        } else {
            let value =
                self.captured.get(name)?.get(&Place::Nowhere).filter(|v| v.kind() == ValueKind::Host)?;
            vec![value.text().to_owned()]
        };
        Some(hosts.into_iter().filter(|h| !self.is_excluded(h)).collect())
    }

    fn is_excluded(&self, host: &str) -> bool {
        self.excluded.keys().any(|excluded| excluded.as_str() == host)
    }

    /// The hosts something is done on: `None` for no host at all, an empty list when none is left of those that are
    /// meant.
    ///
    /// # Errors
    /// When the name means nothing here, or something that is no host.
    pub fn hosts(&self, on: &On) -> Result<Option<Vec<HostName>>, ScopeError> {
        let (meant, names) = match on {
            On::Nowhere => return Ok(None),
            On::Jump => ("jump", vec![self.plan.frozen.jump.clone()]),
            On::Named(name) => {
                let names = self.names(name).ok_or_else(|| ScopeError::Unknown(name.clone()))?;
                (name.as_str(), names)
            }
        };
        let host = |name: &String| {
            HostName::new(name).map_err(|error| ScopeError::NoHost(meant.to_owned(), error.to_string()))
        };
        names.iter().map(host).collect::<Result<_, _>>().map(Some)
    }

    /// A text for eyes: secrets as dots, what is not known as it was written.
    #[must_use]
    pub fn shown(&self, template: &Template) -> String {
        let filled = template.fill(|variable| {
            Ok::<_, std::convert::Infallible>(match self.value(variable) {
                Ok(value) => value.shown().to_owned(),
                Err(_) => format!("{{{variable}}}"),
            })
        });
        filled.unwrap_or_default()
    }

    /// A text as it is meant; no secrets.
    ///
    /// # Errors
    /// When a variable has no value here, or is a secret.
    pub fn text(&self, template: &Template) -> Result<String, ScopeError> {
        template.fill(|variable| {
            let value = self.value(variable)?;
            match value.is_secret() {
                true => Err(ScopeError::Secret(variable.to_string())),
                false => Ok(value.text().to_owned()),
            }
        })
    }

    /// The value of a variable that means one thing.
    fn single(&self, variable: &Variable) -> Result<Value, ScopeError> {
        let value = self.value(variable)?;
        match variable.field.is_none() && self.names(&variable.name).is_some_and(|names| names.len() > 1) {
            true => Err(ScopeError::Several(variable.to_string())),
            false => Ok(value),
        }
    }

    /// SQL: each variable as a literal.
    ///
    /// # Errors
    /// When a variable has no value here, or means several hosts.
    pub fn sql(&self, template: &Template) -> Result<String, ScopeError> {
        template.fill(|variable| {
            // A name of hosts of which none is left has no value in SQL.
            if variable.field.is_none() && self.names(&variable.name).is_some_and(|names| names.is_empty()) {
                return Err(ScopeError::Several(variable.to_string()));
            }
            Ok(literal(&self.single(variable)?, false))
        })
    }

    /// The same for eyes: secrets as dots, and what is not known (yet) as it was written, `{master_port}`.
    #[must_use]
    pub fn sql_shown(&self, template: &Template) -> String {
        let filled = template.fill(|variable| {
            let value = self.single(variable).map(|value| literal(&value, true));
            Ok::<_, std::convert::Infallible>(value.unwrap_or_else(|_| format!("{{{variable}}}")))
        });
        filled.unwrap_or_default()
    }

    /// A shell script with its variables assigned before it, quoted; it reads nothing of the script's own input.
    ///
    /// # Errors
    /// When a variable has no value here, or means several hosts.
    pub fn script(&self, script: &Script) -> Result<String, ScopeError> {
        let mut text = String::new();
        for variable in script.with.iter().chain(&script.secrets) {
            let value = self.single(variable)?;
            text.push_str(&format!("{}={}\n", variable.shell_name(), quoted(value.text())));
        }
        text.push_str(script.text.trim_end());
        Ok(text)
    }

    /// The same for eyes: secrets as dots, and what is not known (yet) as it was written, `{master_port}`.
    #[must_use]
    pub fn script_shown(&self, script: &Script) -> String {
        let mut text = String::new();
        for variable in script.with.iter().chain(&script.secrets) {
            let value = match self.single(variable) {
                Ok(value) => quoted(value.shown()),
                Err(_) => format!("{{{variable}}}"),
            };
            text.push_str(&format!("{}={value}\n", variable.shell_name()));
        }
        text.push_str(script.text.trim_end());
        text
    }
}

/// A word of POSIX shell that means exactly this text. Values never hold NUL.
#[must_use]
pub fn quoted(text: &str) -> String {
    shlex::try_quote(text).map(std::borrow::Cow::into_owned).unwrap_or_default()
}

/// A value as SQL, for the fuzz target.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn sql_literal(value: &Value) -> String {
    literal(value, false)
}

/// A SQL literal that means exactly this value in a session that `act::sql` began: utf8mb4, where a backslash escapes.
pub(in crate::runbook) fn literal(value: &Value, shown: bool) -> String {
    let text = if shown { value.shown() } else { value.text() };
    match value.kind() {
        ValueKind::Int => text.to_owned(),
        ValueKind::Bool => if text == "true" { "1" } else { "0" }.to_owned(),
        _ => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''")),
    }
}
