//! Guided runbooks: what they say, what they plan, how they run, and what is left of a run on disk.
//!
//! | module | owns |
//! |---|---|
//! | [`definition`] | a runbook as its TOML says it, validated with line and caret |
//! | [`library`] | the runbooks there are: embedded, and the user's own |
//! | [`value`], [`template`] | typed variables, and how they come into texts, SQL and shell without changing their shape |
//! | [`plan`] | targets resolved and frozen, steps unrolled: what is shown before anything runs |
//! | [`ids`], [`place`] | ids of steps, places of work: types that cannot be empty by accident |
//! | [`event`] | what the journal tells, and all the machine knows |
//! | [`machine`] | the pure step machine: events in, what comes next out |
//! | [`runner`] | the actor that does what the machine says |
//! | [`journal`] | what is left of a run on disk: every entry flushed, chained to the one before |
//! | [`approval`] | what a second person is asked, and their yes: what it binds, and the text that is signed |
//! | [`evidence`] | signatures of entries and approvals, and what others can check of them |
//! | [`examine`] | what a reader of a journal can prove: its chain, its signatures, its approvals |
//! | [`guarded`] | what keeps others from doing the same, as a run sees it |
//! | [`lease`] | one operator per runbook and target: a lock on the jump box, and what others see of a run there |
//! | [`replay`] | a run's machine, made again from its journal |
//! | [`report`] | a run told afterwards, from its journal: a report, and a log line by line |
//! | [`redact`] | secrets made unreadable, in every form they take on their way |
//! | [`in_effect`] | what a run began and has not ended: told on every way out |
//! | [`wall`] | times of the wall clock as they are shown |
//! | [`view`] | a run as its entries tell it, entry by entry, and what a console lays over it |
//! | [`watched`] | the same for those who watch |
//! | [`signing_keys`] | the operator's key, and whose signatures count |

mod act;
pub mod approval;
pub mod definition;
pub mod describe;
pub mod event;
pub mod evidence;
pub mod examine;
pub mod guarded;
pub mod ids;
pub mod in_effect;
pub mod journal;
pub mod judge;
mod kinds;
mod layout;
pub mod lease;
pub mod library;
pub mod machine;
pub mod place;
pub mod plan;
pub mod planner;
pub mod redact;
pub mod replay;
pub mod report;
pub mod runner;
pub mod safety;
pub mod scope;
mod scripted;
pub mod signing_keys;
pub mod template;
mod uses;
pub mod value;
pub mod view;
pub mod wall;
pub mod watched;
pub mod windows;

/// For the fuzz targets: what a run does with a line of YAML and with a value in SQL.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use self::{act::edit::set_yaml, scope::sql_literal};
