//! The inventory was read again: what the console shows follows it. What is known of a host that is reached as before stays.

use std::collections::HashMap;
use std::time::Duration;

use super::arming;
use crate::app::message::AppEffect;
use crate::app::model::runs::{Dialog, PlanState};
use crate::app::model::{EnvironmentState, Model, Screen};
use jumpdeck_fleet::event::InventoryNews;
use jumpdeck_fleet::fleet::{Changes, Environment, Fleet};
use jumpdeck_fleet::names::EnvName;
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::timeline::TimelineKeeping;

/// How long the line shows that says what changed: whoever looks at another window for a moment shall find it.
const NOTICE_FOR: Duration = Duration::from_secs(20);

pub(super) fn take(model: &mut Model, news: InventoryNews) -> Vec<AppEffect> {
    model.changed = true;
    match news {
        InventoryNews::Read(fleet) => {
            model.inventory_refused = None;
            follow(model, &fleet)
        }
        InventoryNews::Unchanged => {
            model.inventory_refused = None;
            Vec::new()
        }
        InventoryNews::Refused(why) => {
            model.inventory_refused = Some(why);
            Vec::new()
        }
    }
}

fn follow(model: &mut Model, fleet: &std::sync::Arc<Fleet>) -> Vec<AppEffect> {
    let before = std::mem::replace(&mut model.fleet, fleet.clone());
    let changes = Changes::between(&before, fleet);
    let text = format!("inventory read again: {changes}");
    // What disarms says so; that an environment is read-only again must not be covered by a longer line.
    let disarmed = disarm(model, &before);
    mark_runs(model, &before);
    mark_plan(model, &before);
    let mut effects = vec![AppEffect::UseInventory(fleet.clone())];
    effects.extend(environments(model, &before));
    let unmarked = model.drop_gone_marks();
    let notice = disarmed.into_iter().chain([text]).chain(unmarked).collect::<Vec<_>>().join("; ");
    model.notice = Some((notice, model.now.plus(NOTICE_FOR)));
    effects
}

/// What was agreed to for one way and one account is not agreed to for another.
fn disarm(model: &mut Model, before: &Fleet) -> Option<String> {
    let env = model.runs.armed.as_ref()?.env.clone();
    let why = match (before.environment(&env), model.fleet.environment(&env)) {
        (_, None) => "it is no longer in the inventory",
        (Some(old), Some(new)) => other_way(old, new)?,
        (None, Some(_)) => return None,
    };
    arming::disarm(model, why);
    Some(format!("{env} is read-only again: {why}"))
}

fn other_way(old: &Environment, new: &Environment) -> Option<&'static str> {
    if !old.has_jumps_of(new) {
        return Some("the inventory has another route to the jump box");
    }
    if (old.guard, old.signatures, old.lease, &old.level)
        != (new.guard, new.signatures, new.lease, &new.level)
    {
        return Some("the inventory has another level, guard, signatures or lease");
    }
    let other_login = |host: &jumpdeck_fleet::fleet::Host| {
        old.host(&host.id.host).is_some_and(|was| was.access != host.access)
    };
    new.hosts
        .iter()
        .any(|host| other_login(host))
        .then_some("the inventory has another user or key for a host")
}

/// A run keeps the hosts of its plan, and says so.
fn mark_runs(model: &mut Model, before: &Fleet) {
    let mut marks: Vec<(String, Clean)> = Vec::new();
    for run in model.runs_under_way() {
        let what = match (before.environment(&run.env), model.fleet.environment(&run.env)) {
            (Some(old), Some(new)) if old == new => continue,
            (Some(old), Some(new)) => Changes::within(old, new).to_string(),
            (_, None) => format!("{} was removed", run.env),
            (None, Some(_)) => continue,
        };
        let text =
            format!("The inventory changed during this run ({what}). The run keeps the hosts of its plan.");
        marks.push((run.id.clone(), Clean::new(&text)));
    }
    model.runs.outdated.extend(marks);
}

/// A plan that was made before cannot be started any more.
fn mark_plan(model: &mut Model, before: &Fleet) {
    let Some(screen) = &mut model.runs.plan else { return };
    let same = before.environment(&screen.env) == model.fleet.environment(&screen.env);
    if !same && matches!(screen.state, PlanState::Made(_)) {
        screen.refused =
            vec![Clean::new("The inventory has changed since this plan was made. Make the plan again.")];
    }
}

/// The environments in the new order, each with what is known of it.
fn environments(model: &mut Model, before: &Fleet) -> Vec<AppEffect> {
    let shown = model.environments.get(model.active).map(|env| env.spec.name.clone());
    let names =
        |model: &Model| model.environments.iter().map(|env| env.spec.name.clone()).collect::<Vec<_>>();
    let old_names = names(model);
    let mut known: HashMap<EnvName, EnvironmentState> =
        std::mem::take(&mut model.environments).into_iter().map(|env| (env.spec.name.clone(), env)).collect();
    let fleet = model.fleet.clone();
    let mut unread = Vec::new();
    for spec in &fleet.environments {
        model.environments.push(match known.remove(&spec.name) {
            Some(mut state) => {
                state.follow(spec, model.now);
                state
            }
            None => {
                let mut state = EnvironmentState::new(spec.clone(), model.now);
                if model.keeps_events {
                    state.timeline.keeping = TimelineKeeping::Reading;
                    unread.push(AppEffect::ReadEvents(spec.name.clone()));
                }
                state
            }
        });
    }
    let new_names = names(model);
    if new_names != old_names {
        model.move_filters(&old_names, &new_names);
        // The screen that was held has its environments at other places.
        model.paused = None;
    }
    let at = shown.as_ref().and_then(|name| new_names.iter().position(|new| new == name));
    model.active = at.unwrap_or(0);
    if at.is_none() {
        // Nothing that was begun for the environment that is gone may end up in another one.
        model.screens = vec![Screen::ROOT];
        model.runs.dialogs.retain(|dialog| matches!(dialog, Dialog::Leave(_)));
    } else {
        leave_gone_hosts(model);
    }
    let Some(env) = model.environments.get(model.active).map(|env| env.spec.clone()) else {
        return unread;
    };
    let mut effects = unread;
    effects.push(AppEffect::Activate(env.name.clone()));
    if model.runs.listings.contains_key(&env.name) && before.environment(&env.name) != Some(&env) {
        effects.push(AppEffect::ListRunbooks(env.name.clone()));
    }
    effects
}

/// The page of a host that is gone is left.
fn leave_gone_hosts(model: &mut Model) {
    let Some(env) = model.environments.get(model.active) else { return };
    let is_there = |screen: &Screen| screen.kind().still_holds(screen, env);
    model.screens.retain(is_there);
    if model.screens.is_empty() {
        model.screens.push(Screen::ROOT);
    }
}
