//! `host_key`: this console knows a host by another key from now on.

use std::sync::Arc;

use super::{Effects, KindEntry, Part, Reads, StepKind, Used, Where};
use crate::config::reader::Table;
use crate::runbook::place::Places;
use crate::runbook::scope::Scope;
use crate::runbook::spec::read::{Common, Reading, Use, keys};
use crate::runbook::spec::{Act, HostKey};
use crate::runbook::{act, uses};

const OWN: &[&[&str]] =
    &[keys::ALL, keys::DONE, keys::TIMED, keys::CHANGES, &["key", "fingerprint", "address"]];

pub(super) static KIND: KindEntry = KindEntry {
    effects: Effects::CHANGES,
    on: Where::Said,
    one_host: true,
    proves_itself: true,
    ..KindEntry::new("host_key", OWN, Reads::Step(read))
};

#[derive(Debug)]
struct HostKeyStep {
    key: HostKey,
}

fn read(reading: &mut Reading<'_>, table: &Table<'_>, _: &Common) -> Option<Arc<dyn StepKind>> {
    let help = "write key = \"{host_key}\", a captured key as in a .pub file";
    let key = reading.need_text(table, "key", Use::Value, help);
    let help = "write fingerprint = \"{host_print}\", the captured SHA256:… of the key";
    let fingerprint = reading.need_text(table, "fingerprint", Use::Value, help);
    let help = "write address = \"{new_address}\", where the host is from now on";
    let address = reading.need_text(table, "address", Use::Value, help);
    let key = HostKey { key: key?, fingerprint: fingerprint?, address: address? };
    Some(Arc::new(HostKeyStep { key }))
}

impl StepKind for HostKeyStep {
    fn entry(&self) -> &'static KindEntry {
        &KIND
    }

    fn part(&self) -> Part<'_> {
        Part::Act(Act::HostKey(self.key.clone()))
    }

    fn lines(&self) -> Vec<String> {
        let HostKey { key, fingerprint, address } = &self.key;
        vec![format!("known_hosts: {key} ({fingerprint}) at {address}")]
    }

    fn shown(&self, scope: &Scope<'_>, _: &Places) -> String {
        act::host_key::shown(scope, &self.key)
    }

    fn uses<'s>(&'s self, names: &mut Used<'s>) {
        let HostKey { key, fingerprint, address } = &self.key;
        [key, fingerprint, address].into_iter().for_each(|text| uses::template(text, names));
    }
}
