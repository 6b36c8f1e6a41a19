//! The model, messages and `update`: `(Model, Msg) → effects`. Pure: no I/O, no clock (time arrives as a
//! message), no terminal, no SSH.

pub mod chosen;
#[cfg(test)]
pub(crate) mod fixture;
pub mod handoff;
pub mod message;
pub mod model;
pub mod opening;
pub mod rows;
pub mod screens;
pub mod settle;
pub mod update;
