//! What may happen to the model, and what the model may ask of the world. Plain data: no closures, no widgets.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::chosen::ChosenEntry;
use crate::config::keymap::KeyPress;
use crate::config::views::SavedView;
use jumpdeck_fleet::command::CommandOrder;
use jumpdeck_fleet::course::HostCourses;
use jumpdeck_fleet::event::{Answer, FleetEvent, QuestionId};
use jumpdeck_fleet::fleet::{Environment, Fleet, Host};
use jumpdeck_fleet::log::{LogEvent, LogRequest};
use jumpdeck_fleet::look::{LookEvent, LookKind};
use jumpdeck_fleet::maintenance::{SessionNews, SessionOrder};
use jumpdeck_fleet::names::{EnvName, HostId, HostName};
use jumpdeck_fleet::power::PowerOrder;
use jumpdeck_fleet::run::{Mode, RunCommand, RunEvent};
use jumpdeck_fleet::table::TableFormat;
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::time::Moment;
use jumpdeck_fleet::timeline::{TimelineNews, WallTime};

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Msg {
    /// A key was pressed.
    Key(KeyPress),
    /// Text was pasted (bracketed paste). Never confirms anything.
    Paste(String),
    /// The terminal has this many columns and rows now.
    Resize(u16, u16),
    /// Time has passed.
    Tick(Moment),
    /// The clock says so.
    Clock(WallTime),
    /// News of events on disk.
    Timeline(TimelineNews),
    /// News of maintenance sessions.
    Session(Box<SessionNews>),
    /// News of the fleet.
    Fleet(FleetEvent),
    /// News of runs.
    Run(RunEvent),
    /// What became of a copy or an export.
    Handover(HandoverNews),
    /// What the file of saved views says now, and what became of a change of it.
    Views(ViewsNews),
    /// News of the logs that are followed, by the number of that.
    Logs(u64, LogEvent),
    /// What became of a shell on a host.
    Shell(ShellNews),
    /// What is kept of a host, read for its charts.
    Courses(HostId, HostCourses),
    /// News of the host that is looked at, by the number of that look.
    Look(u64, LookEvent),
}

/// What the model asks of the world.
#[derive(Debug, Clone, PartialEq)]
pub enum AppEffect {
    /// End the program.
    Quit,
    /// Draw every cell of the screen again: something else may have written on it.
    Redraw,
    /// Copy the view on screen.
    CopyView,
    /// Write the table on screen.
    ExportTable(TableFormat, ExportTarget),
    /// Follow these logs, in place of any that are.
    FollowLogs {
        /// Which: its news has this number.
        number: u64,
        /// The environment.
        env: Arc<Environment>,
        /// What of it.
        request: LogRequest,
    },
    /// Nobody looks at the logs any more.
    StopLogs,
    /// Ask this host for its processes, ports or mounts, again and again, in place of what is looked at.
    Look {
        /// Which: its news has this number.
        number: u64,
        /// The environment.
        env: Arc<Environment>,
        /// The host.
        host: HostName,
        /// What of it.
        kind: LookKind,
    },
    /// Ask the host that is looked at now.
    LookAgain,
    /// Nobody looks at it any more.
    StopLooking,
    /// Open a shell, and step aside for it when it is there.
    OpenShell(AskedShell),
    /// Nobody waits for the shell that is being opened any more.
    CancelShell,
    /// Ask every host of the environment now.
    Refresh(EnvName),
    /// Connect (if not yet) and make this environment the one polled at full cadence; others stay warm.
    Activate(EnvName),
    /// Try a host (or, with `None`, the jump box) again now, also after a refused login.
    Retry(EnvName, Option<HostName>),
    /// Answer a question.
    Answer(QuestionId, Answer),
    /// Go on with this fleet: the inventory was read again.
    UseInventory(Arc<Fleet>),
    /// Read the events of that environment from disk.
    ReadEvents(EnvName),
    /// Use the theme of that name from now on.
    UseTheme(String),
    /// Tell what there is to run in the environment.
    ListRunbooks(EnvName),
    /// Ask what answers that runbook's inputs.
    FindInputs(EnvName, String),
    /// Make a plan of that runbook.
    MakePlan(EnvName, String, Inputs),
    /// Start the plan shown.
    StartRun {
        /// The environment.
        env: EnvName,
        /// The plan's hash: a plan made since is another one.
        plan: String,
        /// Why.
        why: String,
        /// Whether changes are done.
        mode: Mode,
    },
    /// Go on with that run.
    ResumeRun(String),
    /// Watch that run, which somebody else has under way.
    WatchRun(String),
    /// Read which past runs this machine has.
    ListPastRuns,
    /// Read the report of that past run.
    ReadPastRun(String),
    /// Tell that run something.
    TellRun(String, RunCommand),
    /// Remember what was taken from the command palette.
    KeepChosen(ChosenEntry),
    /// Do something with the maintenance session of the environment.
    Session(EnvName, SessionOrder),
    /// Read the saved views.
    ReadViews,
    /// Save a view.
    SaveView {
        /// It.
        view: SavedView,
        /// Whether one of its name is replaced.
        replace: bool,
    },
    /// Delete the saved view of that name.
    DeleteView(String),
    /// Ask what is to be said before a command is run in the environment, under that id.
    LookBefore(u64, EnvName),
    /// Run a command on hosts.
    RunOnHosts(Arc<CommandOrder>),
    /// Ask the cloud for the power state and the console log of a host.
    AskPower(Arc<PowerOrder>),
    /// Drop an order by its id: run nothing of it, or ask no more hosts.
    DropOrder(u64),
}

/// The file of saved views was read, or changed.
#[derive(Debug, Clone, PartialEq)]
pub struct ViewsNews {
    /// What it says now, or why it is not used.
    pub views: Result<Vec<SavedView>, Clean>,
    /// What became of a change of it.
    pub change: Option<ViewChange>,
}

/// What became of a change of the saved views.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ViewChange {
    /// The view of that name was saved.
    Saved(String),
    /// The view of that name was deleted.
    Deleted(String),
    /// There is another view of its name.
    Exists(SavedView),
    /// Nothing was changed: why.
    Failed(Clean),
}

/// What a person gave for a runbook's inputs: name, value.
#[derive(Clone, PartialEq, Eq)]
pub struct Inputs(pub Vec<(String, Zeroizing<String>)>);

impl fmt::Debug for Inputs {
    /// Without the values: they may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// Something was handed over, or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HandoverNews {
    /// A copy of a view.
    Copied(CopyOutcome),
    /// The table of a screen: where it is now, or why it is nowhere.
    Exported(Result<String, String>),
}

/// Where a table goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExportTarget {
    /// A new file.
    File(String),
    /// The terminal's clipboard.
    Clipboard,
}

/// What became of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyOutcome {
    /// Whether it was sent to the terminal; nobody can know whether that took it.
    pub terminal: Result<(), String>,
    /// The file that has it too.
    pub file: Result<String, String>,
}

/// A shell that a person asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct AskedShell {
    /// Which, of those asked for one after the other.
    pub number: u64,
    /// The environment.
    pub env: Arc<Environment>,
    /// The host.
    pub host: Arc<Host>,
    /// Whether the host exists only in a simulated fleet.
    pub simulated: bool,
}

impl AskedShell {
    /// What the terminal says before the shell does.
    #[must_use]
    pub fn first_line(&self) -> String {
        let simulated = if self.simulated { "SIMULATED: this host does not exist; " } else { "" };
        format!(
            "jumpdeck: {simulated}a shell on {} ({}); when it ends, the console comes back\r\n",
            self.host.id.host, self.env.name
        )
    }
}

/// What became of a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShellNews {
    /// It could not be opened.
    Failed {
        /// Which.
        number: u64,
        /// Where and why.
        why: String,
    },
    /// It has ended: with an exit status, or why there is none.
    Ended {
        /// Which.
        number: u64,
        /// How.
        how: Result<u32, String>,
    },
}
