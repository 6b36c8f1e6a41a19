//! The program of Git.

pub(crate) mod git;
