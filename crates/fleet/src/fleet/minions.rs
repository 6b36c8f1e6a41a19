//! What every minion of Salt runs.

use std::sync::Arc;

use super::{Host, Management};
use crate::declared::DeclaredService;

/// Gives every host of an environment that Salt manages what minions run: those of an inventory that has its master, a host of role
/// `salt` or `deployment`. An inventory that knows no such role gets none.
#[must_use]
pub fn with_minions(
    mut hosts: Vec<Arc<Host>>,
    services: &[DeclaredService],
    management: &Management,
) -> Vec<Arc<Host>> {
    let has_master = hosts.iter().any(|host| host.has_role("salt") || host.has_role("deployment"));
    if has_master && management.is_salt() {
        let all: Vec<_> =
            services.iter().filter(|service| service.of_minions).cloned().map(Arc::new).collect();
        for host in hosts.iter_mut().filter(|_| !all.is_empty()) {
            Arc::make_mut(host).services.extend(all.iter().cloned());
        }
    }
    hosts
}
