//! The actor of a run: does what the machine says, writes every intent before and every outcome after, asks
//! people.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use jumpdeck_fleet::fleet::Environment;
use jumpdeck_fleet::run::{RunCommand, RunState, RunView};
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::time::Moment;

use super::act::hold::Holding;
use super::act::{self, Site};
use super::event::{Ending, Event};
use super::evidence::{SignedApproval, Signing};
use super::ids::StepId;
use super::journal::Entry;
use super::machine::{Impossible, Machine, Next};
use super::place::Place;
use super::plan::PlannedStep;
use super::redact::{NotHidable, Redactor};
use crate::config::store::InventoryStore;
use crate::transport::HostSessions;

mod armed;
mod board;
mod decide;
mod doing;
mod dry;
mod launch;
mod people;
mod permit;
mod record;
mod redacted;
mod sign;
mod vouch;
mod window;

use super::guarded::GuardsRun;
use board::Board;
pub use launch::{
    Launch, StartError, copied, frozen, replay, resume, roll_back, start, start_followed, take_over,
};
pub use record::{Record, Recorder};

/// A run's end waits for its lease no longer than this: its last entries may be on their way over a slow link. A lease that is lost
/// ends the wait.
const LET_GO: Duration = Duration::from_secs(60);

/// Is given each entry when it is written, with the run as its entries so far tell it: what all who watch see.
pub type Follow = Arc<dyn Fn(&Entry, &RunView) + Send + Sync>;

/// A run under way. Dropping `commands` asks it to stop before its next step.
#[derive(Debug, Clone)]
pub struct RunHandle {
    /// Its id.
    pub id: String,
    /// What a person tells it.
    pub commands: mpsc::Sender<RunCommand>,
    /// Its state.
    pub view: watch::Receiver<Arc<RunView>>,
}

/// What a run needs.
pub struct Needs {
    /// Its environment.
    pub env: Arc<Environment>,
    /// Whether the fleet is simulated.
    pub simulated: bool,
    /// The way to the hosts.
    pub reach: Arc<dyn HostSessions>,
    /// The operator's inventory, for steps that change it.
    pub inventory: Option<Arc<InventoryStore>>,
    /// Where entries go.
    pub record: Recorder,
    /// The lease; none where nobody else can be.
    pub lease: Option<Box<dyn GuardsRun>>,
    /// Who runs it now.
    pub who: String,
    /// The clock of what is on screen.
    pub clock: Arc<dyn Fn() -> Moment + Send + Sync>,
    /// Whether changes may be made now: asked right before each.
    pub armed: Arc<dyn Fn() -> bool + Send + Sync>,
    /// Knows the run's secrets: what is shown, written or handed on goes through it.
    pub redactor: Redactor,
    /// Signs what the operator says.
    pub signing: Signing,
    /// The run's entries so far, for the report at its end.
    pub entries: Vec<Entry>,
    /// Follows it, entry by entry.
    pub follow: Option<Follow>,
}

/// Why a run stops.
pub(crate) enum Halt {
    /// A person stopped it, or it cannot go on now.
    Stopped(String),
    /// The journal cannot be written.
    Journal(String),
    /// It is in a state that cannot be: a fault of this program.
    Impossible(String),
}

impl From<Impossible> for Halt {
    fn from(what: Impossible) -> Self {
        Self::Impossible(what.to_string())
    }
}

/// A run under way, from within.
pub(crate) struct Runner {
    machine: Machine,
    needs: Needs,
    site: Site,
    commands: mpsc::Receiver<RunCommand>,
    board: Arc<Board>,
    holds: BTreeMap<StepId, Holding>,
    /// Whether a guard was lost since guards were last started: it may act.
    lost_a_guard: bool,
    prompts: u64,
    stop: Option<String>,
    back: bool,
    /// When the window that is open was opened.
    opened: Option<Moment>,
    /// It goes on only to be rolled back.
    only_back: bool,
}

/// Starts a run, from where its machine is. Its entries so far are written already.
#[must_use]
pub fn launch(machine: Machine, needs: Needs) -> RunHandle {
    set_off(machine, needs, false)
}

/// The same, to be rolled back and nothing else.
#[must_use]
pub fn launch_back(machine: Machine, needs: Needs) -> RunHandle {
    set_off(machine, needs, true)
}

fn set_off(machine: Machine, needs: Needs, only_back: bool) -> RunHandle {
    let (commands, inbox) = mpsc::channel(64);
    let (board, view) = Board::new(&machine, &needs);
    let board = Arc::new(board);
    let shown = board.clone();
    let site = Site {
        reach: needs.reach.clone(),
        inventory: needs.inventory.clone(),
        env: needs.env.clone(),
        out: Arc::new(move |place: &Place, lines| shown.output(place, lines)),
        redactor: needs.redactor.clone(),
        lease: needs.lease.as_ref().map(|lease| lease.still_ours()),
        sessions: act::Sessions::default(),
        foreign: launch::foreign(&machine, &needs.entries),
    };
    let id = machine.run.to_string();
    let runner = Runner {
        machine,
        needs,
        site,
        commands: inbox,
        board,
        holds: BTreeMap::new(),
        lost_a_guard: false,
        prompts: 0,
        stop: None,
        back: only_back,
        opened: None,
        only_back,
    };
    tokio::spawn(runner.run());
    RunHandle { id, commands, view }
}

impl Runner {
    async fn run(mut self) {
        let state = match self.steps().await {
            Ok(Ending::Finished) => RunState::Finished,
            Ok(Ending::RolledBack) => RunState::RolledBack,
            Ok(Ending::Abandoned(why)) => RunState::Abandoned(Clean::new(&why)),
            Err(Halt::Stopped(why)) => {
                // When even this cannot be written, the screen still tells.
                let _ = self.write(Event::Stopped { reason: why.clone() }).await;
                RunState::Stopped(Clean::new(&why))
            }
            Err(Halt::Impossible(what)) => {
                let why = format!("{what}; nothing more is done");
                // When even this cannot be written, the screen still tells.
                let _ = self.write(Event::Stopped { reason: why.clone() }).await;
                RunState::Stopped(Clean::new(&why))
            }
            Err(Halt::Journal(why)) => {
                let text = format!(
                    "the journal cannot be written ({why}): nothing more is done; make room, then resume"
                );
                RunState::Stopped(Clean::new(&text))
            }
        };
        self.holds.clear();
        // Who watches sees the end, and who waits can begin, before the program may exit.
        if let Some(lease) = self.needs.lease.take()
            && lease.lost().is_none()
        {
            let _ = timeout(LET_GO, lease.end()).await;
        }
        self.board.end(state, &self.needs.entries);
    }

    async fn steps(&mut self) -> Result<Ending, Halt> {
        self.learn_inputs().await?;
        self.tell_when_unsigned().await?;
        if let Some(text) = self.needs.lease.as_ref().and_then(|lease| lease.limits()) {
            self.warn(text).await?;
        }
        loop {
            self.read_commands().await?;
            if !self.mind_windows().await? {
                self.obey().await?;
                self.look_at_holds().await?;
                self.look_at_lease().await?;
            }
            match self.machine.next()? {
                Next::Record(event) => self.write(event).await?,
                Next::Do(task) => self.act(&task).await?,
                Next::Decide(decision) => self.decide(&decision).await?,
                Next::Ended(how) => {
                    std::mem::take(&mut self.holds).into_values().for_each(Holding::let_go);
                    self.write(Event::Ended { how: how.clone() }).await?;
                    return Ok(how);
                }
            }
        }
    }

    /// Does what people want: stop, or roll back.
    async fn obey(&mut self) -> Result<(), Halt> {
        if let Some(why) = self.stop.take() {
            return Err(Halt::Stopped(why));
        }
        if std::mem::take(&mut self.back) && self.machine.rolling_back().is_none() {
            self.roll_back().await?;
        }
        if self.only_back && self.machine.rolling_back().is_none() && self.machine.ended().is_none() {
            return Err(Halt::Stopped("it was not rolled back".to_owned()));
        }
        Ok(())
    }

    fn now(&self) -> Moment {
        (self.needs.clock)()
    }

    /// Writes an entry, then lets the machine know it. In this order: what is not written did not happen.
    async fn write(&mut self, event: Event) -> Result<(), Halt> {
        self.write_approved(event, None).await
    }

    /// The same with the second person's yes that the entry counts.
    async fn write_approved(&mut self, event: Event, approved: Option<SignedApproval>) -> Result<(), Halt> {
        let mut event = event;
        let kept = redacted::keep_back(&mut event, &self.needs.redactor, &self.needs.env);
        // What cannot be made unreadable is not written, and what is not written is not done.
        let unreadable = redacted::redacted(&event, &self.needs.redactor, &self.needs.env);
        let unreadable = unreadable.map_err(|error| Halt::Journal(error.to_string()))?;
        let entry = self.write_sealed(unreadable, approved).await?;
        self.handed_on(entry);
        // The machine gets what was meant: ids, hosts and words as they are.
        self.machine.apply(&event)?;
        self.note_window(self.now());
        for value in kept {
            self.machine.keep_hidden(&value.step, &value.name, value.place, &value.text, &value.shown)?;
        }
        self.show_entry();
        Ok(())
    }

    /// Shows the newest entry, which the machine has.
    fn show_entry(&self) {
        self.board.take(&self.machine, &self.needs.entries, (self.now(), Timestamp::now()));
    }

    /// Lets those who watch see what was written.
    fn handed_on(&mut self, entry: Entry) {
        if let Some(lease) = &mut self.needs.lease {
            lease.say(&entry);
        }
        self.needs.entries.push(entry);
    }

    /// From now on a secret is hidden. Who chose one that is public is warned, once.
    async fn learn(&mut self, name: &str, secret: &str) -> Result<Result<(), NotHidable>, Halt> {
        if let Err(why) = self.needs.redactor.add(secret) {
            return Ok(Err(why));
        }
        if redacted::is_public(secret, self.machine.plan(), &self.needs.env) {
            let text = format!(
                "the secret {name} is also a word of the runbook or the inventory, where it is not hidden: \
                 choose a stronger one"
            );
            self.warn(text).await?;
        }
        Ok(Ok(()))
    }

    /// Tells what is not as it should be, once in a run.
    async fn warn(&mut self, text: String) -> Result<(), Halt> {
        let told = |entry: &Entry| matches!(&entry.event, Event::Trouble { text: told } if *told == text);
        if !self.needs.entries.iter().any(told) {
            self.write(Event::Trouble { text }).await?;
        }
        Ok(())
    }

    /// The secrets that were given before the run began.
    async fn learn_inputs(&mut self) -> Result<(), Halt> {
        let plan = self.machine.plan().clone();
        for (name, value) in plan.inputs.iter().filter(|(_, value)| value.is_secret()) {
            if let Err(why) = self.learn(name, value.text()).await? {
                return Err(Halt::Stopped(format!("{name}: {why}")));
            }
        }
        Ok(())
    }

    /// Takes what people said while nobody waited for it. An answer to no prompt is none.
    async fn read_commands(&mut self) -> Result<(), Halt> {
        loop {
            match self.commands.try_recv() {
                Ok(command) => self.told(command).await?,
                Err(mpsc::error::TryRecvError::Empty) => return Ok(()),
                Err(mpsc::error::TryRecvError::Disconnected) => {
                    self.stop = Some("the console ended".to_owned());
                    return Ok(());
                }
            }
        }
    }

    /// Takes a command that is no answer.
    async fn told(&mut self, command: RunCommand) -> Result<(), Halt> {
        match command {
            RunCommand::Note(text) => {
                let who = self.needs.who.clone();
                self.write(Event::Note { who, text }).await?;
            }
            RunCommand::Stop => self.stop = Some(format!("stopped by {}", self.needs.who)),
            RunCommand::Rollback => self.back = true,
            RunCommand::Answer { .. } => {}
        }
        Ok(())
    }

    /// Whether a held session ended, and that is not written down yet.
    fn has_lost_a_hold(&self) -> bool {
        self.holds.values().any(|hold| hold.lost().is_some())
    }

    /// A held session that ended must be opened again before anything else is done.
    async fn look_at_holds(&mut self) -> Result<(), Halt> {
        let lost: Vec<(StepId, String)> =
            self.holds.iter().filter_map(|(step, hold)| Some((step.clone(), hold.lost()?))).collect();
        for (step, reason) in lost {
            self.lost_a_guard |= self.holds.remove(&step).is_some_and(|hold| hold.is_guard());
            self.write(Event::HoldLost { step, reason }).await?;
        }
        Ok(())
    }

    /// Ends the holds that are to end before a step, or before one that comes earlier.
    fn release(&mut self, before: &PlannedStep) -> Result<(), Halt> {
        let mut over = Vec::new();
        for id in self.holds.keys() {
            let Some(until) = self.machine.find(id)?.step().kind.keeps_session().and_then(|s| s.until) else {
                continue;
            };
            // Its own step may be skipped: what comes after it ends the session as well.
            let end = self.machine.steps().find(|at| *at.id() == *until);
            if end.is_some_and(|end| end.planned().position <= before.position) {
                over.push(id.clone());
            }
        }
        over.iter().filter_map(|id| self.holds.remove(id)).for_each(Holding::let_go);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
