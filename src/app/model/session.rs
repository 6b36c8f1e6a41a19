//! The maintenance sessions of environments, and what is typed about them.

use std::time::Duration;

use super::Model;
use super::editor::Editor;
use super::note::Note;
use super::runs::Dialog;
use crate::app::message::AppEffect;
use jumpdeck_fleet::fleet::Guard;
use jumpdeck_fleet::maintenance::{MaintenanceSession, SeenSession, SessionNews, SessionOrder};
use jumpdeck_fleet::names::EnvName;

/// What a session is asked for, field by field.
#[derive(Debug)]
pub struct SessionForm {
    /// The environment.
    pub env: EnvName,
    /// What it is for.
    pub what: SessionQuestion,
    /// Labels, and what is typed.
    pub fields: Vec<(&'static str, Editor)>,
    /// Which is being typed.
    pub at: usize,
    /// What is wrong with it.
    pub wrong: Option<&'static str>,
}

/// What is asked about a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionQuestion {
    /// What the session to be started is.
    Start,
    /// To whom it is handed over.
    HandOver,
    /// Whether it ends: the word that is to be typed.
    End(String),
}

/// A note for a session.
#[derive(Debug)]
pub struct SessionNote {
    /// The environment.
    pub env: EnvName,
    /// The text so far.
    pub text: Note,
}

impl SessionForm {
    /// Asks what a session is.
    #[must_use]
    pub fn start(env: EnvName) -> Self {
        let fields = vec![
            ("reason", Editor::line()),
            ("ticket", Editor::line()),
            ("people", Editor::line()),
            ("time", Editor::from("2h")),
        ];
        Self { env, what: SessionQuestion::Start, fields, at: 0, wrong: None }
    }

    /// Asks to whom a session is handed over.
    #[must_use]
    pub fn hand_over(env: EnvName) -> Self {
        Self {
            env,
            what: SessionQuestion::HandOver,
            fields: vec![("to", Editor::line())],
            at: 0,
            wrong: None,
        }
    }

    /// Asks whether a session ends, as the guard of the environment wants it.
    #[must_use]
    pub fn end(env: EnvName, guard: Guard) -> Self {
        let word = match guard {
            Guard::Confirm => "y".to_owned(),
            Guard::Challenge => env.to_string(),
        };
        let fields = vec![("outcome", Editor::line()), ("type", Editor::line())];
        Self { env, what: SessionQuestion::End(word), fields, at: 0, wrong: None }
    }

    /// What is typed in a field, without spaces around it.
    #[must_use]
    pub fn text(&self, at: usize) -> &str {
        self.fields.get(at).map(|(_, text)| text.as_str().trim()).unwrap_or_default()
    }
}

/// How far a session is: what the header says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionStage {
    /// So long before its planned end.
    Left(Duration),
    /// So long past it.
    Past(Duration),
}

/// How far a session is.
#[must_use]
pub fn stage(session: &MaintenanceSession, now: jumpdeck_fleet::timeline::WallTime) -> SessionStage {
    match session.overdue(now) {
        Some(late) => SessionStage::Past(Duration::from_secs(late)),
        None => SessionStage::Left(session.head.until.since(now)),
    }
}

impl Model {
    /// What is known of the sessions of the environment shown.
    #[must_use]
    pub fn session_news(&self) -> Option<&SessionNews> {
        let env = &self.environments.get(self.active)?.spec.name;
        self.sessions.iter().find(|news| news.env == *env)
    }

    /// The session of the environment shown that is under way.
    #[must_use]
    pub fn session(&self) -> Option<&SeenSession> {
        self.session_news()?.seen.as_ref()
    }

    /// The time of day, in UTC, at which the operator's session is planned to end, while that is ahead and less than a day away: until
    /// then problems are expected.
    #[must_use]
    pub fn session_end(&self) -> Option<String> {
        let until = self.own_session()?.session.head.until;
        let left = until.since(self.wall()).as_secs();
        (60..86_400).contains(&left).then(|| until.written("%H:%M"))
    }

    /// Asks what a session is to be, or joins the one that is under way.
    pub(in crate::app) fn start_or_join_session(&mut self) -> Vec<AppEffect> {
        let Some(env) = self.shown_name() else { return Vec::new() };
        if self.session().is_some() {
            return vec![AppEffect::Session(env, SessionOrder::Join)];
        }
        // What is asked is asked from now on: keys typed before are no answer.
        self.runs.asked = None;
        self.runs.dialogs.push(Dialog::Session(SessionForm::start(env)));
        Vec::new()
    }

    /// The session that is under way, if the operator takes part.
    #[must_use]
    pub fn own_session(&self) -> Option<&SeenSession> {
        self.session().filter(|seen| seen.takes_part)
    }
}
