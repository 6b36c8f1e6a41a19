//! Running lists, pipelines and compound commands.

use std::sync::Arc;

use futures::future::join_all;

use super::pattern;
use super::pipe::pipe;
use super::state::{DEEPEST, Fd, Flow, Shell};
use super::syntax::{AndOr, Arm, Command, Compound, Function, Item, List, Pipeline, Redirect, Word};
use crate::program::BoxFuture;

/// Background processes of a session at once; `ulimit -u` of a real host allows more.
const MOST_PROCESSES: usize = 512;

/// Commands between two yields to the other tasks, so that an endless loop cannot hold a thread.
const STEPS: usize = 64;

/// A future that finds stack enough however deep it stands: a level of nesting costs up to 45 KiB of it in an unoptimised
/// build, and a thread of the runtime has 2 MiB.
pub(crate) fn roomy<'a, T>(inner: impl Future<Output = T> + Send + 'a) -> BoxFuture<'a, T> {
    const WANTED: usize = 256 * 1024;
    const MORE: usize = 2 * 1024 * 1024;
    let mut inner = Box::pin(inner);
    Box::pin(std::future::poll_fn(move |context| {
        stacker::maybe_grow(WANTED, MORE, || inner.as_mut().poll(context))
    }))
}

impl Shell {
    /// Runs a list, then what `trap … EXIT` asked for; returns the exit status.
    pub(crate) async fn run_and_leave(&mut self, list: &List) -> u8 {
        self.list(list).await;
        self.leave().await
    }

    /// Runs the EXIT trap and returns the exit status.
    pub(crate) async fn leave(&mut self) -> u8 {
        if let Some(script) = self.on_exit.take() {
            let status = self.status;
            let flow = self.evaluate_text(&script).await;
            if flow != Flow::Exit {
                self.status = status;
            }
        }
        self.status
    }

    pub(crate) fn list<'a>(&'a mut self, list: &'a List) -> BoxFuture<'a, Flow> {
        roomy(async move {
            if self.depth >= DEEPEST {
                self.complain("Maximum function recursion depth exceeded").await;
                self.status = 2;
                return Flow::Exit;
            }
            self.depth += 1;
            let mut flow = Flow::Next;
            for item in &list.0 {
                flow = self.item(item).await;
                if flow != Flow::Next {
                    break;
                }
            }
            self.depth -= 1;
            flow
        })
    }

    async fn item(&mut self, item: &Item) -> Flow {
        if !item.background {
            return self.and_or(&item.and_or).await;
        }
        if self.group.running() >= MOST_PROCESSES {
            self.complain("Cannot fork").await;
            self.status = 2;
            return Flow::Exit;
        }
        let pid = self.machine.new_pid();
        let mut job = self.subshell();
        job.set_fd(0, Fd::Null);
        job.job = Some(pid);
        // Its first commands run without a turn for others: see `Machine::spawn`.
        job.steps = 0;
        job.nothing_follows = item.and_or.rest.is_empty() && item.and_or.first.commands.len() == 1;
        let and_or = Arc::clone(&item.and_or);
        self.machine.spawn(&self.group, pid, async move {
            job.and_or(&and_or).await;
            job.leave().await
        });
        self.last_background = Some(pid);
        self.children.push(pid);
        self.status = 0;
        Flow::Next
    }

    async fn and_or(&mut self, list: &AndOr) -> Flow {
        let last = list.rest.len();
        for at in 0..=last {
            let pipeline = match at.checked_sub(1).and_then(|at| list.rest.get(at)) {
                None => &list.first,
                Some((and, pipeline)) if (self.status == 0) == *and => pipeline,
                Some(_) => continue,
            };
            let tested = usize::from(at < last);
            self.tested += tested;
            let flow = self.pipeline(pipeline).await;
            self.tested -= tested;
            if flow != Flow::Next {
                return flow;
            }
        }
        Flow::Next
    }

    async fn pipeline(&mut self, pipeline: &Pipeline) -> Flow {
        self.tested += usize::from(pipeline.negated);
        let flow = match pipeline.commands.as_slice() {
            [command] => self.command(command).await,
            commands => {
                self.stages(commands).await;
                Flow::Next
            }
        };
        self.tested -= usize::from(pipeline.negated);
        if pipeline.negated && flow == Flow::Next {
            self.status = u8::from(self.status == 0);
        } else if flow == Flow::Next && self.status != 0 && self.options.errexit && self.tested == 0 {
            return Flow::Exit;
        }
        flow
    }

    /// The stages of a pipeline, each in a subshell of its own, all at once.
    async fn stages(&mut self, commands: &[Command]) {
        if commands.len() > MOST_PROCESSES {
            self.complain("Cannot fork").await;
            self.status = 2;
            return;
        }
        let mut input = self.fd(0).clone();
        let mut running = Vec::new();
        for (at, command) in commands.iter().enumerate() {
            let mut stage = self.subshell();
            stage.set_fd(0, std::mem::replace(&mut input, Fd::Null));
            if at + 1 < commands.len() {
                let (writer, reader) = pipe();
                stage.set_fd(1, Fd::Write(writer));
                input = Fd::Read(reader);
            }
            running.push(Box::pin(async move {
                stage.command(command).await;
                stage.leave().await
            }) as BoxFuture<'_, u8>);
        }
        let statuses = join_all(running).await;
        let last = statuses.last().copied().unwrap_or(0);
        let failed = statuses.iter().rev().copied().find(|&status| status != 0).unwrap_or(0);
        self.status = if self.options.pipefail { failed } else { last };
    }

    async fn command(&mut self, command: &Command) -> Flow {
        self.steps = self.steps.wrapping_add(1);
        if self.steps.is_multiple_of(STEPS) {
            tokio::task::yield_now().await;
        }
        match command {
            Command::Simple(simple) => self.simple(simple).await,
            Command::Compound(compound, redirects) => self.redirected(compound, redirects).await,
            Command::Function(name, function) => {
                Arc::make_mut(&mut self.functions).insert(name.clone(), Arc::clone(function));
                self.status = 0;
                Flow::Next
            }
        }
    }

    async fn redirected(&mut self, compound: &Compound, redirects: &[Redirect]) -> Flow {
        if redirects.is_empty() {
            self.nothing_follows = false;
            return self.compound(compound).await;
        }
        let saved = (!std::mem::take(&mut self.nothing_follows)).then(|| self.descriptors.clone());
        let flow = match self.redirect(redirects).await {
            Ok(true) => self.compound(compound).await,
            Ok(false) => {
                self.status = 2;
                Flow::Next
            }
            Err(flow) => flow,
        };
        if let Some(saved) = saved {
            self.descriptors = saved;
        }
        flow
    }

    /// Calls a function with these arguments.
    pub(crate) async fn call(&mut self, function: &Arc<Function>, arguments: Vec<String>) -> Flow {
        let Some(outer) = self.push_arguments(arguments) else {
            self.complain("Out of space").await;
            self.status = 2;
            return Flow::Exit;
        };
        let loops = std::mem::take(&mut self.loops);
        self.hidden.push(Vec::new());
        let flow = self.redirected(&function.body, &function.redirects).await;
        let variables = Arc::make_mut(&mut self.variables);
        for (name, variable) in self.hidden.pop().unwrap_or_default().into_iter().rev() {
            match variable {
                Some(variable) => variables.insert(name, variable),
                None => variables.remove(&name),
            };
        }
        self.pop_arguments(outer);
        self.loops = loops;
        if flow == Flow::Exit { flow } else { Flow::Next }
    }

    async fn compound(&mut self, compound: &Compound) -> Flow {
        match compound {
            Compound::Group(list) => self.list(list).await,
            Compound::Subshell(list) => {
                let mut sub = self.subshell();
                self.status = sub.run_and_leave(list).await;
                Flow::Next
            }
            Compound::For { name, values, body } => self.for_each(name, values.as_deref(), body).await,
            Compound::Case { value, arms } => match self.text(value).await {
                Ok(value) => self.case(&value, arms).await,
                Err(flow) => flow,
            },
            Compound::If { arms, otherwise } => {
                for (condition, body) in arms {
                    let flow = self.tested(condition).await;
                    if flow != Flow::Next {
                        return flow;
                    }
                    if self.status == 0 {
                        return self.list(body).await;
                    }
                }
                self.status = 0;
                match otherwise {
                    Some(body) => self.list(body).await,
                    None => Flow::Next,
                }
            }
            Compound::Loop { until, condition, body } => self.repeat(*until, condition, body).await,
            Compound::Arithmetic(expression) => match self.arithmetic(expression).await {
                Ok(value) => {
                    self.status = u8::from(value == 0);
                    Flow::Next
                }
                Err(flow) => flow,
            },
            Compound::ArithmeticFor { start, condition, step, body } => {
                self.count(start, condition.as_ref(), step, body).await.unwrap_or_else(|flow| flow)
            }
            Compound::Test(test) => match self.extended_test(test).await {
                Ok(holds) => {
                    self.status = u8::from(!holds);
                    Flow::Next
                }
                Err(flow) => flow,
            },
        }
    }

    async fn tested(&mut self, condition: &List) -> Flow {
        self.tested += 1;
        let flow = self.list(condition).await;
        self.tested -= 1;
        flow
    }

    async fn case(&mut self, value: &str, arms: &[Arm]) -> Flow {
        self.status = 0;
        let mut falling = false;
        for arm in arms {
            let mut hit = falling;
            for pattern in &arm.patterns {
                if hit {
                    break;
                }
                match self.pattern(pattern).await {
                    Ok(pattern) => hit = pattern::matches(&pattern, value),
                    Err(flow) => return flow,
                }
            }
            if hit {
                let flow = self.list(&arm.body).await;
                if flow != Flow::Next || !arm.falls_through {
                    return flow;
                }
                falling = true;
            }
        }
        Flow::Next
    }

    async fn for_each(&mut self, name: &str, values: Option<&[Word]>, body: &List) -> Flow {
        let items = match values {
            None => self.arguments.to_vec(),
            Some(words) => match self.all_fields(words).await {
                Ok(items) => items,
                Err(flow) => return flow,
            },
        };
        self.status = 0;
        self.loops += 1;
        let mut left = Flow::Next;
        for item in items {
            if let Err(message) = self.set(name, item) {
                self.complain(&message).await;
                self.status = 2;
                left = Flow::Exit;
                break;
            }
            match after(self.list(body).await) {
                Turn::Again => {}
                Turn::Leave(flow) => {
                    left = flow;
                    break;
                }
            }
        }
        self.loops -= 1;
        left
    }

    async fn repeat(&mut self, until: bool, condition: &List, body: &List) -> Flow {
        self.loops += 1;
        let mut status = 0;
        let left = loop {
            match after(self.tested(condition).await) {
                Turn::Again => {}
                Turn::Leave(flow) => {
                    status = self.status;
                    break flow;
                }
            }
            if (self.status == 0) == until {
                break Flow::Next;
            }
            let turn = after(self.list(body).await);
            status = self.status;
            if let Turn::Leave(flow) = turn {
                break flow;
            }
        };
        self.status = status;
        self.loops -= 1;
        left
    }

    async fn count(
        &mut self,
        start: &Word,
        condition: Option<&Word>,
        step: &Word,
        body: &List,
    ) -> Result<Flow, Flow> {
        self.arithmetic(start).await?;
        loop {
            if let Some(condition) = condition
                && self.arithmetic(condition).await? == 0
            {
                return Ok(Flow::Next);
            }
            self.loops += 1;
            let turn = after(self.list(body).await);
            self.loops -= 1;
            if let Turn::Leave(flow) = turn {
                return Ok(flow);
            }
            self.arithmetic(step).await?;
        }
    }
}

/// What a loop does after a turn.
enum Turn {
    Again,
    Leave(Flow),
}

fn after(flow: Flow) -> Turn {
    match flow {
        Flow::Next | Flow::Continue(0 | 1) => Turn::Again,
        Flow::Continue(levels) => Turn::Leave(Flow::Continue(levels - 1)),
        Flow::Break(0 | 1) => Turn::Leave(Flow::Next),
        Flow::Break(levels) => Turn::Leave(Flow::Break(levels - 1)),
        Flow::Return | Flow::Exit => Turn::Leave(flow),
    }
}
