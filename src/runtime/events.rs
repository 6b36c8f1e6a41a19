//! Events on their way between the model and the disk.

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

    /// What judgements have made is written.
    pub(super) fn record(&mut self) {
        for (env, records) in self.model.take_unsaved() {
            self.recorder.append(&env, records);
        }
    }
}
