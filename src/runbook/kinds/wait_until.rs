//! `wait_until`: asks again and again until `expect` holds.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::{ByMachines, DoneBy, Effects, KindEntry, Reads, StepKind, Used};
use crate::config::reader::Table;
use crate::runbook::act::{Done, For, Mark, Work, failed};
use crate::runbook::definition::read::{Reading, StepHead, keys, place};
use crate::runbook::definition::{Ask, Check, Step};
use crate::runbook::event::Verdict;
use crate::runbook::place::Places;
use crate::runbook::scope::Scope;
use crate::runbook::{act, uses};
use crate::transport::BoxFuture;
use jumpdeck_fleet::text::Clean;

const OWN: &[&[&str]] =
    &[keys::ALL, keys::DONE, keys::ANSWERED, &["sql", "in", "value", "every"], keys::SCRIPT, keys::SALT_ASKS];

pub(super) static KIND: KindEntry =
    KindEntry { effects: Effects::ASKS, rules, ..KindEntry::new("wait_until", OWN, Reads::Step(read)) };

#[derive(Debug)]
struct WaitUntilStep {
    ask: Ask,
    /// Time between two asks.
    every: Duration,
}

fn read(reading: &mut Reading<'_>, table: &Table<'_>, common: &StepHead) -> Option<Arc<dyn StepKind>> {
    let ask = reading.ask(table, &common.on);
    let range = Duration::from_millis(100)..=Duration::from_secs(3600);
    let every = reading.reader.duration(table, "every", range).unwrap_or(Duration::from_secs(1));
    if table.get("timeout").is_none() {
        let help = "add timeout = \"60s\", the longest it may take";
        reading.reader.error(table.span.clone(), "timeout is missing: it would wait for ever", help);
    }
    if table.get("expect").is_none() && !matches!(ask, None | Some(Ask::Run(_))) {
        let help = "add expect = [{ is = \"…\" }]";
        reading.reader.error(table.span.clone(), "expect is missing: what to wait for", help);
    }
    Some(Arc::new(WaitUntilStep { ask: ask?, every }))
}

fn rules(reading: &mut Reading<'_>, table: &Table<'_>, step: &mut Step) {
    if step.retries > 0 {
        let help = "remove retries: this step repeats its question until timeout";
        reading.reader.error(place(table, "retries"), "retries of a step that waits", help);
    }
}

impl StepKind for WaitUntilStep {
    fn entry(&self) -> &'static KindEntry {
        &KIND
    }

    fn done_by(&self) -> DoneBy<'_> {
        DoneBy::Machines(self)
    }

    fn lines(&self) -> Vec<String> {
        vec![self.ask.line(), format!("again every {} s", self.every.as_secs_f64())]
    }

    fn shown(&self, scope: &Scope<'_>, places: &Places) -> String {
        act::ask::shown(scope, &self.ask, places)
    }

    fn uses<'s>(&'s self, names: &mut Used<'s>) {
        uses::ask(&self.ask, names);
    }

    fn answers_like(&self) -> Option<Ask> {
        Some(self.ask.clone())
    }
}

impl ByMachines for WaitUntilStep {
    fn perform<'w>(&'w self, work: Work<'w>) -> BoxFuture<'w, Done> {
        Box::pin(async move {
            // What it would wait for may rest on a change that was only printed: it is asked once.
            let machine = work.at.machine();
            if machine.dry_run && machine.has_printed() {
                let step = work.at.step();
                let answers = work.ask(&self.ask, self.longest(step.timeout), step.sensitive).await;
                return work.conclude(answers).await;
            }
            self.wait(work).await
        })
    }

    fn mark(&self, _: &Step, _: For) -> Mark<'_> {
        Mark::None
    }
}

impl WaitUntilStep {
    /// How long one answer may take. A server answers soon or not at all, and is asked again; a script and Salt take the time that
    /// their hosts need.
    fn longest(&self, limit: Duration) -> Duration {
        match &self.ask {
            Ask::Sql(_) | Ask::Value(_) => limit.min(Check::USUAL_TIMEOUT),
            Ask::Run(_) | Ask::Salt(_) => limit,
        }
    }

    /// Asks again and again until what is expected holds, the step's time is over, or no other answer can come.
    async fn wait(&self, work: Work<'_>) -> Done {
        let limit = work.at.step().timeout;
        let until = Instant::now() + limit;
        let mut last = None;
        loop {
            let one = timeout_at(until, work.ask(&self.ask, self.longest(limit), true));
            let in_time = match one.await {
                Ok(answers) => {
                    last = Some(answers);
                    true
                }
                Err(_) => false,
            };
            let done = match &last {
                // Nothing came back in all that time.
                None => Done::of(work.places.each(|_| failed("no answer in time"))),
                Some(answers) => work.conclude(answers.clone()).await,
            };
            let over = last.as_ref().is_some_and(|answers| work.asks_in_vain(answers));
            let good = done.hosts.values().all(|outcome| outcome.verdict == Verdict::Done);
            if good || !in_time || over || Instant::now() + self.every >= until {
                return done;
            }
            for (place, outcome) in &done.hosts {
                if let Verdict::Failed(why) = &outcome.verdict {
                    (work.site.out)(place, vec![Clean::new(&format!("not yet: {why}"))]);
                }
            }
            // One that has ended tells at once what it ended with.
            if !work.has_lost_its_session() {
                sleep(self.every).await;
            }
        }
    }
}
