//! What the cloud says of a host: its power state, and the end of its console log. Plain data, made by who asks the cloud's client,
//! drawn by the console and printed by the command line.

use std::sync::Arc;

use super::names::{EnvName, HostName};
use super::text::Clean;
use super::time::Moment;

/// Lines of the console log that the console asks for.
pub const CONSOLE_LINES: u16 = 100;
/// Lines of the console log that may be asked for.
pub const MOST_CONSOLE_LINES: u16 = 1000;

/// Which host the cloud is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PowerOrder {
    /// Tells orders of one console apart.
    pub id: u64,
    /// The environment.
    pub env: EnvName,
    /// The host.
    pub host: HostName,
}

/// What came of an order.
#[derive(Debug, Clone, PartialEq)]
pub struct PowerNews {
    /// The order.
    pub order: Arc<PowerOrder>,
    /// When the answer was complete.
    pub at: Moment,
    /// The answer.
    pub report: Arc<PowerReport>,
}

/// What the machines that may have the cloud's client said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PowerReport {
    /// Machines that were asked first and gave no answer about the host.
    pub without: Vec<PowerMiss>,
    /// The answer; `None`: nothing is known.
    pub answer: Option<CloudReply>,
}

/// A machine that gave no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PowerMiss {
    /// The machine.
    pub at: HostName,
    /// Why.
    pub why: MissReason,
}

/// Why a machine gave no answer about a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MissReason {
    /// There was no login to it: the failing hop and the reason.
    NoLogin(Clean),
    /// It has neither client.
    NoClient,
    /// The client has no credentials in a session of this account, or the cloud refused them: what it said.
    NoCredentials(Clean),
    /// The client did not end in time, or the connection was lost.
    NoAnswer(Clean),
    /// The client failed: its exit status and what it said.
    Failed(Clean),
    /// What the client printed is not read: what is wrong with it.
    Unreadable(Clean),
}

/// The answer of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudReply {
    /// The machine on which the client runs.
    pub by: HostName,
    /// The client.
    pub client: CloudClient,
    /// What it said.
    pub says: ServerReply,
}

/// A client of the cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloudClient {
    /// `nova` (2015).
    Nova,
    /// `openstack`, its successor.
    OpenStack,
}

/// What the cloud says of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerReply {
    /// One server has it.
    Server(Box<CloudServerFacts>, ConsoleTail),
    /// None has it, in the project of these credentials.
    NoServer,
    /// Several have it: what the cloud lists of them, one line a server; no line when the list was not read.
    Several(Vec<Clean>),
}

/// A server as the client shows it. What it did not say is `None`: unknown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CloudServerFacts {
    /// Its UUID.
    pub id: Option<Clean>,
    /// `ACTIVE`, `SHUTOFF`, …
    pub status: Option<Clean>,
    /// What the hypervisor says, in words: `running`, `shut down`.
    pub power: Option<Clean>,
    /// What the cloud is doing with it.
    pub task: CloudTask,
    /// Its addresses.
    pub addresses: Vec<Clean>,
    /// Whether the inventory's address is one of them; `None` where that is no address or none was listed.
    pub has_address: Option<bool>,
    /// When it was launched, as the cloud writes it.
    pub launched: Option<Clean>,
    /// When the cloud last changed what it says of it, as the cloud writes it.
    pub updated: Option<Clean>,
    /// What the cloud says went wrong with it.
    pub fault: Option<Clean>,
    /// The state of the machine under it, where the account may see that: `UP`, `DOWN`.
    pub under: Option<Clean>,
}

/// What the cloud is doing with a server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum CloudTask {
    /// The client did not say.
    #[default]
    Unknown,
    /// Nothing.
    Idle,
    /// This: `rebooting`.
    Doing(Clean),
}

/// The end of a console log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConsoleTail {
    /// It was not asked for.
    NotAsked,
    /// It is not known: why.
    Unknown(Clean),
    /// Its last lines.
    Lines(ConsoleLines),
}

/// Lines of a console log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConsoleLines {
    /// How many were asked for.
    pub asked: u16,
    /// The last of those that came, the newest last.
    pub lines: Vec<Clean>,
    /// Lines that came before those and are not kept.
    pub dropped: usize,
    /// Kept lines whose end is cut off.
    pub shortened: usize,
    /// Bytes that came after what was read: lines newer than the last one are missing.
    pub beyond: u64,
}

impl CloudClient {
    /// The name of its program.
    #[must_use]
    pub fn program(self) -> &'static str {
        match self {
            Self::Nova => "nova",
            Self::OpenStack => "openstack",
        }
    }
}

impl MissReason {
    /// What happened.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::NoLogin(why) => format!("no login: {why}"),
            Self::NoClient => "it has no client of the cloud (nova, openstack)".to_owned(),
            Self::NoCredentials(said) => format!("the client has no credentials there: {said}"),
            Self::NoAnswer(why) => format!("the client did not answer: {why}"),
            Self::Failed(why) => format!("the client failed: {why}"),
            Self::Unreadable(why) => format!("the client's answer cannot be read: {why}"),
        }
    }

    /// A word for scripts.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::NoLogin(_) => "no_login",
            Self::NoClient => "no_client",
            Self::NoCredentials(_) => "no_credentials",
            Self::NoAnswer(_) => "no_answer",
            Self::Failed(_) => "failed",
            Self::Unreadable(_) => "unreadable",
        }
    }

    /// What to do next.
    fn next(&self) -> &'static str {
        match self {
            Self::NoLogin(_) => "Repair the way to it, or use the provider's own page.",
            Self::NoClient => {
                "Give the role salt or deployment to the host that has the client, or use the provider's own page."
            }
            Self::NoCredentials(_) => {
                "The client needs its credentials (OS_AUTH_URL and others) in a session without a terminal; until then use the \
                 provider's own page."
            }
            Self::NoAnswer(_) => "Ask again; if the cloud stays silent, use the provider's own page.",
            Self::Failed(_) => "Run the client there by hand, and read what it says.",
            Self::Unreadable(_) => "Run the client there by hand: nothing of this answer is used.",
        }
    }
}

impl PowerReport {
    /// Of a host that nobody was asked about: why.
    #[must_use]
    pub fn not_asked(host: &HostName, why: &str) -> Self {
        let why = MissReason::NoLogin(Clean::new(why));
        Self { without: vec![PowerMiss { at: host.clone(), why }], answer: None }
    }

    /// In a few words: `ACTIVE, running`, `no such server`, `unknown`.
    #[must_use]
    pub fn headline(&self) -> String {
        match self.answer.as_ref().map(|answer| &answer.says) {
            None => "unknown".to_owned(),
            Some(ServerReply::NoServer) => "no such server".to_owned(),
            Some(ServerReply::Several(_)) => "several servers of that name".to_owned(),
            Some(ServerReply::Server(facts, _)) => facts.headline(),
        }
    }

    /// What to do next, in one or two sentences.
    #[must_use]
    pub fn next(&self) -> String {
        let Some(answer) = &self.answer else {
            let last = self.without.last().map_or("Ask again.", |miss| miss.why.next());
            return format!("The power state is unknown. {last}");
        };
        match &answer.says {
            ServerReply::NoServer => format!(
                "The project that {} on {} sees has no server of this name: look for it by its address in {}, or in the cloud's other \
                 projects.",
                answer.client.program(),
                answer.by,
                match answer.client {
                    CloudClient::Nova => "nova list",
                    CloudClient::OpenStack => "openstack server list",
                }
            ),
            ServerReply::Several(_) => {
                "Find out by address and UUID which one is meant, and which is left over; act by UUID only."
                    .to_owned()
            }
            ServerReply::Server(facts, _) => facts.next(),
        }
    }
}

impl CloudServerFacts {
    fn headline(&self) -> String {
        let words = |text: &Option<Clean>, unknown: &str| {
            text.as_ref().map_or_else(|| unknown.to_owned(), ToString::to_string)
        };
        let task = match &self.task {
            CloudTask::Unknown => ", task unknown".to_owned(),
            CloudTask::Idle => String::new(),
            CloudTask::Doing(task) => format!(", {task}"),
        };
        format!(
            "{}, {}{task}",
            words(&self.status, "status unknown"),
            words(&self.power, "power state unknown")
        )
    }

    /// Whether the cloud says that it runs and that nothing is being done with it.
    #[must_use]
    pub fn is_running(&self) -> bool {
        let is = |text: &Option<Clean>, word: &str| text.as_ref().is_some_and(|text| text.as_str() == word);
        is(&self.status, "ACTIVE") && is(&self.power, "running") && self.task == CloudTask::Idle
    }

    fn next(&self) -> String {
        if self.has_address == Some(false) {
            return "None of its addresses is the inventory's: this may be another server. Compare both before you act.".to_owned();
        }
        if self.under.as_ref().is_some_and(|under| under.as_str() != "UP") {
            return "The machine under it is not up, so its power state may be old: ask the provider."
                .to_owned();
        }
        if let CloudTask::Doing(task) = &self.task {
            return format!("The cloud is busy with it ({task}): wait, and ask again.");
        }
        let Some(status) = &self.status else {
            return "The client did not say its status: run the client by hand.".to_owned();
        };
        match status.as_str() {
            "ACTIVE" if self.is_running() => {
                "The cloud says that it runs. If it does not answer, its console log may say why; the runbook reboot-silent-host \
                 restarts it."
                    .to_owned()
            }
            "ACTIVE" => {
                "The cloud says ACTIVE, and its power state says something else: ask again, then ask the provider.".to_owned()
            }
            "SHUTOFF" => {
                "It is switched off. Find out who did that; the runbook reboot-silent-host starts it.".to_owned()
            }
            "ERROR" => "The cloud gave it up: ask the provider, or build a new one with the runbook replace-vm.".to_owned(),
            "BUILD" | "REBUILD" | "REBOOT" | "HARD_REBOOT" | "MIGRATING" | "RESIZE" | "REVERT_RESIZE" | "PASSWORD" => {
                format!("The cloud is busy with it ({status}): wait, and ask again.")
            }
            "PAUSED" | "SUSPENDED" | "RESCUE" | "SHELVED" | "SHELVED_OFFLOADED" | "VERIFY_RESIZE" | "SOFT_DELETED" | "DELETED" => {
                format!("Somebody put it into the state {status}: find out who and why before you change that.")
            }
            other => format!("{other} is not a status that jumpdeck knows: ask the provider."),
        }
    }
}

impl ConsoleLines {
    /// What of the log is not shown, one sentence each.
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if self.dropped > 0 {
            let lines = if self.dropped == 1 { "line is" } else { "lines are" };
            remarks.push(format!("{} older {lines} not shown", self.dropped));
        }
        if self.shortened > 0 {
            let lines = if self.shortened == 1 { "line is" } else { "lines are" };
            remarks.push(format!("{} long {lines} cut, at …", self.shortened));
        }
        if self.beyond > 0 {
            remarks.push(format!("{} bytes more came: newer lines are missing", self.beyond));
        }
        remarks
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn of(facts: CloudServerFacts) -> PowerReport {
        let says = ServerReply::Server(Box::new(facts), ConsoleTail::NotAsked);
        let by = HostName::new("salt").unwrap();
        PowerReport { without: Vec::new(), answer: Some(CloudReply { by, client: CloudClient::Nova, says }) }
    }

    fn facts(status: &str, power: &str) -> CloudServerFacts {
        CloudServerFacts {
            status: Some(status.into()),
            power: Some(power.into()),
            task: CloudTask::Idle,
            has_address: Some(true),
            ..CloudServerFacts::default()
        }
    }

    #[test]
    fn what_is_not_known_is_said_to_be_unknown() {
        let nothing = of(CloudServerFacts::default());
        assert_eq!(nothing.headline(), "status unknown, power state unknown, task unknown");
        assert!(nothing.next().contains("did not say its status"), "{}", nothing.next());
        let silent = PowerReport::default();
        assert_eq!(silent.headline(), "unknown");
        assert!(silent.next().starts_with("The power state is unknown."));
        // An ACTIVE server whose power state or task is unknown is not said to run.
        let active =
            |power: Option<Clean>, task| CloudServerFacts { power, task, ..facts("ACTIVE", "running") };
        assert!(active(Some("running".into()), CloudTask::Idle).is_running());
        assert!(!active(None, CloudTask::Idle).is_running());
        assert!(!active(Some("running".into()), CloudTask::Unknown).is_running());
    }

    #[test]
    fn each_state_has_its_next_step() {
        for (found, says) in [
            (facts("ACTIVE", "running"), "reboot-silent-host restarts it"),
            (facts("ACTIVE", "shut down"), "ask the provider"),
            (facts("SHUTOFF", "shut down"), "reboot-silent-host starts it"),
            (facts("ERROR", "no state"), "replace-vm"),
            (facts("HARD_REBOOT", "running"), "wait, and ask again"),
            (facts("RESCUE", "running"), "find out who"),
            (facts("FLOATING", "running"), "not a status that jumpdeck knows"),
            (
                CloudServerFacts { has_address: Some(false), ..facts("ACTIVE", "running") },
                "may be another server",
            ),
            (CloudServerFacts { under: Some("DOWN".into()), ..facts("ACTIVE", "running") }, "may be old"),
            (
                CloudServerFacts { task: CloudTask::Doing("rebooting".into()), ..facts("ACTIVE", "running") },
                "busy with it (rebooting)",
            ),
        ] {
            let next = of(found).next();
            assert!(next.contains(says), "{says}: {next}");
        }
    }

    #[test]
    fn what_is_not_shown_is_counted() {
        let cut = ConsoleLines { asked: 2, dropped: 1, shortened: 2, beyond: 9, ..ConsoleLines::default() };
        assert_eq!(
            cut.remarks(),
            [
                "1 older line is not shown",
                "2 long lines are cut, at …",
                "9 bytes more came: newer lines are missing"
            ]
        );
        assert_eq!(ConsoleLines::default().remarks(), Vec::<String>::new());
    }
}
