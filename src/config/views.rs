//! Saved views of the console: `views.toml` in the configuration folder. The file is the operator's: it is edited by hand as
//! well, so changes leave everything else as it is ([`edit`]).
//!
//! ```toml
//! [views.replicas]
//! environment = "production"
//! screen = "fleet"
//! filter = "role:db lag>5"
//! sort = "disk"
//! reverse = true
//! ```

use std::ops::Range;

use toml::de::DeValue;

use super::action::Destination;
use super::columns::chosen_columns;
use super::diagnostic::{Diagnostic, nearest};
use super::reader::{At, Reader, Table};
use jumpdeck_fleet::names::{EnvName, HostName};
use jumpdeck_fleet::text::is_drawn;

pub mod edit;

/// Characters that the name of a view has at most.
pub const LONGEST_NAME: usize = 40;

/// A view under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedView {
    /// Its name.
    pub name: String,
    /// The environment.
    pub environment: EnvName,
    /// The screen.
    pub screen: Destination,
    /// The host that is shown in full, in place of the screen.
    pub host: Option<HostName>,
    /// The filter of the screen's rows; empty shows everything.
    pub filter: String,
    /// The order of the fleet table, by its name; `None` is the usual one.
    pub sort: Option<String>,
    /// That order turned round.
    pub reverse: bool,
    /// Hosts that are alike are one row of it.
    pub fold: bool,
    /// The columns of the fleet table, by their titles; `None` leaves them as they are.
    pub columns: Option<Vec<&'static str>>,
}

/// What views may say: screens, orders and filters belong to another layer.
#[derive(Debug, Clone)]
pub struct ViewRules {
    /// The words of screens.
    pub screens: Vec<(String, Destination)>,
    /// The names of orders; the first is the usual one.
    pub orders: Vec<String>,
    /// The titles of the columns of the fleet table; the first is the one that no choice may lack.
    pub columns: Vec<&'static str>,
    /// Whether the rows of a screen can be sorted.
    pub sorts: fn(Destination) -> bool,
    /// Whether the rows of a screen can be folded.
    pub folds: fn(Destination) -> bool,
    /// What is wrong with a filter of a screen.
    pub filter: fn(Destination, &str) -> Result<(), Box<Diagnostic>>,
}

impl ViewRules {
    /// The word of a screen.
    #[must_use]
    pub fn word(&self, screen: Destination) -> &str {
        self.screens.iter().find(|(_, one)| *one == screen).map_or("", |(word, _)| word)
    }

    fn usual_screen(&self) -> Option<Destination> {
        self.screens.first().map(|(_, screen)| *screen)
    }
}

/// Why a text cannot be the name of a view.
#[must_use]
pub fn wrong_name(name: &str) -> Option<&'static str> {
    if name.trim().is_empty() {
        Some("a name is needed")
    } else if name.trim() != name {
        Some("a name has no space at its ends")
    } else if name.chars().count() > LONGEST_NAME {
        Some("a name has at most 40 characters")
    } else if !name.chars().all(is_drawn) {
        Some("a name has only visible characters")
    } else {
        None
    }
}

/// Reads `views.toml`: the views in the order of the file.
///
/// # Errors
/// Every mistake of the file. Whether environments and hosts exist is not judged here: an inventory may come later.
pub fn parse_views(file: &str, text: &str, rules: &ViewRules) -> Result<Vec<SavedView>, Vec<Diagnostic>> {
    let mut reader = Reader::new(file, text);
    let root = reader.parse(text);
    let views = root.as_ref().map(|root| {
        let root = reader.root(root);
        reader.only(&root, &["views"]);
        let hint = "write [views.NAME] and environment = \"production\" below it";
        let table = reader.subtable(&root, "views", hint);
        let entries = table.iter().flat_map(|table| {
            table.entries().into_iter().map(|(name, value)| (table.name_of(name.value), name, value))
        });
        let mut views = Vec::new();
        for (path, name, value) in entries {
            if let Some(why) = wrong_name(name.value) {
                let message = format!("{:?} cannot be the name of a view: {why}", name.value);
                reader.error(name.span.clone(), message, "write another name: [views.replicas]");
            }
            if let Some(table) = reader.table(path, value, hint) {
                views.extend(view(&mut reader, &name, &table, rules));
            }
        }
        views
    });
    reader.finish(views)
}

/// The place of the name of a view's environment in a text.
pub(super) fn place_of_environment(text: &str, name: &str) -> Option<Range<usize>> {
    let root = super::reader::readable(text);
    let DeValue::Table(views) = root.get("views")?.get_ref() else { return None };
    let DeValue::Table(view) = views.get(name)?.get_ref() else { return None };
    Some(view.get("environment")?.span())
}

const KEYS: [&str; 8] = ["environment", "screen", "host", "filter", "sort", "reverse", "fold", "columns"];

fn view(reader: &mut Reader, name: &At<&str>, table: &Table<'_>, rules: &ViewRules) -> Option<SavedView> {
    reader.only(table, &KEYS);
    let hint = "write environment = \"production\"";
    let environment = reader.string(table, "environment", hint);
    if environment.is_none() && table.get("environment").is_none() {
        let message = format!("the view {:?} has no environment", name.value);
        reader.error(name.span.clone(), message, hint);
    }
    let environment = environment.and_then(|text| match EnvName::new(text.value) {
        Ok(name) => Some(name),
        Err(error) => {
            reader.error(text.span, error.to_string(), hint);
            None
        }
    });
    let words: Vec<(&str, Destination)> =
        rules.screens.iter().map(|(word, to)| (word.as_str(), *to)).collect();
    let screen = reader.word(table, "screen", &words).or(rules.usual_screen())?;
    let host = reader.string(table, "host", "write host = \"db1\"").and_then(|text| {
        HostName::new(text.value)
            .map_err(|error| reader.error(text.span, error.to_string(), "write host = \"db1\""))
            .ok()
    });
    let filter = reader.string(table, "filter", "write filter = \"role:db load>1\"");
    let sort = reader.string(table, "sort", "write sort = \"disk\"");
    let reverse = reader.boolean(table, "reverse");
    let fold = reader.boolean(table, "fold").unwrap_or_default();
    let columns = chosen_columns(reader, table, &rules.columns);
    if host.is_some() {
        only_with_rows(reader, table);
    } else {
        judge_rows(reader, table, screen, (filter.as_ref(), sort.as_ref(), reverse), rules);
    }
    Some(SavedView {
        name: name.value.to_owned(),
        environment: environment?,
        screen,
        host,
        filter: filter.map_or_else(String::new, |text| text.value.to_owned()),
        sort: sort.map(|text| text.value.to_owned()),
        reverse: reverse.unwrap_or_default(),
        fold,
        columns,
    })
}

/// A host's page has no rows that could be filtered or sorted.
fn only_with_rows(reader: &mut Reader, table: &Table<'_>) {
    for key in ["screen", "filter", "sort", "reverse", "fold", "columns"] {
        if let Some(value) = table.get(key) {
            let message = format!("a view of a host has no {key}");
            reader.error(value.span(), message, format!("remove {key}, or remove host"));
        }
    }
}

fn judge_rows(
    reader: &mut Reader,
    table: &Table<'_>,
    screen: Destination,
    (filter, sort, reverse): (Option<&At<&str>>, Option<&At<&str>>, Option<bool>),
    rules: &ViewRules,
) {
    let word = rules.word(screen).to_owned();
    if let Some(value) = table.get("columns").filter(|_| !(rules.sorts)(screen)) {
        let message = format!("the screen {word} has no columns to choose");
        reader.error(value.span(), message, "remove columns");
    }
    if let Some(value) = table.get("fold").filter(|_| !(rules.folds)(screen)) {
        reader.error(value.span(), format!("the rows of the screen {word} cannot be folded"), "remove fold");
    }
    if let Some(text) = filter
        && let Err(wrong) = (rules.filter)(screen, text.value)
    {
        let advice = wrong.advice().unwrap_or("write filter = \"role:db load>1\"").to_owned();
        reader.error(text.span.clone(), format!("filter: {}", wrong.message()), advice);
    }
    let sorted: Option<Range<usize>> = sort
        .map(|text| text.span.clone())
        .or_else(|| reverse.filter(|reverse| *reverse).and_then(|_| Some(table.get("reverse")?.span())));
    if let Some(span) = sorted.filter(|_| !(rules.sorts)(screen)) {
        reader.error(span, format!("the screen {word} cannot be sorted"), "remove sort and reverse");
    } else if let Some(text) = sort.filter(|text| !rules.orders.iter().any(|name| name == text.value)) {
        let help = nearest(text.value, rules.orders.iter().map(String::as_str)).map_or_else(
            || format!("orders are: {}", rules.orders.join(", ")),
            |near| format!("did you mean {near:?}?"),
        );
        reader.error(text.span.clone(), format!("unknown order {:?}", text.value), help);
    }
}

#[cfg(test)]
pub(crate) mod tests;
