//! The program of Redis.

pub(crate) mod redis_cli;
