//! TOML to validated types: inventory, theme, keymap. Every error carries file, line, column, a caret and what to do.
//! May import `domain`.

pub mod action;
pub mod keymap;
