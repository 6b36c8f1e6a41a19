//! The means by which kinds of steps ask and change machines, one file each, and what came of it.

pub(super) mod ask;
pub(super) mod client;
mod detached;
mod done;
pub(super) mod edit;
pub(super) mod guard;
pub(super) mod hold;
mod live;
mod manner;
mod marks;
mod own_folder;
mod perform;
mod proof;
pub(super) mod salt;
mod script;
pub(super) mod session;
mod sessions;
mod site;
pub(super) mod sql;
mod ticket;
mod trouble;
mod work;

pub(crate) use done::Done;
pub(super) use done::failed;
pub(crate) use manner::{For, Mark};
pub(super) use perform::{perform, shown, undo};
pub(super) use proof::{probe, prove, read_back, settle};
pub(super) use sessions::Sessions;
pub use site::StillOurs;
pub(super) use site::{Foreign, Site};
pub(super) use trouble::on_hosts;
pub(crate) use trouble::{PlaceAnswers, Trouble};
pub(crate) use work::Work;
