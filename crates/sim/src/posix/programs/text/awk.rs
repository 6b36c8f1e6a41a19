//! `awk`: patterns and actions, fields, variables, arrays, the functions people use. No output to files or pipes,
//! no `getline`, no functions of one's own: those are refused.

mod parse;
mod run;
mod tree;
mod value;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::program::{BoxFuture, Call, Program, Reply};

use super::{Named, answer, failure, filter_with, write};

/// The program.
#[derive(Debug)]
pub struct Awk(pub &'static str);

impl Program for Awk {
    fn name(&self) -> &'static str {
        self.0
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        let (mut separator, mut variables, mut script) = (None, Vec::new(), None);
        let mut operands = Vec::new();
        let args = call.args.clone();
        let mut words = args.iter().skip(1);
        while let Some(word) = words.next() {
            match word.as_str() {
                "-F" if script.is_none() => separator = words.next().cloned(),
                "-v" if script.is_none() => variables.extend(words.next().cloned()),
                "--" if script.is_none() => {}
                glued if script.is_none() && glued.starts_with("-F") => {
                    separator = glued.get(2..).map(str::to_owned)
                }
                glued if script.is_none() && glued.starts_with("-v") => {
                    variables.extend(glued.get(2..).map(str::to_owned))
                }
                flag if script.is_none() && flag.starts_with('-') && flag.len() > 1 => {
                    return answer(call, failure("awk", &format!("option {flag} is not simulated"), 2));
                }
                other if script.is_none() => script = Some(other.to_owned()),
                other => operands.push(other.to_owned()),
            }
        }
        let Some(script) = script else {
            return answer(call, failure("usage", "awk [-F fs][-v var=value][prog][file ...]", 2));
        };
        let rules = match parse::read(&script) {
            Ok(rules) => rules,
            Err(what) => return answer(call, failure("awk", &format!("syntax error: {what}"), 2)),
        };
        // Without a pattern or END nothing is read.
        let begins_only = rules.iter().all(|rule| matches!(rule.pattern, tree::Pattern::Begin));
        let run = |inputs: Vec<Named>| {
            beside(move |ended| run::run(&rules, &inputs, separator.as_deref(), &variables, ended))
        };
        if begins_only {
            return Box::pin(async move {
                let (mut call, reply) = (call, run(Vec::new()).await);
                write(&mut call, reply).await
            });
        }
        filter_with(call, operands, run)
    }
}

/// Runs a program, which may take seconds, on a thread of its own. When nobody waits for it any more it ends.
async fn beside(program: impl FnOnce(&AtomicBool) -> Reply + Send + 'static) -> Reply {
    let ended = Ended(Arc::default());
    let seen = Arc::clone(&ended.0);
    let ran = tokio::task::spawn_blocking(move || program(&seen)).await;
    ran.unwrap_or_else(|_| failure("awk", "Terminated", 143))
}

/// Says that nobody waits any more, when it is dropped.
struct Ended(Arc<AtomicBool>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
