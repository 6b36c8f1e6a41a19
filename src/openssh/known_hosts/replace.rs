//! A host's key is replaced in a known_hosts file: its machine was replaced, and its new key came by a way
//! that can be trusted. Never done on a host's own word.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use russh::keys::{HashAlg, PublicKey};

use super::line::{KnownHostsEntry, Marker};
use super::store::{append_line, lock};
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
    /// Every name whose keys go, the line that comes, and its key: the change is worked out anew for a file that grew meanwhile.
    names: Vec<String>,
    line: String,
    key: PublicKey,
}

/// The file as it was read, open still: whoever appends to it after it was replaced appends to this.
struct FileAsRead {
    file: Option<File>,
    text: String,
}

/// How often a file that others change meanwhile is read again.
const TRIES: usize = 20;

/// Why a key cannot be replaced.
#[derive(Debug, thiserror::Error)]
pub enum KeyReplaceError {
    /// It is no public key.
    #[error("it is not a public key: {0}")]
    Key(String),
    /// A name that cannot stand in such a file.
    #[error("{0:?} cannot be written as a host name")]
    Name(String),
    /// The file.
    #[error(transparent)]
    File(#[from] FileError),
    /// Somebody else changed what the file says of the host since it was shown.
    #[error("{}: its lines for this host changed since they were shown; nothing was written", .0.display())]
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
    ) -> Result<Self, KeyReplaceError> {
        let key = PublicKey::from_openssh(key).map_err(|e| KeyReplaceError::Key(e.to_string()))?;
        let data = PublicKey::new(key.key_data().clone(), "").to_openssh();
        let data = data.map_err(|e| KeyReplaceError::Key(e.to_string()))?;
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
            return Err(KeyReplaceError::Name(name.clone()));
        }
        let all: Vec<String> =
            names.iter().cloned().chain(former.iter().map(|n| lookup_name(n, port))).collect();
        let line = format!("{} {data}", names.join(","));
        let (after, gone) = replaced(&before, &path.display().to_string(), &all, &line);
        let gone = described(&gone, &key);
        let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
        Ok(Self { path, gone, fingerprint, before, after, names: all, line, key })
    }

    /// The file's text now, and as it would be.
    #[must_use]
    pub fn texts(&self) -> (&str, &str) {
        (&self.before, &self.after)
    }

    /// Keeps the file as it was at `record`, and puts the new one in its place in one step. A record that is there
    /// already stays: it is older. What `ssh`, which knows no lock, or another console adds meanwhile is kept.
    ///
    /// # Errors
    /// When the file says something else of the host than what was shown, or what the system says.
    pub fn write(&self, record: &Path) -> Result<(), KeyReplaceError> {
        let failed = |source| FileError { path: self.path.clone(), source };
        for _ in 0..TRIES {
            let seen = self.look().map_err(failed)?;
            let after = self.applied_to(&seen.text)?;
            if seen.text == after {
                return Ok(());
            }
            if self.put(record, &seen, &after).map_err(failed)? {
                return self.keep_what_came_late(seen);
            }
        }
        Err(KeyReplaceError::Changed(self.path.clone()))
    }

    /// The file as it is now, locked against other consoles.
    fn look(&self) -> io::Result<FileAsRead> {
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                return Ok(FileAsRead { file: None, text: String::new() });
            }
            Err(e) => return Err(e),
        };
        lock(&file);
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        Ok(FileAsRead { file: Some(file), text })
    }

    /// What becomes of the file as it is now.
    fn applied_to(&self, now: &str) -> Result<String, KeyReplaceError> {
        if now == self.before {
            return Ok(self.after.clone());
        }
        let (after, gone) = replaced(now, &self.path.display().to_string(), &self.names, &self.line);
        let prints = |keys: &[KnownKey]| {
            let mut prints: Vec<String> = keys.iter().map(|k| k.fingerprint.clone()).collect();
            prints.sort();
            prints
        };
        match prints(&described(&gone, &self.key)) == prints(&self.gone) {
            true => Ok(after),
            false => Err(KeyReplaceError::Changed(self.path.clone())),
        }
    }

    /// Whether it was put there; not when the file is another one than what was seen.
    fn put(&self, record: &Path, seen: &FileAsRead, after: &str) -> io::Result<bool> {
        let new_file = |path: &Path| OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        match new_file(record) {
            Ok(mut file) => file.write_all(seen.text.as_bytes()).and_then(|()| file.sync_all())?,
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e),
        }
        let mut part = self.path.clone().into_os_string();
        part.push(".jumpdeck");
        let part = PathBuf::from(part);
        let _left_by_a_crash = std::fs::remove_file(&part);
        let mut file = new_file(&part)?;
        if let Some(old) = &seen.file {
            file.set_permissions(PermissionsExt::from_mode(old.metadata()?.permissions().mode() & 0o777))?;
        }
        file.write_all(after.as_bytes())?;
        file.sync_all()?;
        if self.look_again(seen)? {
            std::fs::rename(&part, &self.path)?;
        } else {
            std::fs::remove_file(&part)?;
            return Ok(false);
        }
        let folder = self.path.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()?;
        Ok(true)
    }

    /// Whether the file is still the one that was seen, with the same text.
    fn look_again(&self, seen: &FileAsRead) -> io::Result<bool> {
        let now = match std::fs::metadata(&self.path) {
            Ok(now) => Some((now.dev(), now.ino())),
            Err(e) if e.kind() == io::ErrorKind::NotFound => None,
            Err(e) => return Err(e),
        };
        let then = seen.file.as_ref().map(File::metadata).transpose()?.map(|then| (then.dev(), then.ino()));
        Ok(now == then && (now.is_none() || std::fs::read_to_string(&self.path)? == seen.text))
    }

    /// Adds to the new file what was appended to the old one right before its name went.
    fn keep_what_came_late(&self, seen: FileAsRead) -> Result<(), KeyReplaceError> {
        let Some(mut old) = seen.file else { return Ok(()) };
        let failed = |source| FileError { path: self.path.clone(), source };
        let mut text = String::new();
        old.seek(SeekFrom::Start(0)).and_then(|_| old.read_to_string(&mut text)).map_err(failed)?;
        match text.strip_prefix(seen.text.as_str()) {
            None => Err(KeyReplaceError::Changed(self.path.clone())),
            Some("") => Ok(()),
            Some(late) => append_line(&self.path, late).map_err(failed).map_err(KeyReplaceError::from),
        }
    }
}

/// The keys that go, without the one that comes.
fn described(gone: &[KnownHostsEntry], key: &PublicKey) -> Vec<KnownKey> {
    gone.iter().filter(|e| !e.is(key)).map(KnownHostsEntry::describe).collect()
}

/// The text with `line` in place of what was known of these names, and the entries that went. Other lines stay as they are, to
/// the byte.
fn replaced(text: &str, source: &str, names: &[String], line: &str) -> (String, Vec<KnownHostsEntry>) {
    let (mut after, mut gone) = (String::new(), Vec::new());
    let mut written = false;
    for (number, old) in text.split_inclusive('\n').enumerate() {
        let entry = KnownHostsEntry::parse(old.trim_end_matches('\n'), source, number + 1)
            .filter(|e| e.marker == Marker::None && !e.is_pattern() && names.iter().any(|n| e.names(n)));
        let Some(entry) = entry else {
            after.push_str(old);
            continue;
        };
        let end = if old.ends_with("\r\n") { "\r\n" } else { "\n" };
        let others = without(old.trim_end_matches('\n'), names);
        for kept in others.into_iter().chain((!written).then(|| line.to_owned())) {
            after.push_str(&kept);
            after.push_str(end);
        }
        written = true;
        gone.push(entry);
    }
    if !written {
        if !after.is_empty() && !after.ends_with('\n') {
            after.push('\n');
        }
        after.push_str(line);
        after.push('\n');
    }
    (after, gone)
}

/// A line without these names; none when it is for no other. What begins a hash, a comment or a marker is no name, and neither is
/// nothing (`db1, …`): at the beginning of the line it would change the meaning of the rest.
fn without(line: &str, names: &[String]) -> Option<String> {
    let line = line.trim_matches([' ', '\t', '\r']);
    let (hosts, rest) = line.split_once([' ', '\t'])?;
    let others: Vec<&str> = hosts
        .split(',')
        .filter(|h| {
            !h.is_empty() && !h.starts_with(['|', '#', '@']) && !names.contains(&h.to_ascii_lowercase())
        })
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
    fn what_is_no_name_leaves_no_line_for_other_hosts() {
        for (hosts, left) in [
            ("db1,", ""),
            (",db1", ""),
            (",,db1,,", ""),
            ("db1,,db2", "db2"),
            ("db1, *", ""),
            ("db1,\tdb2", ""),
            ("db1,@cert-authority *", ""),
            ("db1,#db2", ""),
            ("#db1,db1,db2", "db2"),
            ("db1", ""),
        ] {
            let kept = without(&format!("{hosts} {OLD}"), &words(&["db1"]));
            assert_eq!(kept, (!left.is_empty()).then(|| format!("{left} {OLD}")), "{hosts}");
        }
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
            "# ours\napp1.x,app1,10.0.0.9 {NEW}\nshared {OLD} note\n*.x {OLD}\n@revoked app1 {OLD}\napp2 {OLD}"
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
        assert!(matches!(
            Replacement::of(&path, &words(&["a"]), &[], 22, "x y"),
            Err(KeyReplaceError::Key(_))
        ));
        assert!(matches!(
            Replacement::of(&path, &words(&["a*"]), &[], 22, NEW),
            Err(KeyReplaceError::Name(_))
        ));
        let change = Replacement::of(&path, &words(&["a"]), &[], 22, NEW).unwrap();
        std::fs::write(&path, format!("a {OLD}\n")).unwrap();
        assert!(matches!(change.write(&folder.path().join("record")), Err(KeyReplaceError::Changed(_))));
    }

    #[test]
    fn other_lines_keep_every_byte() {
        let names = words(&["a"]);
        let text = format!("# x\r\nb {OLD}\r\n\r\na,c {OLD}\r\n\td  {OLD} \r\ne {OLD}");
        let (after, _) = replaced(&text, "f", &names, &format!("a {NEW}"));
        let wanted = format!("# x\r\nb {OLD}\r\n\r\nc {OLD}\r\na {NEW}\r\n\td  {OLD} \r\ne {OLD}");
        assert_eq!(after, wanted);
        assert_eq!(replaced("b x", "f", &names, "a y").0, "b x\na y\n");
    }

    #[test]
    fn what_is_added_meanwhile_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("known_hosts");
        std::fs::write(&path, format!("a {OLD}\n")).unwrap();
        let change = Replacement::of(&path, &words(&["a"]), &[], 22, NEW).unwrap();
        // Between the look and the change.
        crate::openssh::known_hosts::append(&path, "b", 22, &PublicKey::from_openssh(OLD).unwrap()).unwrap();
        change.write(&folder.path().join("record")).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("a {NEW}\nb {OLD}\n"));
        // By one who had opened the file, after its name went.
        let seen = change.look().unwrap();
        let mut late = OpenOptions::new().append(true).open(&path).unwrap();
        std::fs::rename(&path, folder.path().join("old")).unwrap();
        std::fs::write(&path, format!("a {NEW}\n")).unwrap();
        writeln!(late, "@revoked * {OLD}").unwrap();
        change.keep_what_came_late(seen).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("a {NEW}\n@revoked * {OLD}\n"));
    }

    #[test]
    fn nothing_is_lost_while_others_append() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("known_hosts");
        std::fs::write(&path, format!("a {OLD}\n")).unwrap();
        let key = PublicKey::from_openssh(OLD).unwrap();
        std::thread::scope(|scope| {
            let adding = scope.spawn(|| {
                for i in 0..200 {
                    crate::openssh::known_hosts::append(&path, &format!("h{i}"), 22, &key).unwrap();
                }
            });
            for i in 0..50 {
                let key = if i % 2 == 0 { NEW } else { OLD };
                let change = Replacement::of(&path, &words(&["a"]), &[], 22, key).unwrap();
                match change.write(&folder.path().join("record")) {
                    Ok(()) | Err(KeyReplaceError::Changed(_)) => {}
                    Err(error) => unreachable!("{error}"),
                }
            }
            adding.join().unwrap();
        });
        let text = std::fs::read_to_string(&path).unwrap();
        let missing: Vec<usize> = (0..200).filter(|i| !text.contains(&format!("h{i} ssh-ed25519"))).collect();
        assert!(missing.is_empty(), "{missing:?} are lost");
    }
}
