//! The power state of a host: asked for, and what came of it.

use std::sync::Arc;

use super::pause;
use crate::app::message::AppEffect;
use crate::app::model::Model;
use crate::app::model::power::PowerLook;
use crate::config::action::Need;
use jumpdeck_fleet::power::{PowerNews, PowerOrder};

/// Asks the cloud about the host that is selected, and shows what it says. What is known already stays, with its age, until the
/// answer is there.
pub(super) fn open(model: &mut Model) -> Vec<AppEffect> {
    if let Some(why) = model.obstacle(Need::RowHost) {
        model.say(why.to_owned());
        return Vec::new();
    }
    let Some((env, host)) =
        model.row_host().zip(model.environments.get(model.active)).and_then(|(host, env)| {
            let known = env.spec.host(&host).is_some();
            known.then(|| (env.spec.name.clone(), host))
        })
    else {
        model.say("the selected host is no longer in the inventory".to_owned());
        return Vec::new();
    };
    let same = |look: &PowerLook| look.env == env && look.host == host;
    let before = model.power.take().filter(same);
    let is_asking = before.as_ref().is_some_and(|look| look.asking.is_some());
    if !is_asking {
        model.power_orders += 1;
    }
    let id = model.power_orders;
    model.power = Some(match before {
        Some(look) => PowerLook { id, asking: look.asking.or(Some(model.now)), ..look },
        None => PowerLook {
            id,
            env: env.clone(),
            host: host.clone(),
            asking: Some(model.now),
            last: None,
            scroll: 0,
        },
    });
    pause::unpause(model);
    model.open_power(host.clone());
    if is_asking {
        model.say("the cloud is being asked already".to_owned());
        return Vec::new();
    }
    vec![AppEffect::AskPower(Arc::new(PowerOrder { id, env, host }))]
}

/// Takes an answer in. One to an older order is no news.
pub(super) fn take(model: &mut Model, news: &PowerNews) {
    let is_seen = model.shown_power().is_some();
    let Some(look) = model.power.as_mut().filter(|look| look.id == news.order.id) else { return };
    look.asking = None;
    look.last = Some((news.at, news.report.clone()));
    if !is_seen {
        let said =
            format!("{} of {}, by the cloud: {}", news.order.host, news.order.env, news.report.headline());
        model.say(said);
    }
}
