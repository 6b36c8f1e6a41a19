//! The program that speaks to a Memcached server.

pub(crate) mod nc;

/// The port of every server here.
pub(crate) const PORT: u16 = 11_211;
