//! The person's own choices, `config.toml`: all optional.

use std::path::PathBuf;

use super::columns::chosen_columns;
use super::diagnostic::Diagnostic;
use super::inventory::Context;
use super::notices::{self, NoticeSettings};
use super::reader::{Reader, Table};
use jumpdeck_fleet::names::EnvName;

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColorChoice {
    /// When the output is a terminal that can, and `NO_COLOR` is not set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never: bold, dim, reverse and underline only.
    Never,
}

/// What `config.toml` says. Flags and the process environment come before it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// The theme's name.
    pub theme: Option<String>,
    /// The keymap's name.
    pub keymap: Option<String>,
    /// The environment shown first.
    pub environment: Option<EnvName>,
    /// When to colour.
    pub color: ColorChoice,
    /// The columns of the fleet table, from left to right, by their titles; `None`: all that fit.
    pub columns: Option<Vec<&'static str>>,
    /// The inventory, when it is not `inventory.toml` beside this file.
    pub inventory: Option<PathBuf>,
    /// The key that signs what is said in runs, when it is not the one that logs in to the jump box: a private key, or
    /// the public one of a key that the agent holds.
    pub sign_with: Option<PathBuf>,
    /// What the terminal says of problems that begin; `None`: as usual.
    pub notices: Option<NoticeSettings>,
}

pub(super) const KEYS: [&str; 8] =
    ["theme", "keymap", "environment", "color", "columns", "inventory", "sign_with", "notices"];

/// Reads `config.toml`.
///
/// # Errors
/// Every mistake of the file. Whether theme, keymap and environment exist is judged by `check`, which knows them.
///
/// `columns` are the titles that the fleet table knows; the first is the one that no choice of columns may lack.
pub fn parse_settings(
    file: &str,
    text: &str,
    context: &Context,
    columns: &[&'static str],
) -> Result<Settings, Vec<Diagnostic>> {
    let mut reader = Reader::new(file, text);
    let root = reader.parse(text);
    let settings = root.as_ref().map(|root| {
        let root = reader.root(root);
        read(&mut reader, &root, context, columns)
    });
    reader.finish(settings)
}

fn read(reader: &mut Reader, root: &Table<'_>, context: &Context, columns: &[&'static str]) -> Settings {
    reader.only(root, &KEYS);
    let mut environment = None;
    if let Some(name) = reader.string(root, "environment", "write environment = \"production\"") {
        match EnvName::new(name.value) {
            Ok(name) => environment = Some(name),
            Err(error) => reader.error(name.span, error.to_string(), "write environment = \"production\""),
        }
    }
    let inventory = path(reader, root, "inventory", "~/fleet/inventory.toml", context);
    let sign_with = path(reader, root, "sign_with", "~/.ssh/id_ed25519", context);
    let choices =
        [("auto", ColorChoice::Auto), ("always", ColorChoice::Always), ("never", ColorChoice::Never)];
    Settings {
        theme: name(reader, root, "theme", "dark"),
        keymap: name(reader, root, "keymap", "default"),
        environment,
        color: reader.word(root, "color", &choices).unwrap_or_default(),
        columns: chosen_columns(reader, root, columns),
        inventory,
        sign_with,
        notices: notices::read(reader, root),
    }
}

/// A file, by its whole path.
fn path(
    reader: &mut Reader,
    root: &Table<'_>,
    key: &str,
    example: &str,
    context: &Context,
) -> Option<PathBuf> {
    let hint = format!("write {key} = {example:?}");
    let path = reader.string(root, key, &hint)?;
    let whole = context.expand(path.value);
    if whole.is_absolute() {
        return Some(whole);
    }
    reader.error(path.span, format!("{:?} is not a path from / or ~/", path.value), hint);
    None
}

/// The name of a theme or keymap: it becomes part of a file name.
fn name(reader: &mut Reader, root: &Table<'_>, key: &str, example: &str) -> Option<String> {
    let hint = format!("write {key} = {example:?}");
    let text = reader.string(root, key, &hint)?;
    if is_plain_name(text.value) {
        return Some(text.value.to_owned());
    }
    reader.error(text.span, format!("{:?} cannot be the name of a {key}", text.value), hint);
    None
}

/// Letters, digits, `-` and `_`: safe as part of a file name.
pub(super) fn is_plain_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const COLUMNS: &[&str] = &["HOST", "ROLES", "1m", "15m", "WORST PROBLEM"];

    #[test]
    fn columns_are_chosen_by_their_titles_in_any_case_and_in_any_order() {
        let read = |text: &str| parse_settings("config.toml", text, &Context::default(), COLUMNS);
        let chosen = read("columns = [\"15m\", \"host\", \"Worst problem\"]").unwrap().columns;
        assert_eq!(chosen.unwrap(), ["15m", "HOST", "WORST PROBLEM"]);
        assert_eq!(read("").unwrap().columns, None);
        for (text, says) in [
            ("[\"HOST\", \"ROLEZ\"]", "did you mean \"ROLES\"?"),
            ("[\"HOST\", \"cpu temperature\"]", "these columns exist: HOST, ROLES, 1m, 15m, WORST PROBLEM"),
            ("[\"HOST\", \"1m\", \"1M\"]", "1m is already in columns"),
            ("[\"1m\"]", "columns has no \"HOST\""),
            ("[]", "columns has no \"HOST\""),
            ("[\"HOST\", 1]", "columns"),
            ("\"HOST\"", "columns"),
        ] {
            let errors = read(&format!("columns = {text}")).unwrap_err();
            let told = errors.iter().map(|error| error.render(false)).collect::<Vec<_>>().join("\n");
            assert!(errors.len() == 1 && told.contains(says), "{text}: {told}");
        }
    }

    #[test]
    fn settings_are_read() {
        let context = Context { home: "/home/ada".into(), ..Context::default() };
        let text = "theme = \"light\"\nenvironment = \"staging\"\ncolor = \"never\"\ninventory = \"~/f/i.toml\"\nsign_with = \"~/.ssh/k\"\n";
        let read = parse_settings("config.toml", text, &context, COLUMNS).unwrap();
        assert_eq!(read.theme.as_deref(), Some("light"));
        assert_eq!(read.keymap, None);
        assert_eq!(read.color, ColorChoice::Never);
        assert_eq!(read.inventory.as_deref(), Some("/home/ada/f/i.toml".as_ref()));
        assert_eq!(read.sign_with.as_deref(), Some("/home/ada/.ssh/k".as_ref()));
        assert_eq!(parse_settings("f", "", &context, COLUMNS).unwrap(), Settings::default());
    }

    #[test]
    fn notices_have_a_table_of_their_own() {
        let read = |text: &str| parse_settings("f", text, &Context::default(), COLUMNS);
        let text = "[notices]\nlevel = \"off\"\ndesktop = \"osc9\"\nquiet = \"22:00-07:00\"\n";
        let notices = read(text).unwrap().notices.unwrap();
        assert_eq!((notices.level, notices.bell), (None, true));
        assert_eq!(notices.desktop, notices::DesktopNotice::Osc9);
        assert_eq!(notices.quiet, notices::QuietHours::read("22:00-07:00"));
        let wrong = "[notices]\nlevel = \"loud\"\nbell = \"yes\"\nquiet = \"night\"\nsound = 1\n";
        let errors = read(wrong).unwrap_err();
        assert_eq!(errors.len(), 4, "{errors:?}");
        assert!(errors.iter().any(|e| e.render(false).contains("\"night\" is not a time of day to another")));
    }

    #[test]
    fn every_mistake_is_told() {
        let text =
            "tema = 1\ntheme = \"../x\"\ncolor = \"allways\"\ninventory = \"x\"\nenvironment = \"a b\"";
        let errors = parse_settings("f", text, &Context::default(), COLUMNS).unwrap_err();
        assert_eq!(errors.len(), 5, "{errors:?}");
        assert!(errors.iter().any(|e| e.render(false).contains("did you mean \"always\"?")));
    }
}
