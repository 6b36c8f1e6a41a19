//! Every service of the environment, and how it is on each of its hosts.

use std::collections::BTreeSet;

use super::{Door, Screen, ScreenKind};
use crate::app::message::AppEffect;
use crate::app::model::Model;
use crate::config::action::{Action, Destination};
use jumpdeck_fleet::problem::Problem;
use jumpdeck_fleet::snapshot::HostSnapshot;

pub(super) struct Kind;

/// The services that hosts run or should run, by name; then what is looked at from outside, by its id, as the inventory has it.
#[must_use]
pub fn service_rows(model: &Model) -> Vec<&str> {
    let hosts = model.shown().into_iter().flat_map(|env| &env.hosts);
    let names: BTreeSet<&str> = hosts
        .flat_map(|host| &host.facts.services)
        .map(jumpdeck_fleet::service::ServiceEntry::name)
        .collect();
    let outside = model.shown().into_iter().flat_map(|env| &env.outside.results);
    names.into_iter().chain(outside.map(|result| result.id.as_str())).collect()
}

impl ScreenKind for Kind {
    fn title(&self) -> &'static str {
        "ON SERVICES"
    }

    fn keys(&self) -> &'static [Action] {
        use Action as A;
        &[A::Up, A::Down, A::Open, A::Export, A::Refresh, A::Pause, A::Back]
    }

    fn hints(&self, _: &Model) -> &'static [(Action, &'static str)] {
        &[
            (Action::Help, "help"),
            (Action::Back, "back"),
            (Action::NextEnvironment, "env"),
            (Action::Palette, "find"),
            (Action::Open, "open"),
            (Action::Refresh, "refresh"),
            (Action::Pause, "pause"),
        ]
    }

    fn is_table(&self) -> bool {
        true
    }

    fn tab(&self) -> Destination {
        Destination::Fleet
    }

    /// It has no tab: at 80 columns a sixth would take the room of the keys.
    fn door(&self) -> Option<Door> {
        Some(Door { key: Destination::Services, screen: Screen::Services, tab: None })
    }

    fn is_in_a_wide_footer(&self) -> bool {
        true
    }

    fn behind(&self) -> Option<Screen> {
        Some(Screen::ROOT)
    }

    fn count(&self, model: &Model) -> usize {
        service_rows(model).len()
    }

    fn selected(&self, model: &Model) -> Option<usize> {
        let wanted = model.shown()?.selection.service.as_deref()?;
        service_rows(model).iter().position(|name| *name == wanted)
    }

    fn select(&self, model: &mut Model, at: usize) -> bool {
        let Some(name) = service_rows(model).get(at).map(ToString::to_string) else { return false };
        let Some(env) = model.shown_mut() else { return false };
        env.selection.service = Some(name);
        true
    }

    fn problem<'a>(&self, model: &'a Model) -> Option<&'a Problem> {
        let env = model.shown()?;
        env.problems.iter().find(|p| p.service.is_some() && p.service == env.selection.service)
    }

    /// Leads to the first host where the service is not well, else to its first host.
    fn open(&self, model: &mut Model) -> Vec<AppEffect> {
        let Some(env) = model.shown() else { return Vec::new() };
        let Some(wanted) = env.selection.service.as_deref() else { return Vec::new() };
        // `None` where the host does not run it.
        let well = |host: &HostSnapshot| {
            let entry = host.facts.services.iter().find(|entry| entry.name() == wanted)?;
            let service = entry.fact.current().filter(|_| host.link.is_up());
            Some(service.is_some_and(|s| s.running && entry.findings(s, &env.spec.thresholds).is_empty()))
        };
        let own = |is_well: bool| env.hosts.iter().find(move |host| well(host) == Some(is_well));
        if let Some(host) = own(false).or_else(|| own(true)).map(|host| host.id.host.clone()) {
            model.open_host(host);
        }
        Vec::new()
    }
}
