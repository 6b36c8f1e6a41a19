//! A run told line by line: what is new in each picture of it is printed once. Pure.

use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::run::{
    Doing, FactView, Mode, Past, Prompt, PromptKind, RunState, RunView, Safety, StepState, StepView,
};
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::time::{Moment, short_age};

use super::still::{self, Run};
use super::terms::{NO_RETURN, effect, input_help, names, state_words};
use crate::cli::terminal::paper::{Ink, Paper};
use crate::operator::commands;
use crate::operator::outcome::would_stop_at;
use crate::runbook::wall;

/// How deep what belongs to a step stands.
const INSIDE: usize = 2;

/// What was told already.
pub(super) struct Story {
    paper: Paper,
    begun: bool,
    states: Vec<StepState>,
    /// The step whose heading was printed last.
    step: Option<usize>,
    /// Which of the run's steps is told now: an index of its past, or the current one.
    at: usize,
    /// That one, when it was begun.
    begun_at: Option<usize>,
    /// What of it was told.
    doing: Doing,
    notes: usize,
    trouble: Option<Clean>,
    rolling_back: bool,
    /// Stands behind the commands that are told.
    tail: String,
}

impl Story {
    /// Nothing was told yet.
    pub(super) fn new(paper: Paper) -> Self {
        Self {
            paper,
            begun: false,
            states: Vec::new(),
            step: None,
            at: 0,
            begun_at: None,
            doing: Doing::default(),
            notes: 0,
            trouble: None,
            rolling_back: false,
            tail: String::new(),
        }
    }

    /// Commands that are told end in `tail`, so that they reach the same inventory.
    pub(super) fn with_tail(self, tail: String) -> Self {
        Self { tail, ..self }
    }

    /// What is new in `view`. Steps that came and went since the last picture are told in full: their commands, too.
    pub(super) fn tell(&mut self, view: &RunView, now: Moment) -> String {
        if !self.begun {
            self.begun = true;
            self.opening(view);
            // A resumed run: what was done before is one line a step.
            self.states = vec![StepState::Waiting; view.steps.len()];
            self.at = view.earlier;
        }
        self.trouble(view);
        let mut past = view.past.iter().skip(self.at).peekable();
        if !self.rolling_back {
            while let Some(past) = past.next_if(|past| past.state != StepState::Undone) {
                self.past(past, view, now);
            }
        }
        if view.state == RunState::RollingBack && !self.rolling_back {
            self.paper.gap();
            self.paper.words(0, Ink::Warn, "ROLLING BACK, step by step");
        }
        self.rolling_back = view.state == RunState::RollingBack;
        for past in past {
            self.past(past, view, now);
        }
        for index in (0..view.steps.len()).filter(|index| view.current != Some(*index)) {
            self.settled(index, view);
        }
        if let Some((index, step)) = view.current.and_then(|at| Some((at, view.steps.get(at)?))) {
            let reached = step.state != StepState::Waiting || view.doing.is_some() || view.prompt.is_some();
            if reached {
                self.begin(index);
                self.heading(index, step, view.steps.len());
            }
            if let Some(doing) = view.doing.as_ref().filter(|_| reached) {
                self.doing(doing, now);
            }
            self.settled(index, view);
        }
        self.notes(view);
        self.paper.take()
    }

    /// A step that is over: what of it was not told yet.
    fn past(&mut self, past: &Past, view: &RunView, now: Moment) {
        let told = |index: &usize| view.past.iter().skip(view.earlier).any(|past| past.step == *index);
        for index in (0..past.step).filter(|index| !told(index)) {
            self.settled(index, view);
        }
        if let Some(step) = view.steps.get(past.step) {
            self.begin(past.step);
            self.heading(past.step, step, view.steps.len());
            self.doing(&past.doing, now);
            let step = StepView { state: past.state.clone(), took: past.took, ..step.clone() };
            self.state(past.step, &step, view.steps.len());
        }
        self.at += 1;
        // It may have failed and been skipped since.
        let again =
            view.current == Some(past.step) || view.past.iter().skip(self.at).any(|p| p.step == past.step);
        if !again {
            self.settled(past.step, view);
        }
    }

    /// A step is told from its beginning; it may be the one before, tried again, and end as that did.
    fn begin(&mut self, index: usize) {
        if self.begun_at != Some(self.at) {
            self.begun_at = Some(self.at);
            self.doing = Doing::default();
            if let Some(known) = self.states.get_mut(index) {
                *known = StepState::Running;
            }
        }
    }

    /// What a person is asked, before the mark of the answer.
    pub(super) fn question(&mut self, view: &RunView, prompt: &Prompt, now: Moment) -> String {
        self.paper.gap();
        self.paper.words(0, Ink::Bold, prompt.title.as_str());
        for line in &prompt.text {
            self.paper.exact(INSIDE, Ink::Plain, line.as_str());
        }
        match &prompt.kind {
            PromptKind::Input(input) => input_help(&mut self.paper, input),
            PromptKind::Choose(choices) => {
                for choice in choices {
                    let reason = if choice.reason { " (asks why)" } else { "" };
                    self.paper.words(
                        INSIDE,
                        Ink::Plain,
                        &format!("{}  {}{reason}", choice.key, choice.label),
                    );
                }
            }
            PromptKind::Approve(words) => {
                let tail = if view.simulated { "" } else { self.tail.as_str() };
                let how = "a second person approves, from an account of their own:";
                self.paper.words(INSIDE, Ink::Plain, how);
                self.paper.command(INSIDE + 2, Ink::Bold, "", &format!("{words}{tail}"));
            }
            PromptKind::Confirm | PromptKind::Challenge(_) => {}
        }
        self.safety(view, now);
        self.paper.take()
    }

    /// How it ended, and what to do next.
    pub(super) fn ending(&mut self, view: &RunView, now: Moment) -> String {
        self.paper.gap();
        let took = short_age(now.since(view.began));
        let (ink, how) = match &view.state {
            RunState::Finished if !would_stop_at(view).is_empty() => {
                let at = would_stop_at(view).join(", ");
                (Ink::Bad, format!("FINISHED in {took}; a live run would stop at: {at}"))
            }
            RunState::Finished => (Ink::Good, format!("FINISHED in {took}{}", counts(view))),
            RunState::RolledBack => (Ink::Warn, format!("ROLLED BACK to the last safe point after {took}")),
            RunState::Abandoned(why) => (Ink::Bad, format!("ABORTED after {took}: {why}")),
            RunState::Stopped(why) => (Ink::Warn, format!("STOPPED after {took}: {why}")),
            RunState::Running | RunState::Waiting | RunState::RollingBack => {
                (Ink::Warn, format!("LEFT after {took}"))
            }
        };
        self.paper.words(0, ink, &how);
        for step in &view.steps {
            if let StepState::Unknown(what) = &step.state {
                let hosts = names(&step.on);
                self.paper.words(INSIDE, Ink::Bad, &format!("? {} {hosts}: outcome unknown", step.id));
                self.paper.words(INSIDE + 2, Ink::Plain, &format!("look at: {what}"));
            }
        }
        let over = matches!(view.state, RunState::Finished | RunState::RolledBack | RunState::Abandoned(_));
        let run = match (view.watching, over, view.simulated) {
            (false, _, true) if !over || !view.in_effect.is_empty() => Run::Simulated,
            (_, true, _) => Run::Over,
            (true, false, _) => Run::UnderWay,
            (false, false, _) => Run::Stands,
        };
        still::tell(&mut self.paper, INSIDE, &view.in_effect, &view.id, run, &self.tail);
        if !view.watching {
            self.paper.command(INSIDE, Ink::Plain, "report    ", &commands::report(&view.id));
        }
        self.paper.take()
    }

    fn opening(&mut self, view: &RunView) {
        let simulated = if view.simulated { "  SIMULATED" } else { "" };
        let dry = if view.mode == Mode::DryRun { "  DRY RUN: changes are printed, not done" } else { "" };
        self.paper.words(0, Ink::Bold, &format!("{}: {}{simulated}{dry}", view.env, view.title));
        self.paper.field(INSIDE, "run", Ink::Plain, &view.id);
        self.paper.field(INSIDE, "who", Ink::Plain, view.who.as_str());
        self.paper.field(INSIDE, "why", Ink::Plain, view.why.as_str());
        if view.watching {
            self.paper.field(INSIDE, "you", Ink::Dim, "watching; only the operator can answer");
            return;
        }
        let keys = "n TEXT adds a note, rollback rolls back, ^C stops before the next step";
        self.paper.field(INSIDE, "keys", Ink::Dim, keys);
    }

    fn heading(&mut self, index: usize, step: &StepView, of: usize) {
        if self.step == Some(index) {
            return;
        }
        self.step = Some(index);
        self.paper.gap();
        let hosts = names(&step.on);
        let on = if hosts.is_empty() { String::new() } else { format!(" on {hosts}") };
        let effect = effect(step.asks, step.effect);
        self.paper.rule(&format!("{}/{of} {}  {}{on}{effect}", index + 1, step.id, step.kind));
        self.paper.words(0, Ink::Bold, step.title.as_str());
        if step.point_of_no_return {
            self.paper.words(INSIDE, Ink::Bad, NO_RETURN);
        }
    }

    /// What is known of the current step now and was not before.
    fn doing(&mut self, doing: &Doing, now: Moment) {
        let paper = &mut self.paper;
        let old = &self.doing;
        let mut field = |label: &str, ink: Ink, new: &Option<Clean>, old: &Option<Clean>| {
            if let Some(text) = new.as_ref().filter(|_| new != old) {
                paper.field(INSIDE, label, ink, text.as_str());
            }
        };
        field("why", Ink::Plain, &doing.why, &old.why);
        field("impact", Ink::Warn, &doing.impact, &old.impact);
        if doing.commands != old.commands {
            for (host, lines) in &doing.commands {
                let place = host.as_ref().map(|h| format!("on {h}")).unwrap_or_default();
                self.paper.field(INSIDE, "command", Ink::Dim, &place);
                for line in lines {
                    self.paper.exact(INSIDE + 4, Ink::Plain, line.as_str());
                }
            }
        }
        for fact in doing.facts.iter().filter(|fact| !old.facts.contains(fact)) {
            tell_fact(&mut self.paper, fact, now);
        }
        let mut field = |label: &str, new: &Option<Clean>, old: &Option<Clean>| {
            if let Some(text) = new.as_ref().filter(|_| new != old) {
                self.paper.field(INSIDE, label, Ink::Dim, text.as_str());
            }
        };
        field("undo", &doing.undo, &old.undo);
        field("next", &doing.next, &old.next);
        let first = doing.output.first().map(|(host, _)| host);
        let several = doing.output.iter().any(|(host, _)| Some(host) != first) || doing.commands.len() > 1;
        let (missed, new) = new_lines(old, doing);
        if missed > 0 {
            let lines = if missed == 1 { "line" } else { "lines" };
            self.paper.words(
                INSIDE,
                Ink::Dim,
                &format!("({missed} {lines} of output came too fast to be shown)"),
            );
        }
        for (host, line) in new {
            let host = host.as_ref().filter(|_| several).map(|h| format!("{h}: ")).unwrap_or_default();
            self.paper.exact(INSIDE, Ink::Plain, &format!("| {host}{line}"));
        }
        self.doing = doing.clone();
    }

    /// Says how a step of a picture stands when it stands otherwise than before.
    fn settled(&mut self, index: usize, view: &RunView) {
        if let Some(step) = view.steps.get(index) {
            self.state(index, step, view.steps.len());
        }
    }

    fn state(&mut self, index: usize, step: &StepView, of: usize) {
        if self.states.get(index).is_some_and(|old| *old == step.state) {
            return;
        }
        if self.states.len() <= index {
            self.states.resize(index + 1, StepState::Waiting);
        }
        if let Some(known) = self.states.get_mut(index) {
            *known = step.state.clone();
        }
        let Some((ink, word)) = state_words(step) else { return };
        let took = step.took.map(|t| format!(" in {}", spent(t))).unwrap_or_default();
        if self.step == Some(index) {
            self.paper.words(INSIDE, ink, &format!("{word}{took}"));
        } else {
            let text = format!("{}/{of} {}  {}: {word}{took}", index + 1, step.id, step.title);
            self.paper.words(0, ink, &text);
        }
    }

    fn trouble(&mut self, view: &RunView) {
        if self.trouble == view.trouble {
            return;
        }
        match &view.trouble {
            Some(trouble) => self.paper.words(0, Ink::Bad, &format!("! {trouble}")),
            None => self.paper.words(0, Ink::Good, "working again"),
        }
        self.trouble.clone_from(&view.trouble);
    }

    fn notes(&mut self, view: &RunView) {
        for (at, who, text) in view.notes.iter().skip(self.notes) {
            self.paper.words(INSIDE, Ink::Dim, &format!("note {at} {who}: {text}"));
        }
        self.notes = view.notes.len();
    }

    fn safety(&mut self, view: &RunView, now: Moment) {
        match &view.safety {
            Safety::Safe => self.paper.words(INSIDE, Ink::Dim, "Safe to pause: yes, no time limit"),
            Safety::Meanwhile(says) => {
                let text = format!("Safe to pause: yes, no time limit. Meanwhile: {says}");
                self.paper.words(INSIDE, Ink::Warn, &text);
            }
            Safety::NoWrites { since, says } => {
                let text = format!("Safe to pause: NO, for {} already. {says}", short_age(now.since(*since)));
                self.paper.words(INSIDE, Ink::Bad, &text);
            }
            Safety::Unknown(what) => {
                self.paper.words(INSIDE, Ink::Warn, &format!("Safe to pause: unknown. {what}"));
            }
            Safety::Until { until, cost } => {
                let left = until.since(now);
                let text = if left.is_zero() {
                    format!("Safe to pause: NO, the time is up. {cost}")
                } else {
                    format!("Safe to pause: {} left. {cost}", wall::duration(left.as_secs() * 1000))
                };
                self.paper.words(INSIDE, Ink::Warn, &text);
            }
        }
    }
}

/// What was not done, behind the word that it is finished.
fn counts(view: &RunView) -> String {
    view.finished().strip_prefix("Finished").unwrap_or_default().to_owned()
}

fn tell_fact(paper: &mut Paper, fact: &FactView, now: Moment) {
    let host = fact.host.as_ref().map(|h| format!(" on {h}")).unwrap_or_default();
    let age = short_age(now.since(fact.at));
    let (ink, text) = match &fact.seen {
        Ok(seen) if seen.is_empty() => (Ink::Good, format!("holds: {}{host} ({age} ago)", fact.says)),
        Ok(seen) => (Ink::Good, format!("holds: {}{host}: {seen} ({age} ago)", fact.says)),
        Err(why) => (Ink::Bad, format!("FAILS: {}{host}: {why} ({age} ago)", fact.says)),
    };
    paper.field(INSIDE, "fact", ink, &text);
}

/// How many lines were missed between two pictures of a step, and those that are new and there.
fn new_lines<'n>(old: &Doing, new: &'n Doing) -> (usize, &'n [(Option<HostName>, Clean)]) {
    let told = old.output_before + old.output.len();
    let missed = new.output_before.saturating_sub(told);
    let known = told.saturating_sub(new.output_before);
    (missed, new.output.get(known..).unwrap_or_default())
}

fn spent(time: std::time::Duration) -> String {
    if time.as_secs() < 60 { format!("{:.1}s", time.as_secs_f64()) } else { short_age(time) }
}

#[cfg(test)]
mod tests;
