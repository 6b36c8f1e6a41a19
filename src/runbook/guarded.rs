//! What keeps others from doing the same, as a run sees it: the lease is one.

pub use super::act::StillOurs;
use super::approval::{ApprovalQuestion, Approved};
use super::journal::Entry;
use crate::transport::BoxFuture;

/// What keeps others from doing the same: the lease on the jump box.
pub trait GuardsRun: Send + Sync + 'static {
    /// Tells the step to whoever looks.
    fn step(&mut self, step: &str);

    /// Hands an entry of the journal to whoever watches.
    fn say(&mut self, entry: &Entry);

    /// Hands on all entries of a run, from the first, in place of what was handed on before.
    fn say_all(&mut self, entries: &[Entry]);

    /// Waits until what was handed on is kept where a colleague can take the run over.
    ///
    /// # Errors
    /// When it is not, or nobody knows.
    fn store(&self) -> BoxFuture<'_, Result<(), String>>;

    /// Why it is lost, when that is known.
    fn lost(&self) -> Option<String>;

    /// What it does not keep off, in words; nothing when it is as it should be.
    fn limits(&self) -> Option<String> {
        None
    }

    /// Whether it was proved so lately, this machine's sleep included, that nobody else can have it by now.
    fn is_fresh(&self) -> bool;

    /// Asks whether it is ours.
    ///
    /// # Errors
    /// Why it is not, or why nobody knows.
    fn prove(&self) -> BoxFuture<'_, Result<(), String>>;

    /// The same for those who send a step's commands, right before each: they are asked for one host after the other.
    fn still_ours(&self) -> StillOurs;

    /// Puts a question to a second person, or takes it back. Nothing that was approved before counts for it.
    fn ask(&mut self, question: Option<ApprovalQuestion>);

    /// Who approved the question, when somebody did.
    fn approved(&self) -> Option<Approved>;

    /// Lets go, when everything that was said has come there.
    fn end(self: Box<Self>) -> BoxFuture<'static, ()>;
}
