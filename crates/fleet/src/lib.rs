//! The vocabulary of a fleet, and judgement over it. Pure data and pure functions: no I/O, no clock.

pub mod access;
pub mod backup;
pub mod check;
pub mod contact;
pub mod declared;
pub mod event;
pub mod fact;
pub mod fleet;
pub mod growth;
pub mod history;
pub mod hop;
pub mod judge;
pub mod left;
pub mod names;
pub mod outside;
pub mod problem;
pub mod replication;
pub mod run;
pub mod service;
pub mod snapshot;
pub mod storage;
pub mod summary;
pub mod text;
pub mod time;
pub mod topology;
pub mod upkeep;
