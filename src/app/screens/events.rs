//! What changed, the newest first, in this environment or in all; a row leads to its host.

use super::{Door, Screen, ScreenKind};
use crate::app::message::AppEffect;
use crate::app::model::{EnvironmentState, Model};
use crate::app::rows::Words;
use crate::app::rows::filter::{self, Field, TermSubject, Terms, contains, same};
use crate::config::action::{Action, Destination};
use jumpdeck_fleet::names::{EnvName, HostId, HostName};
use jumpdeck_fleet::timeline::TimelineRow;

pub(super) struct Kind;

/// What its filter may name.
static WORDS: Words = Words {
    screen: "events",
    example: Some("host:db kind:replication !state:warning"),
    fields: &[
        ("host", Field::Host),
        ("kind", Field::Kind),
        ("severity", Field::State),
        ("state", Field::State),
        ("env", Field::Env),
    ],
    figures: &[],
};

/// The environments whose events are shown.
#[must_use]
pub fn event_environments(model: &Model) -> Vec<&EnvironmentState> {
    if !model.all_events {
        return model.shown().into_iter().collect();
    }
    let all = model.paused.as_ref().map_or(&model.environments, |paused| &paused.environments);
    all.iter().collect()
}

/// The events that the filter lets through, the newest first, each with its environment.
#[must_use]
pub fn event_rows(model: &Model) -> Vec<(&EnvName, &TimelineRow)> {
    let terms = filter::of(model, &WORDS);
    let mut rows: Vec<(&EnvName, &TimelineRow)> = event_environments(model)
        .into_iter()
        .flat_map(|env| env.timeline.rows().iter().map(|row| (&env.spec.name, row)))
        .filter(|(env, row)| matches(&terms, env, row))
        .collect();
    if model.all_events {
        // The order within an environment stays.
        rows.sort_by_key(|(_, row)| std::cmp::Reverse(row.at));
    }
    rows
}

/// The selected event, and its place among the rows.
#[must_use]
pub fn selected_event(model: &Model) -> Option<(usize, &EnvName, &TimelineRow)> {
    let (env, first) = model.shown()?.selection.event.as_ref()?;
    let mut rows = event_rows(model).into_iter().enumerate();
    rows.find(|(_, (of, row))| *of == env && row.first == *first).map(|(at, (env, row))| (at, env, row))
}

fn matches(terms: &Terms, env: &EnvName, row: &TimelineRow) -> bool {
    let host = |text: &str| row.host.as_ref().is_some_and(|host| contains(host.as_str(), text));
    let state = row.mark.word();
    terms.all(|what| match what {
        TermSubject::Text(text) => {
            host(text)
                || contains(&row.says, text)
                || contains(row.kind, text)
                || contains(state, text)
                || contains(env.as_str(), text)
        }
        TermSubject::Is(Field::Host, values) => values.iter().any(|value| host(value)),
        TermSubject::Is(Field::Kind, values) => values.iter().any(|value| contains(row.kind, value)),
        TermSubject::Is(Field::State, values) => values.iter().any(|value| contains(state, value)),
        TermSubject::Is(Field::Env, values) => values.iter().any(|value| same(env.as_str(), value)),
        // `term::read` lets no other field through on this screen.
        TermSubject::Is(..) | TermSubject::Figure(..) => false,
    })
}

impl ScreenKind for Kind {
    fn title(&self) -> &'static str {
        "ON EVENTS"
    }

    fn keys(&self) -> &'static [Action] {
        use Action as A;
        &[A::Up, A::Down, A::Open, A::Filter, A::AllEnvironments, A::Export, A::Pause, A::Back]
    }

    fn hints(&self, _: &Model) -> &'static [(Action, &'static str)] {
        &[
            (Action::Help, "help"),
            (Action::Back, "back"),
            (Action::Filter, "filter"),
            (Action::AllEnvironments, "all"),
            (Action::Open, "host"),
            (Action::NextEnvironment, "env"),
            (Action::Pause, "pause"),
        ]
    }

    fn is_table(&self) -> bool {
        true
    }

    fn tab(&self) -> Destination {
        Destination::Problems
    }

    /// It has no tab: at 80 columns a sixth would take the room of the keys.
    fn door(&self) -> Option<Door> {
        Some(Door { key: Destination::Events, screen: Screen::Events, tab: None })
    }

    fn behind(&self) -> Option<Screen> {
        Some(Screen::ROOT)
    }

    fn filter(&self) -> Option<&'static Words> {
        Some(&WORDS)
    }

    fn count(&self, model: &Model) -> usize {
        event_rows(model).len()
    }

    fn selected(&self, model: &Model) -> Option<usize> {
        selected_event(model).map(|(at, ..)| at)
    }

    fn select(&self, model: &mut Model, at: usize) -> bool {
        let rows = event_rows(model);
        let Some((env, first)) = rows.get(at).map(|(env, row)| ((*env).clone(), row.first.clone())) else {
            return false;
        };
        let Some(shown) = model.shown_mut() else { return false };
        shown.selection.event = Some((env, first));
        true
    }

    fn host(&self, model: &Model) -> Option<HostName> {
        let (_, env, row) = selected_event(model)?;
        row.host.clone().filter(|_| model.shown().is_some_and(|shown| shown.spec.name == *env))
    }

    fn shows_events(&self) -> bool {
        true
    }

    fn leads_to(&self, model: &Model) -> Option<HostId> {
        let (_, env, row) = selected_event(model)?;
        Some(HostId { env: env.clone(), host: row.host.clone()? })
    }

    fn open(&self, model: &mut Model) -> Vec<AppEffect> {
        if self.selected(model).is_some() {
            model.say("this event is not about one host".to_owned());
        }
        Vec::new()
    }
}
