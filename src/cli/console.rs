//! `jumpdeck` and `jumpdeck demo`: the console.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use ratatui::Frame;
use tokio::sync::mpsc;

use super::common::{CliError, Common, Looks};
use super::inventory;
use super::setup::{self, Setup};
use crate::app::chosen::{LONGEST_HISTORY, read_history};
use crate::app::handoff::PlainScreen;
use crate::app::model::{Model, Room};
use crate::app::opening::view_rules;
use crate::collect::Collector;
use crate::collect::desk::Desk;
use crate::collect::disks::DiskHistory;
use crate::config::diagnostic::Diagnostic;
use crate::config::files;
use crate::config::notices::NoticeSettings;
use crate::config::settings::ColorChoice;
use crate::config::theme::Theme;
use crate::operator::access::FleetAccess;
use crate::operator::commands::{self, Start};
use crate::operator::fleet_command::FleetCommands;
use crate::operator::kept_text;
use crate::operator::left::LeftRunsFinder;
use crate::operator::logs::follow;
use crate::operator::look::HostLooker;
use crate::operator::maintenance::SessionStore;
use crate::operator::maintenance::service::{RunsAndSessions, SessionService};
use crate::operator::service::{LeftInEffect, RunService};
use crate::operator::timeline::recorder::TimelineRecorder;
use crate::operator::views::ViewsFile;
use crate::operator::who;
use crate::runtime::clipboard::Clipboard;
use crate::runtime::color::Capabilities;
use crate::runtime::handoff::Copier;
use crate::runtime::keeper::{FileKeeper, KeptFiles};
use crate::runtime::logs::LogFollowing;
use crate::runtime::look::Looking;
use crate::runtime::notices::Notifier;
use crate::runtime::sessions::SessionDesk;
use crate::runtime::shells::{OpenShell, Shells};
use crate::runtime::{Console, ConsoleEnd, Draw, FleetControl, ReadCourses, RuntimeError, terminal};
use crate::view::{ColorSupport, Styles, ViewState, draw, fleet_columns, plain, table};
use jumpdeck_fleet::event::{Answer, QuestionId};
use jumpdeck_fleet::fleet::Fleet;
use jumpdeck_fleet::names::{EnvName, HostName};
use jumpdeck_fleet::table::PlainTable;
use jumpdeck_fleet::text::Clean;

mod opening;

/// News on its way from the actors; a full queue makes them wait.
const QUEUE: usize = 1024;
/// News of runs on its way.
const RUN_QUEUE: usize = 64;

pub(super) fn run(common: &Common, looks: &Looks) -> Result<ExitCode, CliError> {
    let setup = Setup::read(common)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let ended = runtime.block_on(console(common, looks, &setup));
    // Connections that hang must not keep the terminal waiting.
    runtime.shutdown_background();
    Ok(ExitCode::from(ended?.exit_code()))
}

async fn console(common: &Common, looks: &Looks, setup: &Setup) -> Result<ConsoleEnd, CliError> {
    // Everything that may be wrong is said before the terminal is taken.
    let terminal_says = Capabilities::from_environment();
    let (themes, theme_mistakes) = themes(looks, setup, &terminal_says)?;
    let keymap = looks.keymap.as_ref().or(setup.settings.keymap.as_ref()).map_or("default", String::as_str);
    let (keymap, mistakes) =
        files::load_keymap(&setup.paths.keymaps(), keymap).map_err(|error| setup::rendered(vec![*error]))?;
    let mut target = setup::target(common, setup)?;
    // Those of columns that are not shown, too: a view may have been saved with others.
    let columns = fleet_columns();
    let views = ViewsFile { path: setup.paths.views(), rules: view_rules(&columns) };
    let orders: Vec<_> = columns.iter().filter_map(|column| column.order).collect();
    let saved = views.read();
    let (active, shown) = match (&looks.view.view, &saved) {
        (Some(name), Ok(saved)) => opening::saved(name, saved, &orders, &target.fleet)?,
        (None, _) | (Some(_), Err(_)) => {
            let active = active(&target.fleet, looks, setup)?;
            let env = target.fleet.environments.get(active).map(AsRef::as_ref);
            (active, opening::read(&looks.view, env)?)
        }
    };

    let (sender, news) = mpsc::channel(QUEUE);
    let (run_sender, run_news) = mpsc::channel(RUN_QUEUE);
    let desk = Desk::new(sender.clone());
    inventory::watch(target.watched.take(), &target.inventory, sender.clone());
    let (disks, wrong) = target.disks(setup);
    wrong.iter().for_each(|text| super::print::complain(text));
    let store = SessionStore::new(setup.paths.sessions(target.fleet.simulated));
    let (sessions, session_news) = SessionService::new(store, who::who(), target.fleet.simulated);
    let found = RunsAndSessions { runs: LeftRunsFinder::default(), sessions: sessions.clone() };
    let collector = target.collector(Arc::new(desk.clone()), sender, disks.clone());
    let collector = collector.looking_for_runs(Arc::new(found));
    let access = target.access(setup, Arc::new(desk.clone()));
    let tail = common.tail();
    let shells = access.clone();
    let logs = access.clone();
    let looker = HostLooker::new(access.clone());
    let runs = RunService::new(access, target.fleet.clone(), run_sender, tail.clone());
    let left = runs.left();
    let taken = terminal::take().map_err(failed)?;
    let size = taken.terminal.size()?;
    let names = themes.iter().map(|t| t.name.clone()).collect();
    let mut model = Model::new(
        target.fleet.clone(),
        Arc::new(keymap),
        names,
        columns,
        target.clock.now(),
        (size.width, size.height),
    );
    model.active = active;
    model.columns.clone_from(&setup.settings.columns);
    model.zone = jiff::Zoned::now().offset().seconds();
    let refused = |mistakes: &[Diagnostic]| (!mistakes.is_empty()).then(|| Diagnostic::in_one_line(mistakes));
    model.keymap_refused = refused(&mistakes);
    model.theme_refused = refused(&theme_mistakes);
    let palette = setup.paths.palette(target.fleet.simulated);
    // Without one that can be read, nothing was taken yet.
    let history = kept_text::read(&palette, LONGEST_HISTORY);
    model.palette.taken = history.map_or_else(|_| Vec::new(), |text| read_history(&text));
    model.views.orders = orders;
    model.views.take(saved.map_err(|mistakes| views_refused(&mistakes, looks.view.view.as_deref())));
    shown.enter(&mut model);
    model.who = Clean::new(&who::who());
    // A rehearsal wakes nobody, unless that is asked for.
    let notices = setup.settings.notices.or((!target.fleet.simulated).then(NoticeSettings::default));
    let recorder = if target.fleet.simulated {
        TimelineRecorder::none()
    } else {
        model.keep_events();
        let names = target.fleet.environments.iter().map(|env| env.name.clone()).collect();
        TimelineRecorder::start(setup.paths.timelines(), names)
    };
    let support = match setup.settings.color {
        ColorChoice::Auto => terminal_says.wanted,
        ColorChoice::Always => terminal_says.possible,
        ColorChoice::Never => ColorSupport::None,
    };
    let console = Console {
        model,
        terminal: taken.terminal,
        draw: Screens::new(themes, support, &terminal_says),
        fleet: Reached { collector, desk },
        runs,
        stage: taken.guard,
        copier: Copier::new(
            Start { world: common.demo.clone(), tail: common.tail() },
            Clipboard::from_environment(),
            setup.paths.handoff(),
            setup.context.home.clone(),
        ),
        keeper: FileKeeper::new(KeptFiles { views, palette }),
        shells: Shells::new(opens_shells(shells), taken.keyboard),
        logs: LogFollowing::new(Box::new(move |env, request| follow(&logs, env, request))),
        notifier: Notifier::new(notices, Clipboard::from_environment()),
        recorder,
        sessions: SessionDesk::new(sessions, session_news),
        courses: reads_courses(disks.clone()),
        look: Looking::new(Box::new(move |env, host, kind| looker.watch(env, host, kind))),
        clock: target.clock,
        input: taken.input,
        urgent: taken.urgent,
        news,
        run_news,
    };
    let ended = crate::runtime::run(console).await.map_err(failed);
    setup::keep(disks).await.iter().for_each(|text| super::print::complain(text));
    // The terminal is the shell's again; whatever ended the console, nobody leaves without being told.
    for line in still_in_effect(&left, (!target.fleet.simulated).then_some(tail.as_str())) {
        let _ = writeln!(std::io::stderr(), "{line}");
    }
    ended
}

/// What is kept of a host, as it is now.
fn reads_courses(disks: Arc<DiskHistory>) -> ReadCourses {
    Box::new(move |host| disks.courses(host, u32::try_from(jiff::Timestamp::now().as_second()).ok()?))
}

/// Shells over connections of their own, which end with them.
fn opens_shells(access: FleetAccess) -> OpenShell {
    Box::new(move |asked, request| {
        let (access, asked) = (access.clone(), asked.clone());
        Box::pin(async move {
            let commands = FleetCommands::connect(&access, asked.env).await?;
            commands.shell(&asked.host, &request).await
        })
    })
}

/// Why there are no saved views, and that one which was asked for is not shown.
fn views_refused(mistakes: &[Diagnostic], asked: Option<&str>) -> Clean {
    let why = Diagnostic::in_one_line(mistakes);
    match asked {
        Some(name) => Clean::new(&format!("the view {name:?} is not shown; {why}")),
        None => why,
    }
}

/// A line for each thing that runs leave in effect, with the command that goes on with its run, except where the fleet ends
/// with the program.
fn still_in_effect(left: &LeftInEffect, tail: Option<&str>) -> Vec<String> {
    let mut lines = Vec::new();
    for (run, effects) in left.runs() {
        lines.extend(effects.iter().map(|effect| format!("STILL IN EFFECT: {}", effect.line())));
        lines.extend(tail.map(|tail| format!("  to roll back or resume: {}", commands::resume(&run, tail))));
    }
    lines
}

#[allow(clippy::needless_pass_by_value)] // the shape `map_err` wants
fn failed(error: RuntimeError) -> CliError {
    match error {
        RuntimeError::NotATerminal(_) | RuntimeError::DumbTerminal(_) => {
            CliError::NoTerminal(error.to_string())
        }
        RuntimeError::Terminal(_) | RuntimeError::Panicked => CliError::Runtime(error.to_string()),
    }
}

/// The themes there are, the one asked for first, and the mistakes of those that are not. One of these may be the one asked for.
fn themes(
    looks: &Looks,
    setup: &Setup,
    terminal_says: &Capabilities,
) -> Result<(Vec<Theme>, Vec<Diagnostic>), CliError> {
    let (mut themes, mistakes) = files::load_themes(&setup.paths.themes());
    let asked = looks.theme.as_ref().or(setup.settings.theme.as_ref());
    let is_there = |name: &&String| mistakes.is_empty() || themes.iter().any(|theme| theme.name == **name);
    if let Some(name) = asked.filter(is_there) {
        let Some(at) = themes.iter().position(|t| &t.name == name) else {
            let known: Vec<&str> = themes.iter().map(|t| t.name.as_str()).collect();
            return Err(CliError::Usage(format!(
                "there is no theme {name:?}; there are: {}",
                known.join(", ")
            )));
        };
        themes.rotate_left(at);
    } else if terminal_says.light
        && let Some(at) = themes.iter().position(|t| !t.dark)
    {
        themes.rotate_left(at);
    }
    Ok((themes, mistakes))
}

/// Which environment is shown first.
fn active(fleet: &Fleet, looks: &Looks, setup: &Setup) -> Result<usize, CliError> {
    let name = match (&looks.env, &setup.settings.environment) {
        (Some(asked), _) => setup::environment(fleet, asked)?.name.clone(),
        (None, Some(chosen)) => chosen.clone(),
        (None, None) => return Ok(0),
    };
    // An environment that settings name need not be one of a simulated fleet.
    Ok(fleet.environments.iter().position(|e| e.name == name).unwrap_or(0))
}

/// The screens, in the theme in use.
struct Screens {
    themes: Vec<Theme>,
    support: ColorSupport,
    styles: Styles,
    state: ViewState,
}

impl Screens {
    fn new(themes: Vec<Theme>, support: ColorSupport, terminal_says: &Capabilities) -> Self {
        // There is always a theme; without one, the terminal's own colours have to do.
        let styles = themes.first().map(|theme| Styles::new(theme, support)).unwrap_or_default();
        let styles = styles.in_ascii(terminal_says.ascii);
        Self { themes, support, styles, state: ViewState::default() }
    }
}

impl Draw for Screens {
    fn draw(&mut self, frame: &mut Frame<'_>, model: &Model) {
        draw(frame, model, &self.styles, &mut self.state);
    }

    fn use_theme(&mut self, name: &str) {
        if let Some(theme) = self.themes.iter().find(|t| t.name == name) {
            self.styles = Styles::new(theme, self.support).in_ascii(self.styles.ascii);
        }
    }

    fn plain(&self, model: &Model) -> PlainScreen {
        plain(model, &self.styles)
    }

    fn table(&self, model: &Model) -> Result<PlainTable, String> {
        table(model, &self.styles)
    }

    fn room(&self, model: &Model) -> Room {
        let limit = self.state.scroll_limit();
        let on_text = model.screen().kind().is_text();
        Room {
            page: Some(self.state.page()),
            detail_limit: limit.filter(|_| model.help.is_none() && on_text),
            help_limit: limit.filter(|_| model.help.is_some()),
        }
    }
}

/// The way to the fleet.
struct Reached {
    collector: Collector,
    desk: Desk,
}

impl FleetControl for Reached {
    fn activate(&self, env: &EnvName) {
        self.collector.activate(env);
    }

    fn refresh(&self, env: &EnvName) {
        self.collector.refresh(env);
    }

    fn retry(&self, env: &EnvName, host: Option<&HostName>) {
        self.collector.retry(env, host);
    }

    fn use_inventory(&self, fleet: &Arc<Fleet>) {
        self.collector.use_inventory(fleet);
    }

    fn answer(&self, id: QuestionId, answer: Answer) {
        self.desk.answer(id, answer);
    }
}
