//! The simulated fleet as one to connect to: in place of a socket, a pipe to a jump box that is simulated.

use std::io;

use jumpdeck_fleet::text::Clean;
use jumpdeck_sim::dial::RESOLVER;
use jumpdeck_sim::sshd::SimFleet;

use crate::transport::BoxFuture;
use crate::transport::ssh::dial::{BoxStream, Dial};

impl Dial for SimFleet {
    fn dial<'a>(&'a self, address: &'a str, port: u16) -> BoxFuture<'a, io::Result<BoxStream>> {
        Box::pin(async move { Ok(Box::new(self.connect(address, port)?) as BoxStream) })
    }

    fn resolvers(&self) -> Result<Vec<String>, Clean> {
        Ok(vec![RESOLVER.to_owned()])
    }
}
