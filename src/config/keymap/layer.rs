//! The layers of a keymap: each belongs to one screen, and a key may mean something else there.

use std::str::FromStr;

macro_rules! layers {
    ($($name:ident, $word:literal;)*) => {
        /// Keys of one screen, over those of every screen.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Layer {
            $(#[doc = concat!("`[keys.", $word, "]`")] $name,)*
        }

        impl Layer {
            /// Every one.
            pub const ALL: &'static [Layer] = &[$(Layer::$name,)*];

            /// The word of its table in a keymap.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }
        }
    };
}

layers! {
    Fleet, "fleet";
    Host, "host";
    Replication, "replication";
    Roles, "roles";
    Problems, "problems";
    Services, "services";
    Events, "events";
    Session, "session";
    Runbooks, "runbooks";
    Plan, "plan";
    Run, "run";
    Compare, "compare";
    CompareEnvironments, "environments";
    Answers, "answers";
    PastRuns, "past_runs";
    PastRun, "past_run";
    Views, "views";
    Logs, "logs";
    Charts, "charts";
    Look, "look";
    Power, "power";
}

impl FromStr for Layer {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|layer| layer.name() == name).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::action::Action;

    /// TOML has each name of a table once: `[keys.fleet]` and `fleet = […]` cannot both be in a file.
    #[test]
    fn no_action_has_the_name_of_a_layer() {
        for layer in Layer::ALL {
            let name = layer.name();
            assert!(!Action::ALL.iter().any(|action| action.name() == name), "{name}");
            assert_eq!(name.parse(), Ok(*layer));
        }
    }
}
