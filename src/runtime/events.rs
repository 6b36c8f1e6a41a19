//! Events on their way between the model and the disk.

use std::time::Instant;

use jiff::Timestamp;

use super::Console;
use super::ports::{Draw, FleetControl, Stage};
use crate::app::message::Msg;
use crate::app::update::update;
use crate::operator::control::RunControl;
use jumpdeck_fleet::timeline::WallTime;

impl<B, D, F, R, S> Console<B, D, F, R, S>
where
    B: ratatui::backend::Backend<Error: 'static>,
    D: Draw,
    F: FleetControl,
    R: RunControl,
    S: Stage,
{
    /// The model learns the time of clocks: a laptop's monotonic clock stops while it sleeps.
    pub(super) fn read_clock(&mut self) {
        update(&mut self.model, Msg::Clock(WallTime(Timestamp::now().as_second())));
    }

    /// Problems that began are said by the terminal.
    pub(super) fn say_what_began(&mut self) {
        if self.shells.has_terminal() {
            // The shell's own sequences are not cut in two: it is said when the console is back.
            return;
        }
        let begun = self.model.take_begun();
        if begun.is_empty() && self.notifier.due().is_none_or(|due| due > Instant::now()) {
            return;
        }
        let local = jiff::Zoned::now();
        let minute = u16::from(local.hour().unsigned_abs()) * 60 + u16::from(local.minute().unsigned_abs());
        if let Some(bytes) = self.notifier.sequence(&begun, minute, Instant::now()) {
            // A terminal that is gone is news of its own.
            let _ = self.stage.send(&bytes);
        }
    }

    /// What judgements have made is written.
    pub(super) fn record(&mut self) {
        for (env, records) in self.model.take_unsaved() {
            self.sessions.events(&env, &records);
            self.recorder.append(&env, records);
        }
    }
}
