//! The simulated fleet: a world that lives in time from a seed, SSH servers over in-memory pipes, a shell that
//! interprets what it is sent, and simulated programs. It opens no socket unless told to (`sim --listen`).
//! It knows the vocabulary of `jumpdeck-fleet` and nothing of the console, so that nothing the console believes can make the
//! simulation agree with it.
//!
//! Each domain is a room with its state and its programs; `world` holds the state of them all, `programs` lists the programs.

pub mod apps;
pub mod backups;
pub mod cloud;
pub mod dial;
pub mod dns;
pub mod elastic;
mod git;
pub mod gluster;
pub mod mail;
pub mod mariadb;
pub mod memcache;
pub mod options;
pub mod posix;
pub mod program;
pub mod programs;
pub mod redis;
pub mod salt;
pub mod services;
pub mod shell;
pub mod sshd;
pub mod web;
pub mod world;
