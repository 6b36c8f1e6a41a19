//! What all commands share: their common arguments, and what ends one early.

use std::path::{PathBuf, absolute};

use clap::Args;

use crate::operator::access::NoJumpBox;
use crate::operator::following::FollowError;
use crate::operator::left::LeftError;
use crate::operator::past::PastError;
use crate::operator::resume::UnreadableRunbook;
use crate::operator::start::Blocked;
use crate::operator::takeover::TakeoverError;
use crate::operator::verify::VerifyError;
use crate::runbook::lease::LeaseError;
use crate::runbook::replay::StartError;

/// The world `demo` shows when none is named.
pub(super) const DEFAULT_WORLD: &str = "wpd-2015";

/// What every command that touches a fleet takes.
#[derive(Debug, Clone, Args)]
pub(super) struct Common {
    /// The inventory [default: inventory.toml in the configuration folder; `jumpdeck info` names it]
    #[arg(long, short, global = true, value_name = "FILE", env = "JUMPDECK_INVENTORY")]
    pub(super) inventory: Option<PathBuf>,
    /// Use a simulated fleet instead of the inventory: wpd-2015, wpd-2013 or big-N [without a name: wpd-2015]
    #[arg(long, global = true, value_name = "WORLD", num_args = 0..=1, require_equals = false,
          default_missing_value = DEFAULT_WORLD, conflicts_with = "inventory")]
    pub(super) demo: Option<String>,
}

impl Common {
    /// What a command that people are told to type needs so that it reaches the same inventory; ends up behind it.
    pub(super) fn tail(&self) -> String {
        let Some(path) = &self.inventory else { return String::new() };
        // It may be typed in another folder.
        let path = absolute(path).unwrap_or_else(|_| path.clone());
        match shlex::try_quote(&path.to_string_lossy()) {
            Ok(quoted) => format!(" --inventory {quoted}"),
            Err(_) => String::new(),
        }
    }
}

/// How the console looks.
#[derive(Debug, Clone, Args)]
pub(super) struct Looks {
    /// The theme: dark, light, high-contrast, or one of your own
    #[arg(long, value_name = "NAME")]
    pub(super) theme: Option<String>,
    /// The keymap: default, or one of your own
    #[arg(long, value_name = "NAME")]
    pub(super) keymap: Option<String>,
    /// The environment shown first
    #[arg(long, short, value_name = "NAME")]
    pub(super) env: Option<String>,
    #[command(flatten)]
    pub(super) view: ShownFirst,
}

/// What the console shows first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub(super) struct ShownFirst {
    /// The saved view shown first, by its name: its environment, screen, filter and order
    #[arg(long, value_name = "NAME", conflicts_with_all = ["screen", "host", "filter", "sort", "reverse", "fold", "columns", "env"])]
    pub(super) view: Option<String>,
    /// The screen shown first: fleet, replication, roles, problems, services, events, runbooks, past-runs or saved-views [default: fleet]
    #[arg(long, value_name = "NAME", conflicts_with = "host")]
    pub(super) screen: Option<String>,
    /// The host whose page is shown first
    #[arg(long, value_name = "NAME")]
    pub(super) host: Option<String>,
    /// The filter of the screen shown first, as typed after /: 'role:db load>1'
    #[arg(long, value_name = "TEXT", conflicts_with = "host", allow_hyphen_values = true)]
    pub(super) filter: Option<String>,
    /// The order of the fleet: worst-first, inventory-order, or a column: host, load, disk, age [default: worst-first]
    #[arg(long, value_name = "ORDER", conflicts_with = "host")]
    pub(super) sort: Option<String>,
    /// That order reversed
    #[arg(long, conflicts_with = "host")]
    pub(super) reverse: bool,
    /// Hosts of the fleet that are alike in one row
    #[arg(long, conflicts_with = "host")]
    pub(super) fold: bool,
    /// The columns of the fleet, from left to right: host,roles,load,disk,worst-problem [default: all that fit]
    #[arg(long, value_name = "NAMES", conflicts_with = "host")]
    pub(super) columns: Option<String>,
}

impl ShownFirst {
    /// This, or what was asked for before the command's name.
    fn or(self, before: Self) -> Self {
        if self == Self::default() { before } else { self }
    }
}

impl Looks {
    /// These, and what was asked for before the command's name where nothing is said after it.
    pub(super) fn or(self, before: Self) -> Self {
        Self {
            theme: self.theme.or(before.theme),
            keymap: self.keymap.or(before.keymap),
            env: self.env.or(before.env),
            view: self.view.or(before.view),
        }
    }
}

/// Whether an output is a terminal that may be coloured.
pub(super) fn colour_on(out: &impl std::io::IsTerminal) -> bool {
    out.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}

/// A time limit on the command line.
pub(super) fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(n) if (0.1..=3600.0).contains(&n) => Ok(n),
        _ => Err("must be a number of seconds from 0.1 to 3600".to_owned()),
    }
}

/// What ends a command early. Its text says what happened and what to do next.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    /// The configuration has errors; they have been rendered.
    #[error("{0}")]
    Config(String),
    /// The arguments do not fit.
    #[error("{0}")]
    Usage(String),
    /// People answer, and there is no terminal.
    #[error("{0}")]
    NoTerminal(String),
    /// It cannot be done as things are.
    #[error("{0}")]
    Refused(String),
    /// Reading, writing, the terminal.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The console ended with an error.
    #[error("{0}")]
    Runtime(String),
}

impl From<PastError> for CliError {
    fn from(error: PastError) -> Self {
        match error {
            PastError::Name(_) => Self::Usage(error.to_string()),
            PastError::Journal(_) | PastError::NoBeginning(_) => Self::Refused(error.to_string()),
        }
    }
}

/// What an operator may not do as things are.
macro_rules! refused {
    ($($error:ty),+ $(,)?) => {
        $(impl From<$error> for CliError {
            fn from(error: $error) -> Self {
                Self::Refused(error.to_string())
            }
        })+
    };
}

refused!(
    Blocked,
    FollowError,
    LeaseError,
    LeftError,
    NoJumpBox,
    StartError,
    TakeoverError,
    UnreadableRunbook,
    VerifyError,
);

impl CliError {
    pub(super) fn code(&self) -> u8 {
        match self {
            Self::Refused(_) => 1,
            Self::Config(_) | Self::Usage(_) => 2,
            Self::NoTerminal(_) => 7,
            Self::Io(_) | Self::Runtime(_) => 70,
        }
    }
}
