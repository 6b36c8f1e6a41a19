//! Every simulated program. A new one is one new file here and one line in [`PROGRAMS`].

use super::program::Program;

/// Every program there is.
pub static PROGRAMS: &[&dyn Program] = &[];
