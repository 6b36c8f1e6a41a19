//! Every simulated program. A new one is one new file here and one line in [`PROGRAMS`].

pub mod text;

use super::program::Program;

/// Every program there is.
pub static PROGRAMS: &[&dyn Program] = &[
    &text::basename::Basename,
    &text::cat::Cat,
    &text::cut::Cut,
    &text::date::Date,
    &text::dirname::Dirname,
    &text::grep::Grep,
    &text::head::Head,
    &text::id::Id,
    &text::ls::Ls,
    &text::sed::Sed,
    &text::seq::Seq,
    &text::sort::Sort,
    &text::tail::Tail,
    &text::tee::Tee,
    &text::tr::Tr,
    &text::uniq::Uniq,
    &text::wc::Wc,
    &text::whoami::Whoami,
];
