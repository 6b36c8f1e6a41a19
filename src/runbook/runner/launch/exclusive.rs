//! That nobody else does the same. No run sets off without it, and nothing else makes one.

use super::{Launch, StartError};
use crate::runbook::definition::On;
use crate::runbook::guarded::GuardsRun;
use crate::runbook::journal::Entry;
use crate::runbook::lease::{Holder, Lease, LeasePlaces};
use crate::runbook::plan::Plan;
use jumpdeck_fleet::run::Effect;

/// The lease on everything that a plan may change; none for a plan that only reads. What is compared with the jump box after it
/// was taken, stays so.
pub(super) struct Exclusive(Option<Box<dyn GuardsRun>>);

impl Exclusive {
    /// Takes the lease. A plan that only reads needs none.
    ///
    /// # Errors
    /// When somebody else holds it, or the jump box cannot be asked.
    pub(super) async fn take(with: &Launch, plan: &Plan, run: &str) -> Result<Self, StartError> {
        if plan.steps.iter().all(|s| s.step.effect == Effect::Read) {
            return Ok(Self(None));
        }
        let env = &with.env.name;
        let mut keys = vec![format!("{env}.{}", plan.runbook.name)];
        for planned in plan.steps.iter().filter(|s| s.step.effect != Effect::Read) {
            // What goes through Salt shares its master: one run at a time, whatever its hosts.
            if let Some(shared) = planned.step.kind.shares() {
                keys.push(format!("{env}.{shared}"));
                continue;
            }
            let hosts: Vec<&str> = match &planned.step.on {
                On::Nowhere => Vec::new(),
                On::Jump => vec![plan.frozen.jump.as_str()],
                On::Named(name) => match planned.items.get(name) {
                    Some(batch) => batch.iter().map(String::as_str).collect(),
                    // An elected host is one of a target that is held already.
                    None => {
                        plan.frozen.targets.get(name).into_iter().flatten().map(|h| h.name.as_str()).collect()
                    }
                },
            };
            keys.extend(hosts.iter().map(|host| format!("{env}.host.{host}")));
        }
        keys.sort();
        keys.dedup();
        let session = with.reach.host(with.reach.jump()).await;
        let session = session.map_err(|e| StartError::Lease(format!("{}: {}", e.hop, e.describe())))?;
        let holder = Holder::new(&with.who, run, &plan.runbook.name);
        let lease = Lease::take_in(&LeasePlaces::of(&with.env), session.as_ref(), &keys, &holder).await;
        let lease = lease.map_err(|e| StartError::Lease(e.to_string()))?;
        Ok(Self(Some(Box::new(lease))))
    }

    /// Whether others are kept off: a plan that only reads keeps nobody off.
    pub(super) fn is_lease(&self) -> bool {
        self.0.is_some()
    }

    /// What the run holds, when those who watch have its entries so far.
    pub(super) fn with_entries(self, entries: &[Entry]) -> Option<Box<dyn GuardsRun>> {
        let mut lease = self.0;
        if let Some(lease) = &mut lease {
            lease.say_all(entries);
        }
        lease
    }
}
