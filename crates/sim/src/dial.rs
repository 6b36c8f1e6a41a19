//! Reaching the simulated fleet as a client does: over in-memory pipes, no socket. From outside only the jump boxes
//! take SSH; public names answer as they do to their users, and a resolver knows them.

use std::io;
use std::sync::Arc;

use tokio::io::join;

use super::dns::server::{DNS_PORT, serve};
use super::shell::pipe::pipe_of;
pub use super::sshd::stream::Stream;
use super::sshd::{IN_FLIGHT, SSH_PORT, SimFleet, serve_jump};
pub use super::web::public::names::RESOLVER;

impl SimFleet {
    /// Connects to what is reached under this address from outside.
    ///
    /// # Errors
    /// `ConnectionRefused` where nothing listens.
    pub fn connect(&self, address: &str, port: u16) -> io::Result<impl Stream + use<>> {
        let jump = self.at(address).filter(|(environment, jump)| port == SSH_PORT && environment.is_up(jump));
        let public = self.public(address, port).filter(|_| jump.is_none());
        let resolver = address == RESOLVER && port == DNS_PORT;
        if jump.is_none() && public.is_none() && !resolver {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let (to_jump, at_jump) = pipe_of(IN_FLIGHT);
        // Both ends write without reading meanwhile. Two full pipes would hold both for ever, so one never is:
        // what the jump box may send is bounded by the client's channel windows.
        let (to_client, at_client) = pipe_of(usize::MAX);
        let far_end = join(at_jump, to_client);
        if let Some((environment, jump)) = jump {
            tokio::spawn(serve_jump(Arc::clone(environment), jump.clone(), far_end));
        } else if let Some((environment, open)) = public {
            let environment = Arc::clone(environment);
            tokio::spawn(async move { environment.serve_public(open, far_end).await });
        } else {
            let fleet = self.clone();
            tokio::spawn(serve(far_end, move |question| fleet.resolve(question)));
        }
        Ok(join(at_client, to_jump))
    }
}
