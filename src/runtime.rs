//! The event loop: the one place where keys, news of the fleet and time meet the model, and where frames are drawn.
//!
//! [`run`] is generic over the terminal, the drawing and the way to the fleet, so that tests drive the real loop.

use ratatui::Terminal;
use ratatui::backend::Backend;
use tokio::sync::mpsc;
use tokio::time::{Duration, Instant, sleep_until, timeout_at};

use crate::app::message::{AppEffect, HandoverNews, Msg, ViewsNews};
use crate::app::model::Model;
use crate::app::update::update;
use crate::collect::clock::Clock;
use crate::operator::control::RunControl;
use crate::operator::timeline::recorder::TimelineRecorder;
use jumpdeck_fleet::course::HostCourses;
use jumpdeck_fleet::event::FleetEvent;
use jumpdeck_fleet::log::LogEvent;
use jumpdeck_fleet::look::LookEvent;
use jumpdeck_fleet::maintenance::SessionNews;
use jumpdeck_fleet::names::HostId;
use jumpdeck_fleet::run::RunEvent;
use jumpdeck_fleet::time::Moment;
use jumpdeck_fleet::timeline::TimelineNews;

pub mod clipboard;
pub mod color;
mod events;
pub mod handoff;
pub mod input;
pub mod keeper;
pub mod keyboard;
pub mod logs;
pub mod look;
pub mod notices;
mod pace;
mod ports;
pub mod raw;
#[cfg(test)]
mod run_tests;
pub mod screen;
pub mod sessions;
pub mod shell;
pub mod shells;
pub mod terminal;
#[cfg(test)]
mod tests;
mod watch;

pub use ports::{ConsoleEnd, Draw, FleetControl, RuntimeError, Stage};

use handoff::Copier;
use input::{TerminalInput, Urgent};
use keeper::{FileKeeper, KeeperJob, ViewsJob};
use logs::LogFollowing;
use look::Looking;
use notices::Notifier;
use pace::DrawPace;
use sessions::SessionDesk;
use shells::{ReadyShell, ShellMoment, Shells};

/// How long after a terminal's failure the news of its hang-up may come.
const HANG_UP_NEWS: Duration = Duration::from_millis(200);
/// Messages taken in before the loop looks at keys and frames again.
const BATCH: usize = 256;

/// All the loop owns.
pub struct Console<B: Backend, D, F, R, S> {
    /// What is known and shown.
    pub model: Model,
    /// Where frames go.
    pub terminal: Terminal<B>,
    /// How they are drawn.
    pub draw: D,
    /// The way to the fleet.
    pub fleet: F,
    /// The way to runs.
    pub runs: R,
    /// The terminal guard.
    pub stage: S,
    /// Where copies of the view go.
    pub copier: Copier,
    /// What is kept in files of the operator.
    pub keeper: FileKeeper,
    /// Shells on hosts, for which the console steps aside.
    pub shells: Shells,
    /// Logs that are followed.
    pub logs: LogFollowing,
    /// What the terminal says of problems that begin.
    pub notifier: Notifier,
    /// Where events are kept.
    pub recorder: TimelineRecorder,
    /// Maintenance sessions.
    pub sessions: SessionDesk,
    /// The host that is looked at.
    pub look: Looking,
    /// Reads what is kept of a host; nothing while it is being written.
    pub courses: ReadCourses,
    /// The process's clock; the same that snapshots are stamped with.
    pub clock: Clock,
    /// Keys, pastes, sizes.
    pub input: mpsc::Receiver<TerminalInput>,
    /// Signals, hang-ups, panics.
    pub urgent: mpsc::UnboundedReceiver<Urgent>,
    /// News of the fleet.
    pub news: mpsc::Receiver<FleetEvent>,
    /// News of runs.
    pub run_news: mpsc::Receiver<RunEvent>,
}

/// Reads what is kept of a host.
pub type ReadCourses = Box<dyn Fn(&HostId) -> Option<HostCourses> + Send>;

/// What is waited for.
enum NextInput {
    Frame,
    Urgent(Urgent),
    Input(TerminalInput),
    News(usize),
    RunNews(Option<RunEvent>),
    Handover(HandoverNews),
    Views(ViewsNews),
    Shell(ShellMoment),
    Logs(u64, Vec<LogEvent>),
    Timeline(TimelineNews),
    Session(Box<SessionNews>),
    Look(u64, LookEvent),
    Time,
}

/// Runs the console until somebody quits or something ends it.
///
/// # Errors
/// When the terminal fails, or a part of the program panicked.
pub async fn run<B, D, F, R, S>(mut console: Console<B, D, F, R, S>) -> Result<ConsoleEnd, RuntimeError>
where
    B: Backend<Error: 'static>,
    D: Draw,
    F: FleetControl,
    R: RunControl,
    S: Stage,
{
    let mut pace = DrawPace::new();
    let ended = console.go(&mut pace).await;
    // Before the guard: what the shell has set on the terminal is undone first.
    console.shells.end().await;
    let ended = match ended {
        Err(error @ RuntimeError::Terminal(_)) => console.why(error).await,
        ended => ended,
    };
    console.model.leave_events();
    console.record();
    console.recorder.end();
    console.sessions.end().await;
    console.keeper.finish().await;
    ended
}

impl<B, D, F, R, S> Console<B, D, F, R, S>
where
    B: Backend<Error: 'static>,
    D: Draw,
    F: FleetControl,
    R: RunControl,
    S: Stage,
{
    /// Sends every cell with the next frame. `clear` would ask the terminal where its cursor is, and wait two seconds for
    /// an answer that the input thread has taken.
    fn redraw(&mut self) -> Result<(), RuntimeError> {
        let size = self.terminal.size().map_err(RuntimeError::terminal)?;
        self.terminal.resize(size.into()).map_err(RuntimeError::terminal)?;
        update(&mut self.model, Msg::Resize(size.width, size.height));
        Ok(())
    }

    async fn go(&mut self, pace: &mut DrawPace) -> Result<ConsoleEnd, RuntimeError> {
        let mut batch = Vec::with_capacity(BATCH);
        // Something to look at before anybody is asked anything.
        self.frame(pace)?;
        let mut start = self.model.start();
        start.extend(self.model.screen().kind().asks(&self.model));
        self.perform(start)?;
        loop {
            let ended = match self.next(pace, &mut batch).await {
                NextInput::Frame => {
                    self.frame(pace)?;
                    None
                }
                NextInput::Urgent(urgent) => self.urgent(urgent, pace)?,
                NextInput::Input(input) => {
                    self.tick();
                    self.input(input, pace)?
                }
                NextInput::News(0) => {
                    pace.news_open = false;
                    None
                }
                NextInput::News(_) => {
                    self.tick();
                    let mut ended = None;
                    for event in batch.drain(..) {
                        let effects = update(&mut self.model, Msg::Fleet(event));
                        ended = ended.or(self.perform(effects)?);
                    }
                    ended
                }
                NextInput::RunNews(None) => {
                    pace.run_news_open = false;
                    None
                }
                NextInput::RunNews(Some(event)) => {
                    self.tick();
                    self.sessions.run_event(&event);
                    let effects = update(&mut self.model, Msg::Run(event));
                    self.perform(effects)?
                }
                NextInput::Handover(news) => {
                    self.tick();
                    let effects = update(&mut self.model, Msg::Handover(news));
                    self.perform(effects)?
                }
                NextInput::Shell(ShellMoment::Ready(ready)) => {
                    self.step_aside(*ready, pace)?;
                    None
                }
                NextInput::Shell(ShellMoment::News(news)) => {
                    if self.shells.has_terminal() {
                        self.shells.ended();
                        self.come_back(pace)?;
                    }
                    self.tick();
                    self.sessions.shell_news(&news);
                    let effects = update(&mut self.model, Msg::Shell(news));
                    self.perform(effects)?
                }
                NextInput::Views(news) => {
                    self.tick();
                    let effects = update(&mut self.model, Msg::Views(news));
                    self.model.settle();
                    self.perform(effects)?
                }
                NextInput::Logs(number, events) => {
                    self.tick();
                    let mut ended = None;
                    for event in events {
                        let effects = update(&mut self.model, Msg::Logs(number, event));
                        ended = ended.or(self.perform(effects)?);
                    }
                    ended
                }
                NextInput::Timeline(news) => {
                    self.tick();
                    let effects = update(&mut self.model, Msg::Timeline(news));
                    self.perform(effects)?
                }
                NextInput::Session(news) => {
                    self.tick();
                    let effects = update(&mut self.model, Msg::Session(news));
                    self.perform(effects)?
                }
                NextInput::Look(number, event) => {
                    self.tick();
                    let effects = update(&mut self.model, Msg::Look(number, event));
                    self.perform(effects)?
                }
                NextInput::Time => {
                    self.tick();
                    self.model.settle();
                    None
                }
            };
            self.hand_on_arming(pace);
            self.record();
            self.say_what_began();
            if let Some(ended) = ended {
                return Ok(ended);
            }
        }
    }

    /// A terminal that goes fails before the news of it arrives: gives that news a moment to tell what happened.
    async fn why(&mut self, error: RuntimeError) -> Result<ConsoleEnd, RuntimeError> {
        let until = Instant::now() + HANG_UP_NEWS;
        while let Ok(Some(urgent)) = timeout_at(until, self.urgent.recv()).await {
            match urgent {
                Urgent::Signal(number) => return Ok(ConsoleEnd::Signal(number)),
                Urgent::HungUp => return Ok(ConsoleEnd::HungUp),
                Urgent::Panicked => return Err(RuntimeError::Panicked),
                Urgent::Stop | Urgent::Continued => {}
            }
        }
        Err(error)
    }

    async fn next(&mut self, pace: &DrawPace, batch: &mut Vec<FleetEvent>) -> NextInput {
        let frame = pace.due().filter(|_| self.model.changed);
        let time = self.wake().map(|at| self.clock.instant(at));
        tokio::select! {
            biased;
            Some(urgent) = self.urgent.recv() => NextInput::Urgent(urgent),
            () = at(frame) => NextInput::Frame,
            Some(input) = self.input.recv() => NextInput::Input(input),
            Some(news) = self.copier.outcomes.recv() => NextInput::Handover(news),
            Some(moment) = self.shells.moments.recv() => NextInput::Shell(moment),
            Some(news) = self.keeper.news.recv() => NextInput::Views(news),
            Some(news) = self.recorder.news.recv() => NextInput::Timeline(news),
            Some(news) = self.sessions.news.recv() => NextInput::Session(Box::new(news)),
            event = self.run_news.recv(), if pace.run_news_open => NextInput::RunNews(event),
            taken = self.news.recv_many(batch, BATCH), if pace.news_open => NextInput::News(taken),
            (number, events) = self.logs.next() => NextInput::Logs(number, events),
            (number, event) = self.look.next() => NextInput::Look(number, event),
            () = at(time) => NextInput::Time,
        }
    }

    /// When time alone changes something next: a judgement is due, or an age on screen.
    fn wake(&self) -> Option<Moment> {
        let second = self.model.ages().then(|| Moment((self.model.now.0 / 1000 + 1) * 1000));
        [second, self.model.settle_due()].into_iter().flatten().min()
    }

    fn tick(&mut self) {
        update(&mut self.model, Msg::Tick(self.clock.now()));
        self.read_clock();
    }

    fn frame(&mut self, pace: &mut DrawPace) -> Result<(), RuntimeError> {
        self.tick();
        if let Some(host) = self.model.courses_due()
            && let Some(courses) = (self.courses)(&host)
        {
            update(&mut self.model, Msg::Courses(host, courses));
        }
        self.model.settle();
        let (draw, model) = (&mut self.draw, &self.model);
        self.terminal.draw(|frame| draw.draw(frame, model)).map_err(RuntimeError::terminal)?;
        let room = self.draw.room(&self.model);
        self.model.drawn(room);
        pace.drawn();
        Ok(())
    }

    fn input(
        &mut self,
        input: TerminalInput,
        pace: &mut DrawPace,
    ) -> Result<Option<ConsoleEnd>, RuntimeError> {
        let msg = match input {
            TerminalInput::Key(key) => Msg::Key(key),
            TerminalInput::Paste(text) => Msg::Paste(text),
            TerminalInput::Resize(columns, rows) => Msg::Resize(columns, rows),
            TerminalInput::Suspend => {
                self.suspend(true, pace)?;
                return Ok(None);
            }
        };
        pace.typed();
        let effects = update(&mut self.model, msg);
        // Before the next key: it may act on what this one has selected.
        self.model.settle();
        self.perform(effects)
    }

    fn urgent(&mut self, urgent: Urgent, pace: &mut DrawPace) -> Result<Option<ConsoleEnd>, RuntimeError> {
        match urgent {
            Urgent::Signal(number) => return Ok(Some(ConsoleEnd::Signal(number))),
            Urgent::HungUp => return Ok(Some(ConsoleEnd::HungUp)),
            Urgent::Panicked => return Err(RuntimeError::Panicked),
            Urgent::Stop => self.suspend(false, pace)?,
            // The shell on a host takes the terminal again.
            Urgent::Continued if self.shells.has_terminal() => {}
            Urgent::Continued => self.come_back(pace)?,
        }
        Ok(None)
    }

    /// Takes the terminal again. Whatever was left on the screen goes.
    fn come_back(&mut self, pace: &mut DrawPace) -> Result<(), RuntimeError> {
        self.stage.resume().map_err(RuntimeError::terminal)?;
        pace.suspended = false;
        self.redraw()
    }

    /// Gives the terminal to a shell, if somebody still waits for it.
    fn step_aside(&mut self, ready: ReadyShell, pace: &mut DrawPace) -> Result<(), RuntimeError> {
        if self.model.attend_shell(ready.number()) {
            self.stage.step_aside().map_err(RuntimeError::terminal)?;
            pace.suspended = true;
            self.sessions.shell(ready.asked());
            self.shells.attend(ready);
        } else {
            self.shells.take_back();
        }
        Ok(())
    }

    fn suspend(&mut self, whole_job: bool, pace: &mut DrawPace) -> Result<(), RuntimeError> {
        pace.suspended = self.stage.suspend(whole_job).map_err(RuntimeError::terminal)?;
        Ok(())
    }

    /// Runs know at once whether changes may be made.
    fn hand_on_arming(&mut self, pace: &mut DrawPace) {
        if pace.armed != self.model.runs.armed {
            pace.armed.clone_from(&self.model.runs.armed);
            self.runs.arm(pace.armed.as_ref());
        }
    }

    fn perform(&mut self, effects: Vec<AppEffect>) -> Result<Option<ConsoleEnd>, RuntimeError> {
        for effect in effects {
            match effect {
                AppEffect::Quit => return Ok(Some(ConsoleEnd::Quit)),
                AppEffect::Redraw => self.redraw()?,
                AppEffect::CopyView => {
                    let screen = self.draw.plain(&self.model);
                    self.copier.copy(&self.model, &screen, |bytes| self.stage.send(bytes));
                }
                AppEffect::ExportTable(format, target) => {
                    let table = self.draw.table(&self.model);
                    self.copier.export(&table, format, target, |bytes| self.stage.send(bytes));
                }
                AppEffect::OpenShell(asked) => self.shells.open(asked),
                AppEffect::CancelShell => self.shells.cancel(),
                AppEffect::FollowLogs { number, env, request } => self.logs.follow(number, env, request),
                AppEffect::StopLogs => self.logs.stop(),
                AppEffect::Look { number, env, host, kind } => self.look.look(number, &env, &host, kind),
                AppEffect::LookAgain => self.look.again(),
                AppEffect::StopLooking => self.look.stop(),
                AppEffect::Refresh(env) => self.fleet.refresh(&env),
                AppEffect::Activate(env) => {
                    self.sessions.open(&env);
                    self.fleet.activate(&env);
                }
                AppEffect::Retry(env, host) => self.fleet.retry(&env, host.as_ref()),
                AppEffect::Answer(id, answer) => self.fleet.answer(id, answer),
                AppEffect::UseInventory(fleet) => {
                    self.fleet.use_inventory(&fleet);
                    self.runs.use_inventory(&fleet);
                }
                AppEffect::ReadEvents(env) => self.recorder.open(&env),
                AppEffect::UseTheme(name) => self.draw.use_theme(&name),
                AppEffect::ListRunbooks(env) => self.runs.list(&env),
                AppEffect::FindInputs(env, runbook) => self.runs.find(&env, &runbook),
                AppEffect::MakePlan(env, runbook, inputs) => self.runs.plan(&env, &runbook, inputs.0),
                AppEffect::StartRun { env, plan, why, mode } => self.runs.start(&env, &plan, why, mode),
                AppEffect::ResumeRun(run) => {
                    self.sessions.resumes(&run);
                    self.runs.resume(&run);
                }
                AppEffect::Session(env, order) => self.sessions.order(&env, order),
                AppEffect::WatchRun(run) => self.runs.watch(&run),
                AppEffect::ListPastRuns => self.runs.list_past(),
                AppEffect::ReadPastRun(run) => self.runs.read_past(&run),
                AppEffect::TellRun(run, command) => self.runs.command(&run, command),
                AppEffect::KeepChosen(entry) => self.keeper.ask(KeeperJob::KeepChosen(entry)),
                AppEffect::ReadViews => self.keeper.ask(KeeperJob::Views(ViewsJob::Read)),
                AppEffect::SaveView { view, replace } => {
                    self.keeper.ask(KeeperJob::Views(ViewsJob::Save(view, replace)))
                }
                AppEffect::DeleteView(name) => self.keeper.ask(KeeperJob::Views(ViewsJob::Delete(name))),
                AppEffect::LookBefore(id, env) => self.runs.look_before(id, &env),
                AppEffect::RunOnHosts(order) => {
                    self.sessions.command_ordered(&order);
                    self.runs.run_on_hosts(order);
                }
                AppEffect::AskPower(order) => self.runs.ask_power(order),
                AppEffect::DropOrder(id) => self.runs.drop_order(id),
            }
        }
        Ok(None)
    }
}

async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}
