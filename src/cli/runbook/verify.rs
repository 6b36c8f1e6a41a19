//! `jumpdeck runbook verify RUN`: what a journal proves, and to whom: whether it is whole, who signed it, who approved.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::site::RunSite;
use crate::cli::common::{CliError, Common};
use crate::cli::terminal::paper::{Ink, Paper};
use crate::cli::{print, setup};
use crate::operator::verify::{JournalFile, OnJumpBox, Signers};
use crate::runbook::examine::{Examination, Grade, Remark};
use jumpdeck_fleet::text::Clean;

/// The exit status when something is changed, cut or forged: 2 is that of a command that is written wrongly.
const BROKEN: u8 = 3;

/// Which run, and by whose keys.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct VerifyArgs {
    /// The run, or a journal copied from elsewhere: a path that ends in .jsonl, its .head beside it
    run: String,
    /// Who may sign, in the form of ssh-keygen(1), ALLOWED SIGNERS [default: allowed_signers beside config.toml]
    #[arg(long, value_name = "FILE")]
    allowed_signers: Option<PathBuf>,
    /// Also compare it with the run's entries on the jump box
    #[arg(long)]
    jump: bool,
    /// The environment whose jump box is asked [default: the run's own]
    #[arg(long, short, value_name = "NAME")]
    env: Option<String>,
}

impl VerifyArgs {
    pub(super) fn or_env(mut self, before: Option<String>) -> Self {
        self.env = self.env.or(before);
        self
    }
}

pub(super) async fn run(common: &Common, args: &VerifyArgs) -> Result<ExitCode, CliError> {
    let (paths, _) = setup::places()?;
    let path = match args.run.ends_with(".jsonl") {
        true => PathBuf::from(&args.run),
        false => paths.runs().join(format!("{}.jsonl", args.run)),
    };
    let journal = JournalFile::read(path)?;
    let signers = Signers::read(args.allowed_signers.as_deref(), paths.allowed_signers())?;
    let there = match args.jump {
        true => Some(on_the_jump_box(common, args, &journal).await?),
        false => None,
    };
    let found = journal.examine(&signers, there.as_ref());
    let mut paper = Paper::of_stdout();
    paper.exact(0, Ink::Bold, Clean::new(journal.run()).as_str());
    let file = signers.file.display();
    match signers.known {
        true => paper.field(2, "signers", Ink::Plain, &file.to_string()),
        false => paper.field(2, "signers", Ink::Warn, &format!("none known: {file} does not exist")),
    }
    for (line, what) in signers.allowed.flaws() {
        paper.words(2, Ink::Warn, &format!("{file} line {line} is ignored: {what}"));
    }
    match &there {
        None => {}
        Some(Ok(there)) => paper.field(2, "jump box", Ink::Plain, &format!("{} entries", there.len())),
        Some(Err(why)) => paper.field(2, "jump box", Ink::Warn, why.as_str()),
    }
    write(&mut paper, &found);
    print::answer(&paper.take())?;
    Ok(ExitCode::from(match found.grade() {
        Grade::Proved => 0,
        Grade::Unproved => 1,
        Grade::Broken => BROKEN,
    }))
}

/// What the jump box of the run's environment has of it.
async fn on_the_jump_box(
    common: &Common,
    args: &VerifyArgs,
    journal: &JournalFile,
) -> Result<OnJumpBox, CliError> {
    let of = journal.environment()?;
    let site = RunSite::open(common, args.env.as_deref().or(of.as_deref()))?;
    Ok(journal.on_jump_box(&site.access).await?)
}

fn write(paper: &mut Paper, found: &Examination) {
    for seen in &found.signatures {
        let touched = match seen.touched {
            Some(true) => ", touched",
            Some(false) => ", without a touch",
            None => "",
        };
        let (ink, of) = (if seen.proved { Ink::Good } else { Ink::Warn }, &seen.of);
        let verdict = if seen.proved { "" } else { " (see below)" };
        let (line, by, key) = (seen.line, &seen.by, &seen.key);
        let text = format!("line {line}: {of}, signed by {by} with {key}{touched}{verdict}");
        paper.words(2, ink, Clean::new(&text).as_str());
    }
    for Remark { lines, grade, what, meaning } in &found.remarks {
        let place = match lines.as_slice() {
            [] => String::new(),
            [one] => format!("line {one}: "),
            some => format!("lines {}: ", some.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")),
        };
        let (ink, word) = match grade {
            Grade::Broken => (Ink::Bad, "BROKEN"),
            Grade::Unproved => (Ink::Warn, "not proved"),
            Grade::Proved => (Ink::Plain, "note"),
        };
        paper.words(2, ink, Clean::new(&format!("{word}: {place}{what}")).as_str());
        paper.words(4, Ink::Dim, meaning);
    }
    let count = match found.entries {
        1 => "1 entry".to_owned(),
        n => format!("{n} entries"),
    };
    let (ink, says) = match found.grade() {
        Grade::Proved => (Ink::Good, format!("proved: {count}, complete and signed by known people")),
        Grade::Unproved => (
            Ink::Warn,
            format!("not proved: no contradiction in {count}, but the points above are not proved"),
        ),
        Grade::Broken => (Ink::Bad, "broken: changed, cut or forged".to_owned()),
    };
    paper.words(0, ink, &says);
}
