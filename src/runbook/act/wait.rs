//! Waiting: asked again and again until what is expected holds.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Asking, Clean, Done, Machine, PROOF_LIMIT, Site, Verdict, ask, conclude, failed};

/// Asks again and again until what is expected holds, or the step's time is over.
pub(super) async fn wait_until(
    site: &Site,
    machine: &Machine,
    index: usize,
    asking: &Asking<'_>,
    every: Duration,
) -> Done {
    let until = tokio::time::Instant::now() + asking.limit;
    let mut last = BTreeMap::new();
    loop {
        let one = tokio::time::timeout_at(until, async {
            let asking = Asking { limit: asking.limit.min(PROOF_LIMIT), ..*asking };
            ask(site, machine, index, &asking).await
        });
        let in_time = match one.await {
            Ok(answers) => {
                last = answers;
                true
            }
            Err(_) => false,
        };
        let done = match last.is_empty() {
            // Nothing came back in all that time.
            true => Done {
                hosts: asking.hosts.iter().map(|h| (h.clone(), failed("no answer in time"))).collect(),
                secrets: Vec::new(),
            },
            false => conclude(site, machine, index, last.clone()).await,
        };
        let good = done.hosts.values().all(|o| o.verdict == Verdict::Done);
        if good || !in_time || tokio::time::Instant::now() + every >= until {
            return done;
        }
        for (host, outcome) in &done.hosts {
            if let Verdict::Failed(why) = &outcome.verdict {
                (site.out)(host, vec![Clean::new(&format!("not yet: {why}"))]);
            }
        }
        tokio::time::sleep(every).await;
    }
}
