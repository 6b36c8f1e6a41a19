//! How machines are reached: the one vocabulary of whatever asks, changes or shows a host.
//!
//! A [`Connector`] logs in to a jump box; through that [`JumpConnection`] it logs in to hosts. A [`Session`] with a host runs
//! a command to its end, starts one that stays, or opens a terminal. [`SessionPool`] keeps the sessions of one [`Lane`]:
//! connections of their own, so that a probe that stalls holds up no run. [`ssh`] is one implementation; only the place that
//! starts the program names it.

use std::pin::Pin;

pub mod advice;
pub mod ask;
pub(crate) mod banner;
mod connection;
pub mod error;
mod pool;
mod recorded;
mod session;
pub mod ssh;
mod stream;
mod way_in;

pub use connection::{Connector, Connectors, HostConnection, JumpConnection, Lane};
pub use pool::{HostSessions, SessionPool, description};
pub use recorded::{Recorded, StreamOutput};
pub use session::{Held, HeldTerminal, LARGEST_ANSWER, Limits, Ran, Session, TerminalRequest, TerminalSize};
pub use stream::{BoxStream, NotReached, Stream};
pub use way_in::{NoWayIn, WayIn, by_second, way_in};

/// A future that may be sent between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
