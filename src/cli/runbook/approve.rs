//! `jumpdeck runbook approve RUN STEP`: the yes of a second person, who sees what it is said to, and types it.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::keys::{Keys, Typed};
use super::site::Site;
use super::text::{Ink, Paper};
use super::who;
use crate::cli::common::{CliError, Common};
use crate::cli::print;
use crate::openssh::sshsig::NotSigned;
use crate::operator::following::Following;
use crate::runbook::approval::{self, Approval, Question};
use crate::runbook::event::Event;
use crate::runbook::evidence::NAMESPACE;
use crate::runbook::journal::Entry;
use crate::runbook::lease::{self, Places};
use crate::runbook::library::Library;
use crate::runbook::machine::Machine;
use crate::runbook::reach::Reach;
use crate::runbook::replay;
use jumpdeck_fleet::fleet::Signatures;
use jumpdeck_fleet::run::RunView;
use jumpdeck_fleet::text::Clean;

/// A person may take so long to touch their key.
const TOUCH: Duration = Duration::from_secs(60);

/// To what.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct ApproveArgs {
    /// The run
    run: String,
    /// The step that asks for it
    step: String,
    /// The environment it is in [default: the one in use]
    #[arg(long, short, value_name = "NAME")]
    env: Option<String>,
}

impl ApproveArgs {
    pub(super) fn or_env(mut self, before: Option<String>) -> Self {
        self.env = self.env.or(before);
        self
    }
}

pub(super) async fn run(common: &Common, args: &ApproveArgs) -> Result<ExitCode, CliError> {
    let site = Site::attended(common, args.env.as_deref())?;
    let mut watched = Following::open(&*site.reach, &site.env, &args.run).await.map_err(CliError::Refused)?;
    let mut view = None;
    // Entries come in pieces.
    while let Some(Some(newer)) = watched.look(site.clock.now()).await.map_err(CliError::Refused)? {
        view = Some(newer);
    }
    let view = view.ok_or_else(|| CliError::Refused("no entry of that run can be seen".to_owned()))?;
    let machine = replay::machine(watched.entries()).map_err(|e| CliError::Refused(e.to_string()))?;
    let question = asked(watched.asks(), &machine, &args.step)?;
    let mut paper = Paper::of_stdout();
    write(&mut paper, &view, trouble(&view, watched.entries()), &machine, question);
    print::answer(&paper.take())?;
    let who = who::who();
    let mut keys = site
        .terminal
        .clone()
        .ok_or_else(|| CliError::NoTerminal("there is no terminal: answers are typed".to_owned()))?;
    let said = keys.line(&format!("type yes to approve it as {who}> "), true).await;
    if !matches!(said, Typed::Line(line) if line.trim() == "yes") {
        print::answer("not approved\n")?;
        return Ok(ExitCode::from(1));
    }
    let jump = site.reach.host(site.reach.jump()).await;
    let jump = jump.map_err(|e| CliError::Refused(format!("{}: {}", e.hop, e.describe())))?;
    let mut approval = Approval::to(question, &who);
    approval.sig = signature(&site, &approval).await?;
    let done = lease::approve_in(&Places::of(&site.env), &*jump, &approval).await;
    done.map_err(|error| CliError::Refused(error.to_string()))?;
    print::answer("approved\n")?;
    Ok(ExitCode::SUCCESS)
}

/// The second person's signature. Without a key they say so and approve unsigned, except where signatures are demanded.
async fn signature(site: &Site, approval: &Approval) -> Result<Option<String>, CliError> {
    let waits = || {
        drop(print::answer("touch your security key, or say yes to your SSH agent: it signs your approval\n"))
    };
    let made = match site.reach.signing().await.signer {
        Ok(signer) => signer.sign(NAMESPACE, approval.text().as_bytes(), TOUCH, waits).await,
        Err(why) => Err(NotSigned(why)),
    };
    match made.map(|signature| signature.to_base64()) {
        Ok(sig) => Ok(sig),
        Err(why) if site.env.signatures == Signatures::Required => Err(CliError::Refused(format!(
            "not approved: {} demands signatures, and there is no signing key ({why})",
            site.env.name
        ))),
        Err(why) => {
            print::answer(&format!("unsigned: no signing key ({})\n", Clean::new(&why.to_string())))?;
            Ok(None)
        }
    }
}

/// The question that stands, when it is the step's and about what the run's entries say.
fn asked<'q>(asks: Option<&'q Question>, machine: &Machine, step: &str) -> Result<&'q Question, CliError> {
    if machine.steps().all(|at| *at.id() != step) {
        return Err(CliError::Usage(format!("this run has no step {step:?}")));
    }
    let Some(question) = asks else {
        let why = "the run asks for no approval now; it says on its screen when it does";
        return Err(CliError::Refused(why.to_owned()));
    };
    if question.step != step {
        return Err(CliError::Refused(format!(
            "the run asks for an approval of {}, not of {step}",
            question.step
        )));
    }
    if !question.is_about(machine) {
        let why = "what the run asks to approve is not what its entries say: do not approve it; both consoles must \
                   be the same version of jumpdeck";
        return Err(CliError::Refused(why.to_owned()));
    }
    Ok(question)
}

/// What went wrong last, since the run is in this operator's hands: whoever approves must know it.
fn trouble(view: &RunView, entries: &[Entry]) -> Option<Clean> {
    let since = entries.iter().rev().take_while(|entry| !matches!(entry.event, Event::Resumed { .. }));
    let mut troubles = since.filter_map(|entry| {
        let Event::Trouble { text } = &entry.event else { return None };
        Some(Clean::new(text))
    });
    view.trouble.clone().or_else(|| troubles.next())
}

/// What is approved: the run, what could not be proved, and every command until the next question.
fn write(paper: &mut Paper, view: &RunView, trouble: Option<Clean>, machine: &Machine, question: &Question) {
    let simulated = if view.simulated { "  SIMULATED" } else { "" };
    paper.words(0, Ink::Bold, &format!("{}: {}{simulated}", view.env, view.title));
    paper.field(2, "run", Ink::Plain, &view.id);
    paper.field(2, "who", Ink::Plain, view.who.as_str());
    paper.field(2, "why", Ink::Plain, view.why.as_str());
    // By its sources as they stand in the entries, not by what is said of them.
    let runbook = &machine.plan().runbook;
    let (ink, whose) = whose(&runbook.name, &runbook.hash);
    let short: String = runbook.hash.chars().take(12).collect();
    paper.field(2, "runbook", ink, &format!("{} {short} ({whose})", runbook.name));
    if let Some(trouble) = trouble {
        paper.words(2, Ink::Bad, &format!("! {trouble}"));
    }
    for line in approval::shown(machine, &question.step, &question.doubts).unwrap_or_default() {
        let ink = match line.trim_start() {
            doubt if doubt.starts_with("not proved: ") => Ink::Bad,
            title if title.starts_with("step ") || title.starts_with("then ") => Ink::Warn,
            _ => Ink::Plain,
        };
        paper.exact(2, ink, &line);
    }
}

/// Whether a runbook is the one that comes with this program: an own one of the same name replaces it.
fn whose(name: &str, hash: &str) -> (Ink, &'static str) {
    let (built_in, _) = Library::load(Path::new(""));
    match built_in.get(name) {
        Some(runbook) if runbook.hash == hash => (Ink::Plain, "built in"),
        Some(_) => {
            (Ink::Bad, "NOT the built-in runbook of that name: the operator's own, or another version's")
        }
        None => (Ink::Warn, "the operator's own"),
    }
}
