//! A person at the terminal, for all commands: lines for its width, typed answers, questions of logins, `^C`.

pub(super) mod interrupts;
pub(super) mod keys;
pub(super) mod login;
pub(super) mod paper;
