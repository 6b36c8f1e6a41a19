//! A lease of the tests: it keeps what it is given for others, is lost when a test says so, and has a second person where a
//! test wants one.

use std::sync::atomic::AtomicUsize;

use super::*;
use crate::runbook::approval::{ApprovalQuestion, Approved};
use crate::runbook::guarded::StillOurs;

/// Who approves a question, if anybody.
pub(super) type SecondPerson = Box<dyn FnMut(&ApprovalQuestion) -> Option<Approved> + Send>;

#[derive(Default)]
pub(super) struct Lent {
    pub(super) proofs: AtomicUsize,
    /// Lost at this proof, from 1; never at 0.
    pub(super) lost_at: usize,
    /// Known to be lost, as when its session has ended.
    pub(super) known: AtomicBool,
    /// Lost, and nobody knows yet: this program was stopped.
    pub(super) unknown: AtomicBool,
    /// Too long ago, each time it is looked at.
    pub(super) stale: AtomicBool,
    /// What the world had done when it was lost.
    pub(super) world: Arc<World>,
    pub(super) done: Mutex<Option<Vec<String>>>,
    /// What others were given: entries, and questions to a second person.
    pub(super) said: Mutex<Vec<Entry>>,
    /// The copy of the entries cannot be written at this wait for it, from 1, nor at the next; never at 0.
    pub(super) full_at: AtomicUsize,
    pub(super) stores: AtomicUsize,
    pub(super) questions: Mutex<Vec<ApprovalQuestion>>,
    pub(super) asked: Mutex<Option<ApprovalQuestion>>,
    pub(super) second: Mutex<Option<SecondPerson>>,
}

impl Lent {
    pub(super) fn lose(&self) {
        self.done.lock().unwrap().get_or_insert(self.world.done.lock().unwrap().clone());
    }

    /// Nothing was done since it was lost.
    pub(super) fn nothing_done_since(&self) {
        let at_loss = self.done.lock().unwrap().clone().expect("it was never lost");
        assert_eq!(*self.world.done.lock().unwrap(), at_loss, "done without the lease");
    }

    /// With a second person.
    pub(super) fn with_second(
        second: impl FnMut(&ApprovalQuestion) -> Option<Approved> + Send + 'static,
    ) -> Arc<Self> {
        Arc::new(Self { second: Mutex::new(Some(Box::new(second))), ..Self::default() })
    }

    /// As a run takes it.
    pub(super) fn lease(self: &Arc<Self>) -> Option<Box<dyn GuardsRun>> {
        Some(Box::new(OfLent(self.clone())))
    }

    fn prove(&self) -> Result<(), String> {
        let number = self.proofs.fetch_add(1, Ordering::SeqCst) + 1;
        if number == self.lost_at || self.unknown.load(Ordering::SeqCst) {
            self.lose();
        }
        match self.done.lock().unwrap().is_some() {
            true => Err("somebody else has it".to_owned()),
            false => Ok(()),
        }
    }

    fn is_fresh(&self) -> bool {
        !self.stale.load(Ordering::SeqCst)
    }
}

struct OfLent(Arc<Lent>);

impl GuardsRun for OfLent {
    fn step(&mut self, _step: &str) {}

    fn say(&mut self, entry: &Entry) {
        self.0.said.lock().unwrap().push(entry.clone());
    }

    fn say_all(&mut self, entries: &[Entry]) {
        *self.0.said.lock().unwrap() = entries.to_vec();
    }

    fn store(&self) -> BoxFuture<'_, Result<(), String>> {
        let number = self.0.stores.fetch_add(1, Ordering::SeqCst) + 1;
        let full_at = self.0.full_at.load(Ordering::SeqCst);
        // Told again it finds no room either.
        let full = full_at > 0 && (number == full_at || number == full_at + 1);
        Box::pin(async move { if full { Err("no space".to_owned()) } else { Ok(()) } })
    }

    fn lost(&self) -> Option<String> {
        self.0.known.load(Ordering::SeqCst).then(|| "the session has ended".to_owned())
    }

    fn is_fresh(&self) -> bool {
        self.0.is_fresh()
    }

    fn prove(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async { self.0.prove() })
    }

    fn still_ours(&self) -> StillOurs {
        let lent = self.0.clone();
        Arc::new(move || {
            let proved = if lent.is_fresh() { Ok(()) } else { lent.prove() };
            Box::pin(async { proved })
        })
    }

    fn ask(&mut self, question: Option<ApprovalQuestion>) {
        self.0.questions.lock().unwrap().extend(question.clone());
        *self.0.asked.lock().unwrap() = question;
    }

    fn approved(&self) -> Option<Approved> {
        let asked = self.0.asked.lock().unwrap();
        self.0.second.lock().unwrap().as_mut()?(asked.as_ref()?)
    }

    fn end(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async {})
    }
}
