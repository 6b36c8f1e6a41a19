//! A run as those see it who watch it from elsewhere: they have its entries, and not its secrets. Pure.

use jiff::Timestamp;

use super::event::Event;
use super::in_effect::moment;
use super::journal::Entry;
use super::machine::Machine;
use super::replay::{StartError, machine};
use super::view::{Fold, Overlay};
use jumpdeck_fleet::names::EnvName;
use jumpdeck_fleet::run::RunView;
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::time::Moment;

/// A run that is watched, entry by entry: what was read once is not read again.
pub struct Watch {
    machine: Machine,
    fold: Fold,
    entries: Vec<Entry>,
    /// How many entries the run that is shown is made of.
    settled: usize,
}

impl Watch {
    /// Begins with a run's first entry. `now` is the same moment by the screen's clock and by the wall's.
    ///
    /// # Errors
    /// When it is no plan, or one that cannot be read here.
    pub fn begin(first: Entry, now: (Moment, Timestamp)) -> Result<Self, StartError> {
        let odd = |why: &str| StartError::Odd(why.to_owned());
        let Event::Started { simulated, plan, .. } = &first.event else {
            return Err(odd("the run's entries do not begin with a plan"));
        };
        let env = EnvName::new(&plan.environment).map_err(|error| odd(&error.to_string()))?;
        let entries = vec![first.clone()];
        let machine = machine(&entries)?;
        let fold = Fold::new(&machine, &env, *simulated, moment(now, first.at));
        Ok(Self { machine, fold, entries, settled: 0 })
    }

    /// A run's entries, from the first.
    ///
    /// # Errors
    /// When they do not begin with a plan, or one does not fit it.
    pub fn of(entries: &[Entry], now: (Moment, Timestamp)) -> Result<Self, StartError> {
        let Some((first, rest)) = entries.split_first() else {
            return Err(StartError::Odd("the run's entries do not begin with a plan".to_owned()));
        };
        let mut watch = Self::begin(first.clone(), now)?;
        for entry in rest {
            watch.take(entry.clone(), now)?;
        }
        Ok(watch)
    }

    /// Takes the next entry.
    ///
    /// # Errors
    /// When it does not fit the plan.
    pub fn take(&mut self, entry: Entry, now: (Moment, Timestamp)) -> Result<(), StartError> {
        self.machine.apply(&entry.event).map_err(|what| StartError::Replay(entry.seq, what))?;
        self.machine.know_of_secrets(&entry.event);
        self.fold.take(&self.machine, &entry, now);
        self.entries.push(entry);
        Ok(())
    }

    /// The entries it has.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whether the run goes on, as far as its entries tell.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        self.fold.view().state.is_under_way()
    }

    /// The run as it stands now; `trouble`: what is wrong between it and whoever watches.
    pub fn look(&mut self, now: (Moment, Timestamp), trouble: Option<Clean>) -> RunView {
        if self.settled != self.entries.len() {
            self.fold.settle(&self.machine, &self.entries, now);
            self.settled = self.entries.len();
        }
        Overlay::of_watcher(trouble).over(&self.fold, &self.fold.view().past)
    }

    /// The run as its entries tell it.
    #[must_use]
    pub fn into_fold(self) -> Fold {
        self.fold
    }
}

/// A run's entries, from the first, as a picture of it. `now` is the same moment by the screen's clock and by the
/// wall's.
///
/// # Errors
/// When they do not begin with a plan, or that cannot be read here.
pub fn view(entries: &[Entry], now: (Moment, Timestamp)) -> Result<RunView, StartError> {
    Ok(Watch::of(entries, now)?.look(now, None))
}
