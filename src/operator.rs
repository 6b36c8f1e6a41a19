//! What an operator does with runs, for the console and the command line alike: results and errors are typed, and whoever asks
//! puts them into words.
//!
//! | module | owns |
//! |---|---|
//! | [`access`] | how a fleet is reached: connections, keys, journals, the operator's name |
//! | [`approve`] | the yes of a second person |
//! | [`commands`] | commands that people are told to type |
//! | [`control`] | what a console asks of runs |
//! | [`fleet_command`] | one command on many hosts, and what each answered |
//! | [`following`] | a run that somebody else has under way, look by look |
//! | [`inputs`] | what a runbook asks before its plan is made |
//! | [`left`] | runs that are not over, from the jump box |
//! | [`logs`] | logs of many hosts, followed together |
//! | [`maintenance`] | maintenance sessions: records on this machine and on the jump box |
//! | [`look`] | processes, listening ports and mounts of a host, for as long as somebody looks |
//! | [`listing`] | what there is to run in an environment, and what runs |
//! | [`outcome`] | how a run was left |
//! | [`past`] | runs that were, from the journals of this machine |
//! | [`power`] | what the cloud says of a host: power state, console log |
//! | [`resume`] | going on with a run of this machine, or rolling it back |
//! | [`service`] | the runs of a console |
//! | [`shelf`] | the runbooks there are |
//! | [`start`] | making a plan, and beginning its run |
//! | [`takeover`] | going on with a run whose console is gone |
//! | [`timeline`] | what changed in an environment, on disk |
//! | [`verify`] | what a journal proves, and to whom |
//! | [`who`] | the operator's name |

pub mod access;
pub mod approve;
pub mod commands;
pub mod control;
pub mod export;
pub mod fleet_command;
pub mod following;
pub mod handoff;
pub mod inputs;
pub mod kept_text;
pub mod left;
pub mod listing;
pub mod logs;
pub mod look;
pub mod maintenance;
pub mod outcome;
pub mod past;
pub mod power;
pub mod resume;
pub mod service;
pub mod shelf;
pub mod start;
pub mod takeover;
pub mod timeline;
pub mod verify;
pub mod views;
pub mod who;
