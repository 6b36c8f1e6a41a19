//! The console's own known_hosts: a host's key is replaced, with its machine. The new key came by way of the cloud's
//! console, never from the host itself; what was known before is kept in a file beside. Imports `ssh::known_hosts`.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::{Answer, Answers, HostOutcome, Outcomes, Places, Site, StepRef, Trouble, Verdict, on_hosts};
use crate::domain::access::KnownHosts;
use crate::domain::names::HostName;
use crate::runbook::scope::{Scope, ScopeError};
use crate::runbook::spec::HostKey;
use crate::ssh::known_hosts::{HostKeys, Replacement};

/// What is to be done to a file; none where the fleet brings its keys along, and there is no file.
struct Prepared {
    change: Option<Replacement>,
    /// Where the file is kept as it was.
    record: PathBuf,
    names: Vec<String>,
}

/// What it will do, before the file is known.
pub(in crate::runbook) fn shown(scope: &Scope<'_>, key: &HostKey) -> String {
    format!("known_hosts: {} at {}", scope.shown(&key.key), scope.shown(&key.address))
}

/// What it would do now: both fingerprints.
pub(in crate::runbook) fn diff(
    site: &Site,
    at: StepRef<'_>,
    key: &HostKey,
    host: &HostName,
) -> Result<String, String> {
    let prepared = prepare(site, at, key, host).map_err(|t| t.words().to_owned())?;
    Ok(told(&prepared))
}

fn told(prepared: &Prepared) -> String {
    let Some(change) = &prepared.change else {
        return "nothing: this fleet brings the keys of its hosts along".to_owned();
    };
    let mut text = format!("{}\n", change.path.display());
    for known in &change.gone {
        let _ = writeln!(text, "- {} {} ({})", known.algorithm, known.fingerprint, known.place);
    }
    let _ = writeln!(text, "+ {} for {}", change.fingerprint, prepared.names.join(", "));
    let _ = write!(text, "as it was: {}", prepared.record.display());
    text
}

fn prepare(site: &Site, at: StepRef<'_>, key: &HostKey, host: &HostName) -> Result<Prepared, Trouble> {
    let failed = |why: String| Trouble::Failed(why);
    let texts = at.at(Some(host), |scope| {
        Ok::<_, ScopeError>((scope.text(&key.key)?, scope.text(&key.fingerprint)?, scope.text(&key.address)?))
    });
    let (text, fingerprint, address) = texts.map_err(|e| failed(e.to_string()))?;
    let known = site.env.hosts.iter().find(|h| h.id.host == *host);
    let known = known.ok_or_else(|| failed(format!("{host} is not in the inventory")))?;
    let domain = site.env.domain.as_ref().map(|domain| format!("{host}.{domain}"));
    let mut names: Vec<String> = domain.into_iter().chain([host.to_string(), address]).collect();
    names.dedup();
    let KnownHosts::Files(files) = &known.access.known_hosts else {
        return Ok(Prepared { change: None, record: PathBuf::new(), names });
    };
    let file = files.own.first().ok_or_else(|| failed("no known_hosts file is configured".to_owned()))?;
    let former = [known.address.clone()];
    let change = Replacement::of(file, &names, &former, known.port, &text);
    let change = change.map_err(|e| failed(e.to_string()))?;
    if change.fingerprint != fingerprint {
        let why =
            format!("the key is {}, and {fingerprint} was shown: nothing was written", change.fingerprint);
        return Err(failed(why));
    }
    let mut record = change.path.clone().into_os_string();
    record.push(format!(".before-{}", at.machine().run));
    Ok(Prepared { change: Some(change), record: record.into(), names })
}

/// Replaces the key, and looks whether the new one is known then.
pub(super) async fn on(site: &Site, at: StepRef<'_>, key: &HostKey, places: &Places) -> Answers {
    on_hosts(places, |host| replace(site, at, key, host)).await
}

async fn replace(site: &Site, at: StepRef<'_>, key: &HostKey, host: &HostName) -> Result<Answer, Trouble> {
    let prepared = prepare(site, at, key, host)?;
    if let Some(change) = &prepared.change {
        change.write(&prepared.record).map_err(|e| Trouble::Failed(e.to_string()))?;
        if let Some(why) = other(site, &prepared, host).await? {
            return Err(Trouble::Failed(why));
        }
    }
    Ok(Answer::of_text(&told(&prepared)))
}

/// Another file of the inventory's that still says otherwise, if one does.
async fn other(site: &Site, prepared: &Prepared, host: &HostName) -> Result<Option<String>, Trouble> {
    let (Some(change), Some(known)) = (&prepared.change, site.env.hosts.iter().find(|h| h.id.host == *host))
    else {
        return Ok(None);
    };
    let keys = HostKeys::load(&known.access.known_hosts).await;
    let keys = keys.map_err(|e| Trouble::Failed(e.to_string()))?;
    for name in &prepared.names {
        let all = keys.known_keys(name, known.port);
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

/// Whether it is there already.
pub(super) fn find(site: &Site, at: StepRef<'_>, key: &HostKey, places: &Places) -> Outcomes {
    places.each(|place| {
        let prepared = match place.host() {
            Some(host) => prepare(site, at, key, host),
            None => Err(Trouble::nowhere()),
        };
        HostOutcome::of(match prepared {
            Ok(Prepared { change: Some(change), .. }) if change.texts().0 != change.texts().1 => {
                Verdict::NotDone
            }
            Ok(_) => Verdict::Done,
            Err(trouble) => Verdict::Unknown(format!("it cannot be asked: {}", trouble.words())),
        })
    })
}
