//! Requirements against what is found.

use super::{Door, Screen, ScreenKind, place};
use crate::app::message::AppEffect;
use crate::app::model::Model;
use crate::app::rows::filter::{self, Field, TermSubject, Terms, contains, same};
use crate::app::rows::{Words, selection};
use crate::config::action::{Action, Destination};
use jumpdeck_fleet::judge::roles::RoleStanding;

pub(super) struct Kind;

/// What its filter may name.
static WORDS: Words = Words {
    screen: "roles",
    example: None,
    fields: &[("role", Field::Role), ("host", Field::Host), ("state", Field::State)],
    figures: &[],
};

/// The roles that the filter lets through, required ones first.
#[must_use]
pub fn role_rows(model: &Model) -> Vec<&RoleStanding> {
    let Some(env) = model.shown() else { return Vec::new() };
    let terms = filter::of(model, &WORDS);
    env.roles.iter().filter(|r| matches(&terms, r)).collect()
}

fn matches(terms: &Terms, role: &RoleStanding) -> bool {
    let host = |text: &str| role.hosts.iter().chain(&role.unknown).any(|h| contains(h.as_str(), text));
    terms.all(|what| match what {
        TermSubject::Text(text) => {
            contains(role.role.as_str(), text) || contains(role.state.word(), text) || host(text)
        }
        TermSubject::Is(Field::Host, values) => values.iter().any(|value| host(value)),
        TermSubject::Is(Field::Role, values) => values.iter().any(|v| same(role.role.as_str(), v)),
        TermSubject::Is(Field::State, values) => values.iter().any(|v| contains(role.state.word(), v)),
        TermSubject::Is(..) | TermSubject::Figure(..) => false,
    })
}

impl ScreenKind for Kind {
    fn title(&self) -> &'static str {
        "ON ROLES"
    }

    fn keys(&self) -> &'static [Action] {
        use Action as A;
        &[A::Up, A::Down, A::Open, A::Filter, A::Export, A::Refresh, A::Pause]
    }

    fn is_table(&self) -> bool {
        true
    }

    fn tab(&self) -> Destination {
        Destination::Roles
    }

    fn door(&self) -> Option<Door> {
        Some(Door { key: Destination::Roles, screen: Screen::Roles, tab: Some("roles") })
    }

    fn filter(&self) -> Option<&'static Words> {
        Some(&WORDS)
    }

    fn count(&self, model: &Model) -> usize {
        role_rows(model).len()
    }

    fn selected(&self, model: &Model) -> Option<usize> {
        let wanted = model.shown()?.selection.role.as_ref()?;
        place(role_rows(model).iter().map(|r| &r.role), wanted)
    }

    fn select(&self, model: &mut Model, at: usize) -> bool {
        let Some(role) = role_rows(model).get(at).map(|r| r.role.clone()) else { return false };
        let Some(env) = model.shown_mut() else { return false };
        env.selection.role = Some(role);
        true
    }

    /// A role that one host has leads to that host; one that several have, to the fleet filtered by it.
    fn open(&self, model: &mut Model) -> Vec<AppEffect> {
        let rows = role_rows(model);
        let role = selection::selected(model).and_then(|at| rows.get(at).copied());
        let Some(role) = role else { return Vec::new() };
        let mut hosts = role.hosts.iter().chain(&role.unknown);
        match (hosts.next().cloned(), hosts.next()) {
            (None, _) => {
                let notice = format!("no host has the role {}", role.role);
                model.say(notice);
            }
            (Some(host), None) => model.open_host(host),
            (Some(_), Some(_)) => {
                let role = role.role.clone();
                model.open_hosts_of(&role);
            }
        }
        Vec::new()
    }
}

impl Model {
    /// Shows requirements against what is found.
    pub(in crate::app) fn open_roles(&mut self) {
        self.push(Screen::Roles);
    }
}
