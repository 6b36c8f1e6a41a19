//! The console: any keys on the model, and any model on any screen.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::{Bytes, assert_clean};
use crate::app::message::{AppEffect, Msg};
use crate::app::model::{Model, Room};
use crate::app::update::update;
use crate::config::keymap::{KeyCode, KeyPress};
use crate::view::styles::Styles;
use crate::view::{ViewState, fixtures, run_fixtures};
use jumpdeck_fleet::event::{FleetEvent, Question, QuestionId, QuestionKind};
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::names::EnvName;
use jumpdeck_fleet::run::{Mode, PromptKind, Reply, RunCommand, RunEvent};
use jumpdeck_fleet::snapshot::LinkState;

const CODES: [KeyCode; 15] = [
    KeyCode::Enter,
    KeyCode::Esc,
    KeyCode::Tab,
    KeyCode::BackTab,
    KeyCode::Backspace,
    KeyCode::Delete,
    KeyCode::Up,
    KeyCode::Down,
    KeyCode::Left,
    KeyCode::Right,
    KeyCode::Home,
    KeyCode::End,
    KeyCode::PageUp,
    KeyCode::PageDown,
    KeyCode::F(5),
];

/// Up to two hundred messages. A paste or a tick does nothing to the fleet, and nothing that changes a host is said
/// while its environment is read-only.
pub fn keys(data: &[u8]) {
    let mut bytes = Bytes(data);
    let mut model = start(&mut bytes);
    for _ in 0..200 {
        if bytes.is_empty() {
            break;
        }
        let draws = bytes.byte() % 4 == 0;
        let message = message(&mut bytes, &model);
        let quiet = matches!(message, Msg::Paste(_) | Msg::Tick(_) | Msg::Fleet(_) | Msg::Resize(..));
        let before = Before::of(&model);
        for effect in update(&mut model, message) {
            assert!(!quiet, "{effect:?} without a key");
            before.allows(&effect);
        }
        if draws {
            model.settle();
            let size = model.size;
            draw(&model, (size.0.min(300), size.1.min(100)));
            model.drawn(Room::default());
        }
    }
}

/// What an effect rests on, before the key that has it.
struct Before {
    armed: Vec<EnvName>,
    question: Option<QuestionId>,
    /// The run that asks, the prompt's number and kind, the run's environment, and whether it changes hosts.
    prompt: Option<(String, u64, PromptKind, EnvName, bool)>,
    may_reply: bool,
}

impl Before {
    fn of(model: &Model) -> Self {
        let names = model.environments.iter().map(|e| e.spec.name.clone());
        let open = model.open_prompt();
        Self {
            armed: names.filter(|name| model.is_armed(name)).collect(),
            question: model.questions.first().map(|q| q.id),
            prompt: open.map(|(run, asked)| {
                let live = run.mode == Mode::Live;
                (run.id.clone(), asked.number, asked.kind.clone(), run.env.clone(), live)
            }),
            may_reply: model.may_reply(),
        }
    }

    /// What changes a host needs a person's key, an armed environment, and a moment after the question was drawn.
    fn allows(&self, effect: &AppEffect) {
        match effect {
            AppEffect::StartRun { env, mode: Mode::Live, .. } => {
                assert!(self.armed.contains(env), "{effect:?}")
            }
            AppEffect::Answer(id, _) => assert_eq!(self.question, Some(*id), "an answer to another question"),
            AppEffect::TellRun(id, RunCommand::Answer { prompt, reply }) => {
                let prompt_of_before = self.prompt.as_ref().expect("an answer, and no question");
                let (run, number, kind, env, live) = prompt_of_before;
                assert!(run == id && number == prompt, "an answer to another question");
                assert!(self.may_reply, "before the question could be read");
                // Retrying and rolling back run commands as a yes does; a challenge that was typed is one.
                let changes = match (kind, reply) {
                    (_, Reply::Yes) | (PromptKind::Challenge(_), Reply::Text(_)) => true,
                    (PromptKind::Choose(ways), Reply::Chosen(key, _)) => {
                        matches!(key, 'r' | 'b') && ways.iter().any(|way| way.key == *key)
                    }
                    _ => false,
                };
                assert!(
                    !(changes && *live) || self.armed.contains(env),
                    "{reply:?} in a read-only environment"
                );
            }
            _ => {}
        }
    }
}

fn start(bytes: &mut Bytes<'_>) -> Model {
    let mut model = match bytes.below(15) {
        0 => fixtures::waiting(),
        1 => fixtures::trouble(),
        2 => fixtures::odd(),
        3 => run_fixtures::list(),
        4 => run_fixtures::planned(run_fixtures::plan()),
        5 => run_fixtures::with(run_fixtures::confirm()),
        6 => run_fixtures::with(run_fixtures::challenge()),
        7 => run_fixtures::with(run_fixtures::failed()),
        8 => run_fixtures::with(run_fixtures::unknown()),
        9 => run_fixtures::with(run_fixtures::watching()),
        10 => run_fixtures::with(run_fixtures::stopped()),
        11 => fixtures::jump_down(u64::from(bytes.byte()) * 2),
        12 => fixtures::aged(u64::from(bytes.byte())),
        13 => fixtures::large(bytes.below(60) + 1),
        _ => fixtures::healthy(),
    };
    if bytes.below(3) == 0 {
        model = run_fixtures::armed(model, 600);
    }
    model.settle();
    model.drawn(Room::default());
    model
}

fn message(bytes: &mut Bytes<'_>, model: &Model) -> Msg {
    match bytes.below(20) {
        0 => Msg::Paste(bytes.text(40)),
        1 => Msg::Resize(u16::from(bytes.byte()) * 2, u16::from(bytes.byte())),
        2..=4 => {
            let by = [1, 100, 399, 400, 1_000, 60_000][bytes.below(6)];
            Msg::Tick(model.now.plus(Duration::from_millis(by)))
        }
        5 => news(bytes, model),
        6 => runs(bytes),
        7..=10 => press(CODES[bytes.below(CODES.len())], bytes),
        _ => {
            let c = match bytes.below(8) {
                0 => bytes.text(4).chars().next().unwrap_or('y'),
                _ => char::from(b' ' + bytes.byte() % 95),
            };
            press(KeyCode::Char(c), bytes)
        }
    }
}

fn press(code: KeyCode, bytes: &mut Bytes<'_>) -> Msg {
    let held = bytes.below(12);
    Msg::Key(KeyPress { code, ctrl: held == 1, alt: held == 2 })
}

fn news(bytes: &mut Bytes<'_>, model: &Model) -> Msg {
    let env = &model.environments[bytes.below(model.environments.len())];
    let event = match bytes.below(4) {
        0 => {
            let kind = match bytes.below(2) {
                0 => QuestionKind::Passphrase { key: "~/.ssh/id".into(), wrong: false },
                _ => QuestionKind::Prompt {
                    told: Default::default(),
                    prompt: vec![bytes.text(20).into()],
                    echo: bytes.below(2) == 0,
                },
            };
            FleetEvent::Question(Question {
                id: QuestionId(u64::from(bytes.byte())),
                env: env.spec.name.clone(),
                hop: Hop::Jump(env.jump.name.clone()),
                kind,
            })
        }
        1 => FleetEvent::QuestionGone(QuestionId(u64::from(bytes.byte()))),
        2 => {
            let mut jump = jumpdeck_fleet::snapshot::JumpSnapshot::clone(&env.jump);
            jump.link.state = if bytes.below(2) == 0 { LinkState::Up } else { LinkState::TimedOut };
            jump.link.detail = bytes.text(30).into();
            FleetEvent::Jump(Arc::new(jump))
        }
        _ => {
            let at = bytes.below(env.hosts.len());
            FleetEvent::Host(changed(bytes, &env.hosts[at]))
        }
    };
    Msg::Fleet(event)
}

/// A host that says something else now.
fn changed(
    bytes: &mut Bytes<'_>,
    host: &jumpdeck_fleet::snapshot::HostSnapshot,
) -> Arc<jumpdeck_fleet::snapshot::HostSnapshot> {
    let mut host = host.clone();
    host.generation += 1;
    if bytes.below(4) == 0 {
        host.link.state = LinkState::Unreachable;
    }
    host.link.detail = bytes.text(40).into();
    let probe = crate::collect::probes::PROBES[bytes.below(crate::collect::probes::PROBES.len())];
    let raw = crate::collect::probe::Raw { status: 0, text: bytes.text(400) };
    probe.ingest(Ok(&raw), fixtures::NOW, &mut host.facts);
    Arc::new(host)
}

fn runs(bytes: &mut Bytes<'_>) -> Msg {
    let run = match bytes.below(8) {
        0 => run_fixtures::run(),
        1 => run_fixtures::confirm(),
        2 => run_fixtures::challenge(),
        3 => run_fixtures::failed(),
        4 => run_fixtures::unknown(),
        5 => run_fixtures::finished(),
        6 => run_fixtures::stopped(),
        _ => run_fixtures::watching(),
    };
    Msg::Run(match bytes.below(7) {
        0 => RunEvent::List(run_fixtures::listing()),
        1 => RunEvent::Plan(Ok(Arc::new(run_fixtures::plan()))),
        2 => RunEvent::Plan(Err(bytes.text(40).into())),
        3 => RunEvent::Refused(vec![bytes.text(40).into()]),
        4 => RunEvent::Found {
            env: run_fixtures::plan().env,
            runbook: run_fixtures::plan().runbook,
            inputs: vec![run_fixtures::found("candidate", bytes.text(40).as_str())],
        },
        _ => RunEvent::Run(Arc::new(run)),
    })
}

/// Any model on any screen at any size: no panic, and no cell that holds what a terminal would obey.
pub fn drawing(data: &[u8]) {
    let mut bytes = Bytes(data);
    let size = (u16::try_from(bytes.below(400)).unwrap(), u16::from(bytes.byte()) % 80);
    let mut model = start(&mut bytes);
    for _ in 0..bytes.below(24) {
        let message = message(&mut bytes, &model);
        let _ = update(&mut model, message);
        model.settle();
        model.drawn(Room::default());
    }
    for _ in 0..bytes.below(6) {
        let env = &mut model.environments[0];
        let at = bytes.below(env.hosts.len());
        env.hosts[at] = changed(&mut bytes, &env.hosts[at].clone());
    }
    let typed = bytes.text(20).replace(|c| !jumpdeck_fleet::text::is_drawn(c), "");
    if let Some(filter) = model.filter_mut() {
        filter.text.insert(&typed);
    }
    draw(&fixtures::settled(model), size);
}

static STYLES: LazyLock<[Styles; 2]> =
    LazyLock::new(|| [fixtures::styles("dark"), fixtures::styles("high-contrast")]);

pub(super) fn draw(model: &Model, size: (u16, u16)) {
    let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
    let mut state = ViewState::default();
    let styles = &STYLES[usize::from(size.0 % 2)];
    terminal.draw(|frame| crate::view::draw(frame, model, styles, &mut state)).unwrap();
    for cell in terminal.backend().buffer().content() {
        assert_clean(cell.symbol());
        assert!(unicode_width::UnicodeWidthStr::width(cell.symbol()) <= 2, "{:?}", cell.symbol());
    }
}
