//! `guard`: a script that stays on a host while others work, and acts when nobody speaks with it any more: it undoes there
//! what a lost console cannot undo.

use std::sync::Arc;

use super::{ByMachines, DoneBy, Effects, KindEntry, Reads, SessionEnd, StepKind, Used, Where};
use crate::config::reader::Table;
use crate::runbook::act::hold::Holding;
use crate::runbook::act::{Done, For, Mark, Work, failed, guard};
use crate::runbook::definition::read::{Reading, StepHead, keys};
use crate::runbook::definition::{Script, Step};
use crate::runbook::event::{HostOutcome, Verdict};
use crate::runbook::place::Places;
use crate::runbook::scope::Scope;
use crate::runbook::uses;
use crate::transport::BoxFuture;
use jumpdeck_fleet::names::HostName;

const OWN: &[&[&str]] = &[keys::ALL, keys::DONE, keys::TIMED, keys::SCRIPT, &["until"]];

pub(super) static KIND: KindEntry = KindEntry {
    effects: Effects::CHANGES,
    on: Where::Said,
    one_host: true,
    proves_itself: true,
    undone: Some("the guard ends before the step that `until` names, or when the run ends"),
    ..KindEntry::new("guard", OWN, Reads::Step(read))
};

#[derive(Debug)]
struct GuardStep {
    script: Script,
    /// The step id before which it stands down.
    until: Option<String>,
}

fn read(reading: &mut Reading<'_>, table: &Table<'_>, common: &StepHead) -> Option<Arc<dyn StepKind>> {
    let script = reading.script(table);
    let until = reading.reader.string(table, "until", "write until = \"the id of a later step\"");
    let until = until.map(|until| reading.until(&common.id, &until));
    Some(Arc::new(GuardStep { script: script?, until }))
}

impl StepKind for GuardStep {
    fn entry(&self) -> &'static KindEntry {
        &KIND
    }

    fn done_by(&self) -> DoneBy<'_> {
        DoneBy::Machines(self)
    }

    fn lines(&self) -> Vec<String> {
        let until = match &self.until {
            Some(step) => format!("before step {step}"),
            None => "when the run has ended".to_owned(),
        };
        vec![
            format!("acts if the console is lost during the run; ends {until}"),
            self.script.text.trim_end().to_owned(),
        ]
    }

    fn shown(&self, scope: &Scope<'_>, _: &Places) -> String {
        format!("{}\n# stays, and acts when its input ends", scope.script_shown(&self.script))
    }

    fn uses<'s>(&'s self, names: &mut Used<'s>) {
        uses::script(&self.script, names);
    }

    fn keeps_session(&self) -> Option<SessionEnd<'_>> {
        Some(SessionEnd { until: self.until.as_deref(), acts: true })
    }
}

impl ByMachines for GuardStep {
    fn perform<'w>(&'w self, work: Work<'w>) -> BoxFuture<'w, Done> {
        Box::pin(async move {
            let mut done = Done::of(work.places.each(|_| failed("there is no host to keep guard on")));
            for host in work.places.hosts() {
                let outcome = match self.start(work, host).await {
                    Ok(guard) => {
                        done.session = Some(guard);
                        HostOutcome::of(Verdict::Done)
                    }
                    Err(why) => failed(&why),
                };
                done.hosts.insert(host.into(), outcome);
            }
            done
        })
    }

    fn mark(&self, _: &Step, _: For) -> Mark<'_> {
        // It ends with its channel.
        Mark::None
    }
}

impl GuardStep {
    async fn start(&self, work: Work<'_>, host: &HostName) -> Result<Holding, String> {
        let text = work.at.at(Some(host), |scope| scope.script(&self.script));
        let text = text.map_err(|error| error.to_string())?;
        let started = guard::start(work.site, host, &text, self.script.sudo, work.at.step().timeout).await;
        started.map_err(|trouble| trouble.words().to_owned())
    }
}
