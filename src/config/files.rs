//! The edge: where the files are, and reading them. The only module of `config` that touches files or the process
//! environment.

use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use etcetera::base_strategy::{BaseStrategy, Xdg};
use nix::unistd::{Uid, User};

use super::diagnostic::Diagnostic;
use super::inventory::{self, Context};
use super::keymap::{self, Keymap};
use super::settings::{self, Settings};
use super::theme::{self, Theme};
use crate::ownership::{self, Exposed, OpenError};
use jumpdeck_fleet::fleet::Fleet;

/// An inventory of ten thousand hosts is as long; what is longer is refused rather than read without end.
const MAX_BYTES: u64 = 1 << 20;

/// The folders in use, as the XDG base directory specification has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// `$XDG_CONFIG_HOME/jumpdeck`
    pub config: PathBuf,
    /// `$XDG_STATE_HOME/jumpdeck`
    pub state: PathBuf,
}

impl Paths {
    /// The folders of the person at the console.
    ///
    /// # Errors
    /// When there is no home folder.
    pub fn from_env() -> Result<Self, etcetera::HomeDirError> {
        let xdg = Xdg::new()?;
        let state = xdg.state_dir().unwrap_or_else(|| xdg.home_dir().join(".local/state"));
        Ok(Self { config: xdg.config_dir().join("jumpdeck"), state: state.join("jumpdeck") })
    }

    /// The inventory that is used when none is named.
    #[must_use]
    pub fn inventory(&self) -> PathBuf {
        self.config.join("inventory.toml")
    }

    /// The person's own choices.
    #[must_use]
    pub fn settings(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    /// Whose signatures count, in ssh-keygen's form.
    #[must_use]
    pub fn allowed_signers(&self) -> PathBuf {
        self.config.join("allowed_signers")
    }

    /// The folder of the person's own themes.
    #[must_use]
    pub fn themes(&self) -> PathBuf {
        self.config.join("themes")
    }

    /// The person's saved views.
    #[must_use]
    pub fn views(&self) -> PathBuf {
        self.config.join("views.toml")
    }

    /// The folder of the person's own keymaps.
    #[must_use]
    pub fn keymaps(&self) -> PathBuf {
        self.config.join("keymaps")
    }

    /// The folder of the person's own runbooks.
    #[must_use]
    pub fn runbooks(&self) -> PathBuf {
        self.config.join("runbooks")
    }

    /// The folder of what disks had in use.
    #[must_use]
    pub fn disks(&self) -> PathBuf {
        self.state.join("disks")
    }

    /// The folder of what changed in environments.
    #[must_use]
    pub fn timelines(&self) -> PathBuf {
        self.state.join("events")
    }

    /// The folder of maintenance sessions; of a simulated fleet apart.
    #[must_use]
    pub fn sessions(&self, simulated: bool) -> PathBuf {
        self.state.join(if simulated { "sessions-demo" } else { "sessions" })
    }

    /// The folder of the views that were copied.
    #[must_use]
    pub fn handoff(&self) -> PathBuf {
        self.state.join("handoff")
    }

    /// What was taken from the command palette; of a simulated fleet apart.
    #[must_use]
    pub fn palette(&self, simulated: bool) -> PathBuf {
        self.state.join(if simulated { "palette-demo" } else { "palette" })
    }

    /// The folder of the journals of runs.
    #[must_use]
    pub fn runs(&self) -> PathBuf {
        self.state.join("runs")
    }
}

/// What inventories take their defaults from, read from the process environment and `~/.ssh`.
///
/// # Errors
/// When there is no home folder.
pub fn context() -> Result<Context, etcetera::HomeDirError> {
    let home = etcetera::home_dir()?;
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let said = |name: &str| variable(name).and_then(|user| user.into_string().ok());
    // cron and containers do not set USER, and LOGNAME may be that of whoever came here by `su`.
    let user = said("USER").or_else(own_account).or_else(|| said("LOGNAME"));
    let default_keys = ["id_ed25519", "id_ecdsa", "id_rsa"]
        .into_iter()
        .map(|name| home.join(".ssh").join(name))
        .filter(|path| path.is_file())
        .collect();
    Ok(Context {
        ssh_auth_sock: variable("SSH_AUTH_SOCK").map(PathBuf::from),
        user: user.unwrap_or_default(),
        default_keys,
        home,
    })
}

/// The own account's name, as the system has it for the user id; `None` for an id that no account has.
#[must_use]
pub fn own_account() -> Option<String> {
    User::from_uid(Uid::current()).ok().flatten().map(|account| account.name)
}

/// The text of a file.
///
/// # Errors
/// When it cannot be opened or read, others could have changed it, it is too long, or is not UTF-8.
pub fn read_text(path: &Path) -> Result<String, Box<Diagnostic>> {
    let name = path.display().to_string();
    let refuse = |error: std::io::Error| {
        let help = match error.kind() {
            ErrorKind::NotFound => "check the name; `jumpdeck info` lists the files that are looked for",
            ErrorKind::PermissionDenied => "make it readable for the account that runs jumpdeck",
            _ => "check that it is a readable file",
        };
        Box::new(Diagnostic::of_file(&name, format!("cannot be read: {error}")).help(help))
    };
    let mut bytes = Vec::new();
    let file = ownership::open(path).map_err(|error| match error {
        OpenError::Exposed(exposed) => refused(&exposed),
        OpenError::Io(error) => refuse(error),
    })?;
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(refuse)?;
    if bytes.len() as u64 > MAX_BYTES {
        let message = format!("is longer than {} MiB", MAX_BYTES >> 20);
        return Err(Box::new(Diagnostic::of_file(&name, message).help("check that it is the file you mean")));
    }
    if is_utf16(&bytes) {
        let error = Diagnostic::of_file(&name, "is UTF-16 text, not UTF-8");
        return Err(Box::new(error.help("save it as UTF-8 (in Notepad: Save as, Encoding: UTF-8)")));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(error.as_bytes());
        let error = Diagnostic::at(&name, &text.as_ref().into(), at..at + 1, "is not UTF-8 text");
        Box::new(error.help("save it as UTF-8"))
    })
}

/// Whether a text is UTF-16: it begins with its mark, or every other byte of its beginning is zero.
fn is_utf16(bytes: &[u8]) -> bool {
    let head = bytes.get(..64).unwrap_or(bytes);
    let zeros = |from| head.iter().skip(from).step_by(2).filter(|b| **b == 0).count();
    let half = (head.len() / 2).max(1);
    bytes.starts_with(&[0xff, 0xfe])
        || bytes.starts_with(&[0xfe, 0xff])
        || [(0, 1), (1, 0)]
            .into_iter()
            .any(|(some, none)| zeros(some) * 10 >= half * 9 && zeros(none) == 0 && half > 1)
}

/// Something that others could have changed is not read.
pub(crate) fn refused(exposed: &Exposed) -> Box<Diagnostic> {
    let path = exposed.path.display().to_string();
    Box::new(Diagnostic::exposed(&path, exposed.what.as_str()).help(exposed.fix.as_str()))
}

/// Reads an inventory.
///
/// # Errors
/// Every mistake of the file, or that it cannot be read.
pub fn load_inventory(path: &Path, context: &Context) -> Result<Fleet, Vec<Diagnostic>> {
    let text = read_text(path).map_err(|error| vec![*error])?;
    inventory::parse(&path.display().to_string(), &text, context)
}

/// Reads `config.toml`; without one, nothing is chosen.
///
/// # Errors
/// Every mistake of the file, or that it cannot be read.
pub fn load_settings(
    path: &Path,
    context: &Context,
    columns: &[&'static str],
) -> Result<Settings, Vec<Diagnostic>> {
    if is_missing(path) {
        return Ok(Settings::default());
    }
    let text = read_text(path).map_err(|error| vec![*error])?;
    settings::parse_settings(&path.display().to_string(), &text, context, columns)
}

/// The builtin themes and those of a folder, which replace builtin ones of the same name; and every mistake of every file. A file with
/// mistakes replaces nothing: nobody is left without colours. A missing folder is empty.
#[must_use]
pub fn load_themes(folder: &Path) -> (Vec<Theme>, Vec<Diagnostic>) {
    let mut themes = theme::builtin();
    let (files, mut errors) = match toml_files(folder) {
        Ok(files) => (files, Vec::new()),
        Err(error) => (Vec::new(), vec![*error]),
    };
    for path in files {
        let read = read_text(&path).map_err(|error| vec![*error]);
        match read.and_then(|text| theme::parse_theme(&path.display().to_string(), &text)) {
            Ok(own) => match themes.iter_mut().find(|t| t.name == own.name) {
                Some(replaced) => *replaced = own,
                None => themes.push(own),
            },
            Err(found) => errors.extend(found),
        }
    }
    (themes, errors)
}

/// The keymap of that name: a builtin one, or a file of the folder over the builtin one of its name, or over the
/// default. With mistakes in the file it is the builtin one, and the mistakes: nobody is left without keys.
///
/// # Errors
/// There is no such keymap.
pub fn load_keymap(folder: &Path, name: &str) -> Result<(Keymap, Vec<Diagnostic>), Box<Diagnostic>> {
    let builtin = Keymap::builtin(name);
    let path = folder.join(format!("{name}.toml"));
    if !settings::is_plain_name(name) || (builtin.is_none() && is_missing(&path)) {
        let known = keymap_names(folder).join(", ");
        let message = format!("there is no keymap {name:?}");
        let error = Diagnostic::of_file(&folder.display().to_string(), message);
        return Err(Box::new(error.help(format!("keymaps are: {known}"))));
    }
    let base = builtin.unwrap_or_else(Keymap::builtin_default);
    if is_missing(&path) {
        return Ok((base, Vec::new()));
    }
    let own = read_text(&path)
        .map_err(|error| vec![*error])
        .and_then(|text| keymap::parse_onto(&base, &path.display().to_string(), &text));
    Ok(match own {
        Ok(own) => (own, Vec::new()),
        Err(mistakes) => (base, mistakes),
    })
}

/// The names of all keymaps there are.
#[must_use]
pub fn keymap_names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = keymap::BUILTIN.iter().map(|(name, _)| (*name).to_owned()).collect();
    for path in toml_files(folder).unwrap_or_default() {
        if let Some(name) = path.file_stem().and_then(|n| n.to_str())
            && !names.iter().any(|n| n == name)
        {
            names.push(name.to_owned());
        }
    }
    names
}

/// The `.toml` files of a folder by name; none when it is missing.
///
/// # Errors
/// When the folder cannot be read, or others could have changed what is in it.
pub(crate) fn toml_files(folder: &Path) -> Result<Vec<PathBuf>, Box<Diagnostic>> {
    if let Err(OpenError::Exposed(exposed)) = ownership::judge_folder(folder) {
        return Err(refused(&exposed));
    }
    toml_files_of_anybody(folder)
}

/// The names alone, whoever put them there.
pub(crate) fn toml_files_of_anybody(folder: &Path) -> Result<Vec<PathBuf>, Box<Diagnostic>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            let message = format!("cannot be read: {error}");
            let error = Diagnostic::of_file(&folder.display().to_string(), message);
            return Err(Box::new(error.help("check its permissions")));
        }
    };
    let mut files: Vec<PathBuf> = entries
        .filter_map(|e| Some(e.ok()?.path()))
        .filter(|p| p.extension().is_some_and(|e| e == "toml"))
        .collect();
    files.sort();
    Ok(files)
}

/// Whether nothing is there; what is there but cannot be read is not missing.
pub(super) fn is_missing(path: &Path) -> bool {
    matches!(fs::metadata(path), Err(error) if error.kind() == ErrorKind::NotFound)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::config::action::Action;

    #[test]
    fn own_themes_replace_and_add() {
        let folder = tempfile::tempdir().unwrap();
        let dark = theme::BUILTIN[0].1;
        fs::write(folder.path().join("a.toml"), dark.replace("\"#12161d\"", "\"#000000\"")).unwrap();
        fs::write(folder.path().join("b.toml"), dark.replace("\"dark\"", "\"mine\"")).unwrap();
        fs::write(folder.path().join("notes.txt"), "no theme").unwrap();
        let (themes, mistakes) = load_themes(folder.path());
        assert!(mistakes.is_empty(), "{mistakes:?}");
        assert_eq!(
            themes.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(),
            ["dark", "light", "high-contrast", "mine"]
        );
        assert_eq!(themes[0].colors.background, theme::Color::Rgb(0, 0, 0));
        assert_eq!(load_themes(&folder.path().join("none")), (theme::builtin(), Vec::new()));

        fs::write(folder.path().join("a.toml"), "name = \"dark\"\ncolors = 3").unwrap();
        let (themes, mistakes) = load_themes(folder.path());
        assert_eq!(themes[0], theme::builtin()[0], "one with mistakes replaces nothing");
        assert_eq!(themes.last().map(|theme| theme.name.as_str()), Some("mine"), "the others are there");
        assert!(mistakes[0].to_string().contains("a.toml"), "{mistakes:?}");
    }

    #[test]
    fn own_keymaps_stand_on_the_builtin_one_of_their_name() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("vim.toml"), "[keys]\nhelp = [\"f10\"]").unwrap();
        fs::write(folder.path().join("mine.toml"), "[keys]\nhelp = [\"f10\"]").unwrap();
        let key = |text: &str| text.parse().unwrap();
        let load = |name: &str| load_keymap(folder.path(), name);
        let (vim, _) = load("vim").unwrap();
        assert_eq!(vim.action(None, key("n")), Some(Action::NextEnvironment));
        assert_eq!(vim.action(None, key("f10")), Some(Action::Help));
        let (mine, mistakes) = load("mine").unwrap();
        assert!(mistakes.is_empty(), "{mistakes:?}");
        assert_eq!(mine.action(None, key("n")), Some(Action::Note));
        assert!(load("other").is_err() && load("../vim").is_err());

        let two = "[keys]\nhelp = [\"f10\"]\nrefresh = [\"f10\"]";
        for (name, builtin) in [("vim", "vim"), ("mine", "default")] {
            fs::write(folder.path().join(format!("{name}.toml")), two).unwrap();
            let (keymap, mistakes) = load(name).unwrap();
            assert_eq!(keymap, Keymap::builtin(builtin).unwrap(), "{name}");
            let said = mistakes[0].to_string();
            assert!(said.contains(&format!("{name}.toml:3:12")) && said.contains("both"), "{said}");
        }
        assert_eq!(keymap_names(folder.path()), ["default", "vim", "mine"]);
    }

    #[test]
    fn what_cannot_be_read_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let latin1 = folder.path().join("latin1.toml");
        fs::write(&latin1, b"a = 1\nb = \"\xe9\"\n").unwrap();
        assert_eq!(read_text(&latin1).unwrap_err().position(), Some((2, 6)));
        assert!(read_text(folder.path()).is_err());
        assert!(read_text(&folder.path().join("none")).unwrap_err().render(false).contains("help:"));
        let long = folder.path().join("long.toml");
        fs::File::create(&long).unwrap().set_len(MAX_BYTES + 1).unwrap();
        assert!(read_text(&long).unwrap_err().message().contains("longer"));
    }
}
