//! `who`: nobody is logged in on a terminal of a simulated machine.

use crate::options::Options;
use crate::program::quick::{Quick, output};

pub(crate) static WHO: Quick = Quick { name: "who", options: Some(&OPTIONS), answer: |_| output("") };

static OPTIONS: Options = Options::new("", &[]);
