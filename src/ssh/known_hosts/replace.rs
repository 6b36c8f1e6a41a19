//! A host's key is replaced in a known_hosts file: its machine was replaced, and its new key came by a way that can be
//! trusted. Never done on a host's own word. Imports `line` and the file's own reader.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use russh::keys::{HashAlg, PublicKey};

use super::line::{Entry, Marker};
use super::{FileError, KnownKey, lookup_name};

/// What would become of a known_hosts file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    /// The file.
    pub path: PathBuf,
    /// The keys that the host had there and has no longer.
    pub gone: Vec<KnownKey>,
    /// `SHA256:…` of the new key.
    pub fingerprint: String,
    before: String,
    after: String,
}

/// Why a key cannot be replaced.
#[derive(Debug, thiserror::Error)]
pub enum ReplaceError {
    /// It is no public key.
    #[error("it is no public key: {0}")]
    Key(String),
    /// A name that cannot stand in such a file.
    #[error("{0:?} cannot be written as a host name")]
    Name(String),
    /// The file.
    #[error(transparent)]
    File(#[from] FileError),
    /// Somebody else changed the file since it was shown.
    #[error("{} changed since it was shown", .0.display())]
    Changed(PathBuf),
}

impl Replacement {
    /// Reads `path` and works out the change: every plain key of the hosts `names` and of those `former` ones goes, and
    /// `names` get `key` (as in a `.pub` file). A line's other names keep theirs. Lines with patterns, of authorities
    /// and of withdrawn keys stay.
    ///
    /// # Errors
    /// When key or names are none, or the file cannot be read.
    pub fn of(
        path: &Path,
        names: &[String],
        former: &[String],
        port: u16,
        key: &str,
    ) -> Result<Self, ReplaceError> {
        let key = PublicKey::from_openssh(key).map_err(|e| ReplaceError::Key(e.to_string()))?;
        let data = PublicKey::new(key.key_data().clone(), "").to_openssh();
        let data = data.map_err(|e| ReplaceError::Key(e.to_string()))?;
        // Through a link, the file itself is replaced.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let before = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound => String::new(),
            Err(source) => return Err(FileError { path, source }.into()),
        };
        let names: Vec<String> = names.iter().map(|n| lookup_name(n, port)).collect();
        let odd = |n: &&String| {
            n.is_empty() || n.contains(|c: char| c.is_whitespace() || c.is_control() || ",*?!#@|".contains(c))
        };
        if let Some(name) = names.iter().find(odd) {
            return Err(ReplaceError::Name(name.clone()));
        }
        let all: Vec<String> =
            names.iter().cloned().chain(former.iter().map(|n| lookup_name(n, port))).collect();
        let line = format!("{} {data}", names.join(","));
        let (after, gone) = replaced(&before, &path.display().to_string(), &all, &line);
        let gone = gone.into_iter().filter(|e| !e.is(&key)).map(|e| e.describe()).collect();
        let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
        Ok(Self { path, gone, fingerprint, before, after })
    }

    /// The file's text now, and as it would be.
    #[must_use]
    pub fn texts(&self) -> (&str, &str) {
        (&self.before, &self.after)
    }

    /// Keeps the file as it was at `record`, and puts the new one in its place in one step. A record that is there
    /// already stays: it is older.
    ///
    /// # Errors
    /// When the file is no longer what was read, or what the system says.
    pub fn write(&self, record: &Path) -> Result<(), ReplaceError> {
        let now = std::fs::read_to_string(&self.path).unwrap_or_default();
        if now != self.before {
            return Err(ReplaceError::Changed(self.path.clone()));
        }
        if self.before == self.after {
            return Ok(());
        }
        self.put(record).map_err(|source| FileError { path: self.path.clone(), source }.into())
    }

    fn put(&self, record: &Path) -> io::Result<()> {
        let new_file = |path: &Path| OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        match new_file(record) {
            Ok(mut file) => file.write_all(self.before.as_bytes()).and_then(|()| file.sync_all())?,
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e),
        }
        let mut part = self.path.clone().into_os_string();
        part.push(".jumpdeck");
        let part = PathBuf::from(part);
        let _left_by_a_crash = std::fs::remove_file(&part);
        let mut file = new_file(&part)?;
        if let Ok(old) = std::fs::metadata(&self.path) {
            file.set_permissions(PermissionsExt::from_mode(old.permissions().mode() & 0o777))?;
        }
        file.write_all(self.after.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&part, &self.path)?;
        let folder = self.path.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()
    }
}

/// The text with `line` in place of what was known of these names, and the entries that went.
fn replaced(text: &str, source: &str, names: &[String], line: &str) -> (String, Vec<Entry>) {
    let (mut after, mut gone) = (String::new(), Vec::new());
    let mut written = false;
    for (number, old) in text.lines().enumerate() {
        let entry = Entry::parse(old, source, number + 1)
            .filter(|e| e.marker == Marker::None && !e.is_pattern() && names.iter().any(|n| e.names(n)));
        let Some(entry) = entry else {
            after.push_str(old);
            after.push('\n');
            continue;
        };
        if let Some(rest) = without(old, names) {
            after.push_str(&rest);
            after.push('\n');
        }
        if !written {
            after.push_str(line);
            after.push('\n');
            written = true;
        }
        gone.push(entry);
    }
    if !written {
        after.push_str(line);
        after.push('\n');
    }
    (after, gone)
}

/// A line without these names; none when it is for no other.
fn without(line: &str, names: &[String]) -> Option<String> {
    let line = line.trim_matches([' ', '\t', '\r']);
    let (hosts, rest) = line.split_once([' ', '\t'])?;
    let others: Vec<&str> = hosts
        .split(',')
        .filter(|h| !h.starts_with('|') && !names.contains(&h.to_ascii_lowercase()))
        .collect();
    (!others.is_empty()).then(|| format!("{} {rest}", others.join(",")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const OLD: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIYYQ1+AgU4h7Aha+KNweiJAU5PYi0WZwArzKaiEDJow";
    const NEW: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPSwz2HUK9txTM9QLtdi4f8C5g2TOQEz56U3QTRkZUA8";

    fn words(list: &[&str]) -> Vec<String> {
        list.iter().map(|w| (*w).to_owned()).collect()
    }

    #[test]
    fn only_the_hosts_own_lines_change_and_what_was_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (path, record) = (folder.path().join("known_hosts"), folder.path().join("record"));
        let text = format!(
            "# ours\napp1.x,app1,10.0.0.1 {OLD}\napp1,shared {OLD} note\n*.x {OLD}\n@revoked app1 {OLD}\napp2 {OLD}"
        );
        std::fs::write(&path, &text).unwrap();
        let names = words(&["app1.x", "app1", "10.0.0.9"]);
        let change = Replacement::of(&path, &names, &words(&["10.0.0.1"]), 22, &format!("{NEW} root@app1"));
        let change = change.unwrap();
        assert_eq!(change.gone.len(), 2);
        change.write(&record).unwrap();
        let wanted = format!(
            "# ours\napp1.x,app1,10.0.0.9 {NEW}\nshared {OLD} note\n*.x {OLD}\n@revoked app1 {OLD}\napp2 {OLD}\n"
        );
        assert_eq!(std::fs::read_to_string(&path).unwrap(), wanted);
        assert_eq!(std::fs::read_to_string(&record).unwrap(), text);
        let again = Replacement::of(&path, &names, &words(&["10.0.0.1"]), 22, NEW).unwrap();
        assert!(again.gone.is_empty() && again.texts().0 == again.texts().1);
    }

    #[test]
    fn hashed_names_go_and_a_missing_file_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("known_hosts");
        // `ssh-keygen -H` of a line for "app1".
        let key = folder.path().join("plain");
        std::fs::write(&key, format!("app1 {OLD}\n")).unwrap();
        let hashed = std::process::Command::new("ssh-keygen").args(["-q", "-H", "-f"]).arg(&key).status();
        if hashed.is_ok_and(|s| s.success()) {
            std::fs::copy(&key, &path).unwrap();
        }
        let there = path.exists();
        let change = Replacement::of(&path, &words(&["app1"]), &[], 2222, NEW).unwrap();
        assert!(change.gone.is_empty(), "another port is another host");
        let change = Replacement::of(&path, &words(&["app1"]), &[], 22, NEW).unwrap();
        assert_eq!(change.gone.len(), usize::from(there));
        change.write(&folder.path().join("record")).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("app1 {NEW}\n"));
    }

    #[test]
    fn what_is_no_key_or_changed_meanwhile_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("known_hosts");
        assert!(matches!(Replacement::of(&path, &words(&["a"]), &[], 22, "x y"), Err(ReplaceError::Key(_))));
        assert!(matches!(Replacement::of(&path, &words(&["a*"]), &[], 22, NEW), Err(ReplaceError::Name(_))));
        let change = Replacement::of(&path, &words(&["a"]), &[], 22, NEW).unwrap();
        std::fs::write(&path, "other\n").unwrap();
        assert!(matches!(change.write(&folder.path().join("record")), Err(ReplaceError::Changed(_))));
    }
}
