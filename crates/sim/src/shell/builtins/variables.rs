//! `export`, `readonly`, `local`, `unset`, `set`, `shift`.

use std::sync::Arc;

use crate::shell::state::{Flow, Shell, Variable};

impl Shell {
    pub(crate) async fn declare(&mut self, kind: &str, arguments: &[String]) -> Flow {
        self.status = 0;
        if arguments.is_empty() || arguments.first().is_some_and(|a| a == "-p") {
            let mut lines: Vec<String> = self
                .variables
                .iter()
                .filter(|(_, v)| if kind == "readonly" { v.readonly } else { v.exported })
                .filter_map(|(name, v)| Some(format!("{kind} {name}='{}'\n", v.value.as_ref()?)))
                .collect();
            lines.sort();
            self.status = self.say(lines.concat().as_bytes()).await;
            return Flow::Next;
        }
        for argument in arguments {
            let (name, value) = match argument.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (argument.as_str(), None),
            };
            if !is_name(name) {
                self.complain(&format!("{kind}: {name}: bad variable name")).await;
                self.status = 2;
                return Flow::Exit;
            }
            if kind == "local" {
                let before = self.variables.get(name).cloned();
                let Some(layer) = self.hidden.last_mut() else {
                    self.complain("local: not in a function").await;
                    self.status = 2;
                    return Flow::Exit;
                };
                layer.push((name.to_owned(), before));
            }
            if let Some(value) = value
                && let Err(message) = self.set(name, value)
            {
                self.complain(&message).await;
                self.status = 2;
                return Flow::Exit;
            }
            let variable: &mut Variable =
                Arc::make_mut(&mut self.variables).entry(name.to_owned()).or_default();
            variable.exported |= kind == "export";
            variable.readonly |= kind == "readonly";
        }
        Flow::Next
    }

    pub(crate) async fn unset_all(&mut self, arguments: &[String]) -> u8 {
        let functions = arguments.first().is_some_and(|a| a == "-f");
        for name in arguments.iter().filter(|a| !a.starts_with('-')) {
            if functions {
                Arc::make_mut(&mut self.functions).remove(name);
            } else if self.variables.get(name).is_some_and(|v| v.readonly) {
                self.complain(&format!("unset: {name}: is read only")).await;
                return 2;
            } else {
                Arc::make_mut(&mut self.variables).remove(name);
            }
        }
        0
    }

    /// `set`: options and positional parameters.
    pub(crate) async fn set_options(&mut self, arguments: &[String]) -> u8 {
        if arguments.is_empty() {
            let mut lines: Vec<String> = self
                .variables
                .iter()
                .filter_map(|(name, v)| Some(format!("{name}='{}'\n", v.value.as_ref()?)))
                .collect();
            lines.sort();
            return self.say(lines.concat().as_bytes()).await;
        }
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let on = argument.starts_with('-');
            match argument.as_str() {
                "--" => {
                    return self.take_arguments(rest.cloned().collect()).await;
                }
                "-o" | "+o" => {
                    let name = rest.next().map(String::as_str).unwrap_or_default();
                    if !self.named_option(name, on) {
                        self.complain(&format!("set: Illegal option -o {name}")).await;
                        return 2;
                    }
                }
                letters if letters.len() > 1 && letters.starts_with(['-', '+']) => {
                    for letter in letters.chars().skip(1) {
                        self.option(letter, on);
                    }
                }
                _ => {
                    return self
                        .take_arguments(std::iter::once(argument).chain(rest).cloned().collect())
                        .await;
                }
            }
        }
        0
    }

    async fn take_arguments(&mut self, arguments: Vec<String>) -> u8 {
        if self.set_arguments(arguments) {
            return 0;
        }
        self.complain("set: Out of space").await;
        2
    }

    fn named_option(&mut self, name: &str, on: bool) -> bool {
        match name {
            "errexit" => self.options.errexit = on,
            "nounset" => self.options.nounset = on,
            "noglob" => self.options.noglob = on,
            "xtrace" => self.options.xtrace = on,
            "pipefail" => self.options.pipefail = on,
            "noclobber" => self.options.noclobber = on,
            "posix" | "monitor" | "verbose" | "vi" | "emacs" | "ignoreeof" => {}
            _ => return false,
        }
        true
    }

    pub(crate) fn option(&mut self, letter: char, on: bool) {
        match letter {
            'e' => self.options.errexit = on,
            'u' => self.options.nounset = on,
            'f' => self.options.noglob = on,
            'C' => self.options.noclobber = on,
            'x' => self.options.xtrace = on,
            _ => {}
        }
    }

    /// `umask`, in octal.
    pub(crate) async fn umask(&mut self, arguments: &[String]) -> u8 {
        let Some(wanted) = arguments.first() else {
            return self.say(format!("{:04o}\n", self.umask).as_bytes()).await;
        };
        match u32::from_str_radix(wanted, 8) {
            Ok(mask) if mask <= 0o777 => {
                self.umask = mask;
                0
            }
            _ => {
                self.complain(&format!("umask: Illegal mode: {wanted}")).await;
                2
            }
        }
    }

    pub(crate) async fn shift(&mut self, arguments: &[String]) -> u8 {
        let count = arguments.first().and_then(|text| text.parse().ok()).unwrap_or(1);
        if count > self.arguments.len() {
            self.complain("shift: can't shift that many").await;
            return 2;
        }
        self.arguments = Arc::new(self.arguments.iter().skip(count).cloned().collect());
        0
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
