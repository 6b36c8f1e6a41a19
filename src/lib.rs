//! jumpdeck: a terminal operations console.
//!
//! The map of the crate, lowest first. A module may use those above it in this list, never those below
//! (`tests/fast/architecture.rs` reads the `use` lines and holds this):
//!
//! | module | owns |
//! |---|---|
//! | [`domain`] | the vocabulary: fleet, host, role, facts with age, snapshot, problem; and judgement over them |
//! | [`ownership`] | files that nobody but their owner and root can have written |
//! | [`config`] | TOML to validated types: inventory, theme, keymap, settings; errors with line and caret |
//! | [`ssh`] | known_hosts, authentication, hops, sessions |
//! | [`collect`] | one actor a host, the scheduler, the resident probe, and `probes/` |
//! | [`runbook`] | guided changes: spec, plan, step machine, runner, journal, lease, report |
//! | [`sim`] | the simulated fleet: world, SSH servers, shell, programs (known to `cli` and tests only) |
//! | [`app`] | the model, messages, actions, `update`: pure, no I/O, no clock |
//! | [`view`] | screens and widgets: model in, cells out |
//! | [`runtime`] | the event loop, the terminal guard, effects |
//! | [`cli`] | one file a subcommand |

pub mod app;
pub mod cli;
pub mod collect;
pub mod config;
pub mod domain;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
pub mod ownership;
pub mod runbook;
pub mod runtime;
pub mod sim;
pub mod ssh;
pub mod view;
