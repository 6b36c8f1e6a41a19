//! `hold`: a database session kept open: `GET_LOCK`, and what dies with it.

use std::sync::Arc;

use super::{ByMachines, DoneBy, Effects, KindEntry, Reads, SessionEnd, StepKind, Used, Where};
use crate::config::reader::Table;
use crate::runbook::act::hold::{self, Holding, Opening};
use crate::runbook::act::session;
use crate::runbook::act::{Done, For, Mark, PlaceAnswers, Work, failed};
use crate::runbook::definition::Step;
use crate::runbook::definition::read::{Reading, StepHead, Use, keys};
use crate::runbook::definition::{Ask, Sql};
use crate::runbook::event::Verdict;
use crate::runbook::judge::HostAnswer;
use crate::runbook::place::Places;
use crate::runbook::scope::{Scope, ScopeError};
use crate::runbook::template::Template;
use crate::runbook::uses;
use crate::transport::BoxFuture;
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::run::Effect;

const OWN: &[&[&str]] =
    &[keys::ALL, keys::DONE, keys::ANSWERED, keys::CHANGES, &["heartbeat", "until", "sql"]];

pub(super) static KIND: KindEntry = KindEntry {
    effects: Effects::CHANGES,
    on: Where::Said,
    one_host: true,
    proves_itself: true,
    undone: Some("it ends with its session"),
    ..KindEntry::new("hold", OWN, Reads::Step(read))
};

#[derive(Debug)]
struct HoldStep {
    /// Opens it.
    sql: Sql,
    /// Asked in the session every two seconds; `1` keeps it.
    heartbeat: Template,
    /// The step id before which it ends.
    until: Option<String>,
}

fn read(reading: &mut Reading<'_>, table: &Table<'_>, common: &StepHead) -> Option<Arc<dyn StepKind>> {
    let sql = reading.statements(table, "sql", Effect::Mutate);
    let help = "write heartbeat = \"SELECT IS_USED_LOCK('x') = CONNECTION_ID()\": 1 as long as it holds";
    let heartbeat = reading.need_string(table, "heartbeat", help);
    let heartbeat = heartbeat.map(|text| reading.template(&text, Use::Sql));
    let until = reading.reader.string(table, "until", "write until = \"the id of a later step\"");
    let until = until.map(|until| reading.until(&common.id, &until));
    reading.opens_session(common, until.as_deref());
    Some(Arc::new(HoldStep { sql: sql?, heartbeat: heartbeat?, until }))
}

impl StepKind for HoldStep {
    fn entry(&self) -> &'static KindEntry {
        &KIND
    }

    fn done_by(&self) -> DoneBy<'_> {
        DoneBy::Machines(self)
    }

    fn lines(&self) -> Vec<String> {
        vec![self.sql.text.to_string()]
    }

    fn shown(&self, scope: &Scope<'_>, _: &Places) -> String {
        let text = scope.sql_shown(&self.sql.text);
        format!("{text}\n-- in a session that stays open")
    }

    fn uses<'s>(&'s self, names: &mut Used<'s>) {
        uses::template(&self.sql.text, names);
        uses::template(&self.heartbeat, names);
    }

    fn answers_like(&self) -> Option<Ask> {
        Some(Ask::Sql(self.sql.clone()))
    }

    fn keeps_session(&self) -> Option<SessionEnd<'_>> {
        Some(SessionEnd { until: self.until.as_deref(), acts: false })
    }
}

impl ByMachines for HoldStep {
    fn perform<'w>(&'w self, work: Work<'w>) -> BoxFuture<'w, Done> {
        Box::pin(async move {
            let nowhere = "there is no host to open a session on";
            let mut done = Done::of(work.places.each(|_| failed(nowhere)));
            for host in work.places.hosts() {
                match self.open(work, host).await {
                    Ok((session, answer)) => {
                        let answers = PlaceAnswers::one(host.into(), Ok(answer));
                        let opened = work.conclude(answers).await;
                        // A session is on one host; what was opened and is not as expected ends here.
                        if opened.hosts.values().all(|outcome| outcome.verdict == Verdict::Done) {
                            done.session = Some(session);
                        }
                        done.hosts.extend(opened.hosts.into_map());
                        done.secrets.extend(opened.secrets);
                    }
                    Err(why) => done.hosts.insert(host.into(), failed(&why)),
                }
            }
            done
        })
    }

    fn mark(&self, _: &Step, _: For) -> Mark<'_> {
        // It ends with its session.
        Mark::None
    }
}

impl HoldStep {
    async fn open(&self, work: Work<'_>, host: &HostName) -> Result<(Holding, HostAnswer), String> {
        let texts = work.at.at(Some(host), |scope| {
            Ok::<_, ScopeError>((scope.sql(&self.sql.text)?, scope.sql(&self.heartbeat)?))
        });
        let (open, beat) = texts.map_err(|error| error.to_string())?;
        let opening = Opening {
            id: work.at.id(),
            mark: session::mark(&work.at.machine().run, work.at.id()),
            open,
            heartbeat: beat,
            limit: work.at.step().timeout,
        };
        let opened = hold::open(work.site, host, opening).await;
        opened.map_err(|trouble| trouble.words().to_owned())
    }
}
