//! The rows in the order that the model says.

use std::sync::Arc;

use super::order::{HostRow, INVENTORY, Order, SEVERITY};
use crate::app::model::{EnvironmentState, Model};
use jumpdeck_fleet::fleet::Host;
use jumpdeck_fleet::snapshot::HostSnapshot;

/// The order after the one in use: worst first, then the columns as they stand, then the inventory's.
#[must_use]
pub fn next(model: &Model) -> &'static Order {
    let all: Vec<&'static Order> =
        [&SEVERITY].into_iter().chain(model.orders()).chain([&INVENTORY]).collect();
    let at = all.iter().position(|order| *order == model.sort.by);
    at.and_then(|at| all.get(at + 1)).copied().unwrap_or(&SEVERITY)
}

/// Sorts rows as the model says.
pub(in crate::app) fn sort(
    rows: &mut [(&Arc<Host>, &Arc<HostSnapshot>)],
    env: &EnvironmentState,
    model: &Model,
) {
    let (now, poll, thresholds) = (model.now, env.spec.cadence.poll, &env.spec.thresholds);
    let mut sorted = Vec::with_capacity(rows.len());
    for (place, &(spec, host)) in rows.iter().enumerate() {
        let worst = env.worst.get(&host.id.host).copied();
        let key = (model.sort.by.key)(&HostRow { spec, host, now, poll, thresholds, worst, place });
        sorted.push((key, (spec, host)));
    }
    sorted.sort_by(|(a, _), (b, _)| a.compare(b, model.sort.reversed));
    for (slot, (_, row)) in rows.iter_mut().zip(sorted) {
        *slot = row;
    }
}
