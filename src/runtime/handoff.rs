//! Copies the view on screen: to the terminal's clipboard, and into a file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;

use super::clipboard::{self, Clipboard};
use crate::app::handoff::{Handoff, PlainScreen};
use crate::app::message::{CopyOutcome, ExportTarget, HandoverNews};
use crate::app::model::Model;
use crate::app::opening::OpeningView;
use crate::app::screens::ShownRun;
use crate::operator::commands::{self, Start};
use crate::operator::export::{export_path, table_text, write_new};
use crate::operator::handoff::HandoffFolder;
use jumpdeck_fleet::table::{PlainTable, TableFormat};
use jumpdeck_fleet::text::Clean;

/// How long a file may take: a disk that hangs holds back no answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Where copies go, and how what is copied is opened again.
#[derive(Debug)]
pub struct Copier {
    start: Start,
    clipboard: Clipboard,
    folder: HandoffFolder,
    home: PathBuf,
    done: mpsc::UnboundedSender<HandoverNews>,
    /// What became of copies and exports.
    pub(super) outcomes: mpsc::UnboundedReceiver<HandoverNews>,
}

impl Copier {
    /// Copies to that clipboard, and into files in `folder`; a path below `home` is shown with `~`.
    #[must_use]
    pub fn new(start: Start, clipboard: Clipboard, folder: PathBuf, home: PathBuf) -> Self {
        let (done, outcomes) = mpsc::unbounded_channel();
        Self { start, clipboard, folder: HandoffFolder(folder), home, done, outcomes }
    }

    /// Copies the view: `send` writes to the terminal. The outcome comes later.
    pub(super) fn copy(
        &self,
        model: &Model,
        screen: &PlainScreen,
        send: impl FnOnce(&[u8]) -> std::io::Result<()>,
    ) {
        let now = Timestamp::now();
        let said = now.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
        let handoff = Handoff::new(model, screen, &said, self.command(model));
        let terminal = match self.clipboard.sequence(&handoff.within(clipboard::MOST)) {
            Ok(sequence) => send(&sequence).map_err(|error| error.to_string()),
            Err(why) => Err(why.to_owned()),
        };
        let (folder, home, done) = (self.folder.clone(), self.home.clone(), self.done.clone());
        let (moment, text) = (now.strftime("%Y%m%dT%H%M%SZ").to_string(), handoff.within(usize::MAX));
        tokio::spawn(async move {
            let kept = tokio::task::spawn_blocking(move || folder.keep(&moment, &text));
            let file = match tokio::time::timeout(PATIENCE, kept).await {
                Ok(Ok(Ok(path))) => Ok(shown(&path, &home)),
                Ok(Ok(Err(error))) => Err(Clean::new(&error.to_string()).to_string()),
                Ok(Err(panicked)) => Err(panicked.to_string()),
                Err(_) => Err(format!("it took more than {} s", PATIENCE.as_secs())),
            };
            // A console that has ended reads no outcome.
            let _ = done.send(HandoverNews::Copied(CopyOutcome { terminal, file }));
        });
    }

    /// Exports a table: `send` writes to the terminal. The outcome comes later.
    pub(super) fn export(
        &self,
        table: &Result<PlainTable, String>,
        format: TableFormat,
        target: ExportTarget,
        send: impl FnOnce(&[u8]) -> std::io::Result<()>,
    ) {
        let text = match table {
            Err(why) => Err(why.clone()),
            Ok(table) => table_text(table, format).map_err(|error| error.to_string()),
        };
        let rows = table.as_ref().map_or(0, |table| table.rows.len());
        let rows = if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") };
        let done = self.done.clone();
        let tell = move |outcome: Result<String, String>| {
            let outcome = outcome.map_err(|why| Clean::new(&why).to_string());
            // A console that has ended reads no outcome.
            let _ = done.send(HandoverNews::Exported(outcome));
        };
        let (text, name) = match (text, target) {
            (Err(why), _) => return tell(Err(why)),
            (Ok(text), ExportTarget::Clipboard) => {
                return tell(self.to_clipboard(&text, send).map(|()| {
                    format!("{rows} copied as {} (if your terminal allows OSC 52)", format.name())
                }));
            }
            (Ok(text), ExportTarget::File(name)) => (text, name),
        };
        let home = self.home.clone();
        tokio::spawn(async move {
            let path = export_path(&name, &home);
            let said = format!("{rows} in {}", shown(&path, &home));
            let written = tokio::task::spawn_blocking(move || write_new(&path, &text));
            tell(match tokio::time::timeout(PATIENCE, written).await {
                Ok(Ok(written)) => written.map(|()| said),
                Ok(Err(panicked)) => Err(panicked.to_string()),
                Err(_) => Err(format!("it took more than {} s", PATIENCE.as_secs())),
            });
        });
    }

    /// A part of a table would be taken for all of it.
    fn to_clipboard(
        &self,
        text: &str,
        send: impl FnOnce(&[u8]) -> std::io::Result<()>,
    ) -> Result<(), String> {
        if text.len() > clipboard::MOST {
            let (long, most) = (text.len().div_ceil(1024), clipboard::MOST / 1024);
            return Err(format!("{long} KiB is too long for a clipboard ({most} KiB): export into a file"));
        }
        send(&self.clipboard.sequence(text)?).map_err(|error| error.to_string())
    }

    /// The command that opens the view again. A run of a simulated fleet ends with the program: its list is opened.
    fn command(&self, model: &Model) -> String {
        let env = model.shown().map_or("", |env| env.spec.name.as_str());
        let screen = model.screen();
        if let Some(logs) = model.shown_logs() {
            let text = logs.request.pattern.as_ref().map(|pattern| pattern.text.as_str());
            return self.start.logs(&logs.request.hosts, env, text);
        }
        match screen.kind().run_of(screen).filter(|_| !model.fleet.simulated) {
            Some(ShownRun::Live(run)) => commands::watch(run, env, &self.start.tail),
            Some(ShownRun::Past(run)) => commands::report(run),
            None => self.start.console(env, &OpeningView::of(model).arguments()),
        }
    }
}

/// A path as it is shown: short where it is below the home folder.
fn shown(path: &Path, home: &Path) -> String {
    let text = match path.strip_prefix(home) {
        Ok(below) => format!("~/{}", below.display()),
        Err(_) => path.display().to_string(),
    };
    Clean::new(&text).to_string()
}
