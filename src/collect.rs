//! Collecting: one actor a host, one a jump box, the scheduler, and the resident probe with its `probes/`.
//! May import `ssh` and `domain`.

pub mod probe;
pub mod probes;
pub mod resident;
