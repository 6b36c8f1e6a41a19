//! `exiqgrep`: what of the queue fits.

use regex::Regex;

use crate::mail::programs::{Ask, messages};
use crate::mail::{Message, Queue};
use crate::program::Reply;
use crate::program::quick::{failure, output};

use super::{envelope, line, refused};

/// What is looked for, and how it is shown.
#[derive(Default)]
struct Wanted {
    from: Option<Regex>,
    to: Option<Regex>,
    younger: Option<f64>,
    older: Option<f64>,
    frozen: Option<bool>,
    shown: Shown,
    reversed: bool,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Shown {
    #[default]
    Long,
    Ids,
    Brief,
    Count,
}

impl Wanted {
    fn read(args: &[String]) -> Result<Self, String> {
        let mut wanted = Self::default();
        let mut words = args.iter();
        while let Some(word) = words.next() {
            for (at, letter) in word.strip_prefix('-').unwrap_or_default().char_indices() {
                let rest = word.get(at + 2..).filter(|rest| !rest.is_empty());
                let mut value = || rest.or(words.next().map(String::as_str)).unwrap_or_default();
                let pattern = |text: &str| Regex::new(text).map_err(|e| e.to_string());
                match letter {
                    'z' => wanted.frozen = Some(true),
                    'x' => wanted.frozen = Some(false),
                    'i' => wanted.shown = Shown::Ids,
                    'b' => wanted.shown = Shown::Brief,
                    'c' => wanted.shown = Shown::Count,
                    'l' => wanted.shown = Shown::Long,
                    'R' => wanted.reversed = true,
                    'f' | 'r' => {
                        let found = Some(pattern(value())?);
                        if letter == 'f' {
                            wanted.from = found
                        } else {
                            wanted.to = found
                        }
                        break;
                    }
                    'o' | 'y' => {
                        let seconds = value().parse().ok();
                        if letter == 'o' {
                            wanted.older = seconds
                        } else {
                            wanted.younger = seconds
                        }
                        break;
                    }
                    other => return Err(format!("option -{other} is not simulated")),
                }
            }
        }
        Ok(wanted)
    }

    fn fits(&self, m: &Message, now: f64) -> bool {
        let age = now - m.arrived;
        self.from.as_ref().is_none_or(|from| from.is_match(&envelope(m)))
            && self.to.as_ref().is_none_or(|to| to.is_match(&m.recipient))
            && self.younger.is_none_or(|limit| age < limit)
            && self.older.is_none_or(|limit| age > limit)
            && self.frozen.is_none_or(|frozen| (m.queue == Queue::Hold) == frozen)
    }
}

/// `exiqgrep`, which asks `exim -bpu`.
pub(super) fn run(ask: &mut Ask<'_>) -> Reply {
    let wanted = match Wanted::read(ask.args) {
        Ok(wanted) => wanted,
        Err(what) => return failure(1, &format!("exiqgrep: {what}")),
    };
    if ask.user != "root" {
        return refused("permission denied");
    }
    let now = ask.world.now().as_secs_f64();
    let all = messages(ask.world, ask.host);
    let mut found: Vec<&Message> = all.iter().filter(|m| wanted.fits(m, now)).collect();
    if wanted.reversed {
        found.reverse();
    }
    let count = format!("{} matches out of {} messages\n", found.len(), all.len());
    let lines = found.into_iter().map(|m| match wanted.shown {
        Shown::Ids => format!("{}\n", m.id),
        Shown::Brief => format!("{} From: {} To: {}\n", m.id, envelope(m), m.recipient),
        Shown::Long => format!("{}\n\t  {}\n\n", line(m, now), m.recipient),
        Shown::Count => String::new(),
    });
    output(if wanted.shown == Shown::Count { count } else { lines.collect::<String>() })
}
