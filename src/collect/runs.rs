//! Runs that are not over, as the jump box tells them: runbooks are not known here.

use std::sync::Arc;

use crate::transport::{BoxFuture, JumpConnection};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::Environment;
use jumpdeck_fleet::left::LeftRun;

/// Looks for runs that are not over, on a jump box that is connected.
pub trait LooksForRuns: Send + Sync + 'static {
    /// The runs of an environment; a gap when they cannot be told.
    fn left<'a>(
        &'a self,
        jump: Arc<dyn JumpConnection>,
        env: Arc<Environment>,
    ) -> BoxFuture<'a, Result<Vec<LeftRun>, Gap>>;
}

/// Looks for none: where no runs are.
pub(super) struct NoRuns;

impl LooksForRuns for NoRuns {
    fn left<'a>(
        &'a self,
        _: Arc<dyn JumpConnection>,
        _: Arc<Environment>,
    ) -> BoxFuture<'a, Result<Vec<LeftRun>, Gap>> {
        Box::pin(std::future::ready(Err(Gap::NotInstalled)))
    }
}
