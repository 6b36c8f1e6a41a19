//! Backups: the dated dumps on the machines with role `backup`, what is packed in such files, and the disk
//! space that files take.

pub(crate) mod archives;
pub mod programs;

use crate::posix::files::{Attributes, Metadata};
use crate::posix::storage::Mount;
use crate::world::World;
use crate::world::noise::unit;
use jumpdeck_fleet::names::HostName;

/// What a packed file begins and ends with (RFC 1952's magic; the end is our own).
const MAGIC: &[u8] = &[0x1f, 0x8b, 8, 0];
const END: &[u8] = &[0, b'e', b'n', b'd'];
/// Days of dumps that are kept, and weeks of archives.
const DAYS: u32 = 40;
const WEEKS: u32 = 8;
/// Parts of the disk's use at the start that one dump and one archive take.
const DUMP: f64 = 0.013;
const ARCHIVE: f64 = 0.03;

/// What is in a dump of the wiki's database.
pub(crate) const DUMPED: &str = "\
DROP TABLE IF EXISTS `page`;
CREATE TABLE `page` (`page_id` int unsigned NOT NULL AUTO_INCREMENT, `page_title` varchar(255) NOT NULL, PRIMARY KEY (`page_id`));
INSERT INTO `page` VALUES (1,'Main_Page'),(2,'css'),(3,'html'),(4,'javascript');
DROP TABLE IF EXISTS `journal`;
CREATE TABLE `journal` (`id` bigint(20) NOT NULL AUTO_INCREMENT, `app` varchar(32) NOT NULL, `seq` bigint(20) NOT NULL, `at` datetime(3), PRIMARY KEY (`id`), UNIQUE KEY `app` (`app`,`seq`));
";

/// What a packed file is found to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Packed {
    /// Whole: what is in it.
    Whole(Vec<u8>),
    /// Cut off.
    Truncated,
    /// No packed file.
    Other,
}

/// Packs bytes. Nothing is made smaller: sizes are the file's own.
pub(crate) fn pack(bytes: &[u8]) -> Vec<u8> {
    [MAGIC, bytes, END].concat()
}

/// Unpacks what [`pack`] made.
pub(crate) fn unpack(bytes: &[u8]) -> Packed {
    match bytes.strip_prefix(MAGIC) {
        None => Packed::Other,
        Some(rest) => rest.strip_suffix(END).map_or(Packed::Truncated, |inner| Packed::Whole(inner.to_vec())),
    }
}

impl World {
    /// Bytes of the files on a mount, those on mounts below it not counted.
    fn bytes_on(&self, host: &HostName, mount: &Mount, all: &[Mount]) -> u64 {
        let under = |inner: &str, outer: &str| {
            inner != outer && (outer == "/" || inner.strip_prefix(outer).is_some_and(|r| r.starts_with('/')))
        };
        let below = all.iter().filter(|other| {
            under(&other.path, &mount.path)
                && !all.iter().any(|third| under(&other.path, &third.path) && under(&third.path, &mount.path))
        });
        let inner: u64 = below.map(|other| self.written_below(host, &other.path)).sum();
        self.written_below(host, &mount.path).saturating_sub(inner)
    }

    /// Corrects the mounts' figures by what was written and removed since the world's start.
    pub(crate) fn count_files(&self, host: &HostName, mounts: &mut [Mount]) {
        let all = mounts.to_vec();
        for mount in mounts.iter_mut().filter(|mount| mount.size_kb > 0) {
            let now = self.bytes_on(host, mount, &all) / 1024;
            let (more, less) = (now.saturating_sub(mount.stored_kb), mount.stored_kb.saturating_sub(now));
            mount.used_kb = (mount.used_kb + more).saturating_sub(less).min(mount.size_kb);
            mount.available_kb = (mount.available_kb + less).saturating_sub(more);
            mount.available_kb = mount.available_kb.min(mount.size_kb.saturating_sub(mount.used_kb));
        }
    }

    /// kB that can still be written at a path.
    #[must_use]
    pub fn available_kb(&self, host: &HostName, path: &str) -> u64 {
        let mounts = self.filesystems(host).unwrap_or_default();
        let holds = |m: &&Mount| m.path == "/" || path == m.path || path.starts_with(&format!("{}/", m.path));
        mounts.iter().filter(holds).max_by_key(|m| m.path.len()).map_or(0, |m| m.available_kb)
    }

    /// kB of a host's database on its disk.
    pub(crate) fn data_kb(&self, host: &HostName) -> u64 {
        let mounts = self.filesystems(host).unwrap_or_default();
        let data = mounts.iter().filter(|m| "/var/lib/mysql".starts_with(m.path.as_str()));
        data.max_by_key(|m| m.path.len()).map_or(0, |m| m.used_kb)
    }

    /// Fault: a file takes what room there is at a path; so many kB are left.
    pub fn fill_mount(&mut self, host: &HostName, path: &str, left: u64) {
        let kb = self.available_kb(host, path).saturating_sub(left);
        let root = || "root".to_owned();
        let attributes = Attributes { mode: 0o640, owner: root(), group: root(), modified: self.epoch(host) };
        self.store_file(host, &format!("{path}/full-disk"), Vec::new(), kb * 1024, attributes);
        self.filled.insert(host.clone());
    }

    /// Whether so many bytes more are too many at a path.
    pub(crate) fn is_full(&self, host: &HostName, path: &str, more: usize) -> bool {
        self.filled.contains(host) && self.available_kb(host, path) * 1024 < more as u64
    }

    /// Puts the backups there, and takes note of what files take at the start.
    pub(crate) fn start_backups(&mut self) {
        let found: Vec<(HostName, String, u64)> = self
            .machines()
            .filter(|m| m.roles().iter().any(|role| role.as_str() == "backup"))
            .filter_map(|m| {
                let mount = m.mounts.iter().find(|mount| mount.path == "/mnt/backup")?;
                Some((m.name.clone(), mount.path.clone(), mount.used_kb))
            })
            .collect();
        for (host, root, used_kb) in found {
            self.old_backups(&host, &root, used_kb);
            self.archive_salt_master(&host, &root);
        }
        let mut notes: Vec<(HostName, Vec<u64>)> = Vec::new();
        for machine in self.machines() {
            let of = |mount: &Mount| self.bytes_on(&machine.name, mount, &machine.mounts) / 1024;
            notes.push((machine.name.clone(), machine.mounts.iter().map(of).collect()));
        }
        for (host, stored) in notes {
            let mounts = self.machines.get_mut(&host).map(|m| m.mounts.iter_mut());
            for (mount, stored_kb) in mounts.into_iter().flatten().zip(stored) {
                mount.stored_kb = stored_kb;
            }
        }
    }

    /// A dump a day at 02:10, an archive a week at 03:20; each day's figures differ a little.
    fn old_backups(&mut self, host: &HostName, root: &str, used_kb: u64) {
        #[allow(clippy::cast_precision_loss)] // kB of a disk
        let used = used_kb as f64 * 1024.0;
        let now = self.epoch(host);
        let midnight = (now / 86_400.0).floor() * 86_400.0;
        // Today's comes when its time has come: until then yesterday's is the newest.
        let newest =
            |seconds: f64| if midnight + seconds > now { midnight - 86_400.0 } else { midnight } + seconds;
        let (master, key) =
            (self.database_to_back_up(), crate::world::noise::key(self.seed(), host.as_str()));
        for day in 0..DAYS {
            let at = newest(7800.0) - 86_400.0 * f64::from(day);
            let size =
                used * DUMP * (1.0 - 0.002 * f64::from(day)) * (0.99 + 0.02 * unit(key, u64::from(day)));
            let text = format!(
                "-- MySQL dump 10.15\n-- Host: {master}    Database: webplatform\n{DUMPED}-- Dump completed on {}\n",
                date(at, "%Y-%m-%d %H:%M:%S")
            );
            let path = format!("{root}/mysql/webplatform-{}.sql.gz", date(at, "%Y%m%d"));
            self.put_backup(host, &path, text.as_bytes(), (at, size));
        }
        for week in 0..WEEKS {
            let at = newest(12_000.0) - 604_800.0 * f64::from(week);
            let size = used * ARCHIVE * (0.97 + 0.06 * unit(key, 900 + u64::from(week)));
            let names = "srv/webplatform/\nsrv/webplatform/wiki/\nsrv/webplatform/wiki/images/\nsrv/webplatform/wiki/images/logo.svg\n";
            let path = format!("{root}/files/webplatform-{}.tar.gz", date(at, "%Y%m%d"));
            self.put_backup(host, &path, names.as_bytes(), (at, size));
        }
    }

    fn put_backup(&mut self, host: &HostName, path: &str, inside: &[u8], (at, size): (f64, f64)) {
        let root = || "root".to_owned();
        let attributes = Attributes { mode: 0o640, owner: root(), group: root(), modified: at };
        self.store_file(host, path, pack(inside), crate::posix::machine::count(size), attributes);
    }

    fn database_to_back_up(&self) -> String {
        let master = self.machines().find(|m| self.has_database(&m.name));
        master.map_or("localhost".to_owned(), |m| m.name.to_string())
    }

    /// The files of a folder, the newest first.
    fn newest_files(&self, host: &HostName, folder: &str) -> Vec<String> {
        let names = self.list_dir(host, folder).unwrap_or_default();
        let dated = |name: String| {
            let path = format!("{folder}/{name}");
            let found = self.metadata(host, &path).filter(|found| !found.directory)?;
            Some((found.attributes.modified, path))
        };
        let mut files: Vec<(f64, String)> = names.into_iter().filter_map(dated).collect();
        files.sort_by(|a, b| b.0.total_cmp(&a.0));
        files.into_iter().map(|(_, path)| path).collect()
    }

    /// The newest file of a folder, and what it is.
    #[must_use]
    pub fn newest_backup(&self, host: &HostName, folder: &str) -> Option<(String, Metadata)> {
        let path = self.newest_files(host, folder).into_iter().next()?;
        let found = self.metadata(host, &path)?;
        Some((path, found))
    }

    /// Fault: the newest backups of a folder did not come. How many files are left.
    pub fn miss_backups(&mut self, host: &HostName, folder: &str, missed: usize) -> usize {
        let files = self.newest_files(host, folder);
        for path in files.iter().take(missed) {
            self.remove_file(host, path);
        }
        files.len().saturating_sub(missed)
    }

    /// Fault: sets the size of the newest backup of a folder, in bytes. False when there is none.
    pub fn resize_backup(&mut self, host: &HostName, folder: &str, size: u64) -> bool {
        let Some((path, found)) = self.newest_backup(host, folder) else { return false };
        self.store_file(host, &path, Vec::new(), size, found.attributes);
        true
    }

    /// Fault: cuts a packed file off; its size stays. False when there is none.
    pub fn corrupt_file(&mut self, host: &HostName, path: &str) -> bool {
        let Some((content, found)) = self.read_file(host, path).zip(self.metadata(host, path)) else {
            return false;
        };
        let cut = content.len().saturating_sub(END.len());
        let content = content.get(..cut).unwrap_or_default().to_vec();
        self.store_file(host, path, content, found.size, found.attributes);
        true
    }
}

pub(crate) fn date(at: f64, form: &str) -> String {
    #[allow(clippy::cast_possible_truncation)] // seconds since 1970
    let at = jiff::Timestamp::from_second(at as i64).unwrap_or_default();
    at.strftime(form).to_string()
}
