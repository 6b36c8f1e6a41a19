//! A runbook from the list to its end through the real loop: keys in, the real screens out, a scripted runner behind
//! the port.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::sync::{Arc, Mutex};

use super::tests::{Asked, two_environments};
use super::*;
use crate::config::keymap::{KeyCode, KeyPress, Keymap};
use crate::view::{Styles, ViewState, draw};
use jumpdeck_fleet::fleet::Fleet;
use jumpdeck_fleet::names::EnvName;
use jumpdeck_fleet::run::*;
use jumpdeck_fleet::text::Clean;
use ratatui::backend::TestBackend;
use tokio::sync::watch;
use tokio::task::{JoinHandle, LocalSet};
use tokio::time::{advance, timeout};
use zeroize::Zeroizing;

fn one() -> EnvName {
    EnvName::new("one").unwrap()
}

/// A runner with a script: two steps, the first is asked about by a confirmation, the second by a challenge.
#[derive(Clone)]
struct Script {
    news: mpsc::Sender<RunEvent>,
    heard: Arc<Mutex<Vec<String>>>,
    view: Arc<Mutex<RunView>>,
}

impl Script {
    fn new(news: mpsc::Sender<RunEvent>) -> Self {
        let step = |title: &str| StepView {
            id: title.to_lowercase(),
            kind: "sql",
            asks: jumpdeck_fleet::run::Asks::Nothing,
            title: title.into(),
            on: Vec::new(),
            effect: jumpdeck_fleet::run::Effect::Mutate,
            point_of_no_return: false,
            depth: 0,
            captures: Vec::new(),
            state: StepState::Waiting,
            began: None,
            took: None,
            skipped_by_operator: false,
        };
        let view = RunView {
            id: "run-1".into(),
            runbook: "promote".into(),
            title: "Promote".into(),
            env: one(),
            simulated: true,
            mode: Mode::DryRun,
            who: "anna".into(),
            why: "".into(),
            began: Moment(0),
            state: RunState::Running,
            steps: vec![step("Freeze"), step("Open")],
            current: None,
            doing: None,
            past: Vec::new(),
            earlier: 0,
            prompt: None,
            safety: Safety::Safe,
            in_effect: Vec::new(),
            values: vec![],
            notes: vec![],
            watching: false,
            trouble: None,
            report: Vec::new(),
        };
        Self { news, heard: Arc::default(), view: Arc::new(Mutex::new(view)) }
    }

    fn hear(&self, what: String) {
        self.heard.lock().unwrap().push(what);
    }

    fn change(&self, change: impl FnOnce(&mut RunView)) {
        let mut view = self.view.lock().unwrap();
        change(&mut view);
        self.news.try_send(RunEvent::Run(Arc::new(view.clone()))).unwrap();
    }

    fn ask(&self, step: usize, number: u64, title: &str, kind: PromptKind) {
        self.change(|view| {
            view.state = RunState::Waiting;
            view.current = Some(step);
            view.steps[step].state = StepState::Asked;
            view.prompt = Some(Prompt { number, title: title.into(), text: vec![], kind });
        });
    }
}

impl RunControl for Script {
    fn use_inventory(&self, _: &Arc<jumpdeck_fleet::fleet::Fleet>) {}

    fn list(&self, env: &EnvName) {
        let entry = RunbookEntry {
            name: "promote".into(),
            title: "Promote".into(),
            summary: "For a planned change.".into(),
            danger: Danger::Data,
            own: false,
            steps: 2,
            inputs: vec![InputView {
                name: "candidate".into(),
                label: "The new masterdb".into(),
                help: None,
                wanted: "a host".into(),
                choices: vec![],
                default: None,
                finds: false,
                because: None,
                sensitive: false,
                not: Vec::new(),
            }],
            remedies: Vec::new(),
            last_run: None,
        };
        let listing = Listing { env: env.clone(), runs: vec![], runbooks: vec![entry], troubles: vec![] };
        self.news.try_send(RunEvent::List(Arc::new(listing))).unwrap();
    }

    fn find(&self, _: &EnvName, _: &str) {}

    fn plan(&self, env: &EnvName, runbook: &str, inputs: Vec<(String, Zeroizing<String>)>) {
        let input = |(name, value): &(String, Zeroizing<String>)| PlanInput {
            name: Clean::new(name),
            value: Clean::new(value),
            because: None,
        };
        let inputs = inputs.iter().map(input).collect();
        let plan = PlanView {
            runbook: runbook.into(),
            title: "Promote".into(),
            env: env.clone(),
            simulated: true,
            challenge: false,
            hash: "h1".into(),
            inputs,
            targets: vec![],
            steps: vec![],
            problems: vec![],
        };
        self.news.try_send(RunEvent::Plan(Ok(Arc::new(plan)))).unwrap();
    }

    fn start(&self, env: &EnvName, plan: &str, why: String, mode: Mode) {
        self.hear(format!("start {env} {plan} {} {why}", mode.word()));
        self.view.lock().unwrap().mode = mode;
        self.ask(0, 1, "Freeze it?", PromptKind::Confirm);
    }

    fn resume(&self, run: &str) {
        self.hear(format!("resume {run}"));
    }

    fn watch(&self, run: &str) {
        self.hear(format!("watch {run}"));
    }

    fn list_past(&self) {
        self.hear("list past runs".to_owned());
    }
    fn read_past(&self, run: &str) {
        self.hear(format!("read past {run}"));
    }
    fn arm(&self, armed: Option<&Arming>) {
        self.hear(armed.map_or("read-only".to_owned(), |armed| format!("armed {}", armed.env)));
    }

    fn look_before(&self, id: u64, env: &EnvName) {
        self.hear(format!("look before {id} {env}"));
    }
    fn run_on_hosts(&self, order: Arc<jumpdeck_fleet::command::CommandOrder>) {
        self.hear(format!("run {} on {:?}", order.id, order.hosts));
    }
    fn ask_power(&self, order: Arc<jumpdeck_fleet::power::PowerOrder>) {
        self.hear(format!("power {} {}", order.id, order.host));
    }
    fn drop_order(&self, id: u64) {
        self.hear(format!("drop {id}"));
    }
    fn command(&self, run: &str, command: RunCommand) {
        let told = match &command {
            RunCommand::Answer { prompt, reply: Reply::Text(text) } => {
                format!("{run} answers {prompt} {}", text.as_str())
            }
            command => format!("{run} {command:?}"),
        };
        self.hear(told);
        match command {
            RunCommand::Answer { prompt: 1, reply: Reply::Yes } => {
                self.change(|view| view.steps[0].state = StepState::Done);
                self.ask(1, 2, "Open it?", PromptKind::Challenge("db2".into()));
            }
            RunCommand::Answer { prompt: 2, reply: Reply::Text(_) } => self.change(|view| {
                view.steps[1].state = StepState::Done;
                (view.state, view.prompt) = (RunState::Finished, None);
            }),
            RunCommand::Stop => self.change(|view| {
                (view.state, view.prompt) = (RunState::Stopped("asked to".into()), None);
            }),
            RunCommand::Note(text) => {
                self.change(|view| view.notes.push(("".into(), "".into(), Clean::new(&text))));
            }
            _ => {}
        }
    }
}

/// The real screens; each frame is published as text.
struct Screens(ViewState, watch::Sender<String>);

impl Draw for Screens {
    fn draw(&mut self, frame: &mut ratatui::Frame<'_>, model: &Model) {
        draw(frame, model, &Styles::default(), &mut self.0);
        let buffer = frame.buffer_mut();
        let width = usize::from(buffer.area.width);
        let cells: Vec<&str> = buffer.content.iter().map(ratatui::buffer::Cell::symbol).collect();
        self.1.send_replace(cells.chunks(width).map(|row| row.concat() + "\n").collect());
    }

    fn use_theme(&mut self, _: &str) {}
}

struct Person {
    keys: mpsc::Sender<TerminalInput>,
    screen: watch::Receiver<String>,
    heard: Arc<Mutex<Vec<String>>>,
    end: JoinHandle<Result<ConsoleEnd, RuntimeError>>,
    _others: (mpsc::UnboundedSender<Urgent>, mpsc::Sender<FleetEvent>),
}

impl Person {
    fn start() -> Self {
        let (keys, input) = mpsc::channel(64);
        let (urgent, urgent_receiver) = mpsc::unbounded_channel();
        let (news, news_receiver) = mpsc::channel(64);
        let (run_news, run_news_receiver) = mpsc::channel(64);
        let (frames, screen) = watch::channel(String::new());
        let script = Script::new(run_news);
        let heard = script.heard.clone();
        let clock = Clock::start();
        let fleet = Arc::new(Fleet { environments: two_environments(), simulated: true });
        let keymap = Arc::new(Keymap::builtin_default());
        let console = Console {
            model: Model::new(fleet, keymap, vec!["dark".into()], Vec::new(), clock.now(), (80, 24)),
            terminal: Terminal::new(TestBackend::new(80, 24)).unwrap(),
            draw: Screens(ViewState::default(), frames),
            fleet: Asked::default(),
            runs: script,
            stage: Asked::default(),
            keeper: FileKeeper::nowhere(),
            copier: super::tests::copier(std::path::Path::new("/nonexistent")),
            shells: super::tests::no_shells(),
            logs: super::tests::no_logs(),
            recorder: TimelineRecorder::none(),
            notifier: Notifier::new(None, crate::runtime::clipboard::Clipboard::of(|_| None)),
            sessions: crate::runtime::sessions::SessionDesk::none(),
            look: super::tests::no_look(),
            courses: Box::new(|_| None),
            clock,
            input,
            urgent: urgent_receiver,
            news: news_receiver,
            run_news: run_news_receiver,
        };
        let end = tokio::task::spawn_local(run(console));
        Self { keys, screen, heard, end, _others: (urgent, news) }
    }

    async fn key(&self, code: KeyCode, ctrl: bool) {
        self.keys.send(TerminalInput::Key(KeyPress { code, ctrl, alt: false })).await.unwrap();
    }

    async fn enter(&self) {
        self.key(KeyCode::Enter, false).await;
    }

    async fn types(&self, text: &str) {
        for c in text.chars() {
            self.key(KeyCode::Char(c), false).await;
        }
    }

    async fn sees(&mut self, text: &str) {
        let seen = timeout(Duration::from_secs(60), self.screen.wait_for(|s| s.contains(text))).await;
        let seen = seen.is_ok_and(|r| r.is_ok());
        assert!(seen, "waited in vain for {text:?}; last:\n{}", self.screen.borrow().as_str());
    }

    /// Until what stands on screen may be answered.
    async fn reads(&self) {
        advance(Duration::from_millis(500)).await;
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    /// To the first question of a live run.
    async fn begins(&mut self) {
        self.types("b").await;
        self.sees("promote").await;
        self.enter().await;
        self.sees("The new masterdb").await;
        self.types("db2").await;
        self.enter().await;
        self.sees("promote · one · revision").await;
        self.enter().await;
        self.sees("Start in ONE").await;
        self.types("disks").await;
        self.key(KeyCode::Tab, false).await;
        self.enter().await;
        self.sees("Arm ONE for changes").await;
        self.enter().await;
        self.sees("ARMED 29:5").await;
        self.enter().await;
        self.sees("Freeze it?").await;
    }
}

fn with_person(test: impl AsyncFnOnce(Person)) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(LocalSet::new().run_until(async { test(Person::start()).await }));
}

#[test]
fn a_run_from_the_list_to_its_end() {
    with_person(async |mut person| {
        person.begins().await;
        person.types("y").await;
        person.reads().await;
        person.types("y").await;
        person.sees("To go on, type  db2").await;
        person.keys.send(TerminalInput::Paste("db2\r\n".into())).await.unwrap();
        person.enter().await;
        person.reads().await;
        person.types("db2").await;
        person.enter().await;
        person.sees("✓ finished").await;
        assert_eq!(
            person.heard(),
            [
                "armed one",
                "start one h1 live disks",
                "run-1 Answer { prompt: 1, reply: Yes }",
                "run-1 answers 2 db2"
            ]
        );
        // From the run back to the list, and from there out.
        person.types("qq").await;
        assert_eq!(
            timeout(Duration::from_secs(60), person.end).await.unwrap().unwrap().unwrap(),
            ConsoleEnd::Quit
        );
    });
}

/// However fast news makes frames, a key has its answer within 16 ms, and not within the time between two frames.
#[test]
fn a_key_is_answered_sooner_than_the_next_frame_of_news() {
    with_person(async |mut person| {
        person.sees("0 of 0 hosts up").await;
        for (key, is_open) in [(KeyCode::Char('?'), true), (KeyCode::Esc, false)].repeat(3) {
            let began = Instant::now();
            person.key(key, false).await;
            person.screen.wait_for(|screen| screen.contains("┌ Help") == is_open).await.unwrap();
            assert!(began.elapsed() < Duration::from_millis(16), "{key:?}: {:?}", began.elapsed());
        }
    });
}

#[test]
fn notes_are_kept_and_leaving_stops_the_run_first() {
    with_person(async |mut person| {
        person.begins().await;
        person.reads().await;
        person
            .keys
            .send(TerminalInput::Key(KeyPress { code: KeyCode::Char('n'), ctrl: false, alt: true }))
            .await
            .unwrap();
        person.sees("A note for the journal").await;
        person.types("slow disk").await;
        person.enter().await;
        person.sees("NOTES").await;
        person.types("qq").await;
        person.sees("Quit?").await;
        person.reads().await;
        person.types("y").await;
        let heard = person.heard.clone();
        assert_eq!(
            timeout(Duration::from_secs(60), person.end).await.unwrap().unwrap().unwrap(),
            ConsoleEnd::Quit
        );
        assert_eq!(
            heard.lock().unwrap()[2..],
            ["run-1 Note(\"slow disk\")".to_owned(), "run-1 Stop".to_owned()]
        );
    });
}

#[test]
fn arming_runs_out_by_itself_and_a_yes_asks_for_it_again() {
    with_person(async |mut person| {
        person.begins().await;
        advance(Duration::from_secs(14 * 60)).await;
        person.key(KeyCode::F(9), false).await;
        person.sees("ARMED 15:5").await;
        advance(Duration::from_secs(15 * 60)).await;
        person.sees("READ-ONLY").await;
        person.reads().await;
        person.types("y").await;
        person.sees("Arm ONE for changes").await;
        let heard = ["armed one", "start one h1 live disks", "read-only"];
        assert_eq!(person.heard(), heard, "no yes was given");
    });
}
