//! The events of an environment: what is on disk, and what this console adds.

use std::collections::HashSet;
use std::time::Duration;

use super::Model;
use jumpdeck_fleet::judge::{Judgement, Situation};
use jumpdeck_fleet::names::EnvName;
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::timeline::{
    Acknowledgement, KnownTimeline, LookedSpans, Onset, ProblemKey, RecordedProblem, Reopening,
    TimelineChange, TimelineKeeping, TimelineNews, TimelineRecord, TimelineRow, WallTime, rows,
};

/// The most records in memory; above it the oldest are removed.
const MOST: usize = 12_000;
/// Records that stay then.
const KEPT: usize = 10_000;
/// Hosts answer one after the other when a console begins to look: so long, what began before is no news.
const FIRST_LOOK_TAKES: Duration = Duration::from_secs(60);
/// How long it is said that something is wrong with a file; the screen of events says it until it is not.
const NOTICE_FOR: Duration = Duration::from_secs(20);

/// What changed in an environment.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    /// Who keeps it.
    pub keeping: TimelineKeeping,
    /// What is wrong with its file.
    pub wrong: Option<Clean>,
    /// The last known state.
    known: KnownTimeline,
    records: Vec<TimelineRecord>,
    rows: Vec<TimelineRow>,
    looks: LookedSpans,
    /// Problems that began or became worse, and that the terminal has not announced yet.
    begun: Vec<RecordedProblem>,
    /// When this console looked at the environment first.
    first_look: Option<WallTime>,
    /// Records that are not on their way to the disk yet.
    unsaved: Vec<TimelineRecord>,
}

impl Timeline {
    /// The rows, the newest first.
    #[must_use]
    pub fn rows(&self) -> &[TimelineRow] {
        &self.rows
    }

    /// When consoles looked.
    #[must_use]
    pub fn looks(&self) -> &LookedSpans {
        &self.looks
    }

    /// The last known state.
    #[must_use]
    pub fn known(&self) -> &KnownTimeline {
        &self.known
    }

    /// Takes in what is seen now; says whether something changed.
    pub(in crate::app) fn look(&mut self, s: &Situation<'_>, judgement: &Judgement, at: WallTime) -> bool {
        match self.keeping {
            TimelineKeeping::Memory | TimelineKeeping::Recording => {}
            // Another console records, or what was before is not known yet.
            TimelineKeeping::Reading | TimelineKeeping::Following => return false,
        }
        let news = self.known.look(s, judgement, at);
        let changed = !news.is_empty();
        if s.jump.link.is_up() {
            self.first_look.get_or_insert(at);
        }
        let settled = self.first_look.is_some_and(|first| at.since(first) >= FIRST_LOOK_TAKES);
        self.begun.extend(news.iter().filter_map(|record| begins(record, settled)).cloned());
        self.add(news);
        changed
    }

    /// Adds records, and has them written.
    fn add(&mut self, news: Vec<TimelineRecord>) {
        if news.is_empty() {
            return;
        }
        if self.keeping != TimelineKeeping::Memory {
            self.unsaved.extend(news.iter().cloned());
        }
        let mut more = false;
        for record in news {
            more |= self.remember(record);
        }
        if more { self.arrange() } else { self.looks = LookedSpans::of(&self.records) }
    }

    /// Of a time in which a console looks, the last record says all. Says whether there is one more.
    fn remember(&mut self, record: TimelineRecord) -> bool {
        if let (TimelineChange::Looked { since }, Some(last)) = (&record.change, self.records.last_mut())
            && matches!(last.change, TimelineChange::Looked { since: before } if before == *since)
        {
            last.at = record.at;
            return false;
        }
        self.records.push(record);
        true
    }

    fn arrange(&mut self) {
        if self.records.len() > MOST {
            let newest = self.records.split_off(self.records.len() - KEPT);
            let at = newest.first().map(|record| record.at).unwrap_or_default();
            self.records = KnownTimeline::replay(&self.records).baseline(at);
            self.records.extend(newest);
        }
        self.rows = rows(&self.records);
        self.looks = LookedSpans::of(&self.records);
    }

    /// What is on disk replaces what is here, except what only this console knows.
    fn read(&mut self, records: Vec<TimelineRecord>, keeping: TimelineKeeping) {
        if self.keeping == TimelineKeeping::Recording && keeping == TimelineKeeping::Recording {
            let here: HashSet<&TimelineRecord> = self.records.iter().collect();
            let is_new = |record: &&TimelineRecord| match record.change {
                TimelineChange::Acknowledged { .. } | TimelineChange::Reopened { .. } => {
                    !here.contains(*record)
                }
                TimelineChange::Looked { .. }
                | TimelineChange::Hosts(_)
                | TimelineChange::Added(_)
                | TimelineChange::Removed(_)
                | TimelineChange::Roles { .. }
                | TimelineChange::Began { .. }
                | TimelineChange::Changed { .. }
                | TimelineChange::Ended { .. }
                | TimelineChange::Cut => false,
            };
            let news: Vec<TimelineRecord> = records.iter().filter(is_new).cloned().collect();
            for record in news {
                self.known.take(&record);
                self.records.push(record);
            }
        } else {
            if self.keeping == TimelineKeeping::Following {
                // What the console that records has seen since.
                let here: HashSet<&TimelineRecord> = self.records.iter().collect();
                let news = records.iter().filter(|record| !here.contains(record));
                self.begun.extend(news.filter_map(|record| begins(record, true)).cloned());
            }
            self.known = KnownTimeline::replay(&records);
            self.records = Vec::with_capacity(records.len());
            for record in records {
                self.remember(record);
            }
        }
        self.keeping = keeping;
        self.arrange();
    }
}

/// The problem that begins with a record, or becomes worse. What was there before this console looked is on the screen that is opened;
/// what began while the jump box was away is news.
fn begins(record: &TimelineRecord, settled: bool) -> Option<&RecordedProblem> {
    match &record.change {
        TimelineChange::Began { problem, onset: Onset::Seen } => Some(problem),
        TimelineChange::Began { problem, onset: Onset::After(_) } if settled => Some(problem),
        TimelineChange::Changed { problem, before } if problem.severity > *before => Some(problem),
        TimelineChange::Began { .. }
        | TimelineChange::Changed { .. }
        | TimelineChange::Looked { .. }
        | TimelineChange::Hosts(_)
        | TimelineChange::Added(_)
        | TimelineChange::Removed(_)
        | TimelineChange::Roles { .. }
        | TimelineChange::Ended { .. }
        | TimelineChange::Acknowledged { .. }
        | TimelineChange::Reopened { .. }
        | TimelineChange::Cut => None,
    }
}

impl Model {
    /// The problems that began or became worse since this was asked last, by environment.
    pub fn take_begun(&mut self) -> Vec<(EnvName, RecordedProblem)> {
        let begun = self.environments.iter_mut().flat_map(|env| {
            let name = env.spec.name.clone();
            std::mem::take(&mut env.timeline.begun).into_iter().map(move |problem| (name.clone(), problem))
        });
        begun.collect()
    }

    /// The time of clocks, now.
    #[must_use]
    pub fn wall(&self) -> WallTime {
        let (at, moment) = self.clock;
        at.plus(self.now.since(moment))
    }

    /// The problem that is selected, by its environment, its key and its words.
    pub(in crate::app) fn selected_problem_key(&self) -> Option<(EnvName, ProblemKey, Clean)> {
        let problem = self.screen().kind().problem(self)?;
        let host = problem.host.as_ref().map_or_else(String::new, |host| format!("{host}: "));
        let says = Clean::new(&format!("{host}{}", problem.message));
        Some((problem.env.clone(), ProblemKey::of(problem), says))
    }

    /// What somebody says who knows of the selected problem, where it can be acknowledged.
    #[must_use]
    pub fn selected_acknowledgement(&self) -> Option<&Acknowledgement> {
        let kind = self.screen().kind();
        let problem = kind.acknowledges().then(|| kind.problem(self))??;
        // On a screen that is held, as it is now.
        self.environments.get(self.active)?.acknowledgement(problem)
    }

    /// Acknowledges a problem; `false` when it has ended.
    pub(in crate::app) fn acknowledge(
        &mut self,
        env: &EnvName,
        key: &ProblemKey,
        acknowledgement: Acknowledgement,
    ) -> bool {
        self.record_of(env, key, |problem| TimelineChange::Acknowledged { problem, acknowledgement })
    }

    /// Removes an acknowledgement; `false` when the problem has ended.
    pub(in crate::app) fn reopen(&mut self, env: &EnvName, key: &ProblemKey, why: Reopening) -> bool {
        self.record_of(env, key, |problem| TimelineChange::Reopened { problem, why })
    }

    /// Records what a person says of a problem.
    fn record_of(
        &mut self,
        env: &EnvName,
        key: &ProblemKey,
        change: impl FnOnce(RecordedProblem) -> TimelineChange,
    ) -> bool {
        let at = self.wall();
        let Some(env) = self.environments.iter_mut().find(|one| one.spec.name == *env) else { return false };
        let Some(problem) = env.timeline.known.open_problem(key).map(|open| open.problem.clone()) else {
            return false;
        };
        let record = TimelineRecord { at, change: change(problem) };
        env.timeline.known.take(&record);
        env.timeline.add(vec![record]);
        self.changed = true;
        true
    }

    /// What is to be written to disk, by environment.
    pub fn take_unsaved(&mut self) -> Vec<(EnvName, Vec<TimelineRecord>)> {
        let unsaved = self.environments.iter_mut().filter(|env| !env.timeline.unsaved.is_empty());
        unsaved.map(|env| (env.spec.name.clone(), std::mem::take(&mut env.timeline.unsaved))).collect()
    }

    /// The console ends: until now it has looked.
    pub fn leave_events(&mut self) {
        for env in &mut self.environments {
            let timeline = &mut env.timeline;
            if timeline.keeping == TimelineKeeping::Recording {
                timeline.unsaved.extend(timeline.known.last_look());
            }
        }
    }

    /// Events are kept on disk: none is added until the file has been read.
    pub fn keep_events(&mut self) {
        self.keeps_events = true;
        for env in &mut self.environments {
            env.timeline.keeping = TimelineKeeping::Reading;
        }
    }

    pub(in crate::app) fn take_timeline(&mut self, news: TimelineNews) {
        let Some(env) = self.environments.iter_mut().find(|env| env.spec.name == news.env) else { return };
        let said = news.wrong.clone().filter(|wrong| env.timeline.wrong.as_ref() != Some(wrong));
        env.timeline.wrong = news.wrong;
        if let Some(records) = news.records {
            env.timeline.read(records, news.keeping);
        }
        // It is judged again with what is known now.
        env.unjudged = true;
        self.changed = true;
        if let Some(wrong) = said {
            self.notice = Some((wrong.to_string(), self.now.plus(NOTICE_FOR)));
        }
    }
}
