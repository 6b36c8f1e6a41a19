//! A shell that is being opened, and what became of it.

use super::*;
use crate::app::model::shell::{ShellBox, ShellStage};
use jumpdeck_fleet::names::EnvName;

#[test]
fn a_shell_that_is_opened_fails_or_is_lost() {
    let why = "jump box gate: connection refused; is sshd running there, and is the address right?";
    for (title, stage) in [
        ("shell-opening", ShellStage::Opening),
        ("shell-failed", ShellStage::Failed(Clean::new(why))),
        ("shell-lost", ShellStage::Lost(Clean::new("host app1: the connection was lost"))),
    ] {
        for size in [(80, 24), (120, 40)] {
            let mut model = trouble();
            let env = EnvName::new("production").unwrap();
            model.shell = Some(ShellBox { number: 1, host: name("app1"), env, stage: stage.clone() });
            snapshot(title, &model, size);
        }
    }
}
