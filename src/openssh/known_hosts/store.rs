//! known_hosts files: reading them, and adding an accepted key.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use russh::keys::PublicKey;

use crate::openssh::bounded::{self, LONGEST_LIST};
use jumpdeck_fleet::access::KnownHosts;

use super::line::KnownHostsEntry;
use super::{FileError, HostKeys, lookup_name};

impl HostKeys {
    /// Reads what is known, as [`Self::read`] does, and holds nothing else up meanwhile.
    ///
    /// # Errors
    /// When a file cannot be read: what it forbids would else be overlooked.
    pub async fn load(known: &KnownHosts) -> Result<Self, FileError> {
        let known = known.clone();
        let reading = tokio::task::spawn_blocking(move || Self::read(&known)).await;
        reading.unwrap_or_else(|e| Err(FileError { path: PathBuf::new(), source: io::Error::other(e) }))
    }

    /// Reads what is known. A missing file of known hosts is empty; a missing one of revoked keys is an error, as for
    /// OpenSSH.
    ///
    /// # Errors
    /// When a file is there and cannot be read: what it forbids would else be overlooked.
    pub fn read(known: &KnownHosts) -> Result<Self, FileError> {
        let mut all = Self::default();
        let files = match known {
            KnownHosts::Text(text) => {
                all.add_text(text, "built in");
                return Ok(all);
            }
            KnownHosts::Files(files) => files,
        };
        for path in files.known_hosts() {
            if let Some(text) = read_lines(path)? {
                all.add_text(&text, &path.display().to_string());
            }
        }
        for path in &files.revocations_only {
            if let Some(text) = read_lines(path)? {
                all.add_revocations(&text, &path.display().to_string());
            }
        }
        for path in &files.revoked {
            let named = |source| FileError { path: path.clone(), source };
            let bytes = bounded::read(path, LONGEST_LIST).map_err(named)?;
            all.add_revoked(&bytes, &path.display().to_string())
                .map_err(|why| named(io::Error::new(io::ErrorKind::InvalidData, why)))?;
        }
        Ok(all)
    }

    /// Adds the public keys that no host may have, one a line.
    fn add_revoked(&mut self, bytes: &[u8], source: &str) -> Result<(), String> {
        if bytes.starts_with(KRL) {
            return Err("it is a key revocation list (KRL, of ssh-keygen -k), which jumpdeck cannot read: write the revoked public keys into a plain file, one a line"
                .to_owned());
        }
        for (number, line) in String::from_utf8_lossy(bytes).lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let place = format!("{source}:{}", number + 1);
            let entry = KnownHostsEntry::revoked(line, place)
                .ok_or_else(|| format!("line {} is not a public key: correct or remove it", number + 1))?;
            self.entries.push(entry);
        }
        Ok(())
    }
}

/// The text of a known_hosts file; `None` when there is none.
fn read_lines(path: &Path) -> Result<Option<String>, FileError> {
    match bounded::read(path, LONGEST_LIST) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(FileError { path: path.to_owned(), source }),
    }
}

/// How a key revocation list begins (`PROTOCOL.krl`).
const KRL: &[u8] = b"SSHKRL\n\0";

/// Adds an accepted key to `path`: in one write, on a line of its own even when the file does not end with one. The
/// folder is made (0700) when it is missing, the file gets 0600.
///
/// # Errors
/// When the key cannot be written, or what the system says.
pub fn append(path: &Path, address: &str, port: u16, key: &PublicKey) -> Result<(), FileError> {
    let line = line_for(address, port, key).map_err(io::Error::other);
    line.and_then(|line| append_line(path, &line))
        .map_err(|source| FileError { path: path.to_owned(), source })
}

/// The line that makes a key known.
pub(crate) fn line_for(address: &str, port: u16, key: &PublicKey) -> Result<String, String> {
    let name = lookup_name(address, port);
    if name.contains(|c: char| c.is_whitespace() || c.is_control() || ",*?!#@|".contains(c)) {
        return Err(format!("{name:?} cannot be written as a host name"));
    }
    let key = PublicKey::new(key.key_data().clone(), "").to_openssh().map_err(|e| e.to_string())?;
    Ok(format!("{name} {key}\n"))
}

/// Appends to the file that has the name, not to one that another console has just put another in the place of.
pub(super) fn append_line(path: &Path, line: &str) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut file = loop {
        let file = OpenOptions::new().create(true).append(true).read(true).mode(0o600).open(path)?;
        lock(&file);
        let (opened, named) = (file.metadata()?, std::fs::metadata(path));
        if named.is_ok_and(|named| (named.dev(), named.ino()) == (opened.dev(), opened.ino())) {
            break file;
        }
    };
    let line = if ends_within_a_line(&mut file)? { format!("\n{line}") } else { line.to_owned() };
    file.write_all(line.as_bytes())?;
    file.sync_all()
}

/// Waits a moment for other consoles to be done with the file. `ssh` takes no lock, and whoever can read the file can hold one for
/// ever: without it the file is looked at again, and written to all the same.
pub(super) fn lock(file: &File) {
    for _ in 0..100 {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(5)),
            Ok(()) | Err(TryLockError::Error(_)) => return,
        }
    }
}

fn ends_within_a_line(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}
