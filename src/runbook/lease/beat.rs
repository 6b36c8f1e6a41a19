//! Beats: what the run is at, proofs that the lease is ours, questions to a second person.

use tokio::sync::{oneshot, watch as latest};

use super::keep::Tell;
use super::{Lease, LeaseState};
use crate::runbook::approval::{ApprovalQuestion, Approved};
use jumpdeck_fleet::text::Clean;

impl Lease {
    /// Tells the step to whoever looks, at once.
    pub fn step(&self, step: &str) {
        self.shared.at_step(step);
        // When nobody listens the lease is lost, and says so.
        let _ = self.tell.send(Tell::Beat(None));
    }

    /// Puts a question to a second person, or takes it back. Nothing that was approved before counts for it.
    pub fn ask(&self, question: Option<ApprovalQuestion>) {
        self.shared.ask(question);
        let _ = self.tell.send(Tell::Beat(None));
    }

    /// Asks the jump box whether the lease is ours: one round trip.
    ///
    /// # Errors
    /// Why it is not, or why nobody knows.
    pub async fn prove(&self) -> Result<(), Clean> {
        let (tell, proved) = oneshot::channel();
        let _ = self.tell.send(Tell::Beat(Some(tell)));
        self.answer(proved).await
    }

    /// The keeper's answer to what it was told; or why it gives none any more. What it is told between its last look and its
    /// end stays in the channel, unanswered, for as long as anybody holds the lease: so its end is waited for, too.
    pub(super) async fn answer<T>(&self, told: oneshot::Receiver<T>) -> Result<T, Clean> {
        tokio::select! {
            biased;
            Ok(answer) = told => Ok(answer),
            why = self.why_it_ended() => Err(why),
        }
    }

    /// Why nobody answers any more: the keeper says that the lease is lost, and ends.
    async fn why_it_ended(&self) -> Clean {
        let mut state = self.state.clone();
        let lost = state.wait_for(|state| matches!(state, LeaseState::Lost(_))).await;
        match lost.as_deref() {
            Ok(LeaseState::Lost(why)) => why.clone(),
            Ok(LeaseState::Held) | Err(_) => Clean::new("it was released"),
        }
    }

    /// Why it is lost, when that is known.
    #[must_use]
    pub fn lost(&self) -> Option<Clean> {
        match &*self.state.borrow() {
            LeaseState::Lost(why) => Some(why.clone()),
            LeaseState::Held => None,
        }
    }

    /// Whether it was proved so lately that nobody else can have it by now: by a clock that counts this machine's sleep.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.lost().is_none() && self.shared.is_fresh()
    }

    /// How it stands, now and later.
    #[must_use]
    pub fn state(&self) -> latest::Receiver<LeaseState> {
        self.state.clone()
    }

    /// Who approved the question that is put, if anybody: never who runs it, nor their account on the jump box.
    #[must_use]
    pub fn approved(&self) -> Option<Approved> {
        self.shared.approved()
    }
}
