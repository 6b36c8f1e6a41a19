//! `jumpdeck session …`: a maintenance session, kept on this machine and on the jump box.

use std::io::Read as _;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use jiff::tz::TimeZone;

use self::site::SessionSite;
use super::common::{CliError, Common};
use super::events::time;
use super::print;
use crate::operator::maintenance::mirror::{MirrorError, Mirrored};
use crate::operator::maintenance::record::RecordError;
use crate::operator::maintenance::report::SessionReport;
use crate::operator::maintenance::{KeptSession, is_id, new_id};
use crate::runbook::lease::LeasePlaces;
use crate::runbook::wall;
use jumpdeck_fleet::maintenance::{MaintenanceSession, SessionEntry, SessionHead, means};
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::timeline::WallTime;

mod agree;
mod jotted;
mod list;
mod site;
mod text;

pub(super) use jotted::Jotted;

/// A longer reason, ticket or name is refused.
const LONGEST: usize = 300;
/// More people are refused.
const MOST_PEOPLE: usize = 20;
/// A longer note is refused.
const LONGEST_NOTE: usize = 16 << 10;

/// A maintenance session: two people, some hours, one record. Exit 0 done, 1 refused, 2 usage
#[derive(Debug, Subcommand)]
pub(super) enum SessionCommand {
    /// Start a session of an environment
    Start(StartArgs),
    /// Add a note to the session (Markdown): the words given, or standard input
    Note(NoteArgs),
    /// Join a session of somebody else; confirms it when it was handed over to you
    Join(NamedArgs),
    /// Hand the session over to somebody, who confirms it by joining
    Handover(HandoverArgs),
    /// End the session
    End(EndArgs),
    /// List sessions, the newest first: those on the jump box and those on this machine
    List(ListArgs),
    /// Show a session: who takes part, what happened
    Show(NamedArgs),
    /// Print the report of a session, in the manner of a change log
    Report(SessionReportArgs),
}

/// Where, and whether the jump box is asked.
#[derive(Debug, Clone, Args)]
struct SiteArgs {
    /// The environment [default: the one of config.toml, else the inventory's first]
    #[arg(long, short, value_name = "NAME")]
    env: Option<String>,
    /// Use this machine alone and do not connect to the jump box
    #[arg(long)]
    here: bool,
}

/// What a session is.
#[derive(Debug, Clone, Args)]
pub(super) struct StartArgs {
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// The ticket
    #[arg(long, value_name = "TEXT", default_value = "")]
    ticket: String,
    /// Who is meant to take part; several with commas
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    with: Vec<String>,
    /// How long it is planned to last: 90m, 3h
    #[arg(long = "for", value_name = "TIME", value_parser = time)]
    lasts: std::time::Duration,
    #[command(flatten)]
    site: SiteArgs,
}

#[derive(Debug, Clone, Args)]
pub(super) struct NoteArgs {
    /// The note [default: standard input]
    #[arg(value_name = "TEXT")]
    words: Vec<String>,
    #[command(flatten)]
    site: SiteArgs,
}

#[derive(Debug, Clone, Args)]
pub(super) struct NamedArgs {
    /// The session [default: the one of the environment that is under way]
    #[arg(value_name = "SESSION")]
    id: Option<String>,
    #[command(flatten)]
    site: SiteArgs,
}

#[derive(Debug, Clone, Args)]
pub(super) struct HandoverArgs {
    /// Who: anna, or anna@desk
    #[arg(value_name = "NAME")]
    to: String,
    #[command(flatten)]
    site: SiteArgs,
}

#[derive(Debug, Clone, Args)]
pub(super) struct EndArgs {
    /// What remains to be said
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    /// End it without a question; where the inventory says guard = "challenge", name the environment, too
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    site: SiteArgs,
}

#[derive(Debug, Clone, Args)]
pub(super) struct ListArgs {
    /// How to print it: JSON is one document (docs/sessions.md)
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    format: ListFormat,
    #[command(flatten)]
    site: SiteArgs,
}

#[derive(Debug, Clone, Args)]
pub(super) struct SessionReportArgs {
    /// How to print it; JSON is one document (docs/sessions.md)
    #[arg(long, value_enum, default_value_t = SessionFormat::Md)]
    format: SessionFormat,
    #[command(flatten)]
    named: NamedArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ListFormat {
    Text,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SessionFormat {
    Md,
    Json,
}

impl From<RecordError> for CliError {
    fn from(error: RecordError) -> Self {
        Self::Refused(error.to_string())
    }
}

impl From<MirrorError> for CliError {
    fn from(error: MirrorError) -> Self {
        Self::Refused(error.to_string())
    }
}

/// Runs a subcommand to its end. `env` is what was named before the command.
pub(super) fn run(
    common: &Common,
    mut command: SessionCommand,
    env: Option<String>,
) -> Result<ExitCode, CliError> {
    let site = match &mut command {
        SessionCommand::Start(args) => &mut args.site,
        SessionCommand::Note(args) => &mut args.site,
        SessionCommand::Join(args) | SessionCommand::Show(args) => &mut args.site,
        SessionCommand::Handover(args) => &mut args.site,
        SessionCommand::End(args) => &mut args.site,
        SessionCommand::List(args) => &mut args.site,
        SessionCommand::Report(args) => &mut args.named.site,
    };
    site.env = site.env.take().or(env);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let done = runtime.block_on(perform(common, command));
    // Connections that hang must not hold the answer back.
    runtime.shutdown_background();
    done.map(|()| ExitCode::SUCCESS)
}

async fn perform(common: &Common, command: SessionCommand) -> Result<(), CliError> {
    match command {
        SessionCommand::Start(args) => start(common, &args).await,
        SessionCommand::Note(args) => note(common, &args).await,
        SessionCommand::Join(args) => join(common, &args).await,
        SessionCommand::Handover(args) => hand_over(common, &args).await,
        SessionCommand::End(args) => end(common, &args).await,
        SessionCommand::List(args) => list::run(common, &args).await,
        SessionCommand::Show(args) => show(common, &args).await,
        SessionCommand::Report(args) => report(common, &args).await,
    }
}

/// Now, by this machine's clock.
fn now() -> WallTime {
    WallTime(jiff::Timestamp::now().as_second())
}

/// A text of the command line that goes into the record.
fn bounded(what: &str, text: &str) -> Result<Clean, CliError> {
    let count = text.chars().count();
    if count > LONGEST {
        return Err(CliError::Usage(format!("{what} has {count} characters, at most {LONGEST} are kept")));
    }
    Ok(Clean::new(text.trim()))
}

async fn start(common: &Common, args: &StartArgs) -> Result<(), CliError> {
    let reason = bounded("the reason", &args.reason)?;
    if reason.is_empty() {
        return Err(CliError::Usage("--reason is empty: say why".to_owned()));
    }
    if args.lasts.as_secs() < 60 || args.lasts.as_secs() > 14 * 86_400 {
        return Err(CliError::Usage("--for must be from 1 minute to 14 days".to_owned()));
    }
    if args.with.len() > MOST_PEOPLE {
        return Err(CliError::Usage(format!("--with has more than {MOST_PEOPLE} names")));
    }
    let people = args.with.iter().map(|name| bounded("a name of --with", name)).collect::<Result<_, _>>()?;
    let mut site = SessionSite::open(common, &args.site)?;
    if let Some((_, open)) = site.store.open(&site.env.name) {
        return Err(CliError::Refused(format!(
            "{} has a session already: {}; end it first: jumpdeck session end --env {}",
            site.env.name,
            text::brief(&open),
            site.env.name
        )));
    }
    let began = now();
    let head = SessionHead {
        id: new_id(began),
        env: site.env.name.clone(),
        simulated: site.simulated,
        reason,
        ticket: bounded("the ticket", &args.ticket)?,
        people,
        began,
        by: Clean::new(&site.who),
        until: began.plus(args.lasts),
    };
    let kept = match site.jump().await {
        Some(Ok(jump)) => site.mirror(&*jump).start(&site.store, &site.who, &head).await?,
        Some(Err(why)) => {
            print::complain(&format!(
                "others cannot see this session yet, and may start another: {why}; it is sent when the jump box answers again"
            ));
            here(&site, &head)?
        }
        None => here(&site, &head)?,
    };
    let mirrored = site.sync(&kept).await;
    let story =
        kept.story().ok_or_else(|| CliError::Refused("the session could not be read back".to_owned()))?;
    print::answer(&format!("{}\n", text::brief(&story)))?;
    tell(&mirrored);
    Ok(())
}

fn here(site: &SessionSite, head: &SessionHead) -> Result<KeptSession, CliError> {
    let kept = site.store.session(&head.env, &head.id);
    kept.start(&site.who, head)?;
    Ok(kept)
}

/// The session of the environment in which this machine takes part.
fn own(site: &SessionSite) -> Result<(KeptSession, MaintenanceSession), CliError> {
    let env = &site.env.name;
    site.store.open(env).ok_or_else(|| {
        CliError::Refused(format!(
            "this account takes part in no session of {env} that is under way; see jumpdeck session list --env {env}"
        ))
    })
}

async fn note(common: &Common, args: &NoteArgs) -> Result<(), CliError> {
    let words = if args.words.is_empty() {
        let mut text = String::new();
        std::io::stdin().take(LONGEST_NOTE as u64 + 1).read_to_string(&mut text)?;
        text
    } else {
        args.words.join(" ")
    };
    let words = words.trim();
    if words.is_empty() {
        return Err(CliError::Usage("the note is empty".to_owned()));
    }
    if words.len() > LONGEST_NOTE {
        return Err(CliError::Usage(format!(
            "the note is longer than {} KiB: write it in parts",
            LONGEST_NOTE >> 10
        )));
    }
    let mut site = SessionSite::open(common, &args.site)?;
    let (kept, _) = own(&site)?;
    kept.own().append(&site.who, jiff::Timestamp::now(), &[SessionEntry::Note(Clean::lines(words))])?;
    print::answer(&format!("noted in session {}\n", kept.id()))?;
    tell(&site.sync(&kept).await);
    Ok(())
}

async fn join(common: &Common, args: &NamedArgs) -> Result<(), CliError> {
    let mut site = SessionSite::open(common, &args.site)?;
    let (kept, story) = find(&mut site, args.id.as_deref()).await?;
    if !story.is_open() {
        return Err(CliError::Refused(format!("session {} has ended", kept.id())));
    }
    let who = site.who.clone();
    let confirms = story.handed_to.as_ref().is_some_and(|pending| pending.is_for(&who));
    if kept.own().exists() && story.has(&who) && !confirms {
        print::answer(&format!("you take part already: {}\n", text::brief(&story)))?;
    } else {
        kept.join(&who, jiff::Timestamp::now(), &story)?;
        let leads = if confirms { "you lead it from here on" } else { "you joined" };
        print::answer(&format!("{leads}: {}\n", text::brief(&story)))?;
    }
    tell(&site.sync(&kept).await);
    Ok(())
}

/// A session by its name; without one, the one of the environment that is under way. With what the jump box has.
async fn find(
    site: &mut SessionSite,
    id: Option<&str>,
) -> Result<(KeptSession, MaintenanceSession), CliError> {
    if let Some(id) = id.filter(|id| !is_id(id)) {
        return Err(CliError::Usage(format!("{id:?} is not the name of a session")));
    }
    let env = site.env.name.clone();
    let here = match id {
        Some(id) => Some(site.store.session(&env, id)),
        None => site.store.open(&env).map(|(kept, _)| kept),
    };
    if let Some(kept) = here.filter(|kept| kept.own().exists()) {
        // What others wrote comes first.
        tell(&site.sync(&kept).await);
        let story = kept.story();
        return story.map(|story| (kept, story)).ok_or_else(|| unreadable(id));
    }
    let there = match site.jump().await {
        Some(Ok(jump)) => site.mirror(&*jump).list(&env).await?,
        Some(Err(why)) => return Err(CliError::Refused(why)),
        None => Vec::new(),
    };
    let wanted = there.into_iter().find(|one| match id {
        Some(id) => one.id == id,
        None => !one.over,
    });
    match wanted {
        Some(found) => match found.story {
            Some(story) => Ok((site.store.session(&env, &found.id), story)),
            None => Err(unreadable(Some(&found.id))),
        },
        None => Err(CliError::Refused(match id {
            Some(id) => format!("there is no session {id} of {env}; see jumpdeck session list --env {env}"),
            None => format!("no session of {env} is under way; see jumpdeck session list --env {env}"),
        })),
    }
}

fn unreadable(id: Option<&str>) -> CliError {
    let which = id.map(|id| format!(" {id}")).unwrap_or_default();
    CliError::Refused(format!("the session{which} cannot be read: no record says what it is"))
}

async fn hand_over(common: &Common, args: &HandoverArgs) -> Result<(), CliError> {
    let to = bounded("the name", &args.to)?;
    if to.is_empty() {
        return Err(CliError::Usage("the name is empty".to_owned()));
    }
    let mut site = SessionSite::open(common, &args.site)?;
    let (kept, _) = own(&site)?;
    if means(to.as_str(), &site.who) {
        return Err(CliError::Usage(format!("{to} is you: name somebody else")));
    }
    kept.own().append(&site.who, jiff::Timestamp::now(), &[SessionEntry::HandedOver { to: to.clone() }])?;
    let (id, env) = (kept.id(), &site.env.name);
    print::answer(&format!(
        "handed over to {to}, who confirms it with: jumpdeck session join {id} --env {env}\n"
    ))?;
    tell(&site.sync(&kept).await);
    Ok(())
}

async fn end(common: &Common, args: &EndArgs) -> Result<(), CliError> {
    let reason = bounded("the reason", &args.reason)?;
    let mut site = SessionSite::open(common, &args.site)?;
    let (kept, story) = own(&site)?;
    agree::to_end(&site, &story, args.yes, args.site.env.is_some()).await?;
    kept.own().append(&site.who, jiff::Timestamp::now(), &[SessionEntry::Ended { reason }])?;
    let (id, env) = (kept.id(), &site.env.name);
    print::answer(&format!("ended; its report: jumpdeck session report {id} --env {env}\n"))?;
    tell(&site.sync(&kept).await);
    Ok(())
}

async fn show(common: &Common, args: &NamedArgs) -> Result<(), CliError> {
    let mut site = SessionSite::open(common, &args.site)?;
    let (_, story) = find(&mut site, args.id.as_deref()).await?;
    print::answer(&text::whole(&story, now()))?;
    Ok(())
}

async fn report(common: &Common, args: &SessionReportArgs) -> Result<(), CliError> {
    let mut site = SessionSite::open(common, &args.named.site)?;
    let (_, story) = find(&mut site, args.named.id.as_deref()).await?;
    let journals = site.journals();
    let places = LeasePlaces::of(&site.env);
    let report = match site.jump().await {
        Some(Ok(jump)) => SessionReport::make(&story, &journals, Some((&places, &*jump))).await,
        Some(Err(_)) | None => SessionReport::make(&story, &journals, None).await,
    };
    let text = match args.format {
        SessionFormat::Md => report.to_markdown(&TimeZone::system()),
        SessionFormat::Json => format!("{}\n", report.to_json().map_err(std::io::Error::from)?),
    };
    print::answer(&text)?;
    Ok(())
}

/// Says what the jump box does not have.
fn tell(mirrored: &Option<Result<Mirrored, String>>) {
    match mirrored {
        None => {}
        Some(Ok(mirrored)) => {
            if mirrored.behind > 0 {
                let why = mirrored.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
                let lines = if mirrored.behind == 1 {
                    "1 line is"
                } else {
                    &format!("{} lines are", mirrored.behind)
                };
                print::complain(&format!("{lines} on this machine only, not yet on the jump box{why}"));
            } else if !mirrored.shared {
                print::complain(
                    "other accounts cannot see the session: the folder of the operators' group is missing on the jump box (docs/security.md)",
                );
            }
        }
        Some(Err(why)) => print::complain(&format!(
            "it is kept on this machine and not yet on the jump box: {why}; it is sent with the next command or console of this session"
        )),
    }
}

/// A time for people, of this machine's zone.
fn shown(at: WallTime) -> String {
    jiff::Timestamp::from_second(at.0)
        .map_or_else(|_| "?".to_owned(), |at| wall::minute(at, &TimeZone::system()))
}
