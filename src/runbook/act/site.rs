//! Where steps are done: the way to the hosts, and what is kept of what they say.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::live::{OutputSink, WholeLines};
use super::sessions::Sessions;
use super::trouble::Trouble;
use crate::config::store::InventoryStore;
use crate::runbook::ids::StepId;
use crate::runbook::machine::StepRef;
use crate::runbook::place::Place;
use crate::runbook::redact::Redactor;
use crate::transport::BoxFuture;
use crate::transport::{HostSessions, Session};
use jumpdeck_fleet::fleet::Environment;
use jumpdeck_fleet::names::HostName;

/// Asks whether a lease is still ours, unless it was proved so lately that nobody else can have it; an error says why not.
pub type StillOurs = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// Where acts happen.
pub(in crate::runbook) struct Site {
    /// The way to the hosts.
    pub(in crate::runbook) reach: Arc<dyn HostSessions>,
    /// The operator's inventory, for steps that change it.
    pub(in crate::runbook) inventory: Option<Arc<InventoryStore>>,
    /// The environment.
    pub(in crate::runbook) env: Arc<Environment>,
    /// Gets output as it comes: where it is from, and printable lines.
    pub(in crate::runbook) out: Arc<OutputSink>,
    /// Knows the run's secrets.
    pub(in crate::runbook) redactor: Redactor,
    /// Tells whether the lease is still ours; none where nobody else can be.
    pub(in crate::runbook) lease: Option<StillOurs>,
    /// The SQL sessions that are open.
    pub(in crate::runbook) sessions: Sessions,
    /// Changes that another account began, whose marks on their hosts this one cannot see.
    pub(in crate::runbook) foreign: Foreign,
}

/// The account that began a change, by step, number of the attempt and of the undo, and host.
pub(in crate::runbook) type Foreign = BTreeMap<(StepId, u32, u32, HostName), String>;

/// Stands for what hosts print while a secret of the run is not known.
const NOT_SHOWN: &str = "(not shown: it may hold a secret of this run that must be typed again)";

impl Site {
    /// A session with a host. An error here means that nothing was started.
    pub(in crate::runbook) async fn session(&self, host: &HostName) -> Result<Arc<dyn Session>, Trouble> {
        let session = self.reach.host(host).await;
        session.map_err(|e| Trouble::Failed(format!("{}: {}; nothing was started", e.hop, e.describe())))
    }

    /// Right before something is sent that changes a host: since the step began a host may have been logged in to, and
    /// Salt may have been busy. An error here means that nothing was started.
    pub(in crate::runbook) async fn still_ours(&self) -> Result<(), Trouble> {
        let Some(lease) = &self.lease else { return Ok(()) };
        let lost = |why: String| Trouble::Failed(format!("the lease is lost: {why}; nothing was started"));
        lease().await.map_err(lost)
    }

    /// Makes secrets in what hosts print unreadable; all of it while one is not known.
    pub(super) fn hide(&self, at: StepRef<'_>) -> impl Fn(&str) -> String {
        let (redactor, lacks_one) = (self.redactor.clone(), at.machine().lacks_a_secret());
        move |text| match lacks_one && !text.trim().is_empty() {
            true => NOT_SHOWN.to_owned(),
            false => redactor.text(text),
        }
    }

    /// Whether the host's administrator works by `sudo -n`.
    pub(super) fn sudo(&self, host: &HostName) -> bool {
        self.env.hosts.iter().any(|h| h.id.host == *host && h.sudo)
    }

    /// Hands output on as it comes, in whole lines.
    pub(super) fn sink(&self, host: &HostName, quiet: bool) -> impl FnMut(&[u8]) + Send + use<> {
        let mut lines =
            (!quiet).then(|| WholeLines::new(self.out.clone(), Place::from(host), &self.redactor));
        move |bytes: &[u8]| {
            if let Some(lines) = &mut lines {
                lines.take(bytes);
            }
        }
    }
}
