//! `host_key`: this console knows a host by another key from now on: the key in its own known_hosts is replaced, with the
//! machine. The new key came by way of the cloud's console, never from the host itself; what was known before is kept
//! in a file beside.

use std::fmt::Write as _;
use std::future::ready;
use std::path::PathBuf;
use std::sync::Arc;

use super::{ByMachines, DoneBy, Effects, KindEntry, Reads, StepKind, Used, Where};
use crate::config::reader::Table;
use crate::openssh::known_hosts::{HostKeys, Replacement};
use crate::runbook::act::Site;
use crate::runbook::act::{Done, For, Mark, Trouble, Work, on_hosts};
use crate::runbook::definition::Step;
use crate::runbook::definition::read::{Reading, StepHead, Use, keys};
use crate::runbook::event::{HostOutcome, Outcomes, Verdict};
use crate::runbook::judge::HostAnswer;
use crate::runbook::place::Places;
use crate::runbook::scope::{Scope, ScopeError};
use crate::runbook::template::Template;
use crate::runbook::uses;
use crate::transport::BoxFuture;
use jumpdeck_fleet::access::KnownHosts;
use jumpdeck_fleet::names::HostName;

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
    /// The new key, as in a `.pub` file, from a source that can be trusted.
    key: Template,
    /// Its fingerprint, `SHA256:…`, as people were shown it: the key must have it.
    fingerprint: Template,
    /// The host's address from now on, known by that key beside its names.
    address: Template,
}

/// What is to be done to a file; none where the fleet brings its keys along, and there is no file.
struct PreparedKey {
    change: Option<Replacement>,
    /// Where the file is kept as it was.
    record: PathBuf,
    names: Vec<String>,
}

fn read(reading: &mut Reading<'_>, table: &Table<'_>, _: &StepHead) -> Option<Arc<dyn StepKind>> {
    let help = "write key = \"{host_key}\", a captured key as in a .pub file";
    let key = reading.need_text(table, "key", Use::Value, help);
    let help = "write fingerprint = \"{host_print}\", the captured SHA256:… of the key";
    let fingerprint = reading.need_text(table, "fingerprint", Use::Value, help);
    let help = "write address = \"{new_address}\", where the host is from now on";
    let address = reading.need_text(table, "address", Use::Value, help);
    Some(Arc::new(HostKeyStep { key: key?, fingerprint: fingerprint?, address: address? }))
}

impl StepKind for HostKeyStep {
    fn entry(&self) -> &'static KindEntry {
        &KIND
    }

    fn done_by(&self) -> DoneBy<'_> {
        DoneBy::Machines(self)
    }

    fn lines(&self) -> Vec<String> {
        let Self { key, fingerprint, address } = self;
        vec![format!("known_hosts: {key} ({fingerprint}) at {address}")]
    }

    fn shown(&self, scope: &Scope<'_>, _: &Places) -> String {
        format!("known_hosts: {} at {}", scope.shown(&self.key), scope.shown(&self.address))
    }

    fn uses<'s>(&'s self, names: &mut Used<'s>) {
        let Self { key, fingerprint, address } = self;
        [key, fingerprint, address].into_iter().for_each(|text| uses::template(text, names));
    }
}

impl ByMachines for HostKeyStep {
    fn perform<'w>(&'w self, work: Work<'w>) -> BoxFuture<'w, Done> {
        Box::pin(async move {
            let answers = on_hosts(work.places, |host| self.replace(work, host)).await;
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
        let prepared = self.prepare(work, host);
        let told = prepared.map(|prepared| Some(prepared.told())).map_err(|t| t.words().to_owned());
        Box::pin(ready(told))
    }

    /// Looks whether it is there already.
    fn find<'w>(&'w self, work: Work<'w>) -> BoxFuture<'w, Option<Outcomes>> {
        let found = work.places.each(|place| {
            let prepared = match place.host() {
                Some(host) => self.prepare(work, host),
                None => Err(Trouble::nowhere()),
            };
            HostOutcome::of(match prepared {
                Ok(PreparedKey { change: Some(change), .. }) if change.texts().0 != change.texts().1 => {
                    Verdict::NotDone
                }
                Ok(_) => Verdict::Done,
                Err(trouble) => {
                    Verdict::Unknown(format!("cannot check whether it was done: {}", trouble.words()))
                }
            })
        });
        Box::pin(ready(Some(found)))
    }
}

impl PreparedKey {
    /// What it would do: both fingerprints.
    fn told(&self) -> String {
        let Some(change) = &self.change else {
            return "nothing: this fleet has no known_hosts file".to_owned();
        };
        let mut text = format!("{}\n", change.path.display());
        for known in &change.gone {
            let _ = writeln!(text, "- {} {} ({})", known.algorithm, known.fingerprint, known.place);
        }
        let _ = writeln!(text, "+ {} for {}", change.fingerprint, self.names.join(", "));
        let _ = write!(text, "old copy: {}", self.record.display());
        text
    }
}

impl HostKeyStep {
    fn prepare(&self, work: Work<'_>, host: &HostName) -> Result<PreparedKey, Trouble> {
        let Work { site, at, .. } = work;
        let failed = |why: String| Trouble::Failed(why);
        let texts = at.at(Some(host), |scope| {
            Ok::<_, ScopeError>((
                scope.text(&self.key)?,
                scope.text(&self.fingerprint)?,
                scope.text(&self.address)?,
            ))
        });
        let (text, fingerprint, address) = texts.map_err(|e| failed(e.to_string()))?;
        let known = site.env.hosts.iter().find(|h| h.id.host == *host);
        let known = known.ok_or_else(|| failed(format!("{host} is not in the inventory")))?;
        let domain = site.env.domain.as_ref().map(|domain| format!("{host}.{domain}"));
        let mut names: Vec<String> = domain.into_iter().chain([host.to_string(), address]).collect();
        names.dedup();
        let KnownHosts::Files(files) = &known.access.known_hosts else {
            return Ok(PreparedKey { change: None, record: PathBuf::new(), names });
        };
        let file = files.own.first().ok_or_else(|| failed("no known_hosts file is configured".to_owned()))?;
        // An alias stands for name, address and port.
        let (former, port) = match &files.alias {
            Some(alias) => {
                names = vec![alias.clone()];
                (alias.clone(), 22)
            }
            None => (known.address.clone(), known.port),
        };
        let change = Replacement::of(file, &names, &[former], port, &text);
        let change = change.map_err(|e| failed(e.to_string()))?;
        if change.fingerprint != fingerprint {
            let why = format!(
                "the key has the fingerprint {}, but {fingerprint} was shown: nothing was written",
                change.fingerprint
            );
            return Err(failed(why));
        }
        let mut record = change.path.clone().into_os_string();
        record.push(format!(".before-{}", at.machine().run));
        Ok(PreparedKey { change: Some(change), record: record.into(), names })
    }

    /// Replaces the key, and looks whether the new one is known then.
    async fn replace(&self, work: Work<'_>, host: &HostName) -> Result<HostAnswer, Trouble> {
        let prepared = self.prepare(work, host)?;
        if let Some(change) = &prepared.change {
            change.write(&prepared.record).map_err(|e| Trouble::Failed(e.to_string()))?;
            if let Some(why) = other(work.site, &prepared, host).await? {
                return Err(Trouble::Failed(why));
            }
        }
        Ok(HostAnswer::of_text(&prepared.told()))
    }
}

/// Another file of the inventory's that still says otherwise, if one does.
async fn other(site: &Site, prepared: &PreparedKey, host: &HostName) -> Result<Option<String>, Trouble> {
    let (Some(change), Some(known)) = (&prepared.change, site.env.hosts.iter().find(|h| h.id.host == *host))
    else {
        return Ok(None);
    };
    let keys = HostKeys::load(&known.access.known_hosts).await;
    let keys = keys.map_err(|e| Trouble::Failed(e.to_string()))?;
    let port = known.access.known_hosts.alias().map_or(known.port, |_| 22);
    for name in &prepared.names {
        let all = keys.known_keys(name, port);
        if !all.iter().any(|k| k.fingerprint == change.fingerprint) {
            return Ok(Some(format!("{} is not known as {name}", change.fingerprint)));
        }
        if let Some(old) = all.iter().find(|k| change.gone.iter().any(|g| g.fingerprint == k.fingerprint)) {
            let (place, print) = (&old.place, &old.fingerprint);
            return Ok(Some(format!("{place} still knows {name} by {print}: remove it by hand")));
        }
    }
    Ok(None)
}
