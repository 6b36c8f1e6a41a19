//! What screens are made of.

pub(crate) mod banner;
pub(crate) mod bar;
pub(crate) mod beside;
mod columns;
mod command;
pub(crate) mod dialog;
mod export;
pub(crate) mod field;
pub(crate) mod footer;
pub(crate) mod forms;
pub(crate) mod header;
pub(crate) mod help;
pub(crate) mod page;
pub(crate) mod palette;
pub(crate) mod pending;
pub(crate) mod question;
pub(crate) mod session;
pub(crate) mod shell;
pub(crate) mod small;
pub(crate) mod sparkline;
pub(crate) mod strip;
pub(crate) mod table;
pub(crate) mod views;
