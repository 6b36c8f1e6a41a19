//! `jumpdeck check`: says everything that is wrong with files of any kind, or with all that would be used.

use std::path::{Path, PathBuf};

use toml::de::DeValue;

use super::diagnostic::{Diagnostic, nearest};
use super::files::{self, Paths};
use super::inventory::{self, Context};
use super::keymap::{self, Keymap};
use super::reader::{self, Reader};
use super::settings::{self, Settings};
use super::theme;
use super::views::{self, ViewRules, parse_views};
use jumpdeck_fleet::fleet::Fleet;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckReport {
    /// Every error with its place and what to do, then one line a file that is sound, then the sum.
    pub rendered: String,
    /// How many errors there are; 0: all is well.
    pub errors: usize,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FileKind {
    Inventory,
    Theme,
    Keymap,
    Settings,
    Views,
    Runbook,
}

/// Runbooks are read by another layer; this is what it says of them.
#[derive(Clone, Copy)]
pub struct Runbooks<'r> {
    /// Everything that is wrong with a file: its place and its text.
    pub file: &'r dyn Fn(&Path, &str) -> Vec<Diagnostic>,
    /// Everything that is wrong with each of those that would be used. A file that cannot be read is among them.
    pub all: &'r dyn Fn() -> Vec<(PathBuf, Vec<Diagnostic>)>,
    /// The names of those that can be run.
    pub names: &'r dyn Fn() -> Vec<String>,
}

/// What the screens know and files may name.
#[derive(Clone, Copy)]
pub struct ScreenWords<'s> {
    /// The titles of the columns that the fleet table knows.
    pub columns: &'s [&'static str],
    /// What saved views may say.
    pub views: &'s ViewRules,
}

/// Everything that is wrong with each of the files that logins to a fleet need: another layer reads them.
pub type Logins<'l> = &'l dyn Fn(&Fleet) -> Vec<(PathBuf, Vec<Diagnostic>)>;

/// Checks these files; without any file, all that would be used: `config.toml`, the inventory, saved views, own themes and keymaps,
/// and runbooks.
#[must_use]
pub fn run(
    files: &[PathBuf],
    paths: &Paths,
    context: &Context,
    runbooks: Runbooks<'_>,
    logins: Logins<'_>,
    words: ScreenWords<'_>,
    coloured: bool,
) -> CheckReport {
    let mut report = FileReport { coloured, ..FileReport::default() };
    if files.is_empty() {
        check_all(&mut report, paths, context, runbooks, logins, words);
        for (path, found) in (runbooks.all)() {
            report.file(&path, found);
        }
    } else {
        for path in files {
            report.file(path, check_file(path, context, runbooks, words));
            if let Some(fleet) = fleet_of(path, context) {
                report.logins(logins(&fleet));
            }
        }
    }
    report.finish()
}

/// Everything that is wrong with a file; what kind it is is told by its content, or else by its place.
#[must_use]
pub fn check_file(
    path: &Path,
    context: &Context,
    runbooks: Runbooks<'_>,
    words: ScreenWords<'_>,
) -> Vec<Diagnostic> {
    let text = match files::read_text(path) {
        Ok(text) => text,
        Err(error) => return vec![*error],
    };
    let name = path.display().to_string();
    let found = match kind_of(path, &text) {
        Some(FileKind::Inventory) => match inventory::parse(&name, &text, context) {
            Ok(_) => Err(inventory::unknown_runbooks(&name, &text, &(runbooks.names)())),
            Err(errors) => Err(errors),
        },
        Some(FileKind::Theme) => theme::parse_theme(&name, &text).map(drop),
        Some(FileKind::Keymap) => keymap::parse_onto(&base_of(path), &name, &text).map(drop),
        Some(FileKind::Settings) => settings::parse_settings(&name, &text, context, words.columns).map(drop),
        Some(FileKind::Views) => parse_views(&name, &text, words.views).map(drop),
        Some(FileKind::Runbook) => Err((runbooks.file)(path, &text)),
        None if !syntax(&name, &text).is_empty() => Err(syntax(&name, &text)),
        None => {
            let error = Diagnostic::at(&name, &text.as_str().into(), 0..0, "cannot tell what this file is");
            let help = "an inventory has [environments.…], a theme [colors], a keymap [keys], saved views [views.…], a runbook [[step]]; or \
                        put it into the folder for its kind";
            Err(vec![error.help(help)])
        }
    };
    found.err().unwrap_or_default()
}

/// The fleet of a file that is a sound inventory.
fn fleet_of(path: &Path, context: &Context) -> Option<Fleet> {
    let text = files::read_text(path).ok()?;
    let inventory = kind_of(path, &text) == Some(FileKind::Inventory);
    inventory.then(|| inventory::parse(&path.display().to_string(), &text, context).ok()).flatten()
}

/// The builtin keymap that an own one of that file name stands on.
fn base_of(path: &Path) -> Keymap {
    let name = path.file_stem().and_then(|n| n.to_str()).unwrap_or_default();
    Keymap::builtin(name).unwrap_or_else(Keymap::builtin_default)
}

fn kind_of(path: &Path, text: &str) -> Option<FileKind> {
    let root = reader::readable(text);
    let is_table = |key: &str| root.get(key).is_some_and(|v| matches!(v.get_ref(), DeValue::Table(_)));
    if root.contains_key("environments") {
        return Some(FileKind::Inventory);
    }
    if is_table("colors") {
        return Some(FileKind::Theme);
    }
    if is_table("views") {
        return Some(FileKind::Views);
    }
    if is_table("keys") {
        return Some(FileKind::Keymap);
    }
    if root.get("step").is_some_and(|v| matches!(v.get_ref(), DeValue::Array(_))) {
        return Some(FileKind::Runbook);
    }
    let folder = path.parent().and_then(Path::file_name).and_then(|n| n.to_str());
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
    if let Some(kind) = hinted(text) {
        return Some(kind);
    }
    match (folder, name) {
        (_, "config.toml") => Some(FileKind::Settings),
        (_, "views.toml") => Some(FileKind::Views),
        (Some("themes" | "theme"), _) => Some(FileKind::Theme),
        (Some("keymaps" | "keymap"), _) => Some(FileKind::Keymap),
        (Some("runbooks" | "runbook"), _) => Some(FileKind::Runbook),
        _ if folder == Some("inventory") || name.contains("inventory") => Some(FileKind::Inventory),
        _ if settings::KEYS.iter().any(|key| root.contains_key(*key)) => Some(FileKind::Settings),
        _ => None,
    }
}

/// The kind by the heads of its tables, for a text that the parser does not read to its end: `[environments.production`
/// without its bracket is an inventory all the same.
fn hinted(text: &str) -> Option<FileKind> {
    text.lines().map(str::trim_start).find_map(|line| {
        let head = line.strip_prefix('[')?.trim_start_matches('[').trim_start();
        let word = head.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-').next()?;
        match word {
            "environments" | "environment" => Some(FileKind::Inventory),
            "colors" => Some(FileKind::Theme),
            "keys" => Some(FileKind::Keymap),
            "views" => Some(FileKind::Views),
            "step" | "input" | "target" => Some(FileKind::Runbook),
            _ => None,
        }
    })
}

/// The parser's own message, for a text that is no TOML.
fn syntax(name: &str, text: &str) -> Vec<Diagnostic> {
    let mut reader = Reader::new(name, text);
    let _ = reader.parse(text);
    reader.finish::<()>(None).err().unwrap_or_default()
}

fn check_all(
    report: &mut FileReport,
    paths: &Paths,
    context: &Context,
    runbooks: Runbooks<'_>,
    logins: Logins<'_>,
    words: ScreenWords<'_>,
) {
    let settings_path = paths.settings();
    let settings = files::load_settings(&settings_path, context, words.columns);
    let (settings, mut errors) = match settings {
        Ok(settings) => (settings, Vec::new()),
        Err(errors) => (Settings::default(), errors),
    };
    let inventory_path = settings.inventory.clone().unwrap_or_else(|| paths.inventory());
    let fleet = files::load_inventory(&inventory_path, context);
    let (themes, mistakes) = files::load_themes(&paths.themes());
    let names = FileNames {
        themes: mistakes.is_empty().then(|| themes.into_iter().map(|t| t.name).collect()),
        keymaps: files::keymap_names(&paths.keymaps()),
        environments: fleet.as_ref().ok().map(environment_names),
    };
    if !files::is_missing(&settings_path) {
        errors.extend(unknown_names(&settings_path, &settings, &names));
        report.file(&settings_path, errors);
    }
    let needed = fleet.as_ref().map(logins).unwrap_or_default();
    let mut found = match fleet {
        Ok(_) => files::read_text(&inventory_path).map_or_else(
            |error| vec![*error],
            |text| {
                let name = inventory_path.display().to_string();
                inventory::unknown_runbooks(&name, &text, &(runbooks.names)())
            },
        ),
        Err(errors) => errors,
    };
    if files::is_missing(&inventory_path) {
        let message = "there is no inventory";
        let help = "copy inventory.example.toml to this path and write your fleet into it, or name a FILE";
        found = vec![Diagnostic::of_file(&inventory_path.display().to_string(), message).help(help)];
    }
    report.file(&inventory_path, found);
    report.logins(needed);
    if !files::is_missing(&paths.views()) {
        report.file(&paths.views(), check_views(&paths.views(), words.views, names.environments.as_deref()));
    }
    for (folder, kind) in [(paths.themes(), FileKind::Theme), (paths.keymaps(), FileKind::Keymap)] {
        match files::toml_files(&folder) {
            Ok(own) => {
                for path in own {
                    report.file(&path, check_own(&path, kind));
                }
            }
            Err(error) => report.file(&folder, vec![*error]),
        }
    }
}

/// The saved views, with the environments that they name.
fn check_views(path: &Path, rules: &ViewRules, environments: Option<&[String]>) -> Vec<Diagnostic> {
    let name = path.display().to_string();
    let text = match files::read_text(path) {
        Ok(text) => text,
        Err(error) => return vec![*error],
    };
    let views = match parse_views(&name, &text, rules) {
        Ok(views) => views,
        Err(errors) => return errors,
    };
    let Some(known) = environments else { return Vec::new() };
    let unknown = views.iter().filter(|view| !known.iter().any(|name| name == view.environment.as_str()));
    unknown
        .map(|view| {
            let (env, text) = (view.environment.as_str(), text.as_str());
            let span = views::place_of_environment(text, &view.name).unwrap_or(0..0);
            let help = match nearest(env, known.iter().map(String::as_str)) {
                Some(near) => format!("did you mean {near:?}?"),
                None => format!("there are: {}", known.join(", ")),
            };
            let message = format!("the view {:?} is of an unknown environment {env:?}", view.name);
            Diagnostic::at(&name, &text.into(), span, message).help(help)
        })
        .collect()
}

/// A file whose place says what it is: used as such, whatever it holds.
fn check_own(path: &Path, kind: FileKind) -> Vec<Diagnostic> {
    let name = path.display().to_string();
    let text = match files::read_text(path) {
        Ok(text) => text,
        Err(error) => return vec![*error],
    };
    let found = match kind {
        FileKind::Theme => theme::parse_theme(&name, &text).map(drop),
        _ => keymap::parse_onto(&base_of(path), &name, &text).map(drop),
    };
    found.err().unwrap_or_default()
}

/// The names there are; `None` where they are not known because their own file is wrong.
struct FileNames {
    themes: Option<Vec<String>>,
    keymaps: Vec<String>,
    environments: Option<Vec<String>>,
}

fn environment_names(fleet: &Fleet) -> Vec<String> {
    fleet.environments.iter().map(|e| e.name.to_string()).collect()
}

/// Names in `config.toml` that nothing has.
fn unknown_names(path: &Path, settings: &Settings, names: &FileNames) -> Vec<Diagnostic> {
    let Ok(text) = files::read_text(path) else { return Vec::new() };
    let environment = settings.environment.as_ref().map(ToString::to_string);
    let choices = [
        ("theme", settings.theme.clone(), names.themes.clone()),
        ("keymap", settings.keymap.clone(), Some(names.keymaps.clone())),
        ("environment", environment, names.environments.clone()),
    ];
    let root = reader::readable(&text);
    let mut errors = Vec::new();
    for (key, chosen, known) in choices {
        let (Some(chosen), Some(known)) = (chosen, known) else { continue };
        if known.contains(&chosen) {
            continue;
        }
        let span = root.get(key).map_or(0..0, toml::Spanned::span);
        let help = match nearest(&chosen, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean {near:?}?"),
            None => format!("there are: {}", known.join(", ")),
        };
        let message = format!("unknown {key} {chosen:?}");
        errors.push(
            Diagnostic::at(&path.display().to_string(), &text.as_str().into(), span, message).help(help),
        );
    }
    errors
}

#[derive(Default)]
struct FileReport {
    coloured: bool,
    wrong: String,
    sound: String,
    files: usize,
    errors: usize,
}

impl FileReport {
    fn file(&mut self, path: &Path, found: Vec<Diagnostic>) {
        self.files += 1;
        self.errors += found.iter().map(Diagnostic::mistakes).sum::<usize>();
        if found.is_empty() {
            let name = jumpdeck_fleet::text::Clean::new(&path.display().to_string());
            self.sound.push_str(&format!("{name}: ok\n"));
        }
        for error in found {
            self.wrong.push_str(&error.render(self.coloured));
            self.wrong.push_str("\n\n");
        }
    }

    /// Files that logins need are no configuration: only what is wrong is told.
    fn logins(&mut self, found: Vec<(PathBuf, Vec<Diagnostic>)>) {
        for (path, errors) in found.into_iter().filter(|(_, errors)| !errors.is_empty()) {
            self.file(&path, errors);
        }
    }

    fn finish(self) -> CheckReport {
        let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        let sum = format!("{}, {}\n", count(self.files, "file"), count(self.errors, "error"));
        CheckReport { rendered: format!("{}{}{sum}", self.wrong, self.sound), errors: self.errors }
    }
}

#[cfg(test)]
mod tests;
