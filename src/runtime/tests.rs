//! The real loop, driven by scripted keys and news, looked at through ratatui's test backend.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::sync::{Arc, Mutex};

use ratatui::backend::TestBackend;
use tokio::sync::watch;
use tokio::task::{JoinHandle, LocalSet};
use tokio::time::{advance, timeout};
use zeroize::Zeroizing;

use base64::Engine as _;
use futures::future::BoxFuture;

use super::clipboard::Clipboard;
use super::keyboard::Keyboard;
use super::*;
use crate::config::keymap::{KeyCode, KeyPress, Keymap};
use crate::operator::commands::Start;
use crate::transport::error::{ErrorKind, TransportError};
use jumpdeck_fleet::event::{Answer, QuestionId};
use jumpdeck_fleet::event::{Question, QuestionKind};
use jumpdeck_fleet::fleet::Fleet;
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::names::{EnvName, HostName};
use jumpdeck_fleet::run::{Arming, Mode, RunCommand};

/// What the loop has asked of the world.
#[derive(Clone, Default)]
pub(super) struct Asked(Arc<Mutex<Vec<String>>>);

impl Asked {
    fn note(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl FleetControl for Asked {
    fn activate(&self, env: &EnvName) {
        self.note(format!("activate {env}"));
    }
    fn refresh(&self, env: &EnvName) {
        self.note(format!("refresh {env}"));
    }
    fn retry(&self, env: &EnvName, host: Option<&HostName>) {
        self.note(format!("retry {env} {host:?}"));
    }
    fn use_inventory(&self, fleet: &Arc<Fleet>) {
        self.note(format!("collect {} environments", fleet.environments.len()));
    }
    fn answer(&self, id: QuestionId, answer: Answer) {
        self.note(format!("answer {} {answer:?}", id.0));
    }
}

impl RunControl for Asked {
    fn list(&self, env: &EnvName) {
        self.note(format!("list {env}"));
    }
    fn find(&self, env: &EnvName, runbook: &str) {
        self.note(format!("find {env} {runbook}"));
    }
    fn plan(&self, env: &EnvName, runbook: &str, inputs: Vec<(String, Zeroizing<String>)>) {
        let inputs: Vec<String> = inputs.iter().map(|(n, v)| format!("{n}={}", v.as_str())).collect();
        self.note(format!("plan {env} {runbook} {}", inputs.join(" ")));
    }
    fn start(&self, env: &EnvName, plan: &str, why: String, mode: Mode) {
        self.note(format!("start {env} {plan} {mode:?} {why}"));
    }
    fn resume(&self, run: &str) {
        self.note(format!("resume {run}"));
    }
    fn watch(&self, run: &str) {
        self.note(format!("watch {run}"));
    }
    fn use_inventory(&self, fleet: &Arc<Fleet>) {
        self.note(format!("plan in {} environments", fleet.environments.len()));
    }
    fn list_past(&self) {
        self.note("list past runs");
    }
    fn read_past(&self, run: &str) {
        self.note(format!("read past {run}"));
    }
    fn arm(&self, armed: Option<&Arming>) {
        self.note(armed.map_or("disarmed".to_owned(), |armed| format!("armed {}", armed.env)));
    }
    fn look_before(&self, id: u64, env: &EnvName) {
        self.note(format!("look before {id} {env}"));
    }
    fn run_on_hosts(&self, order: Arc<jumpdeck_fleet::command::CommandOrder>) {
        self.note(format!("run {} on {:?}", order.id, order.hosts));
    }
    fn ask_power(&self, order: Arc<jumpdeck_fleet::power::PowerOrder>) {
        self.note(format!("power {} {}", order.id, order.host));
    }
    fn drop_order(&self, id: u64) {
        self.note(format!("drop {id}"));
    }
    fn command(&self, run: &str, command: RunCommand) {
        self.note(format!("{run} {command:?}"));
    }
}

/// Copies to a terminal of its own, without anything between.
pub(super) fn copier(folder: &std::path::Path) -> Copier {
    let start = Start { world: Some("wpd-2015".to_owned()), tail: String::new() };
    Copier::new(start, Clipboard::of(|_| None), folder.join("handoff"), folder.to_owned())
}

/// Shells that cannot be opened, at a keyboard that nobody types on.
pub(super) fn no_shells() -> Shells {
    let refuse = |asked: &crate::app::message::AskedShell, _| -> BoxFuture<'static, _> {
        let hop = Hop::Host(asked.host.id.host.clone());
        Box::pin(async move { Err(TransportError::new(&hop, ErrorKind::Refused, "no shells here")) })
    };
    Shells::new(Box::new(refuse), Keyboard::silent())
}

pub(super) fn no_look() -> super::look::Looking {
    super::look::Looking::new(Box::new(|_, _, _| crate::operator::look::WatchedHost::none()))
}

pub(super) fn no_logs() -> super::logs::LogFollowing {
    super::logs::LogFollowing::new(Box::new(|_, _| crate::operator::logs::FollowedLogs::none()))
}

impl Stage for Asked {
    fn step_aside(&mut self) -> std::io::Result<()> {
        self.note("step aside");
        Ok(())
    }

    fn suspend(&mut self, whole_job: bool) -> std::io::Result<bool> {
        self.note(if whole_job { "stop job" } else { "stop" });
        Ok(true)
    }
    fn resume(&mut self) -> std::io::Result<()> {
        self.note("resume");
        Ok(())
    }
    fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.note(format!("send {}", String::from_utf8_lossy(bytes)));
        Ok(())
    }
}

/// Draws one line that tells what the tests look at, and publishes each frame.
struct Line(watch::Sender<(u32, String)>);

impl Draw for Line {
    fn draw(&mut self, frame: &mut ratatui::Frame<'_>, model: &Model) {
        let text = format!(
            "env={} filter={:?} questions={} now={}s size={:?} notice={:?}",
            model.active,
            model.filter().text.as_str(),
            model.questions.len(),
            model.now.0 / 1000,
            model.size,
            model.notice.as_ref().map(|(text, _)| text),
        );
        frame.render_widget(text.as_str(), frame.area());
        self.0.send_modify(|(frames, last)| {
            *frames += 1;
            *last = text;
        });
    }

    fn use_theme(&mut self, _: &str) {}
}

struct Harness {
    keys: mpsc::Sender<TerminalInput>,
    urgent: mpsc::UnboundedSender<Urgent>,
    news: mpsc::Sender<FleetEvent>,
    _run_news: mpsc::Sender<RunEvent>,
    frames: watch::Receiver<(u32, String)>,
    asked: Asked,
    home: tempfile::TempDir,
    end: JoinHandle<Result<ConsoleEnd, RuntimeError>>,
}

impl Harness {
    /// A console over two environments without hosts; needs a `LocalSet`.
    fn start() -> Self {
        let (keys, input) = mpsc::channel(64);
        let (urgent, urgent_receiver) = mpsc::unbounded_channel();
        let (news, news_receiver) = mpsc::channel(1024);
        let (run_news, run_news_receiver) = mpsc::channel(64);
        let (frame, frames) = watch::channel((0, String::new()));
        let home = tempfile::tempdir().unwrap();
        let asked = Asked::default();
        let clock = Clock::start();
        let fleet = Arc::new(Fleet { environments: two_environments(), simulated: true });
        let keymap = Arc::new(Keymap::builtin_default());
        let console = Console {
            model: Model::new(fleet, keymap, vec!["dark".into()], Vec::new(), clock.now(), (100, 5)),
            terminal: Terminal::new(TestBackend::new(100, 5)).unwrap(),
            draw: Line(frame),
            fleet: asked.clone(),
            stage: asked.clone(),
            keeper: FileKeeper::nowhere(),
            copier: copier(home.path()),
            shells: no_shells(),
            logs: no_logs(),
            recorder: TimelineRecorder::none(),
            notifier: Notifier::new(None, Clipboard::of(|_| None)),
            sessions: crate::runtime::sessions::SessionDesk::none(),
            look: no_look(),
            courses: Box::new(|_| None),
            clock,
            input,
            urgent: urgent_receiver,
            news: news_receiver,
            runs: asked.clone(),
            run_news: run_news_receiver,
        };
        let end = tokio::task::spawn_local(run(console));
        Self { keys, urgent, news, _run_news: run_news, frames, asked, end, home }
    }

    async fn type_keys(&self, text: &str) {
        for c in text.chars() {
            let key = KeyPress { code: KeyCode::Char(c), ctrl: false, alt: false };
            self.keys.send(TerminalInput::Key(key)).await.unwrap();
        }
    }

    /// Waits until a frame shows this text.
    async fn shows(&mut self, text: &str) {
        let shown = self.frames.wait_for(|(_, last)| last.contains(text));
        let shown = timeout(Duration::from_secs(60), shown).await.map(|r| r.is_ok());
        assert_eq!(shown, Ok(true), "waited in vain for {text:?}; last: {:?}", self.frames.borrow());
    }

    fn frames(&self) -> u32 {
        self.frames.borrow().0
    }

    async fn ended(self) -> Result<ConsoleEnd, RuntimeError> {
        timeout(Duration::from_secs(60), self.end).await.unwrap().unwrap()
    }
}

pub(super) fn two_environments() -> Vec<Arc<jumpdeck_fleet::fleet::Environment>> {
    use jumpdeck_fleet::fleet::{Cadence, Environment, Guard, Jump, Thresholds, Transport};
    ["one", "two"]
        .map(|name| {
            Arc::new(Environment {
                outside: Default::default(),
                name: EnvName::new(name).unwrap(),
                level: name.into(),
                guard: Guard::Confirm,
                signatures: Default::default(),
                journals: None,
                lease: Default::default(),
                management: Default::default(),
                contacts: Default::default(),
                domain: None,
                second_jump: None,
                jump: Jump::Local { name: HostName::new("here").unwrap() },
                transport: Transport::Ssh,
                thresholds: Thresholds::default(),
                requirements: Vec::new(),
                cadence: Cadence::default(),
                hosts: Vec::new(),
            })
        })
        .to_vec()
}

fn question(id: u64) -> FleetEvent {
    let env = EnvName::new("one").unwrap();
    let kind = QuestionKind::UnknownHostKey {
        address: "192.0.2.1:22".into(),
        algorithm: "ssh-ed25519".into(),
        fingerprint: "SHA256:abc".into(),
        file: "known_hosts".into(),
    };
    FleetEvent::Question(Question { id: QuestionId(id), env, hop: Hop::Here, kind })
}

/// Runs a test of the loop with time under control: it stands still while somebody has work to do.
fn with_loop(test: impl AsyncFnOnce(Harness)) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(LocalSet::new().run_until(async { test(Harness::start()).await }));
}

#[test]
fn the_first_frame_comes_before_anybody_is_asked() {
    with_loop(async |mut console| {
        console.shows("env=0").await;
        console.type_keys("q").await;
        let (asked, frames) = (console.asked.clone(), console.frames.clone());
        assert_eq!(console.ended().await.unwrap(), ConsoleEnd::Quit);
        assert_eq!(asked.all(), ["activate one"]);
        assert_eq!(frames.borrow().0, 1);
    });
}

#[test]
fn keys_act_in_their_order_and_show() {
    with_loop(async |mut console| {
        console.type_keys("/db1").await;
        console.shows("filter=\"db1\"").await;
        console
            .keys
            .send(TerminalInput::Key(KeyPress { code: KeyCode::Esc, ctrl: false, alt: false }))
            .await
            .unwrap();
        console
            .keys
            .send(TerminalInput::Key(KeyPress { code: KeyCode::Tab, ctrl: false, alt: false }))
            .await
            .unwrap();
        console.type_keys("r").await;
        console.shows("env=1").await;
        assert_eq!(console.asked.all(), ["activate one", "activate two", "refresh two"]);
    });
}

#[test]
fn many_messages_make_few_frames() {
    with_loop(async |mut console| {
        console.shows("env=0").await;
        let before = console.frames();
        for id in 0..1000 {
            console.news.send(question(id)).await.unwrap();
        }
        console.shows("questions=1000").await;
        let frames = console.frames() - before;
        assert!(frames <= 5, "{frames} frames for 1000 messages in one instant");
    });
}

#[test]
fn an_idle_console_draws_nothing() {
    with_loop(async |mut console| {
        console.shows("env=0").await;
        let before = console.frames();
        advance(Duration::from_secs(3600)).await;
        tokio::task::yield_now().await;
        assert_eq!(console.frames(), before);
        console.type_keys("/").await;
        console.shows("now=3600s").await;
    });
}

#[test]
fn an_answer_typed_ahead_is_not_taken() {
    with_loop(async |mut console| {
        console.news.send(question(7)).await.unwrap();
        console.type_keys("yyyy").await;
        console.shows("questions=1").await;
        advance(Duration::from_secs(1)).await;
        console.type_keys("y").await;
        console.shows("questions=0").await;
        assert_eq!(console.asked.all(), ["activate one", "answer 7 Accept"]);
    });
}

#[test]
fn signals_hang_ups_and_panics_end_the_loop() {
    for (urgent, expected) in [
        (Urgent::Signal(15), Some(ConsoleEnd::Signal(15))),
        (Urgent::HungUp, Some(ConsoleEnd::HungUp)),
        (Urgent::Panicked, None),
    ] {
        with_loop(async |console| {
            console.urgent.send(urgent).unwrap();
            assert_eq!(console.ended().await.ok(), expected);
        });
    }
}

#[test]
fn a_stopped_console_draws_nothing_until_it_goes_on() {
    with_loop(async |mut console| {
        console.shows("env=0").await;
        console.keys.send(TerminalInput::Suspend).await.unwrap();
        console.urgent.send(Urgent::Stop).unwrap();
        let before = console.frames();
        console.news.send(question(1)).await.unwrap();
        advance(Duration::from_secs(5)).await;
        tokio::task::yield_now().await;
        assert_eq!(console.frames(), before);
        console.urgent.send(Urgent::Continued).unwrap();
        console.shows("questions=1").await;
        let mut asked = console.asked.all();
        asked.sort();
        assert_eq!(asked, ["activate one", "resume", "stop", "stop job"]);
    });
}

#[test]
fn exit_codes_are_those_of_shells() {
    let codes = [ConsoleEnd::Quit, ConsoleEnd::Signal(15), ConsoleEnd::HungUp].map(ConsoleEnd::exit_code);
    assert_eq!(codes, [0, 143, 129]);
}

#[tokio::test(start_paused = true)]
async fn a_copy_goes_to_the_terminal_and_into_a_file_and_says_so() {
    LocalSet::new()
        .run_until(async {
            let mut console = Harness::start();
            console.type_keys("/db").await;
            console.shows("filter=\"db").await;
            console
                .keys
                .send(TerminalInput::Key(KeyPress { code: KeyCode::Enter, ctrl: false, alt: false }))
                .await
                .unwrap();
            console.type_keys("c").await;
            console.shows("handoff/").await;
            let asked = console.asked.all();
            let sent = asked.iter().find_map(|what| what.strip_prefix("send \x1b]52;c;")).unwrap();
            let bytes =
                base64::engine::general_purpose::STANDARD.decode(sent.trim_end_matches('\x07')).unwrap();
            let text = String::from_utf8(bytes).unwrap();
            assert!(text.contains("SIMULATED") && text.contains("FILTER /db"), "{text}");
            assert!(text.ends_with("This view: jumpdeck demo wpd-2015 --env one --filter db\n"), "{text}");
            let files: Vec<_> = std::fs::read_dir(console.home.path().join("handoff")).unwrap().collect();
            assert_eq!(files.len(), 1);
            assert_eq!(std::fs::read_to_string(files[0].as_ref().unwrap().path()).unwrap(), text);
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_folder_that_cannot_be_made_leaves_the_copy() {
    LocalSet::new()
        .run_until(async {
            let mut console = Harness::start();
            std::fs::write(console.home.path().join("handoff"), "a file").unwrap();
            console.type_keys("c").await;
            console.shows("no file:").await;
            assert!(console.asked.all().iter().any(|what| what.starts_with("send \x1b]52;c;")));
        })
        .await;
}
