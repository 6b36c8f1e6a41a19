//! A step that is to be done, and how it asks.

use std::time::Duration;

use super::ask::{PlacedAsk, ask};
use super::manner::{For, Lost, Manner};
use super::site::Site;
use super::trouble::PlaceAnswers;
use super::{detached, script, session};
use crate::runbook::definition::{Ask, Script, Sql};
use crate::runbook::event::Outcomes;
use crate::runbook::machine::StepRef;
use crate::runbook::place::Places;
use jumpdeck_fleet::run::Effect;

/// A step that is to be done, and where.
#[derive(Clone, Copy)]
pub(crate) struct Work<'w> {
    /// Where acts happen.
    pub(in crate::runbook) site: &'w Site,
    /// The step as it stands.
    pub(in crate::runbook) at: StepRef<'w>,
    /// Its places.
    pub(in crate::runbook) places: &'w Places,
}

impl Work<'_> {
    /// What its commands are sent for, when they do what the step says.
    pub(in crate::runbook) fn what(self) -> For {
        if self.at.step().effect == Effect::Read { For::Asking } else { For::Change }
    }

    /// How a command of it is sent.
    pub(in crate::runbook) fn manner(self, what: For) -> Manner {
        Manner::of(self.at, what)
    }

    /// Asks a question of its places.
    pub(in crate::runbook) async fn ask(self, question: &Ask, limit: Duration, quiet: bool) -> PlaceAnswers {
        let lost = Lost::of_reads(self.at);
        ask(self.site, self.at, &PlacedAsk { question, places: self.places, limit, quiet, lost }).await
    }

    /// Whether the session that the step asks in has ended. Only the run opens it again, before its next step: asking once more
    /// brings no other answer.
    pub(in crate::runbook) fn has_lost_its_session(self) -> bool {
        let Some(Ask::Sql(Sql { session: Some(hold), .. })) = self.at.step().kind.answers_like() else {
            return false;
        };
        let opened = Lost::of_reads(self.at) == Lost::Fails;
        opened && self.places.hosts().any(|host| session::has_ended(self.site, self.at, &hold, host))
    }

    /// Whether a server could not be asked and will not answer later: its session has ended, or users wait in a window.
    pub(in crate::runbook) fn asks_in_vain(self, answers: &PlaceAnswers) -> bool {
        let asks_servers = matches!(self.at.step().kind.answers_like(), Some(Ask::Sql(_)));
        let waits = self.at.planned().window.is_some() || self.has_lost_its_session();
        asks_servers && waits && answers.iter().any(|(_, answer)| answer.is_err())
    }

    /// Sends a script: so that it outlives the connection, where the step wants that.
    pub(in crate::runbook) async fn send_script(self, text: &Script, what: For) -> PlaceAnswers {
        let Self { site, at, places } = self;
        match at.step().detached && what == For::Change {
            true => detached::run(site, at, text, places).await,
            false => script::on(site, at, text, places, self.manner(what)).await,
        }
    }

    /// Looks for a script that outlives the connection; `None` where this one does not.
    pub(in crate::runbook) async fn find_script(self, text: &Script) -> Option<Outcomes> {
        match self.at.step().detached {
            true => Some(detached::find(self.site, self.at, text, self.places).await),
            false => None,
        }
    }
}
