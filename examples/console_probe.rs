//! The console's terminal guard and event loop with nothing behind them: what `tests/fast/terminal.rs` runs in a
//! pseudo-terminal. Any `Ctrl-C` ends it; USR1 makes a task panic; USR2 makes the next drawing panic.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jumpdeck::app::model::Model;
use jumpdeck::app::opening::view_rules;
use jumpdeck::collect::clock::Clock;
use jumpdeck::config::keymap::Keymap;
use jumpdeck::operator::commands::Start;
use jumpdeck::operator::control::RunControl;
use jumpdeck::operator::logs::FollowedLogs;
use jumpdeck::operator::look::WatchedHost;
use jumpdeck::operator::timeline::recorder::TimelineRecorder;
use jumpdeck::operator::views::ViewsFile;
use jumpdeck::runtime::clipboard::Clipboard;
use jumpdeck::runtime::handoff::Copier;
use jumpdeck::runtime::keeper::{FileKeeper, KeptFiles};
use jumpdeck::runtime::logs::LogFollowing;
use jumpdeck::runtime::look::Looking;
use jumpdeck::runtime::notices::Notifier;
use jumpdeck::runtime::shells::Shells;
use jumpdeck::runtime::{Console, ConsoleEnd, Draw, FleetControl, RuntimeError, run, terminal};
use jumpdeck_fleet::event::{Answer, QuestionId};
use jumpdeck_fleet::fleet::Fleet;
use jumpdeck_fleet::names::{EnvName, HostName};
use jumpdeck_fleet::run::{Arming, Mode, RunCommand};
use ratatui::Frame;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use zeroize::Zeroizing;

struct Nobody;

impl FleetControl for Nobody {
    fn activate(&self, _: &EnvName) {}
    fn refresh(&self, _: &EnvName) {}
    fn retry(&self, _: &EnvName, _: Option<&HostName>) {}
    fn use_inventory(&self, _: &Arc<Fleet>) {}
    fn answer(&self, _: QuestionId, _: Answer) {}
}

impl RunControl for Nobody {
    fn list(&self, _: &EnvName) {}
    fn find(&self, _: &EnvName, _: &str) {}
    fn list_past(&self) {}
    fn read_past(&self, _: &str) {}
    fn plan(&self, _: &EnvName, _: &str, _: Vec<(String, Zeroizing<String>)>) {}
    fn start(&self, _: &EnvName, _: &str, _: String, _: Mode) {}
    fn resume(&self, _: &str) {}
    fn watch(&self, _: &str) {}
    fn use_inventory(&self, _: &Arc<Fleet>) {}
    fn command(&self, _: &str, _: RunCommand) {}
    fn look_before(&self, _: u64, _: &EnvName) {}
    fn run_on_hosts(&self, _: Arc<jumpdeck_fleet::command::CommandOrder>) {}
    fn ask_power(&self, _: Arc<jumpdeck_fleet::power::PowerOrder>) {}
    fn drop_order(&self, _: u64) {}
    fn arm(&self, _: Option<&Arming>) {}
}

struct Pid(Arc<AtomicBool>);

impl Draw for Pid {
    #[allow(clippy::panic)] // what this program is for
    fn draw(&mut self, frame: &mut Frame<'_>, model: &Model) {
        assert!(!self.0.load(Ordering::SeqCst), "drawing failed on purpose");
        let (columns, rows) = model.size;
        frame.render_widget(format!("probe {} of {columns}x{rows}\nready", std::process::id()), frame.area());
    }

    fn use_theme(&mut self, _: &str) {}
}

async fn console() -> Result<ConsoleEnd, RuntimeError> {
    let broken = Arc::new(AtomicBool::new(false));
    let fail = |error: std::io::Error| RuntimeError::Terminal(error.to_string());
    let mut first = signal(SignalKind::user_defined1()).map_err(fail)?;
    let mut second = signal(SignalKind::user_defined2()).map_err(fail)?;
    tokio::spawn(async move {
        first.recv().await;
        #[allow(clippy::panic)]
        {
            panic!("a task failed on purpose");
        }
    });
    let breaks = broken.clone();
    tokio::spawn(async move {
        second.recv().await;
        breaks.store(true, Ordering::SeqCst);
    });
    let clock = Clock::start();
    let taken = terminal::take()?;
    let size = taken.terminal.size().map_err(fail)?;
    let fleet = Arc::new(Fleet { environments: Vec::new(), simulated: true });
    let model = Model::new(
        fleet,
        Arc::new(Keymap::default()),
        Vec::new(),
        Vec::new(),
        clock.now(),
        (size.width, size.height),
    );
    let (_news, news) = mpsc::channel(1);
    let (_run_news, run_news) = mpsc::channel(1);
    run(Console {
        model,
        terminal: taken.terminal,
        draw: Pid(broken),
        fleet: Nobody,
        runs: Nobody,
        stage: taken.guard,
        keeper: FileKeeper::new(KeptFiles {
            views: ViewsFile { path: "/dev/null/views.toml".into(), rules: view_rules(&[]) },
            palette: "/dev/null/palette".into(),
        }),
        copier: Copier::new(
            Start { world: None, tail: String::new() },
            Clipboard::from_environment(),
            "/nonexistent".into(),
            "/nonexistent".into(),
        ),
        shells: Shells::new(Box::new(|_, _| Box::pin(std::future::pending())), taken.keyboard),
        logs: LogFollowing::new(Box::new(|_, _| FollowedLogs::none())),
        notifier: Notifier::new(None, Clipboard::from_environment()),
        recorder: TimelineRecorder::none(),
        sessions: jumpdeck::runtime::sessions::SessionDesk::none(),
        courses: Box::new(|_| None),
        look: Looking::new(Box::new(|_, _, _| WatchedHost::none())),
        clock,
        input: taken.input,
        urgent: taken.urgent,
        news,
        run_news,
    })
    .await
}

#[tokio::main]
async fn main() -> ExitCode {
    match console().await {
        Ok(ended) => ExitCode::from(ended.exit_code()),
        Err(error) => {
            eprintln!("console_probe: {error}");
            ExitCode::from(70)
        }
    }
}
