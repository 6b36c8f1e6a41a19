//! What an operator does with runs, for the console and the command line alike.
//!
//! | module | owns |
//! |---|---|
//! | [`following`] | a run that somebody else has under way, look by look |

pub mod following;
