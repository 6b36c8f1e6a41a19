//! TOML to validated types: inventory, theme, keymap, settings. Every error carries file, line, column, a
//! caret and what to do.

pub mod action;
pub mod check;
pub mod columns;
pub mod diagnostic;
pub mod files;
pub mod inventory;
pub mod keymap;
pub mod notices;
pub(crate) mod reader;
pub mod settings;
pub mod store;
pub mod theme;
pub mod views;
pub mod watched;
