//! jumpdeck: a terminal operations console.
//!
//! Two crates lie below this one: [`jumpdeck_fleet`], the vocabulary (fleet, host, role, facts with age, snapshot, problem)
//! and judgement over it; and [`jumpdeck_sim`], the simulated fleet (world, SSH servers, shell, programs), which knows the
//! first only and is known to `demo`, `cli` and tests.
//!
//! The map of this crate, lowest first. A module may use those above it in this list, never those below
//! (`tests/fast/architecture.rs` reads the `use` lines and holds this):
//!
//! | module | owns |
//! |---|---|
//! | [`ownership`] | files that nobody but their owner and root can have written |
//! | [`config`] | TOML to validated types: inventory, theme, keymap, settings; errors with line and caret |
//! | [`listening`] | deadlines that do not run while this program cannot listen |
//! | [`openssh`] | the files of OpenSSH and its agent: known_hosts, keys, signatures |
//! | [`transport`] | how machines are reached; SSH is one implementation |
//! | [`collect`] | one actor a host, the scheduler, the resident probe, and `probes/` |
//! | [`runbook`] | guided changes: spec, plan, step machine, runner, journal, lease, report |
//! | [`operator`] | what an operator does with runs: start, resume, watch, list, approve, take over |
//! | [`app`] | the model, messages, actions, `update`: pure, no I/O, no clock |
//! | [`view`] | screens and widgets: model in, cells out |
//! | [`runtime`] | the event loop, the terminal guard, effects |
//! | [`cli`] | one file a subcommand: arguments, texts on a terminal, keys, exit codes |

pub mod app;
pub mod cli;
pub mod collect;
pub mod config;
#[cfg(feature = "demo")]
mod demo;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
pub mod listening;
pub mod openssh;
pub mod operator;
pub mod ownership;
pub mod runbook;
pub mod runtime;
pub mod transport;
pub mod view;
