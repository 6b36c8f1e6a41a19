//! `nohup`, `setsid`: what they start does not end with the session.

use std::sync::Arc;

use super::missing_program;
use crate::shell::state::Shell;

/// `nohup CMD`, `setsid [-f] CMD`.
pub(super) async fn run(shell: &mut Shell, name: &str, arguments: &[String]) -> u8 {
    let (mut fork, mut rest) = (false, arguments);
    while let [flag, tail @ ..] = rest
        && flag.starts_with('-')
    {
        fork |= matches!(flag.as_str(), "-f" | "--fork");
        rest = tail;
        if flag == "--" {
            break;
        }
    }
    if rest.is_empty() {
        shell.put(2, format!("{name}: missing operand\n").as_bytes()).await;
        return if name == "nohup" { 125 } else { 1 };
    }
    if let Some(missing) = missing_program(shell, rest) {
        let text = format!("{name}: failed to run command '{missing}': No such file or directory\n");
        shell.put(2, text.as_bytes()).await;
        return 127;
    }
    let detached = shell.machine.detached();
    let mut child = shell.subshell();
    child.group = detached.clone();
    let command = rest.to_vec();
    // A background process of the session becomes one of its own, under the same number.
    if let Some(pid) = shell.job.filter(|_| !fork) {
        shell.group.hand_over(pid, &detached);
        shell.group = detached;
        return child.external(command).await;
    }
    let machine = Arc::clone(&shell.machine);
    let pid = machine.new_pid();
    child.job = Some(pid);
    machine.spawn(&detached, pid, async move { child.external(command).await });
    if fork { 0 } else { machine.wait(pid).await.unwrap_or(127) }
}
