//! What a simulated program is: a name on the PATH, run by the shell against the world.

pub(crate) mod quick;
pub(crate) mod wait;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncWrite};

use jumpdeck_fleet::names::HostName;

use super::options::Options;
use super::world::World;

/// The world, shared by every host's shell. Held for moments only, never across an await.
pub type SharedWorld = Arc<Mutex<World>>;

/// A future that may be sent between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where a program reads from.
pub type Input = Box<dyn AsyncRead + Send + Unpin>;
/// Where a program writes to.
pub type Output = Box<dyn AsyncWrite + Send + Unpin>;

/// One run of a program.
pub struct Call {
    /// The host it runs on.
    pub host: HostName,
    /// The account it runs as.
    pub user: String,
    /// The world.
    pub world: SharedWorld,
    /// Arguments, the program's own name first.
    pub args: Vec<String>,
    /// Exported variables.
    pub env: BTreeMap<String, String>,
    /// The working directory.
    pub cwd: String,
    /// Standard input.
    pub stdin: Input,
    /// Standard output.
    pub stdout: Output,
    /// Standard error.
    pub stderr: Output,
    /// What can be read from descriptors above 2 (`/dev/fd/3`), by number.
    pub descriptors: Vec<(usize, Input)>,
}

/// What a program that needs no input and answers at once leaves behind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    /// Exit status.
    pub status: u8,
}

/// A simulated program. One file each in the `programs/` of its room, one line each in [`super::programs::PROGRAMS`].
pub trait Program: Sync {
    /// Its name on the PATH.
    fn name(&self) -> &'static str;

    /// Whether it is installed on that host of the world.
    fn installed(&self, world: &World, host: &HostName) -> bool {
        let _ = (world, host);
        true
    }

    /// The options it knows; `None` for a program that reads its words in its own way.
    fn options(&self) -> Option<&'static Options> {
        None
    }

    /// Runs it to its end and returns its exit status. Dropping the future is what a kill does.
    fn run(&self, call: Call) -> BoxFuture<'static, u8>;
}
