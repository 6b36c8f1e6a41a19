//! Sessions with an environment's hosts, as a run has them: over SSH.

use std::path::PathBuf;
use std::sync::Arc;

use jumpdeck::runbook::signing_keys::SigningKeys;
use jumpdeck::transport::ask::AskPerson;
use jumpdeck::transport::ssh::SshConnector;
use jumpdeck::transport::ssh::dial::Dial;
use jumpdeck::transport::{Lane, SessionPool};
use jumpdeck_fleet::fleet::Environment;

pub(crate) fn over_ssh(env: Arc<Environment>, dial: Arc<dyn Dial>, ask: Arc<dyn AskPerson>) -> SessionPool {
    SessionPool::new(Arc::new(SshConnector::new(dial, ask)), env, Lane::Run)
}

/// The same with the key that logs in to sign, as where no other is named.
pub(crate) fn signed_over_ssh(
    env: Arc<Environment>,
    dial: Arc<dyn Dial>,
    ask: Arc<dyn AskPerson>,
) -> (SessionPool, SigningKeys) {
    let connector = Arc::new(SshConnector::new(dial, ask));
    let keys = SigningKeys::new(connector.clone(), env.clone(), None, PathBuf::from("/nobody"));
    (SessionPool::new(connector, env, Lane::Run), keys)
}
