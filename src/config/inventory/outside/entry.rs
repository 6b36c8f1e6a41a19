//! What the tables of `outside` have in common.

use std::sync::Arc;

use toml::de::DeValue;

use crate::config::reader::{At, Reader, Table, TomlValue};
use jumpdeck_fleet::outside::{OutsideCheck, OutsideTarget, SiteUrl, Viewpoint};

const FROM: &str = "write from = [\"here\"], from = [\"jump\"] or both";

/// Where something is looked at from; `None`: nothing is said.
pub(super) fn viewpoints(reader: &mut Reader, table: &Table<'_>) -> Option<Vec<Viewpoint>> {
    let words = reader.strings(table, "from", FROM)?;
    let mut found = Vec::new();
    for word in &words {
        let known = [Viewpoint::ThisMachine, Viewpoint::JumpBox].into_iter().find(|v| v.word() == word.value);
        match known {
            Some(view) if !found.contains(&view) => found.push(view),
            Some(_) => {}
            None => reader.error(word.span.clone(), format!("from cannot be {:?}", word.value), FROM),
        }
    }
    if words.is_empty()
        && let Some(value) = table.get("from")
    {
        reader.error(value.span(), "it is looked at from nowhere", FROM);
    }
    Some(found)
}

/// Each check, once for each place.
pub(super) fn add(
    checks: &mut Vec<Arc<OutsideCheck>>,
    name: &str,
    from: &[Viewpoint],
    target: &OutsideTarget,
) {
    let check =
        |from: &Viewpoint| OutsideCheck { name: name.to_owned(), from: *from, target: target.clone() };
    checks.extend(from.iter().map(check).map(Arc::new));
}

/// An entry's own table; `true` means one that says nothing.
pub(super) fn entry<'t>(
    reader: &mut Reader,
    table: &Table<'t>,
    (name, value): (&At<&str>, &'t TomlValue<'t>),
    hint: &str,
) -> Option<Option<Table<'t>>> {
    match value.get_ref() {
        DeValue::Boolean(true) => Some(None),
        _ => reader.table(table.name_of(name.value), value, hint).map(Some),
    }
}

/// The front page of a name that is nothing but a host.
pub(super) fn front_page(name: &str) -> Option<SiteUrl> {
    SiteUrl::front_page(name).filter(|url| url.host == name.to_ascii_lowercase())
}

/// Whether a name is a host name or an address; an error of it else.
pub(super) fn is_address(reader: &mut Reader, name: &At<&str>, hint: &str) -> bool {
    let is_host = front_page(name.value).is_some();
    if !is_host {
        reader.error(name.span.clone(), format!("{:?} is not a host name or an address", name.value), hint);
    }
    is_host
}
