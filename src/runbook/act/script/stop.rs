//! Stops a script on its host: one that printed too much need not end when nobody reads what it prints. Its shell has a
//! name of its own among its arguments, by which a second command finds it and everything in its process group.

use std::time::Duration;

use crate::transport::Session;

/// It is stopped within this, or may still be running.
const LIMIT: Duration = Duration::from_secs(20);

/// A name that no other process has.
pub(super) fn name() -> String {
    format!("jumpdeck-{:016x}", rand::random::<u64>())
}

/// Stops the script of that name, as the account that runs it. Returns what came of it, for people.
pub(super) async fn on(session: &dyn Session, shell: &str, name: &str) -> String {
    let asked = session.exec(shell, script(name).as_bytes(), LIMIT.into(), &mut |_| {}).await;
    match asked {
        Ok(ran) if ran.stdout == b"stopped\n" => "it was stopped there".to_owned(),
        Ok(_) | Err(_) => format!("it may still be running there: look for {name} (pgrep -f {name})"),
    }
}

/// Its shell's process group, when the shell leads it: on the console's own machine it is in the console's. Where there is no
/// `/proc` nothing is found.
fn script(name: &str) -> String {
    let pattern = name.replacen('j', "[j]", 1);
    format!(
        "{{\n\
         found() {{ grep -la '{pattern}' /proc/[0-9]*/cmdline 2>/dev/null; }}\n\
         [ -r /proc/self/cmdline ] || exit 1\n\
         for jd_p in $(found); do\n\
         jd_p=${{jd_p#/proc/}} jd_p=${{jd_p%/cmdline}}\n\
         read -r jd_s <\"/proc/$jd_p/stat\" || continue\n\
         set -- ${{jd_s##*) }}\n\
         if [ \"$3\" = \"$jd_p\" ]; then kill -s KILL -- \"-$jd_p\"; else kill -s KILL \"$jd_p\"; fi\n\
         done 2>/dev/null\n\
         for second in 1 2 3 4 5; do\n\
         if [ -z \"$(found)\" ]; then echo stopped; exit 0; fi\n\
         sleep 1\n\
         done\n\
         exit 1\n\
         }} </dev/null\n"
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Write as _;
    use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
    use std::process::{Command, Output, Stdio};

    use super::*;

    fn fed(mut command: Command, script: &str) -> Output {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    #[test]
    fn a_script_that_ignores_the_closed_output_is_stopped_with_all_it_began() {
        for shell in ["dash", "bash"] {
            for leads in [true, false] {
                let name = name();
                let mut command = Command::new(shell);
                command.args(["-s", &name]);
                if leads {
                    command.process_group(0);
                }
                let mut flooding = command
                    .stdin(Stdio::piped())
                    .stdout(Stdio::piped())
                    .stderr(Stdio::null())
                    .spawn()
                    .unwrap();
                let text = "{\ntrap '' PIPE; while :; do echo flood; done\n} </dev/null\n";
                flooding.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
                drop(flooding.stdout.take());
                let waits = std::thread::spawn(move || flooding.wait().unwrap());
                let said = fed(Command::new(shell), &script(&name));
                assert_eq!(String::from_utf8_lossy(&said.stdout), "stopped\n", "{shell} {leads}");
                assert_eq!(waits.join().unwrap().signal(), Some(9), "{shell} {leads}");
            }
        }
    }

    #[test]
    fn nothing_else_is_stopped() {
        let (name, other) = (name(), name());
        let mut sleeping = Command::new("sh").args(["-s", &other]).stdin(Stdio::piped()).spawn().unwrap();
        let said = fed(Command::new("sh"), &script(&name));
        assert_eq!(String::from_utf8_lossy(&said.stdout), "stopped\n");
        assert!(sleeping.try_wait().unwrap().is_none());
        drop(sleeping.stdin.take());
        sleeping.wait().unwrap();
    }
}
