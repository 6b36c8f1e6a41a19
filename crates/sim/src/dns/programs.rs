//! Programs about names.

pub(crate) mod names;
