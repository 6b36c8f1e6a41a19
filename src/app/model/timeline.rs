//! The events of an environment: what is on disk, and what this console adds.

use std::collections::HashSet;
use std::time::Duration;

use super::Model;
use jumpdeck_fleet::judge::{Judgement, Situation};
use jumpdeck_fleet::names::EnvName;
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::timeline::{
    KnownTimeline, LookedSpans, TimelineChange, TimelineKeeping, TimelineNews, TimelineRecord, TimelineRow,
    WallTime, rows,
};

/// Records in memory: from so many on, the oldest are removed.
const MOST: usize = 12_000;
/// Records that stay then.
const KEPT: usize = 10_000;
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

impl Model {
    /// The time of clocks, now.
    #[must_use]
    pub fn wall(&self) -> WallTime {
        let (at, moment) = self.clock;
        at.plus(self.now.since(moment))
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

    /// Events are kept on disk: nothing is added before it is known what is there.
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
