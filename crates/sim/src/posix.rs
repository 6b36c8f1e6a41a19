//! What every machine is: its figures, disks, files and people, and the programs of a Unix system.

pub(crate) mod calendar;
pub mod files;
pub(crate) mod held;
pub(crate) mod log_files;
pub mod machine;
pub mod os;
pub mod people;
pub(crate) mod proc;
pub(crate) mod processes;
pub mod programs;
pub(crate) mod snapshots;
pub mod storage;
pub mod tasks;
pub(crate) mod upkeep;
