//! Taking over a run whose console is gone, from its entries on the jump box; and seeing that one's own run was.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use zeroize::Zeroizing;

use super::exclusive::Exclusive;
use super::{Launch, RunHandle, StartError, accounts, go, knowing, on_disk, replay, signing};
use crate::runbook::act::Foreign;
use crate::runbook::event::Event;
use crate::runbook::journal::{Entry, Journal};
use crate::runbook::lease::{self as leases, Copy, LeasePlaces};
use crate::runbook::machine::{Machine, StepStatus};
use crate::runbook::wall;

/// Changes that were begun by another account than the newest operator's, and are open: whether they are under way only that
/// account sees, and root.
pub(in crate::runbook::runner) fn foreign(machine: &Machine, entries: &[Entry]) -> Foreign {
    let mut consoles = entries.iter().rev().filter_map(|entry| {
        let (Event::Started { accounts, .. } | Event::Resumed { accounts, .. }) = &entry.event else {
            return None;
        };
        Some(accounts)
    });
    let Some(now) = consoles.next() else { return Foreign::new() };
    let earlier: Vec<_> = consoles.collect();
    let mut found = Foreign::new();
    for at in machine.steps() {
        let record = at.record();
        let open = matches!(
            record.status,
            StepStatus::Open(_) | StepStatus::Unknown(_) | StepStatus::UndoUnknown(_)
        );
        for host in record.commands.keys().filter_map(|place| place.host()).filter(|_| open) {
            let ours = now.get(host.as_str());
            // Which of the consoles before it was does not matter: each is asked for.
            let theirs = earlier.iter().find_map(|accounts| {
                let theirs = accounts.get(host.as_str());
                (theirs != ours).then(|| theirs.map_or("root", String::as_str).to_owned())
            });
            if let Some(theirs) = theirs {
                let key = (at.id().clone(), record.attempts, record.undos, host.clone());
                found.insert(key, theirs);
            }
        }
    }
    found
}

/// The entries of a run on the jump box, proved to be one chain.
///
/// # Errors
/// When there are none, or they are damaged; when the jump box cannot be asked.
pub async fn copied(with: &Launch, run: &str) -> Result<Vec<Entry>, StartError> {
    match copy(with, run).await? {
        Copy::Entries(entries) => Ok(entries),
        Copy::Over => Err(StartError::Odd(format!("{run} is over: there is nothing to take over"))),
        Copy::Missing => Err(StartError::Odd(format!(
            "the jump box of {} has no entries of {run}; jumpdeck runbook runs --jump lists what it has",
            with.env.name
        ))),
    }
}

/// Goes on with a run of a console that is gone, exactly as [`super::resume`] does where its journal is: nothing is repeated,
/// and what nobody knows is looked for. The runbook is the one that the run began with, from its first entry. The journal is
/// here from now on, and the entries on the jump box are this console's.
///
/// # Errors
/// While the other console has the lease; when the entries are damaged, of another environment, or over.
pub async fn take_over(
    with: Launch,
    run: &str,
    secrets: BTreeMap<String, Zeroizing<String>>,
) -> Result<RunHandle, StartError> {
    // What the lease is to be of stands in the plan.
    let first = machine(&with, run, &copied(&with, run).await?, secrets.clone())?;
    let exclusive = match Exclusive::take(&with, first.plan(), run).await {
        Err(StartError::Lease(why)) => {
            return Err(StartError::Lease(format!(
                "not taken over: {why}. While that console is connected, only its operator can go on; the lease ends 4 s \
                 after a console is lost"
            )));
        }
        exclusive => exclusive?,
    };
    // From here on nobody else writes there.
    let entries = copied(&with, run).await?;
    let mut machine = machine(&with, run, &entries, secrets)?;
    let redactor = knowing(machine.plan())?;
    let signing = signing(&with, machine.dry_run).await?;
    let event = Event::Resumed { who: with.who.clone(), taken_over: true, accounts: accounts(&with.env) };
    let (folder, named, told) = (with.folder.clone(), run.to_owned(), event.clone());
    let (journal, entries) = on_disk(move || {
        let mut journal = Journal::adopt(&folder, &named, &entries)?;
        let entry = journal.append(&told)?;
        Ok((journal, [entries, vec![entry]].concat()))
    })
    .await?;
    machine.apply(&event).map_err(StartError::Impossible)?;
    Ok(go(with, machine, journal, exclusive, (redactor, signing), (&entries, false), None))
}

/// What the entries tell, when the run can be taken over here.
fn machine(
    with: &Launch,
    run: &str,
    entries: &[Entry],
    secrets: BTreeMap<String, Zeroizing<String>>,
) -> Result<Machine, StartError> {
    let odd = |why: String| Err(StartError::Odd(why));
    let simulated = matches!(entries.first().map(|e| &e.event), Some(Event::Started { simulated: true, .. }));
    let machine = replay(entries, secrets)?;
    let of = &machine.plan().frozen.environment;
    if machine.run != run {
        return odd(format!("these are the entries of another run, {}", machine.run));
    }
    if machine.ended().is_some() {
        return odd(format!("{run} is over: there is nothing to take over"));
    }
    if machine.dry_run {
        return odd(format!("{run} is a dry run: it changes nothing; start a new run"));
    }
    if of != with.env.name.as_str() || simulated != with.simulated {
        let kind = if simulated { "a simulated" } else { "the real" };
        return odd(format!("{run} is of {kind} environment {of}"));
    }
    Ok(machine)
}

/// Whether nobody took over the run of this journal. The lease is ours, so that nobody does now. A run that only reads is never taken
/// over.
///
/// # Errors
/// Who did; or why nobody knows.
pub(super) async fn still_ours(
    exclusive: &Exclusive,
    with: &Launch,
    run: &str,
    own: &[Entry],
) -> Result<(), StartError> {
    if !exclusive.is_lease() {
        return Ok(());
    }
    let copied = match copy(with, run).await? {
        // The jump box has restarted since, or the run had changed nothing.
        Copy::Missing => return Ok(()),
        Copy::Over => {
            let why = "it went on from another console and is over; this journal is older";
            return Err(StartError::Odd(format!("{run} is not resumed: {why}")));
        }
        Copy::Entries(copied) => copied,
    };
    let same = own.iter().zip(&copied).take_while(|(own, copied)| own.line == copied.line).count();
    let later = copied.get(same..).unwrap_or_default();
    let Some(first) = later.first() else { return Ok(()) };
    let by = later.iter().find_map(|entry| {
        let Event::Resumed { who, .. } = &entry.event else { return None };
        Some((who, entry.at))
    });
    let why = match by {
        Some((who, at)) => {
            let since = wall::since(at, Timestamp::now(), &TimeZone::system());
            format!("{who} took it over at {since}")
        }
        None => {
            format!(
                "the jump box has entries of it that are not in this journal, from entry {} on",
                first.seq
            )
        }
    };
    let over = later.iter().any(|entry| matches!(entry.event, Event::Ended { .. }));
    let next = match over {
        true => "it is over".to_owned(),
        false => format!("take it over: jumpdeck runbook takeover {run}"),
    };
    Err(StartError::Odd(format!("{run} is not resumed: {why}; {next}")))
}

async fn copy(with: &Launch, run: &str) -> Result<Copy, StartError> {
    let session = with.reach.host(with.reach.jump()).await;
    let session = session.map_err(|e| StartError::Lease(format!("{}: {}", e.hop, e.describe())))?;
    let copy = leases::copy_in(&LeasePlaces::of(&with.env), session.as_ref(), run).await;
    copy.map_err(|error| StartError::Lease(error.to_string()))
}
