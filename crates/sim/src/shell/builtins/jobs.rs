//! `wait`, `kill`, `trap`.

use crate::shell::state::Shell;

impl Shell {
    pub(crate) async fn wait(&mut self, arguments: &[String]) -> u8 {
        if arguments.is_empty() {
            for pid in std::mem::take(&mut self.children) {
                self.machine.wait(pid).await;
            }
            return 0;
        }
        let mut status = 0;
        for argument in arguments {
            let pid = argument.parse().ok().filter(|pid| self.children.contains(pid));
            status = match pid {
                Some(pid) => self.machine.wait(pid).await.unwrap_or(127),
                None => 127,
            };
        }
        status
    }

    pub(crate) async fn kill(&mut self, arguments: &[String]) -> u8 {
        let mut probe = false;
        // Whether a signal was named: a number with a minus after it means a process group.
        let mut group = false;
        let mut targets = Vec::new();
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            match argument.as_str() {
                "-l" => return self.say(b"HUP INT QUIT KILL TERM STOP CONT\n").await,
                "--" => group = true,
                "-s" => probe = rest.next().is_some_and(|signal| signal == "0"),
                "-0" => probe = true,
                signal if signal.starts_with('-') && targets.is_empty() && !group => group = true,
                target => targets.push(target),
            }
        }
        let mut status = 0;
        for target in targets {
            // A process group bears the number of its first process.
            let pid = target.trim_start_matches(['%', '-']).parse::<u32>();
            let found = pid.as_ref().is_ok_and(|&pid| {
                if pid == self.pid || pid == 1 {
                    return true;
                }
                let host = &self.machine.host;
                let known = self.machine.world().tasks(host).any(|task| task.pid == pid);
                match (probe, known) {
                    (true, known) => known || self.machine.is_running(pid),
                    (false, true) => self.machine.world().kill_task(host, pid),
                    (false, false) => self.machine.kill(pid),
                }
            });
            if !found {
                let why = if pid.is_ok() { "No such process" } else { "Illegal pid" };
                self.complain(&format!("kill: {why}")).await;
                status = 1;
            }
        }
        status
    }

    pub(crate) async fn trap(&mut self, arguments: &[String]) -> u8 {
        match arguments {
            [] => match self.on_exit.clone() {
                Some(script) => self.say(format!("trap -- '{script}' EXIT\n").as_bytes()).await,
                None => 0,
            },
            [action, signals @ ..] => {
                let exits = |signals: &[String]| signals.iter().any(|s| s == "EXIT" || s == "0");
                if action == "-" || signals.is_empty() {
                    if exits(signals) || exits(arguments) {
                        self.on_exit = None;
                    }
                } else if exits(signals) {
                    self.on_exit = (!action.is_empty()).then(|| action.clone());
                }
                0
            }
        }
    }
}
