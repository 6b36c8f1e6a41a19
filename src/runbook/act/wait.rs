//! Waiting: asked again and again until what is expected holds.

use std::time::Duration;

use super::{Asking, Clean, Done, PROOF_LIMIT, Site, StepRef, Verdict, ask, conclude, failed};

/// Asks again and again until what is expected holds, or the step's time is over.
pub(super) async fn wait_until(site: &Site, at: StepRef<'_>, asking: &Asking<'_>, every: Duration) -> Done {
    let until = tokio::time::Instant::now() + asking.limit;
    let mut last = None;
    loop {
        let one = tokio::time::timeout_at(until, async {
            let asking = Asking { limit: asking.limit.min(PROOF_LIMIT), ..*asking };
            ask(site, at, &asking).await
        });
        let in_time = match one.await {
            Ok(answers) => {
                last = Some(answers);
                true
            }
            Err(_) => false,
        };
        let done = match &last {
            // Nothing came back in all that time.
            None => Done { hosts: asking.places.each(|_| failed("no answer in time")), secrets: Vec::new() },
            Some(answers) => conclude(site, at, answers.clone()).await,
        };
        let good = done.hosts.values().all(|o| o.verdict == Verdict::Done);
        if good || !in_time || tokio::time::Instant::now() + every >= until {
            return done;
        }
        for (place, outcome) in &done.hosts {
            if let Verdict::Failed(why) = &outcome.verdict {
                (site.out)(place, vec![Clean::new(&format!("not yet: {why}"))]);
            }
        }
        tokio::time::sleep(every).await;
    }
}
