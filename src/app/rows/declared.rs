//! The hosts that words of a command line name, by the inventory alone: no host is asked first.
//!
//! The words are terms of the fleet's filter (`role:db`, `!role:jobrunner`, `env:staging`, `host:app`), and host names. A name is the
//! whole name: what is looked for in the console as a part of it (`app1` in `app10`) would be run on hosts that nobody meant.

use std::sync::Arc;

use jumpdeck_fleet::fleet::{Environment, Fleet, Host};

use super::filter::{contains, same};
use super::term::{self, Field, Term, TermSubject, Words};
use crate::config::diagnostic::nearest;

static WORDS: Words = Words {
    screen: "inventory",
    example: None,
    fields: &[
        ("host", Field::Host),
        ("name", Field::Host),
        ("role", Field::Role),
        ("roles", Field::Role),
        ("env", Field::Env),
        ("level", Field::Env),
        ("addr", Field::Address),
        ("address", Field::Address),
    ],
    figures: &[],
};

/// Words that name hosts.
#[derive(Debug)]
pub struct DeclaredHosts {
    /// Any of these, where there are some.
    names: Vec<String>,
    /// None of these.
    excluded: Vec<String>,
    /// Every one of these, with the word it was read from.
    terms: Vec<(String, Term)>,
}

impl DeclaredHosts {
    /// Reads the words; names may be several with commas.
    ///
    /// # Errors
    /// What of them cannot be read, and what would work.
    pub fn read(words: &[String]) -> Result<Self, String> {
        let mut read = Self { names: Vec::new(), excluded: Vec::new(), terms: Vec::new() };
        for word in words.iter().flat_map(|words| words.split_whitespace()) {
            let term = term::read(&word.to_lowercase(), &WORDS)
                .map_err(|why| format!("{word:?}: {why}; only what the inventory says can be named here"))?
                .ok_or_else(|| format!("{word:?} has no value"))?;
            match &term.what {
                TermSubject::Text(names) => {
                    let list = if term.not { &mut read.excluded } else { &mut read.names };
                    list.extend(names.split(',').filter(|name| !name.is_empty()).map(str::to_owned));
                }
                TermSubject::Is(..) | TermSubject::Figure(..) => read.terms.push((word.to_owned(), term)),
            }
        }
        if read.names.is_empty() && read.excluded.is_empty() && read.terms.is_empty() {
            return Err("no host is named".to_owned());
        }
        Ok(read)
    }

    /// The environments that they name; `None` when they name none.
    #[must_use]
    pub fn environments(&self, fleet: &Fleet) -> Option<Vec<Arc<Environment>>> {
        let of_env =
            |(_, term): &&(String, Term)| !term.not && matches!(&term.what, TermSubject::Is(Field::Env, _));
        let terms: Vec<_> = self.terms.iter().filter(of_env).collect();
        if terms.is_empty() {
            return None;
        }
        let fits = |env: &&Arc<Environment>| {
            terms.iter().all(|(_, term)| match &term.what {
                TermSubject::Is(_, values) => values.iter().any(|value| is_env(env, value)),
                TermSubject::Text(_) | TermSubject::Figure(..) => false,
            })
        };
        Some(fleet.environments.iter().filter(fits).cloned().collect())
    }

    /// The hosts of an environment that they name, in the inventory's order; at least one.
    ///
    /// # Errors
    /// A name that no host has, one that another word excludes, or no host at all.
    pub fn hosts(&self, env: &Environment) -> Result<Vec<Arc<Host>>, String> {
        for name in self.names.iter().chain(&self.excluded) {
            if !env.hosts.iter().any(|host| same(host.id.host.as_str(), name)) {
                return Err(unknown(env, name));
            }
        }
        let mut found = Vec::new();
        for host in &env.hosts {
            let name = host.id.host.as_str();
            let named = self.names.iter().any(|wanted| same(name, wanted));
            if !named && !self.names.is_empty() {
                continue;
            }
            let against = self.excluded.iter().find(|excluded| same(name, excluded)).map(|e| format!("!{e}"));
            let fails = |(_, term): &&(String, Term)| holds(env, host, &term.what) == term.not;
            match against.or_else(|| self.terms.iter().find(fails).map(|(word, _)| word.clone())) {
                Some(word) if named => return Err(format!("{name} is named, and {word:?} excludes it")),
                Some(_) => {}
                None => found.push(host.clone()),
            }
        }
        if found.is_empty() {
            return Err(format!("no host of environment {} fits", env.name));
        }
        Ok(found)
    }
}

fn holds(env: &Environment, host: &Host, what: &TermSubject) -> bool {
    match what {
        TermSubject::Text(text) => same(host.id.host.as_str(), text),
        TermSubject::Is(field, values) => values.iter().any(|value| match field {
            Field::Host => contains(host.id.host.as_str(), value),
            Field::Role => host.roles.iter().any(|role| same(role.as_str(), value)),
            Field::Env => is_env(env, value),
            Field::Address => contains(&host.address, value),
            // None of them is in `WORDS`.
            Field::State | Field::Os | Field::Problem | Field::Kind | Field::Name | Field::Risk => false,
        }),
        TermSubject::Figure(..) => false,
    }
}

fn is_env(env: &Environment, value: &str) -> bool {
    same(env.name.as_str(), value) || same(&env.level, value)
}

fn unknown(env: &Environment, name: &str) -> String {
    let near = nearest(name, env.hosts.iter().map(|host| host.id.host.as_str()));
    let meant = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
    format!("no host {name:?} in environment {}{meant}", env.name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::app::fixture;

    fn fleet() -> Fleet {
        let hosts = ["app1", "app2", "app3", "app1-jobrunner", "db1-masterdb", "db2"];
        let environments =
            vec![fixture::environment("production", &hosts), fixture::environment("staging", &["app1"])];
        Fleet { environments, simulated: false }
    }

    fn named(fleet: &Fleet, words: &[&str]) -> Result<Vec<String>, String> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let hosts = DeclaredHosts::read(&words)?.hosts(fleet.environments.first().unwrap())?;
        Ok(hosts.iter().map(|host| host.id.host.as_str().to_owned()).collect())
    }

    #[test]
    fn names_are_whole_and_terms_narrow() {
        let fleet = fleet();
        assert_eq!(
            named(&fleet, &["app2,APP1"]).unwrap(),
            ["app1", "app2"],
            "the inventory's order, once each"
        );
        assert_eq!(named(&fleet, &["role:app", "!role:jobrunner"]).unwrap(), ["app1", "app2", "app3"]);
        assert_eq!(named(&fleet, &["role:app !app2", "!role:jobrunner"]).unwrap(), ["app1", "app3"]);
        assert_eq!(named(&fleet, &["host:masterdb"]).unwrap(), ["db1-masterdb"]);
        assert_eq!(named(&fleet, &["db2", "env:production"]).unwrap(), ["db2"]);
        assert_eq!(named(&fleet, &["!role:app"]).unwrap(), ["db1-masterdb", "db2"]);
    }

    #[test]
    fn what_nobody_can_have_meant_is_an_error() {
        let fleet = fleet();
        let wrong = |words: &[&str]| named(&fleet, words).unwrap_err();
        assert_eq!(wrong(&["app"]), "no host \"app\" in environment production; did you mean app1?");
        assert_eq!(wrong(&["!nosuchhost", "role:db"]), "no host \"nosuchhost\" in environment production");
        assert_eq!(wrong(&["app1", "role:db"]), "app1 is named, and \"role:db\" excludes it");
        assert_eq!(wrong(&["app1", "!app1"]), "app1 is named, and \"!app1\" excludes it");
        assert_eq!(wrong(&["role:nosuch"]), "no host of environment production fits");
        assert_eq!(wrong(&["role:"]), "\"role:\" has no value");
        assert_eq!(wrong(&[" "]), "no host is named");
        for word in ["load>1", "state:up", "problem:disk"] {
            let why = wrong(&[word]);
            assert!(why.contains("fields: host: role: env: addr:") && why.contains("inventory"), "{why}");
        }
    }

    #[test]
    fn an_environment_may_be_named() {
        let fleet = fleet();
        let of = |word: &str| {
            let named = DeclaredHosts::read(&[word.to_owned()]).unwrap().environments(&fleet);
            named.map(|envs| envs.iter().map(|env| env.name.as_str().to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(of("env:staging"), Some(vec!["staging".to_owned()]));
        assert_eq!(of("env:nosuch"), Some(vec![]));
        assert_eq!(of("role:app"), None);
        assert_eq!(of("!env:staging"), None);
    }
}
