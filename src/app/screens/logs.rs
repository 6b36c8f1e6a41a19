//! Logs that are followed: lines of many hosts in the order of their arrival.

use super::{Screen, ScreenKind, step};
use crate::app::message::AppEffect;
use crate::app::model::Model;
use crate::app::model::logs::{LogEntry, LogView};
use crate::app::rows::{LOG_WORDS, Words};
use crate::config::action::{Action, Destination};
use jumpdeck_fleet::names::HostName;

pub(super) struct Kind;

impl ScreenKind for Kind {
    fn title(&self) -> &'static str {
        "ON LOGS"
    }

    fn keys(&self) -> &'static [Action] {
        use Action as A;
        &[
            A::Up,
            A::Down,
            A::Last,
            A::Pause,
            A::Filter,
            A::LogFilter,
            A::LogOnly,
            A::LogHide,
            A::LogWrap,
            A::Open,
            A::Shell,
            A::Copy,
            A::Back,
        ]
    }

    fn hints(&self, model: &Model) -> &'static [(Action, &'static str)] {
        let _ = model;
        &[
            (Action::Help, "help"),
            (Action::Back, "back"),
            (Action::Pause, "pause"),
            (Action::Last, "follow"),
            (Action::Filter, "filter"),
            (Action::LogFilter, "filter on hosts"),
            (Action::LogOnly, "one host"),
            (Action::LogWrap, "wrap"),
            (Action::Open, "host"),
        ]
    }

    fn tab(&self) -> Destination {
        Destination::Fleet
    }

    fn filter(&self) -> Option<&'static Words> {
        Some(&LOG_WORDS)
    }

    fn count(&self, model: &Model) -> usize {
        model.logs.as_ref().map_or(0, |logs| logs.counts().0)
    }

    fn selected(&self, model: &Model) -> Option<usize> {
        model.logs.as_ref()?.bottom()
    }

    fn select(&self, model: &mut Model, at: usize) -> bool {
        let Some(logs) = model.logs.as_mut().filter(|logs| at < logs.counts().0) else { return false };
        logs.put_at_bottom(at);
        true
    }

    fn host(&self, model: &Model) -> Option<HostName> {
        model.logs.as_ref()?.at_bottom().map(|entry| entry.host().clone())
    }

    /// A page is what is on screen: the line at the bottom is the selected one.
    fn go(&self, model: &mut Model, action: Action) {
        let page = model.page;
        let Some(logs) = &mut model.logs else { return };
        let Some(at) = logs.bottom() else { return };
        let last = logs.counts().0.saturating_sub(1);
        // The first page is a whole one.
        let to = step(action, at, page, last).max(page.saturating_sub(1).min(last));
        logs.put_at_bottom(to);
    }

    fn open(&self, model: &mut Model) -> Vec<AppEffect> {
        let host = model.logs.as_ref().and_then(LogView::at_bottom).map(LogEntry::host).cloned();
        if let Some(host) = host {
            model.open_host(host);
        }
        Vec::new()
    }
}

impl Model {
    /// The screen of logs.
    pub const LOGS: Screen = Screen::Logs;
}
