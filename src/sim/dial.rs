//! Reaching the simulated fleet as a client does: over in-memory pipes, no socket. From outside only the jump boxes
//! take SSH.

use std::io;
use std::sync::Arc;

use super::sshd::{IN_FLIGHT, SSH_PORT, SimFleet, serve_jump};
use crate::ssh::dial::{BoxFuture, BoxStream, Dial};

impl Dial for SimFleet {
    fn dial<'a>(&'a self, address: &'a str, port: u16) -> BoxFuture<'a, io::Result<BoxStream>> {
        Box::pin(async move {
            let environment = self.at(address).filter(|environment| port == SSH_PORT && environment.is_up());
            let Some(environment) = environment else {
                return Err(io::ErrorKind::ConnectionRefused.into());
            };
            let (ours, theirs) = tokio::io::duplex(IN_FLIGHT);
            tokio::spawn(serve_jump(Arc::clone(environment), theirs));
            Ok(Box::new(ours) as BoxStream)
        })
    }
}
