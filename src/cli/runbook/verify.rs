//! `jumpdeck runbook verify RUN`: what a journal proves, and to whom: whether it is whole, who signed it, who approved.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::site::Site;
use super::text::{Ink, Paper};
use crate::cli::common::{CliError, Common};
use crate::cli::{print, setup};
use crate::openssh::bounded;
use crate::openssh::sshsig::AllowedSigners;
use crate::runbook::evidence::{self, Head};
use crate::runbook::examine::{Examination, Grade, Remark, Seen, examine};
use crate::runbook::journal::{self, Entry};
use crate::runbook::lease::{self, LeaseError, Places};
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
    /// Compare it with what the jump box has of the run, too
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
    let run = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let cannot = |at: &Path, e: &dyn std::fmt::Display| CliError::Refused(format!("{}: {e}", at.display()));
    let bytes = fs::read(&path).map_err(|e| cannot(&path, &e))?;
    let head = Head::of(&path).map_err(|e| cannot(&evidence::head_path(&path), &e))?;
    let file = args.allowed_signers.clone().unwrap_or_else(|| paths.allowed_signers());
    let (allowed, known) = match bounded::read(&file, bounded::LONGEST_LIST) {
        Ok(bytes) => (AllowedSigners::read(&String::from_utf8_lossy(&bytes)), true),
        Err(error) if args.allowed_signers.is_none() && error.kind() == ErrorKind::NotFound => {
            (AllowedSigners::default(), false)
        }
        Err(error) => return Err(cannot(&file, &error)),
    };
    let there = match args.jump {
        true => Some(on_the_jump_box(common, args, &path, &run).await?),
        false => None,
    };
    let elsewhere = there.as_ref().and_then(|there| there.as_deref().ok());
    let found = examine(&Seen { run: &run, journal: &bytes, head: &head, elsewhere }, &allowed);
    let mut paper = Paper::of_stdout();
    paper.exact(0, Ink::Bold, Clean::new(&run).as_str());
    match known {
        true => paper.field(2, "signers", Ink::Plain, &file.display().to_string()),
        false => {
            paper.field(2, "signers", Ink::Warn, &format!("none known: {} does not exist", file.display()))
        }
    }
    for (line, what) in allowed.flaws() {
        paper.words(2, Ink::Warn, &format!("{} line {line} counts for nothing: {what}", file.display()));
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

type There = Result<Vec<(u64, String)>, Clean>;

/// Number and hash of what the jump box has of the run; in words, when it has nothing (any more).
async fn on_the_jump_box(
    common: &Common,
    args: &VerifyArgs,
    path: &Path,
    run: &str,
) -> Result<There, CliError> {
    let entries = journal::read(path).map_err(|error| CliError::Refused(error.to_string()))?;
    let of = crate::runbook::runner::frozen(&entries).map(|plan| plan.environment.clone());
    let site = Site::open(common, args.env.as_deref().or(of.as_deref()))?;
    let session = site.access.jump().await?;
    let mut watching = lease::watch_in(&Places::of(&site.access.env), session, run)?;
    let mut found: Vec<(u64, String)> = Vec::new();
    loop {
        let seen = match watching.poll().await {
            Ok(Some(seen)) => seen,
            Ok(None) => break,
            Err(LeaseError::NoRun) => return Ok(Err(Clean::new("it keeps nothing of this run (any more)"))),
            Err(error) => return Err(error.into()),
        };
        let before = found.len();
        found.extend(seen.into_iter().filter_map(|seen| match seen {
            lease::Seen::Entry(entry) => {
                let Entry { seq, hash, .. } = *entry;
                Some((seq, hash))
            }
            lease::Seen::Holder(_) => None,
        }));
        if found.len() == before && !watching.is_behind() {
            break;
        }
    }
    Ok(Ok(found))
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
        Grade::Proved => (Ink::Good, format!("proved: {count}, whole, and signed by people who are known")),
        Grade::Unproved => {
            (Ink::Warn, format!("not proved: nothing contradicts the {count}, but something is missing"))
        }
        Grade::Broken => (Ink::Bad, "broken: changed, cut or forged".to_owned()),
    };
    paper.words(0, ink, &says);
}
