//! Masters and their replicas.

use std::sync::Arc;

use super::{Door, Screen, ScreenKind, open_selected, place, select_host};
use crate::app::message::AppEffect;
use crate::app::model::Model;
use crate::config::action::{Action, Destination};
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::snapshot::HostSnapshot;
use jumpdeck_fleet::topology::tree;

pub(super) struct Kind;

/// The hosts of the replication screen, which is not filtered: a chain without one of its members would be misread.
/// Those that have a database or should, in the order of the tree, each once.
#[must_use]
pub fn replication_rows(model: &Model) -> Vec<&Arc<HostSnapshot>> {
    let Some(env) = model.shown() else { return Vec::new() };
    let mut rows: Vec<&Arc<HostSnapshot>> = Vec::new();
    for host in tree(&env.spec, &env.hosts).iter().filter_map(|branch| branch.server.host()) {
        let row = env.hosts.iter().find(|h| h.id == host.id);
        rows.extend(row.filter(|row| rows.iter().all(|r| r.id != row.id)));
    }
    rows
}

impl ScreenKind for Kind {
    fn title(&self) -> &'static str {
        "ON REPLICATION"
    }

    fn keys(&self) -> &'static [Action] {
        use Action as A;
        &[A::Up, A::Down, A::Open, A::Mark, A::Retry, A::Shell, A::Power, A::Export, A::Refresh, A::Pause]
    }

    fn is_table(&self) -> bool {
        true
    }

    fn tab(&self) -> Destination {
        Destination::Replication
    }

    fn door(&self) -> Option<Door> {
        Some(Door { key: Destination::Replication, screen: Screen::Replication, tab: Some("repl") })
    }

    fn rows_are_hosts(&self) -> bool {
        true
    }

    fn hosts<'a>(&self, model: &'a Model) -> Vec<&'a HostName> {
        replication_rows(model).into_iter().map(|host| &host.id.host).collect()
    }

    fn count(&self, model: &Model) -> usize {
        replication_rows(model).len()
    }

    fn selected(&self, model: &Model) -> Option<usize> {
        let wanted = model.shown()?.selection.host.as_ref()?;
        place(replication_rows(model).iter().map(|h| &h.id.host), wanted)
    }

    fn select(&self, model: &mut Model, at: usize) -> bool {
        let host = replication_rows(model).get(at).map(|h| h.id.host.clone());
        select_host(model, host)
    }

    fn host(&self, model: &Model) -> Option<HostName> {
        model.shown()?.selection.host.clone()
    }

    fn open(&self, model: &mut Model) -> Vec<AppEffect> {
        open_selected(model)
    }
}

impl Model {
    /// Shows masters and replicas.
    pub(in crate::app) fn open_replication(&mut self) {
        self.push(Screen::Replication);
    }
}
