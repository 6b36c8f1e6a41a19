//! A shell on a host: asked for, waited for, and what became of it.
//!
//! While it is being opened every key but the one that cancels is ignored: what somebody types for the shell ahead of time must not
//! act on the screen beneath.

use crate::app::message::{AppEffect, AskedShell, ShellNews};
use crate::app::model::Model;
use crate::app::model::shell::{ShellBox, ShellStage};
use crate::config::action::Need;
use crate::config::keymap::{KeyCode, KeyPress};
use jumpdeck_fleet::text::Clean;

/// Asks for a shell on the host that is selected.
pub(super) fn open(model: &mut Model) -> Vec<AppEffect> {
    if let Some(why) = model.obstacle(Need::RowHost) {
        model.say(why.to_owned());
        return Vec::new();
    }
    let Some((env, host)) = model.row_host().and_then(|name| {
        let env = model.environments.get(model.active)?.spec.clone();
        let host = env.hosts.iter().find(|host| host.id.host == name)?.clone();
        Some((env, host))
    }) else {
        model.say("the selected host is no longer in the inventory".to_owned());
        return Vec::new();
    };
    model.shells += 1;
    model.shell = Some(ShellBox {
        number: model.shells,
        host: host.id.host.clone(),
        env: env.name.clone(),
        stage: ShellStage::Opening,
    });
    let simulated = model.fleet.simulated;
    vec![AppEffect::OpenShell(AskedShell { number: model.shells, env, host, simulated })]
}

/// A key while something of a shell is shown.
pub(super) fn key(model: &mut Model, key: KeyPress) -> Vec<AppEffect> {
    let Some(shell) = &model.shell else { return Vec::new() };
    match (&shell.stage, key.code) {
        (ShellStage::Opening, KeyCode::Esc) => {
            model.say(format!("no shell on {} was opened", shell.host));
            model.shell = None;
            vec![AppEffect::CancelShell]
        }
        (ShellStage::Failed(_) | ShellStage::Lost(_), KeyCode::Esc | KeyCode::Enter) => {
            model.shell = None;
            Vec::new()
        }
        (ShellStage::Opening | ShellStage::Attended | ShellStage::Failed(_) | ShellStage::Lost(_), _) => {
            Vec::new()
        }
    }
}

/// Takes in what became of one. What was cancelled is no news.
pub(super) fn take(model: &mut Model, news: ShellNews) {
    let (ShellNews::Failed { number, .. } | ShellNews::Ended { number, .. }) = &news;
    let Some(shell) = model.shell.as_mut().filter(|shell| shell.number == *number) else { return };
    model.changed = true;
    match news {
        ShellNews::Failed { why, .. } => shell.stage = ShellStage::Failed(Clean::new(&why)),
        ShellNews::Ended { how: Err(why), .. } => shell.stage = ShellStage::Lost(Clean::new(&why)),
        ShellNews::Ended { how: Ok(status), .. } => {
            let host = shell.host.clone();
            model.shell = None;
            model.say(format!("the shell on {host} has ended with exit status {status}"));
        }
    }
}

impl Model {
    /// The shell of that number is open; whether it is still waited for, and has the terminal from now on.
    pub fn attend_shell(&mut self, number: u64) -> bool {
        match self.shell.as_mut() {
            Some(shell) if shell.number == number && shell.stage == ShellStage::Opening => {
                shell.stage = ShellStage::Attended;
                true
            }
            Some(_) | None => false,
        }
    }
}
