//! How an operator reaches a fleet: connections, keys, journals, and the name they go by.

use std::path::PathBuf;
use std::sync::Arc;

use crate::collect::clock::Clock;
use crate::config::files::Paths;
use crate::config::store::InventoryStore;
use crate::runbook::runner::Launch;
use crate::runbook::signing_keys::SigningKeys;
use crate::transport::ask::AskPerson;
use crate::transport::error::TransportError;
use crate::transport::{Connectors, HostSessions, Lane, Session, SessionPool};
use jumpdeck_fleet::fleet::Environment;

/// Says whether changes may be made now: asked right before each.
pub type MayChange = Arc<dyn Fn() -> bool + Send + Sync>;

/// What an operator reaches the environments of a fleet with.
#[derive(Clone)]
pub struct FleetAccess {
    /// Whether the fleet is simulated.
    pub simulated: bool,
    /// By what the fleet is reached.
    pub connectors: Arc<dyn Connectors>,
    /// Puts questions of logins to the operator.
    pub ask: Arc<dyn AskPerson>,
    /// The clock of what is on screen.
    pub clock: Clock,
    /// Where runbooks and journals are.
    pub paths: Paths,
    /// The key that signs what is said in runs, when one is named.
    pub sign_with: Option<PathBuf>,
    /// The inventory, for runbooks that change it.
    pub inventory: Arc<InventoryStore>,
    /// The operator: `account@machine`.
    pub who: String,
}

impl FleetAccess {
    /// Connections to an environment, opened when first needed. Each call makes new ones: what uses one holds up no other.
    #[must_use]
    pub fn connect(&self, env: Arc<Environment>) -> EnvAccess {
        let connector = self.connectors.open(self.ask.clone());
        let (sign_with, allowed) = (self.sign_with.clone(), self.paths.allowed_signers());
        EnvAccess {
            keys: SigningKeys::new(connector.clone(), env.clone(), sign_with, allowed),
            reach: Arc::new(SessionPool::new(connector, env.clone(), Lane::Run)),
            inventory: self.inventory.clone(),
            env,
            simulated: self.simulated,
            clock: self.clock,
            journals: self.paths.runs(),
            who: self.who.clone(),
        }
    }
}

/// An environment, and the connections to it.
#[derive(Clone)]
pub struct EnvAccess {
    /// The environment.
    pub env: Arc<Environment>,
    /// The connections.
    pub reach: Arc<dyn HostSessions>,
    /// Who signs what is said in runs.
    pub keys: SigningKeys,
    /// The inventory, for runbooks that change it.
    pub inventory: Arc<InventoryStore>,
    /// Whether the fleet is simulated.
    pub simulated: bool,
    /// The clock of what is on screen.
    pub clock: Clock,
    /// The folder of journals.
    pub journals: PathBuf,
    /// The operator: `account@machine`.
    pub who: String,
}

/// The jump box cannot be reached.
#[derive(Debug, thiserror::Error)]
#[error("{}: {}", .0.hop, .0.describe())]
pub struct NoJumpBox(TransportError);

impl EnvAccess {
    /// A session on the jump box.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn jump(&self) -> Result<Arc<dyn Session>, NoJumpBox> {
        jump(&*self.reach).await
    }

    /// What a run is begun, or gone on with.
    #[must_use]
    pub fn launch(&self, armed: MayChange) -> Launch {
        let clock = self.clock;
        Launch {
            env: self.env.clone(),
            simulated: self.simulated,
            reach: self.reach.clone(),
            inventory: Some(self.inventory.clone()),
            keys: self.keys.clone(),
            folder: self.journals.clone(),
            who: self.who.clone(),
            clock: Arc::new(move || clock.now()),
            armed,
        }
    }
}

/// A session on the jump box.
pub(super) async fn jump(reach: &dyn HostSessions) -> Result<Arc<dyn Session>, NoJumpBox> {
    reach.host(reach.jump()).await.map_err(NoJumpBox)
}
