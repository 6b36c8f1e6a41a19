//! What the console shows first, from the command line: what cannot be read ends the program before the full screen.

use crate::app::model::{Screen, Sort};
use crate::app::opening::{OpeningView, check_filter, screen_name, screen_named};
use crate::app::rows::order::{INVENTORY, Order, SEVERITY};
use crate::cli::common::{CliError, ShownFirst, colour_on};
use crate::config::action::Destination;
use crate::config::columns::columns_of;
use crate::config::diagnostic::nearest;
use crate::config::views::SavedView;
use crate::view::{fleet_columns, fleet_titles};
use jumpdeck_fleet::fleet::{Environment, Fleet};
use jumpdeck_fleet::names::HostName;

/// Reads what the command line asks for, of an environment.
pub(super) fn read(asked: &ShownFirst, env: Option<&Environment>) -> Result<OpeningView, CliError> {
    let screen = asked.screen.as_deref().map_or(Ok(OpeningView::default().screen), screen)?;
    let host = asked.host.as_deref().map(|name| host(name, env)).transpose()?;
    let filter = asked.filter.clone().unwrap_or_default();
    if asked.filter.is_some() {
        check_filter(screen, &filter)
            .map_err(|wrong| CliError::Usage(wrong.render(colour_on(&std::io::stderr()))))?;
    }
    let by = asked.sort.as_deref().map_or(Ok(&SEVERITY), order)?;
    let sorts = Screen::at(screen).is_some_and(|screen| screen.kind().sorts());
    if !sorts && (asked.sort.is_some() || asked.reverse) {
        let name = screen_name(screen);
        return Err(CliError::Usage(format!("the screen {name} cannot be sorted: --sort is for the fleet")));
    }
    if asked.fold && !Screen::at(screen).is_some_and(|screen| screen.kind().folds()) {
        let name = screen_name(screen);
        let text = format!("the rows of the screen {name} cannot be folded: --fold is for the fleet");
        return Err(CliError::Usage(text));
    }
    let columns = asked.columns.as_deref().map(|names| columns_of(names, &fleet_titles())).transpose();
    let columns = columns.map_err(CliError::Usage)?;
    if columns.is_some() && !sorts {
        let name = screen_name(screen);
        let text = format!("the screen {name} has no columns to choose: --columns is for the fleet");
        return Err(CliError::Usage(text));
    }
    let sort = Sort { by, reversed: asked.reverse };
    Ok(OpeningView { screen, host, filter, sort, folded: asked.fold, columns })
}

/// The saved view of that name, and the place of its environment.
pub(super) fn saved(
    name: &str,
    views: &[SavedView],
    orders: &[&'static Order],
    fleet: &Fleet,
) -> Result<(usize, OpeningView), CliError> {
    let Some(view) = views.iter().find(|view| view.name == name) else {
        let names = || views.iter().map(|view| view.name.as_str());
        let then = match nearest(name, names()) {
            Some(near) => format!("did you mean {near:?}?"),
            None if views.is_empty() => "no view is saved yet: V in the console saves one".to_owned(),
            None => format!("there are: {}", names().collect::<Vec<_>>().join(", ")),
        };
        return Err(CliError::Usage(format!("there is no saved view {name:?}; {then}")));
    };
    let env = &view.environment;
    let place = fleet.environments.iter().position(|one| one.name == *env);
    let (Some(place), Some(shown)) = (place, OpeningView::saved(view, orders)) else {
        let known: Vec<&str> = fleet.environments.iter().map(|env| env.name.as_str()).collect();
        let text = format!(
            "the saved view {name:?} is of the environment {env}, which is not in the inventory; there are: {}",
            known.join(", ")
        );
        return Err(CliError::Usage(text));
    };
    if let Some(name) = &view.host {
        host(name.as_str(), fleet.environments.get(place).map(AsRef::as_ref))?;
    }
    Ok((place, shown))
}

fn screen(name: &str) -> Result<Destination, CliError> {
    screen_named(name).ok_or_else(|| {
        let known = Destination::ALL.iter().map(|screen| screen_name(*screen));
        unknown("screen", name, known.collect())
    })
}

fn order(name: &str) -> Result<&'static Order, CliError> {
    // Those of columns that are not shown, too: a colleague may have chosen others.
    let columns = fleet_columns();
    let all = || [&SEVERITY, &INVENTORY].into_iter().chain(columns.iter().filter_map(|column| column.order));
    let found = all().find(|order| order.name() == name.to_lowercase());
    found.ok_or_else(|| unknown("order", name, all().map(Order::name).collect()))
}

fn host(name: &str, env: Option<&Environment>) -> Result<HostName, CliError> {
    let hosts = || env.into_iter().flat_map(|env| &env.hosts).map(|host| &host.id.host);
    let found = hosts().find(|host| host.as_str() == name).cloned();
    found.ok_or_else(|| {
        let env = env.map_or("", |env| env.name.as_str());
        let near = nearest(name, hosts().map(HostName::as_str));
        let near = near.map_or_else(
            || "`jumpdeck status` lists its hosts".to_owned(),
            |near| format!("did you mean {near}?"),
        );
        CliError::Usage(format!("there is no host {name:?} in {env}; {near}"))
    })
}

fn unknown(what: &str, name: &str, known: Vec<String>) -> CliError {
    CliError::Usage(format!("there is no {what} {name:?}; there are: {}", known.join(", ")))
}

#[cfg(test)]
mod tests;
