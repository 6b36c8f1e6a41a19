//! What a run wants of a lease.

use std::sync::Arc;

use super::Lease;
use crate::runbook::approval::{ApprovalQuestion, Approved};
use crate::runbook::guarded::{GuardsRun, StillOurs};
use crate::runbook::journal::Entry;
use crate::transport::BoxFuture;

impl GuardsRun for Lease {
    fn step(&mut self, step: &str) {
        Lease::step(self, step);
    }

    fn say(&mut self, entry: &Entry) {
        Lease::say(self, entry);
    }

    fn say_all(&mut self, entries: &[Entry]) {
        Lease::say_all(self, entries);
    }

    fn store(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async { Lease::store(self).await.map_err(|why| why.to_string()) })
    }

    fn lost(&self) -> Option<String> {
        Lease::lost(self).map(|why| why.to_string())
    }

    fn limits(&self) -> Option<String> {
        Lease::limits(self)
    }

    fn is_fresh(&self) -> bool {
        Lease::is_fresh(self)
    }

    fn prove(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async { Lease::prove(self).await.map_err(|why| why.to_string()) })
    }

    fn still_ours(&self) -> StillOurs {
        let lease = self.clone();
        Arc::new(move || {
            let lease = lease.clone();
            Box::pin(async move {
                match lease.is_fresh() {
                    true => Ok(()),
                    false => lease.prove().await.map_err(|why| why.to_string()),
                }
            })
        })
    }

    fn ask(&mut self, question: Option<ApprovalQuestion>) {
        Lease::ask(self, question);
    }

    fn approved(&self) -> Option<Approved> {
        Lease::approved(self)
    }

    fn end(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(self.release())
    }
}
