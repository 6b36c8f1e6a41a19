//! What a console asks of runs.

use std::sync::Arc;

use zeroize::Zeroizing;

use jumpdeck_fleet::command::CommandOrder;
use jumpdeck_fleet::fleet::Fleet;
use jumpdeck_fleet::names::EnvName;
use jumpdeck_fleet::power::PowerOrder;
use jumpdeck_fleet::run::{Arming, Mode, RunCommand};

/// What the console asks of runs. Calls return at once; what comes of them are `RunEvent`s.
pub trait RunControl {
    /// Tells what there is to run in an environment: `RunEvent::List`.
    fn list(&self, env: &EnvName);
    /// Asks what answers a runbook's inputs: `RunEvent::Found`.
    fn find(&self, env: &EnvName, runbook: &str);
    /// Makes a plan of a runbook with these inputs, asking hosts: `RunEvent::Plan`.
    fn plan(&self, env: &EnvName, runbook: &str, inputs: Vec<(String, Zeroizing<String>)>);
    /// Starts the plan made last, if its hash is still this one: `RunEvent::Run`, or `RunEvent::Refused`.
    fn start(&self, env: &EnvName, plan: &str, why: String, mode: Mode);
    /// Goes on with a run that stands: `RunEvent::Run`, or `RunEvent::Refused`.
    fn resume(&self, run: &str);
    /// Watches a run that somebody else has under way: `RunEvent::Run` whenever it changes, or `RunEvent::Refused`.
    fn watch(&self, run: &str);
    /// Makes plans of another inventory from now on. A run under way keeps the hosts of its plan.
    fn use_inventory(&self, fleet: &Arc<Fleet>);
    /// Reads which past runs this machine has: `RunEvent::PastRuns`.
    fn list_past(&self);
    /// Reads the report of a past run: `RunEvent::PastReport`.
    fn read_past(&self, run: &str);
    /// The environment that is armed for changes from now on, if one is.
    fn arm(&self, armed: Option<&Arming>);
    /// Tells a run of this console something. A run that is not there any more takes no notice.
    fn command(&self, run: &str, command: RunCommand);
    /// Asks what is to be said before a command is run in an environment: `RunEvent::CommandReady` with that id.
    fn look_before(&self, id: u64, env: &EnvName);
    /// Runs a command that was looked before under its id: `RunEvent::Command` as hosts answer.
    fn run_on_hosts(&self, order: Arc<CommandOrder>);
    /// Asks the cloud for the power state and the console log of a host: `RunEvent::Power`.
    fn ask_power(&self, order: Arc<PowerOrder>);
    /// Drops an order: nothing is run of one that did not begin; of one under way no more hosts are asked.
    fn drop_order(&self, id: u64);
}
