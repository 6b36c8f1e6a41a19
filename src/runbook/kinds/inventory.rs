//! `inventory`: the operator's inventory says something else of a host from now on: a role, an address. Shown as a diff, written with
//! every comment kept, read again. Where it cannot be written to, the exact lines are shown, and the file is read to prove that a
//! person wrote them.

use std::future::ready;
use std::sync::Arc;

use super::{ByMachines, DoneBy, Effects, KindEntry, Reads, StepKind, TakesBack, UndoEntry, Used, Where};
use crate::config::reader::Table;
use crate::config::store::{InventoryStore, Outlook};
use crate::runbook::act::{Done, For, Mark, PlaceAnswers, Trouble, Work, on_hosts};
use crate::runbook::definition::Step;
use crate::runbook::definition::read::{Reading, StepHead, Use, keys};
use crate::runbook::event::{HostOutcome, Outcomes, Verdict};
use crate::runbook::judge::HostAnswer;
use crate::runbook::place::{Place, Places};
use crate::runbook::scope::Scope;
use crate::runbook::template::Template;
use crate::runbook::uses;
use crate::transport::BoxFuture;
use jumpdeck_fleet::fleet::{HostChange, Set};
use jumpdeck_fleet::names::{HostName, RoleName};
use jumpdeck_fleet::text::Clean;

const OWN: &[&[&str]] = &[keys::ALL, keys::DONE, keys::TIMED, keys::CHANGES, SET];
const SET: &[&str] = &["set"];
const HINT: &str = "write set = [{ host = \"{candidate}\", gains = \"masterdb\" }, { host = \"{old}\", loses = \"masterdb\" }]";
const ITEM_HINT: &str = "write { host = \"{vm}\", gains = \"ROLE\" }, { host = \"{vm}\", loses = \"ROLE\" } or { host = \"{vm}\", address = \"…\" }";

pub(super) static KIND: KindEntry = KindEntry {
    effects: Effects::CHANGES,
    on: Where::Said,
    one_host: true,
    proves_itself: true,
    undo: Some(UndoEntry { verb: "set", keys: SET, read: read_undo }),
    ..KindEntry::new("inventory", OWN, Reads::Step(read))
};

#[derive(Debug)]
struct InventoryStep {
    set: Vec<WantedChange>,
}

/// A change of one host's entry, with variables.
#[derive(Debug)]
struct WantedChange {
    host: Template,
    what: InventoryChange,
}

#[derive(Debug)]
enum InventoryChange {
    Gains(RoleName),
    Loses(RoleName),
    Address(Template),
}

fn read(reading: &mut Reading<'_>, table: &Table<'_>, _: &StepHead) -> Option<Arc<dyn StepKind>> {
    let set = read_set(reading, table)?;
    Some(Arc::new(InventoryStep { set }))
}

fn read_undo(reading: &mut Reading<'_>, table: &Table<'_>) -> Option<Arc<dyn TakesBack>> {
    let set = read_set(reading, table)?;
    Some(Arc::new(InventoryStep { set }))
}

fn read_set(reading: &mut Reading<'_>, table: &Table<'_>) -> Option<Vec<WantedChange>> {
    let mut set = Vec::new();
    let before = reading.reader.error_count();
    for item in reading.reader.list(table, "set", HINT).unwrap_or_default() {
        let Some(item) = reading.reader.table("set".to_owned(), item, HINT) else { continue };
        reading.reader.only(&item, &["host", "gains", "loses", "address"]);
        set.extend(read_wanted(reading, &item));
    }
    if set.is_empty() && reading.reader.error_count() == before {
        reading.reader.error(table.span.clone(), "this step has nothing to set", HINT);
    }
    Some(set)
}

fn read_wanted(reading: &mut Reading<'_>, table: &Table<'_>) -> Option<WantedChange> {
    let host = reading.need_text(table, "host", Use::Value, ITEM_HINT);
    let there: Vec<&str> =
        ["gains", "loses", "address"].into_iter().filter(|key| table.get(key).is_some()).collect();
    let what = match there.as_slice() {
        ["address"] => {
            reading.need_text(table, "address", Use::Value, ITEM_HINT).map(InventoryChange::Address)
        }
        [key @ ("gains" | "loses")] => {
            let role = reading.need_string(table, key, ITEM_HINT)?;
            match RoleName::new(role.value) {
                Ok(name) if *key == "gains" => Some(InventoryChange::Gains(name)),
                Ok(name) => Some(InventoryChange::Loses(name)),
                Err(error) => {
                    let help = "write a role such as masterdb";
                    reading.reader.error(role.span.clone(), error.to_string(), help);
                    None
                }
            }
        }
        _ => {
            reading.reader.error(table.span.clone(), "expected one of gains, loses and address", ITEM_HINT);
            None
        }
    };
    Some(WantedChange { host: host?, what: what? })
}

impl StepKind for InventoryStep {
    fn entry(&self) -> &'static KindEntry {
        &KIND
    }

    fn done_by(&self) -> DoneBy<'_> {
        DoneBy::Machines(self)
    }

    fn lines(&self) -> Vec<String> {
        self.told(ToString::to_string)
    }

    fn shown(&self, scope: &Scope<'_>, _: &Places) -> String {
        self.told(|template| scope.shown(template)).join("\n")
    }

    fn uses<'s>(&'s self, names: &mut Used<'s>) {
        for wanted in &self.set {
            uses::template(&wanted.host, names);
            match &wanted.what {
                InventoryChange::Address(address) => uses::template(address, names),
                InventoryChange::Gains(_) | InventoryChange::Loses(_) => {}
            }
        }
    }
}

impl ByMachines for InventoryStep {
    fn perform<'w>(&'w self, work: Work<'w>) -> BoxFuture<'w, Done> {
        Box::pin(async move {
            let answers = on_hosts(work.places, |host| ready(self.change(work, host, true))).await;
            work.conclude(answers).await
        })
    }

    fn mark(&self, _: &Step, _: For) -> Mark<'_> {
        Mark::None
    }

    fn preview<'w>(
        &'w self,
        work: Work<'w>,
        host: &'w HostName,
    ) -> BoxFuture<'w, Result<Option<String>, String>> {
        let told = self.of(work, host).map(|(store, changes)| {
            Some(match store.outlook(&work.site.env.name, &changes) {
                Outlook::There => format!("nothing: {} has it already", store.name()),
                Outlook::Change(diff) => diff,
                Outlook::ByHand { why, lines } => by_hand(work, &store, &why, &lines).join("\n"),
            })
        });
        Box::pin(ready(told.map_err(|trouble| trouble.words().to_owned())))
    }

    fn by_hand<'w>(&'w self, work: Work<'w>) -> BoxFuture<'w, Option<Vec<Clean>>> {
        let lines = work.places.hosts().find_map(|host| {
            let (store, changes) = self.of(work, host).ok()?;
            match store.outlook(&work.site.env.name, &changes) {
                Outlook::ByHand { why, lines } => Some(by_hand(work, &store, &why, &lines)),
                Outlook::There | Outlook::Change(_) => None,
            }
        });
        Box::pin(ready(lines.map(|lines| lines.iter().map(|line| Clean::new(line)).collect())))
    }

    /// Reads the inventory.
    fn find<'w>(&'w self, work: Work<'w>) -> BoxFuture<'w, Option<Outcomes>> {
        let found = work.places.each(|place| HostOutcome::of(self.found(work, place)));
        Box::pin(ready(Some(found)))
    }
}

impl TakesBack for InventoryStep {
    fn take_back<'w>(&'w self, work: Work<'w>) -> BoxFuture<'w, PlaceAnswers> {
        Box::pin(on_hosts(work.places, move |host| ready(self.change(work, host, false))))
    }
}

/// What a person does where the inventory cannot be written to.
fn by_hand(work: Work<'_>, store: &InventoryStore, why: &str, lines: &[String]) -> Vec<String> {
    let head = format!("In {}, environment {}, write:", store.name(), work.site.env.name);
    let lines = lines.iter().map(|line| format!("  {line}"));
    let end = format!(
        "The file is not changed automatically: {why}. Answer yes when you have saved it; the inventory is then read again."
    );
    std::iter::once(head).chain(lines).chain([end]).collect()
}

impl InventoryStep {
    fn told(&self, text: impl Fn(&Template) -> String) -> Vec<String> {
        let told = |wanted: &WantedChange| {
            let host = text(&wanted.host);
            match &wanted.what {
                InventoryChange::Gains(role) => format!("inventory: {host} gains the role {role}"),
                InventoryChange::Loses(role) => format!("inventory: {host} loses the role {role}"),
                InventoryChange::Address(address) => {
                    format!("inventory: {host} has the address {}", text(address))
                }
            }
        };
        self.set.iter().map(told).collect()
    }

    /// The changes, and the inventory that they are of.
    fn of(&self, work: Work<'_>, host: &HostName) -> Result<(Arc<InventoryStore>, Vec<HostChange>), Trouble> {
        let failed = |why: String| Trouble::Failed(why);
        let store = work.site.inventory.clone();
        let store =
            store.ok_or_else(|| failed("this run has no inventory that could be changed".to_owned()))?;
        let changes = work.at.at(Some(host), |scope| {
            let changes = self.set.iter().map(|wanted| {
                let host = scope.text(&wanted.host).map_err(|error| error.to_string())?;
                let set = match &wanted.what {
                    InventoryChange::Gains(role) => Set::Gains(role.clone()),
                    InventoryChange::Loses(role) => Set::Loses(role.clone()),
                    InventoryChange::Address(address) => {
                        Set::Address(plain(&scope.text(address).map_err(|error| error.to_string())?)?)
                    }
                };
                Ok(HostChange { host: HostName::new(&host).map_err(|error| error.to_string())?, set })
            });
            changes.collect::<Result<Vec<_>, String>>()
        });
        Ok((store, changes.map_err(failed)?))
    }

    fn change(&self, work: Work<'_>, host: &HostName, as_shown: bool) -> Result<HostAnswer, Trouble> {
        let (store, changes) = self.of(work, host)?;
        store.change(&work.site.env.name, &changes, as_shown).map_err(Trouble::Failed)?;
        let told: Vec<String> = changes.iter().map(ToString::to_string).collect();
        Ok(HostAnswer::of_text(&format!("{} says: {}", store.name(), told.join("; "))))
    }

    fn found(&self, work: Work<'_>, place: &Place) -> Verdict {
        let Some(host) = place.host() else { return Verdict::Unknown(Trouble::nowhere().words().to_owned()) };
        let said = self
            .of(work, host)
            .and_then(|(store, changes)| store.says(&work.site.env.name, &changes).map_err(Trouble::Unknown));
        match said {
            Ok(true) => Verdict::Done,
            Ok(false) => Verdict::NotDone,
            Err(trouble) => Verdict::Unknown(format!("the inventory cannot be read: {}", trouble.words())),
        }
    }
}

/// An address as it may stand between quotes; whether it is one, the inventory's reader says.
fn plain(address: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || ".:-_%[]".contains(c);
    if !address.is_empty() && address.chars().all(fits) {
        Ok(address.to_owned())
    } else {
        Err(format!("{address:?} is not an address"))
    }
}
