//! How each screen looks: one file of this folder, and the list of them. A screen draws its body and returns what the footer
//! says of the selected row. What a screen is, its file in `app::screens` says.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::model::Screen;
use crate::view::scene::Scene;
use crate::view::state::ViewState;
use crate::view::widgets::footer::FooterStatus;

pub(crate) mod cells;
mod connection;
mod report;

macro_rules! drawings {
    ($($file:ident => $name:ident;)*) => {
        $(pub(crate) mod $file;)*

        /// How a screen looks.
        pub(crate) fn drawing(screen: &Screen) -> &'static Drawing {
            match screen { $(Screen::$name { .. } => &$file::DRAWING,)* }
        }
    };
}

drawings! {
    fleet => Fleet;
    host => Host;
    replication => Replication;
    roles => Roles;
    problems => Problems;
    services => Services;
    events => Events;
    session => Session;
    runbooks => Runbooks;
    plan => Plan;
    run => Run;
    compare => Compare;
    compare_environments => CompareEnvironments;
    answers => Answers;
    past => PastRuns;
    past_run => PastRun;
    charts => Charts;
    look => Look;
    views => Views;
    logs => Logs;
    power => Power;
}

/// How a screen looks.
pub(crate) struct Drawing {
    /// Draws its body.
    pub(crate) draw: DrawBody,
    /// What its columns mean, for help.
    pub(crate) columns: fn() -> Vec<(&'static str, &'static str)>,
    /// Whose signs it shows.
    pub(crate) signs: Signs,
}

/// Draws the body of a screen.
type DrawBody = for<'a> fn(&mut Buffer, Rect, &Scene<'a>, &mut ViewState) -> FooterStatus<'a>;

impl Drawing {
    /// One that has no columns to explain and shows hosts.
    const fn of(draw: DrawBody) -> Self {
        Self { draw, columns: Vec::new, signs: Signs::Hosts }
    }
}

/// Whose signs a screen shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signs {
    /// Those of hosts.
    Hosts,
    /// Those of steps of runs.
    Steps,
}
