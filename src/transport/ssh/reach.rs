//! TCP connections to what is no SSH server: from this machine, or from the jump box.

use russh::ChannelOpenFailure;

use super::dial::Dial;
use super::link::JumpLink;
use super::tunnel::Tunnel;
use crate::transport::{BoxStream, NotReached};

/// From this machine.
pub(super) async fn from_here(dial: &dyn Dial, address: &str, port: u16) -> Result<BoxStream, NotReached> {
    dial.reach_port(address, port).await
}

impl JumpLink {
    /// From the jump box, over a `direct-tcpip` channel: no program is needed there.
    ///
    /// # Errors
    /// Why there is no connection, as far as the jump box says it.
    pub async fn reach(&self, address: &str, port: u16) -> Result<BoxStream, NotReached> {
        let Some(jump) = self.jump() else { return from_here(self.dialer(), address, port).await };
        match jump.direct_tcpip(address, port).await {
            Ok(channel) => Ok(Box::new(Tunnel::new(channel)) as BoxStream),
            Err(russh::Error::ChannelOpenFailure(ChannelOpenFailure::ConnectFailed)) => {
                let why = "the jump box has no connection to it (refused, no route, or no such name)";
                Err(NotReached::NoConnection(why.into()))
            }
            Err(russh::Error::ChannelOpenFailure(why)) => {
                let why = why.description();
                Err(NotReached::NotTried(
                    format!(
                        "the jump box does not forward to {address} port {port}: {why}; its sshd_config must permit it \
                         (AllowTcpForwarding, PermitOpen)"
                    )
                    .into(),
                ))
            }
            Err(_) => Err(NotReached::NotTried("the connection to the jump box ended".into())),
        }
    }
}
