//! What a person can do at the console: the words a keymap may bind.
//!
//! They live beside the keymap, not in `app`, because a keymap is validated against them and imports go downward.

macro_rules! actions {
    (
        before: { $($variant:ident, $name:literal, $help:literal;)* }
        screens: { $($to:ident, $word:literal, $title:literal;)* }
        after: { $($late:ident, $late_name:literal, $late_help:literal;)* }
    ) => {
        /// Something a person can do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Action {
            $(#[doc = $help] $variant,)*
            /// Goes to a screen.
            Screen(Destination),
            $(#[doc = $late_help] $late,)*
        }

        /// A screen that a key leads to from everywhere.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Destination {
            $(#[doc = $title] $to,)*
        }

        impl Destination {
            /// Every one.
            pub const ALL: &'static [Destination] = &[$(Destination::$to,)*];
        }

        impl Action {
            /// Every action, in the order help lists them.
            pub const ALL: &'static [Action] = &[
                $(Action::$variant,)*
                $(Action::Screen(Destination::$to),)*
                $(Action::$late,)*
            ];

            /// The word a keymap uses.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Action::$variant => $name,)*
                    $(Action::Screen(Destination::$to) => $word,)*
                    $(Action::$late => $late_name,)*
                }
            }

            /// What it does, in a few words.
            #[must_use]
            pub fn help(self) -> &'static str {
                match self {
                    $(Action::$variant => $help,)*
                    $(Action::Screen(Destination::$to) => $title,)*
                    $(Action::$late => $late_help,)*
                }
            }
        }
    };
}

actions! {
    before: {
        Up, "up", "previous row";
        Down, "down", "next row";
        PageUp, "page_up", "a page up";
        PageDown, "page_down", "a page down";
        First, "first", "first row";
        Last, "last", "last row";
        Open, "open", "open what is selected";
        Back, "back", "back, or clear the filter";
        Filter, "filter", "filter the rows";
        SortNext, "sort_next", "sort by the next column";
        SortReverse, "sort_reverse", "reverse the order";
        NextEnvironment, "next_environment", "next environment";
        PreviousEnvironment, "previous_environment", "previous environment";
    }
    screens: {
        Fleet, "screen_fleet", "fleet";
        Replication, "screen_replication", "replication";
        Roles, "screen_roles", "roles";
        Problems, "screen_problems", "problems";
        Services, "screen_services", "services";
        Runbooks, "runbooks", "runbooks";
        PastRuns, "past_runs", "past runs";
    }
    after: {
        Arm, "arm", "arm for changes, or disarm";
        Note, "note", "a note on the run";
        StopRun, "stop_run", "stop the run at the next step";
        Rollback, "rollback", "roll the run back";
        Refresh, "refresh", "ask every host now";
        Redraw, "redraw", "draw the screen again";
        Retry, "retry", "retry the jump box or host";
        Pause, "pause", "pause the screen";
        NextTheme, "next_theme", "next theme";
        Help, "help", "this help";
        Quit, "quit", "quit; on a page: back";
    }
}

impl std::str::FromStr for Action {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|a| a.name() == name).ok_or(())
    }
}
