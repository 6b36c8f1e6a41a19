//! The client of the GlusterFS server.

pub(crate) mod gluster;
