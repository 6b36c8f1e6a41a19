//! Commands the program tells people to type: with all that they need to work as typed.

use crate::runbook::scope::quoted;
use jumpdeck_fleet::names::HostName;

/// Said of a run of a simulated fleet that began in another process.
pub const WORLD_GONE: &str =
    "it cannot be resumed: its simulated fleet ended with the program; start a new run";

/// How a run goes on. Its environment stands in its journal.
#[must_use]
pub fn resume(run: &str, tail: &str) -> String {
    format!("jumpdeck runbook resume {run}{tail}")
}

/// How a run is rolled back, and nothing else of it done.
#[must_use]
pub fn rollback(run: &str, tail: &str) -> String {
    format!("jumpdeck runbook rollback {run}{tail}")
}

/// How a run whose console is gone goes on. Its journal is on the jump box of that environment.
#[must_use]
pub fn takeover(run: &str, env: &str, tail: &str) -> String {
    format!("jumpdeck runbook takeover {run} --env {}{tail}", quoted(env))
}

/// A run that another operator has under way.
#[must_use]
pub fn watch(run: &str, env: &str, tail: &str) -> String {
    format!("jumpdeck runbook watch {run} --env {}{tail}", quoted(env))
}

/// How a console is started that reaches the same fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// The simulated world, if it is one.
    pub world: Option<String>,
    /// What commands need behind them so that they reach the same inventory.
    pub tail: String,
}

impl Start {
    /// A console on an environment, with these arguments, not yet quoted.
    #[must_use]
    pub fn console(&self, env: &str, arguments: &[String]) -> String {
        let demo = self.world.iter().flat_map(|world| ["demo", world.as_str()]);
        let words = demo.chain(["--env", env]).chain(arguments.iter().map(String::as_str));
        let quoted: String = words.map(|word| format!(" {}", quoted(word))).collect();
        format!("jumpdeck{quoted}{}", self.tail)
    }

    /// Logs of hosts, followed, perhaps only lines with a text.
    #[must_use]
    pub fn logs(&self, hosts: &[HostName], env: &str, text: Option<&str>) -> String {
        let hosts: Vec<&str> = hosts.iter().map(HostName::as_str).collect();
        let hosts = hosts.join(",");
        let text = text.map(|text| format!("--text={text}"));
        let demo = self.world.as_ref().map(|world| format!("--demo={world}"));
        let words = ["logs", hosts.as_str(), "--follow", "--env", env]
            .into_iter()
            .chain(text.as_deref())
            .chain(demo.as_deref());
        let quoted: String = words.map(|word| format!(" {}", quoted(word))).collect();
        format!("jumpdeck{quoted}{}", self.tail)
    }
}

/// A run's report.
#[must_use]
pub fn report(run: &str) -> String {
    format!("jumpdeck runbook report {run}")
}
