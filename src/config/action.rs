//! What a person can do at the console: the words a keymap may bind, and what each needs to do anything.
//!
//! They live beside the keymap, not in `app`, because a keymap is validated against them and imports go downward.

macro_rules! actions {
    (
        before: { $($variant:ident, $name:literal, $need:ident, $help:literal;)* }
        screens: { $($to:ident, $word:literal, $title:literal;)* }
        after: { $($late:ident, $late_name:literal, $late_need:ident, $late_help:literal;)* }
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

            /// Its title.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$to => $title,)* }
            }
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

            /// What must be there for it to do anything.
            #[must_use]
            pub fn need(self) -> Need {
                match self {
                    $(Action::$variant => Need::$need,)*
                    Action::Screen(_) => Need::Nothing,
                    $(Action::$late => Need::$late_need,)*
                }
            }
        }
    };
}

/// What an action needs to do anything: `app` knows whether it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It always does something.
    Nothing,
    /// Rows or text to move over.
    Moves,
    /// Something selected that opens.
    Selected,
    /// A screen or a filter behind.
    WayBack,
    /// Rows that can be filtered.
    Filter,
    /// Rows that can be sorted.
    Order,
    /// A host that is selected among hosts, or shown in full.
    Host,
    /// Rows that are hosts.
    Hosts,
    /// Marked hosts.
    Marks,
    /// A host that a command may be run on.
    CommandHost,
    /// A command that was run in the environment.
    Answers,
    /// Rows that can be folded.
    Folds,
    /// A table that can be exported.
    Table,
    /// Columns that can be chosen.
    Columns,
    /// Two hosts: marked, or one marked and another one seen.
    Pair,
    /// More than one environment.
    Environments,
    /// An environment to compare the one that is shown with.
    OtherEnvironment,
    /// A run of this console on screen that is under way.
    OwnRun,
    /// A jump box that is down, or a host that is selected.
    Retry,
    /// A second jump box that is in use.
    SecondJump,
    /// A host that the selected row is of, or about.
    RowHost,
    /// A screen that can be paused.
    Pause,
    /// More than one theme.
    Themes,
    /// A view on screen that can be saved.
    View,
    /// A saved view that is selected.
    SavedView,
    /// Marked hosts, or one that is selected.
    LogHosts,
    /// Logs on screen.
    Logs,
    /// Charts on screen.
    Charts,
    /// Events on screen.
    Events,
    /// A problem that can be acknowledged.
    Problem,
    /// A maintenance session of the environment in which the operator takes part.
    Session,
}

impl Need {
    /// Every one.
    pub const ALL: [Need; 31] = [
        Self::Nothing,
        Self::Moves,
        Self::Selected,
        Self::WayBack,
        Self::Filter,
        Self::Order,
        Self::Host,
        Self::Hosts,
        Self::Marks,
        Self::CommandHost,
        Self::Answers,
        Self::Pair,
        Self::Folds,
        Self::Columns,
        Self::Table,
        Self::Environments,
        Self::OtherEnvironment,
        Self::OwnRun,
        Self::Retry,
        Self::SecondJump,
        Self::RowHost,
        Self::Pause,
        Self::Themes,
        Self::View,
        Self::SavedView,
        Self::LogHosts,
        Self::Logs,
        Self::Charts,
        Self::Events,
        Self::Problem,
        Self::Session,
    ];
}

actions! {
    before: {
        Up, "up", Moves, "previous row";
        Down, "down", Moves, "next row";
        PageUp, "page_up", Moves, "a page up";
        PageDown, "page_down", Moves, "a page down";
        First, "first", Moves, "first row";
        Last, "last", Moves, "last row";
        Open, "open", Selected, "open what is selected";
        Back, "back", WayBack, "back, or clear the filter";
        Filter, "filter", Filter, "filter the rows";
        SortNext, "sort_next", Order, "sort by the next column";
        SortReverse, "sort_reverse", Order, "reverse the order";
        Columns, "columns", Columns, "choose the columns";
        Fold, "fold", Folds, "fold hosts that are alike into one row";
        Mark, "mark", Host, "mark the host";
        MarkAll, "mark_all", Hosts, "mark all hosts that are listed";
        ClearMarks, "clear_marks", Marks, "clear all marks";
        NextEnvironment, "next_environment", Environments, "next environment";
        PreviousEnvironment, "previous_environment", Environments, "previous environment";
    }
    screens: {
        Fleet, "screen_fleet", "fleet";
        Replication, "screen_replication", "replication";
        Roles, "screen_roles", "roles";
        Problems, "screen_problems", "problems";
        Services, "screen_services", "services";
        Runbooks, "screen_runbooks", "runbooks";
        PastRuns, "screen_past_runs", "past runs";
        Views, "screen_views", "saved views";
        Events, "screen_events", "events";
        Session, "screen_session", "maintenance session";
    }
    after: {
        Compare, "compare_hosts", Pair, "two hosts side by side";
        CompareEnvironments, "compare_environments", OtherEnvironment, "compare environments: two side by side";
        Command, "command", CommandHost, "run a command on the marked hosts, or on this one";
        Answers, "show_answers", Answers, "answers to the last command";
        Arm, "arm", Nothing, "arm for changes, or disarm";
        Note, "note", OwnRun, "a note on the run";
        StopRun, "stop_run", OwnRun, "stop the run at the next step";
        Rollback, "rollback", OwnRun, "roll the run back";
        Refresh, "refresh", Nothing, "ask every host now";
        Redraw, "redraw", Nothing, "draw the screen again";
        Retry, "retry", Retry, "retry the jump box or host";
        FirstJump, "first_jump", SecondJump, "go back to the first jump box";
        Pause, "pause", Pause, "pause the screen";
        SaveView, "save_view", View, "save this view";
        DeleteView, "delete_view", SavedView, "delete the saved view";
        Export, "export", Table, "export the table";
        Copy, "copy", Nothing, "copy view and command";
        Processes, "processes", RowHost, "processes of the host";
        Ports, "ports", RowHost, "listening ports";
        Mounts, "mounts", RowHost, "mounts of the host";
        Charts, "show_charts", RowHost, "charts of the host";
        LongerSpan, "longer_span", Charts, "more time in the charts";
        ShorterSpan, "shorter_span", Charts, "less time in the charts";
        Shell, "shell", RowHost, "a shell on the selected host";
        Power, "power_state", RowHost, "power state and console log, from the cloud";
        Logs, "follow_logs", LogHosts, "logs of the marked hosts, or the host";
        LogFilter, "log_filter", Logs, "filter on the hosts with what is typed";
        LogOnly, "log_only", Logs, "lines of one host alone, or of all";
        LogHide, "log_hide", Logs, "hide the lines of the host";
        LogWrap, "log_wrap", Logs, "break or cut long lines";
        Acknowledge, "acknowledge", Problem, "acknowledge the problem, or remove that";
        AllEnvironments, "all_environments", Events, "events of all environments, or of this one";
        SessionNote, "session_note", Session, "a note for the maintenance session";
        SessionHandOver, "session_hand_over", Session, "hand the maintenance session over";
        SessionEnd, "session_end", Session, "end the maintenance session";
        NextTheme, "next_theme", Themes, "next theme";
        Palette, "palette", Nothing, "command palette: find and do anything";
        Help, "help", Nothing, "help";
        Quit, "quit", Nothing, "quit; on a page: back";
    }
}

/// What actions were once called, and what they are called now: keymaps of that time stay valid.
const OLDER_NAMES: [(&str, &str); 2] = [("runbooks", "screen_runbooks"), ("past_runs", "screen_past_runs")];

impl std::str::FromStr for Action {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        let name = OLDER_NAMES.iter().find(|(older, _)| *older == name).map_or(name, |(_, now)| *now);
        Self::ALL.iter().copied().find(|a| a.name() == name).ok_or(())
    }
}
