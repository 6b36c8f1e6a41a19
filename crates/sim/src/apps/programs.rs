//! What runs the applications' scripts.

pub(crate) mod php;
