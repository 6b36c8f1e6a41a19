//! The view that the console opens with: what the command line asks for, and what the command of a copied view asks for again.

use super::model::columns::NamedColumn;
use super::model::{Model, Sort};
use super::rows::order::{self, Order};
use super::rows::{filter, unreadable};
use super::screens::Screen;
use crate::config::action::{Action, Destination};
use crate::config::columns::column_word;
use crate::config::diagnostic::Diagnostic;
use crate::config::views::{SavedView, ViewRules};
use jumpdeck_fleet::names::{EnvName, HostName};
use jumpdeck_fleet::text::is_drawn;

/// How the table of hosts is sorted when nobody says so.
const AS_USUAL: Sort = Sort { by: &order::SEVERITY, reversed: false };

/// A view of one environment.
#[derive(Debug, Clone, PartialEq)]
pub struct OpeningView {
    /// The screen.
    pub screen: Destination,
    /// The host that is shown in full, in place of the screen.
    pub host: Option<HostName>,
    /// The filter of the screen's rows; empty shows everything.
    pub filter: String,
    /// How the table of hosts is sorted.
    pub sort: Sort,
    /// Whether hosts that are alike are one row of it.
    pub folded: bool,
    /// The columns of the fleet table, by their titles; `None` leaves them as they are.
    pub columns: Option<Vec<&'static str>>,
}

impl Default for OpeningView {
    fn default() -> Self {
        Self {
            screen: Screen::ROOT.kind().tab(),
            host: None,
            filter: String::new(),
            sort: AS_USUAL,
            folded: false,
            columns: None,
        }
    }
}

impl OpeningView {
    /// The view on screen. A page that belongs to one run opens with its list; words of a filter that hide nothing are not part of it.
    #[must_use]
    pub fn of(model: &Model) -> Self {
        let kind = model.screen().kind();
        let door = kind.door();
        let words = kind.filter().filter(|_| door.is_some());
        let to = door.map_or_else(|| kind.tab(), |door| door.key);
        Self {
            screen: to,
            host: kind.host(model).filter(|_| kind.is_of_one_host()),
            filter: words.map_or_else(String::new, |words| {
                filter::in_force(model.filter_of(words).text.as_str(), words)
            }),
            sort: if kind.sorts() { model.sort } else { AS_USUAL },
            folded: kind.folds() && model.folded,
            columns: model.columns.clone().filter(|_| kind.sorts()),
        }
    }

    /// The arguments that ask for it, not quoted.
    #[must_use]
    pub fn arguments(&self) -> Vec<String> {
        let mut words = Vec::new();
        let mut option = |name: &str, value: String| words.extend([format!("--{name}"), value]);
        match &self.host {
            Some(host) => option("host", host.to_string()),
            None if self.screen != Screen::ROOT.kind().tab() => option("screen", screen_name(self.screen)),
            None => {}
        }
        if !self.filter.is_empty() {
            option("filter", self.filter.clone());
        }
        if self.sort.by != AS_USUAL.by {
            option("sort", self.sort.by.name());
        }
        if self.sort.reversed {
            words.push("--reverse".to_owned());
        }
        if self.folded {
            words.push("--fold".to_owned());
        }
        if let Some(columns) = &self.columns {
            let names: Vec<String> = columns.iter().map(|title| column_word(title)).collect();
            words.extend(["--columns".to_owned(), names.join(",")]);
        }
        words
    }

    /// A saved view, `orders` being those that it may name; `None` for another one.
    #[must_use]
    pub fn saved(view: &SavedView, orders: &[&'static Order]) -> Option<Self> {
        let by = match &view.sort {
            None => AS_USUAL.by,
            Some(name) => usual_orders().chain(orders.iter().copied()).find(|order| order.name() == *name)?,
        };
        let sort = Sort { by, reversed: view.reverse };
        let (screen, host, filter) = (view.screen, view.host.clone(), view.filter.clone());
        Some(Self { screen, host, filter, sort, folded: view.fold, columns: view.columns.clone() })
    }

    /// The view as it is saved, without a name.
    #[must_use]
    pub fn to_save(&self, environment: EnvName) -> SavedView {
        let rows = self.host.is_none();
        SavedView {
            name: String::new(),
            environment,
            screen: if rows { self.screen } else { Screen::ROOT.kind().tab() },
            host: self.host.clone(),
            filter: self.filter.clone(),
            sort: (rows && self.sort.by != AS_USUAL.by).then(|| self.sort.by.name()),
            reverse: rows && self.sort.reversed,
            fold: rows && self.folded,
            columns: self.columns.clone().filter(|_| rows),
        }
    }

    /// Shows it, in the environment that is shown.
    pub fn enter(&self, model: &mut Model) {
        model.sort = self.sort;
        if self.columns.is_some() {
            model.columns.clone_from(&self.columns);
        }
        if model.folded != self.folded {
            model.fold();
        }
        if let Some(screen) = Screen::at(self.screen) {
            model.show(screen);
        }
        if let Some(filter) = model.filter_mut() {
            filter.text.set(&self.filter);
        }
        if let Some(host) = &self.host {
            model.open_host(host.clone());
        }
    }
}

/// What a saved view shows: the screen, or the host.
#[must_use]
pub fn shows(view: &SavedView) -> String {
    match &view.host {
        Some(host) => format!("host {host}"),
        None => screen_name(view.screen).replace('-', " "),
    }
}

/// The order of a saved view, where it is not the usual one.
#[must_use]
pub fn order_of(view: &SavedView) -> String {
    let order = view.sort.as_ref().map(|order| format!("by {order}"));
    let words = [
        order,
        view.reverse.then(|| "reversed".to_owned()),
        view.fold.then(|| "folded".to_owned()),
        view.columns.as_ref().map(|columns| format!("{} columns", columns.len())),
    ];
    words.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The orders that are of no column; the first is the usual one.
pub fn usual_orders() -> impl Iterator<Item = &'static Order> {
    [AS_USUAL.by, &order::INVENTORY].into_iter()
}

/// What saved views may say, `columns` being those of the fleet table.
#[must_use]
pub fn view_rules(columns: &[NamedColumn]) -> ViewRules {
    let screens =
        Destination::ALL.iter().filter(|to| Screen::at(**to).is_some_and(|screen| screen.kind().is_view()));
    ViewRules {
        screens: screens.map(|screen| (screen_name(*screen), *screen)).collect(),
        orders: usual_orders().chain(columns.iter().filter_map(|c| c.order)).map(Order::name).collect(),
        columns: columns.iter().map(|column| column.title).collect(),
        folds: |screen| Screen::at(screen).is_some_and(|screen| screen.kind().folds()),
        sorts: |screen| Screen::at(screen).is_some_and(|screen| screen.kind().sorts()),
        filter: check_filter,
    }
}

/// The word for a screen on the command line.
#[must_use]
pub fn screen_name(screen: Destination) -> String {
    Action::Screen(screen).help().replace(' ', "-")
}

/// The screen with that name.
#[must_use]
pub fn screen_named(name: &str) -> Option<Destination> {
    Destination::ALL.iter().copied().find(|screen| screen_name(*screen) == name)
}

/// Checks a filter of a screen: a word that cannot be read would hide nothing.
///
/// # Errors
/// The first word that cannot be read, with its place, or that the screen has no filter.
pub fn check_filter(screen: Destination, text: &str) -> Result<(), Box<Diagnostic>> {
    const OPTION: &str = "--filter";
    let words = Screen::at(screen).and_then(|screen| screen.kind().filter());
    let Some(words) = words else {
        let error = Diagnostic::of_file(OPTION, format!("the screen {} has no filter", screen_name(screen)));
        return Err(Box::new(error.help("leave --filter out, or choose another screen")));
    };
    if let Some((at, c)) = text.char_indices().find(|(_, c)| !is_drawn(*c)) {
        let error =
            Diagnostic::at(OPTION, &text.into(), at..at + c.len_utf8(), "a character that is not visible");
        return Err(Box::new(error.help("remove it: it would match nothing")));
    }
    match unreadable(text, words) {
        None => Ok(()),
        Some((place, why)) => {
            let error = Diagnostic::at(OPTION, &text.into(), place, why);
            let example = words.example.unwrap_or("host:db !app");
            Err(Box::new(error.help(format!("a filter looks like this: {example}"))))
        }
    }
}

#[cfg(test)]
mod tests;
