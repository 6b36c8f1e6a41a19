//! Sessions with an environment's hosts, as a run has them: over SSH.

use std::sync::Arc;

use jumpdeck::transport::ask::Ask;
use jumpdeck::transport::ssh::SshConnector;
use jumpdeck::transport::ssh::dial::Dial;
use jumpdeck::transport::{Lane, SessionPool};
use jumpdeck_fleet::fleet::Environment;

pub(crate) fn over_ssh(env: Arc<Environment>, dial: Arc<dyn Dial>, ask: Arc<dyn Ask>) -> SessionPool {
    SessionPool::new(Arc::new(SshConnector::new(dial, ask)), env, Lane::Run)
}
