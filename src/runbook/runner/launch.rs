//! Beginning a run, and going on with one: id, lease, journal, machine.

mod exclusive;
mod takeover;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Zoned;
use rand::RngExt;
use zeroize::Zeroizing;

use super::{Follow, Needs, Record, Recorder, RunHandle, launch, launch_back, redacted};
use crate::config::store::InventoryStore;
use crate::runbook::event::{Event, SCHEMA};
use crate::runbook::evidence::{Signed, SignedApproval, Signing};
use crate::runbook::ids::RunId;
use crate::runbook::journal::{Draft, Entry, Journal, JournalError};
use crate::runbook::machine::Machine;
use crate::runbook::plan::{Frozen, Plan};
use crate::runbook::planner::PlanError;
use crate::runbook::redact::Redactor;
use crate::runbook::signing_keys::SigningKeys;
use crate::transport::HostSessions;
use jumpdeck_fleet::fleet::{Environment, Jump, Signatures};
use jumpdeck_fleet::run::Mode;
use jumpdeck_fleet::time::Moment;

pub use crate::runbook::replay::{StartError, replay};
use exclusive::Exclusive;
pub(super) use takeover::foreign;
pub use takeover::{copied, take_over};

/// What a run is begun, or gone on with.
#[derive(Clone)]
pub struct Launch {
    /// Its environment.
    pub env: Arc<Environment>,
    /// Whether the fleet is simulated.
    pub simulated: bool,
    /// The way to the hosts, the run's own.
    pub reach: Arc<dyn HostSessions>,
    /// The operator's inventory, for steps that change it; `None` where there is none.
    pub inventory: Option<Arc<InventoryStore>>,
    /// Who signs what is said in it.
    pub keys: SigningKeys,
    /// Where journals are.
    pub folder: PathBuf,
    /// Who runs it: `account@machine`.
    pub who: String,
    /// The clock of what is on screen.
    pub clock: Arc<dyn Fn() -> Moment + Send + Sync>,
    /// Whether changes may be made now: the environment is armed, or each is agreed to where it is typed.
    pub armed: Arc<dyn Fn() -> bool + Send + Sync>,
}

impl Record for Journal {
    fn append(&mut self, event: &Event) -> Result<Entry, String> {
        Journal::append(self, event).map_err(|e| e.to_string())
    }

    fn draft(&self, event: Event, approved: Option<SignedApproval>) -> Result<Option<Draft>, String> {
        Journal::draft(self, event, approved).map(Some).map_err(|e| e.to_string())
    }

    fn append_draft(&mut self, draft: Draft, signed: Option<Signed>) -> Result<Entry, String> {
        Journal::append_draft(self, draft, signed).map_err(|e| e.to_string())
    }
}

/// Does what blocks for as long as the disk takes, where it holds nobody up.
async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, JournalError> + Send + 'static,
) -> Result<T, StartError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        Err(error) => Err(StartError::Odd(error.to_string())),
    }
}

/// Begins a run. The lease comes first: who is refused leaves nothing behind.
///
/// # Errors
/// When somebody else holds the lease, or the journal cannot be made.
pub async fn start(with: Launch, plan: Plan, why: String, mode: Mode) -> Result<RunHandle, StartError> {
    start_as(with, plan, why, mode, None).await
}

/// The same, with somebody who follows it from its second entry on.
///
/// # Errors
/// As [`start`].
pub async fn start_followed(
    with: Launch,
    plan: Plan,
    why: String,
    mode: Mode,
    follow: Follow,
) -> Result<RunHandle, StartError> {
    start_as(with, plan, why, mode, Some(follow)).await
}

async fn start_as(
    with: Launch,
    plan: Plan,
    why: String,
    mode: Mode,
    follow: Option<Follow>,
) -> Result<RunHandle, StartError> {
    let now = Zoned::now();
    let noise: u16 = rand::rng().random();
    let id = format!("{}-{}-{noise:04x}", now.strftime("%Y%m%d-%H%M%S"), plan.runbook.name);
    let id = RunId::new(&id).map_err(|error| StartError::Odd(error.to_string()))?;
    let today = now.strftime("%Y%m%d").to_string();
    let redactor = knowing(&plan)?;
    if redactor.finds(&why) {
        let text = "the reason for the run contains one of its secrets: write the reason without it, or choose a stronger secret";
        return Err(StartError::Odd(text.to_owned()));
    }
    let exclusive = Exclusive::take(&with, &plan, id.as_str()).await?;
    let signing = signing(&with, mode == Mode::DryRun).await?;
    let event = Event::Started {
        schema: SCHEMA,
        run: id.clone(),
        who: with.who.clone(),
        why: why.clone(),
        dry_run: mode == Mode::DryRun,
        simulated: with.simulated,
        plan: Box::new(plan.frozen.clone()),
        accounts: accounts(&with.env),
    };
    let event =
        redacted::redacted(&event, &redactor, &with.env).map_err(|e| StartError::Odd(e.to_string()))?;
    let (folder, named) = (with.folder.clone(), id.clone());
    let (journal, entry) = on_disk(move || {
        let mut journal = Journal::create(&folder, named.as_str())?;
        let entry = journal.append(&event)?;
        Ok((journal, entry))
    })
    .await?;
    let machine = Machine::new(Arc::new(plan), &id, &with.who, &why, &today, mode == Mode::DryRun);
    Ok(go(with, machine, journal, exclusive, (redactor, signing), (&[entry], false), follow))
}

/// Goes on with a run from its journal. `secrets` are the sensitive inputs, typed again.
///
/// # Errors
/// When its journal is damaged, in use, or over; when somebody else holds the lease.
pub async fn resume(
    with: Launch,
    run: &str,
    secrets: BTreeMap<String, Zeroizing<String>>,
) -> Result<RunHandle, StartError> {
    again(with, run, secrets, false).await
}

async fn again(
    with: Launch,
    run: &str,
    secrets: BTreeMap<String, Zeroizing<String>>,
    only_back: bool,
) -> Result<RunHandle, StartError> {
    let (folder, named) = (with.folder.clone(), run.to_owned());
    let (mut journal, mut entries) = on_disk(move || Journal::reopen(&folder, &named)).await?;
    let mut machine = replay(&entries, secrets)?;
    if let Some(ended) = machine.ended() {
        return Err(StartError::Odd(format!("this run is over ({ended:?}); start a new run")));
    }
    if machine.run != run {
        return Err(StartError::Odd(format!("this file holds the journal of another run, {}", machine.run)));
    }
    if machine.plan().frozen.environment != with.env.name.as_str() {
        let text = format!("this run is of environment {}", machine.plan().frozen.environment);
        return Err(StartError::Odd(text));
    }
    let redactor = knowing(machine.plan())?;
    let exclusive = Exclusive::take(&with, machine.plan(), run).await?;
    takeover::still_ours(&exclusive, &with, run, &entries).await?;
    let signing = signing(&with, machine.dry_run).await?;
    let event = Event::Resumed { who: with.who.clone(), taken_over: false, accounts: accounts(&with.env) };
    let told = event.clone();
    let (journal, entry) = on_disk(move || {
        let entry = journal.append(&told)?;
        Ok((journal, entry))
    })
    .await?;
    entries.push(entry);
    machine.apply(&event).map_err(StartError::Impossible)?;
    Ok(go(with, machine, journal, exclusive, (redactor, signing), (&entries, only_back), None))
}

/// Goes on with a run only to roll it back: what it began and has not ended is undone, after a yes. With nothing to undo,
/// and after a no, it stops.
///
/// # Errors
/// As [`resume`].
pub async fn roll_back(
    with: Launch,
    run: &str,
    secrets: BTreeMap<String, Zeroizing<String>>,
) -> Result<RunHandle, StartError> {
    again(with, run, secrets, true).await
}

/// What a journal's first entry asks for before it can go on: its plan, when it begins with one.
#[must_use]
pub fn frozen(entries: &[Entry]) -> Option<&Frozen> {
    let Event::Started { plan, .. } = &entries.first()?.event else { return None };
    Some(plan)
}

/// The account on each host, except root.
fn accounts(env: &Environment) -> BTreeMap<String, String> {
    let hosts = env.hosts.iter().map(|host| (&host.id.host, &host.access.user));
    let jump = match &env.jump {
        Jump::Remote(jump) => Some((&jump.name, &jump.access.user)),
        Jump::Local { .. } => None,
    };
    let all = hosts.chain(jump).filter(|(_, user)| *user != "root");
    all.map(|(host, user)| (host.to_string(), user.clone())).collect()
}

/// What knows the secrets that were given for a plan.
fn knowing(plan: &Plan) -> Result<Redactor, StartError> {
    let redactor = Redactor::new();
    for (name, value) in plan.inputs.iter().filter(|(_, value)| value.is_secret()) {
        redactor.add(value.text()).map_err(|why| PlanError::Wrong(name.clone(), why.to_string()))?;
    }
    Ok(redactor)
}

fn go(
    with: Launch,
    machine: Machine,
    journal: Journal,
    exclusive: Exclusive,
    (redactor, signing): (Redactor, Signing),
    (entries, only_back): (&[Entry], bool),
    follow: Option<Follow>,
) -> RunHandle {
    let lease = exclusive.with_entries(entries);
    let Launch { env, simulated, reach, inventory, keys: _, who, clock, armed, folder: _ } = with;
    let (record, entries) = (Recorder::new(journal), entries.to_vec());
    let needs = Needs {
        env,
        simulated,
        reach,
        inventory,
        record,
        lease,
        who,
        clock,
        armed,
        redactor,
        signing,
        entries,
        follow,
    };
    if only_back { launch_back(machine, needs) } else { launch(machine, needs) }
}

/// The operator's key. It is the one that logs in to the jump box, so that comes first.
async fn signing(with: &Launch, dry_run: bool) -> Result<Signing, StartError> {
    if !dry_run && !with.simulated {
        // When there is no way there the run's first step says so.
        let _ = with.reach.host(with.reach.jump()).await;
    }
    let signing = with.keys.signing().await;
    let demanded = with.env.signatures == Signatures::Required && !dry_run && !with.simulated;
    match &signing.signer {
        Err(why) if demanded => Err(StartError::Odd(format!(
            "{} demands signatures, but there is no signing key ({why}); nothing was started",
            with.env.name
        ))),
        _ => Ok(signing),
    }
}
