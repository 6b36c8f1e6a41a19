//! The simulated world: hosts, roles, figures, databases, files. It lives in time from a seed.

/// A world.
#[derive(Debug)]
pub struct World {}
