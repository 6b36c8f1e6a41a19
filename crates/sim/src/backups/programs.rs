//! Programs that pack and unpack.

pub(crate) mod pack;
