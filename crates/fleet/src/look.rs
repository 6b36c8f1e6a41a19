//! What a host is asked for only while somebody looks: its processes, its listening ports, its mounts.

use std::time::Duration;

use crate::hop::Hop;
use crate::storage::Usage;
use crate::text::Clean;
use crate::time::Moment;

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LookKind {
    /// Processes.
    Processes,
    /// Listening ports.
    Ports,
    /// Mounts.
    Mounts,
}

impl LookKind {
    /// Every one, in the order of their names on screen.
    pub const ALL: [Self; 3] = [Self::Processes, Self::Ports, Self::Mounts];

    /// Its word, on screen and on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Processes => "processes",
            Self::Ports => "ports",
            Self::Mounts => "mounts",
        }
    }

    /// Time between two questions while it is on screen.
    #[must_use]
    pub fn cadence(self) -> Duration {
        Duration::from_secs(match self {
            Self::Processes => 3,
            Self::Ports => 5,
            Self::Mounts => 10,
        })
    }
}

/// What a host answered.
#[derive(Debug, Clone, PartialEq)]
pub struct HostLook {
    /// When it was asked.
    pub asked: Moment,
    /// What it said.
    pub content: LookContent,
    /// What it could not say, and why: a sentence each.
    pub notes: Vec<Clean>,
}

/// The rows of a look.
#[derive(Debug, Clone, PartialEq)]
pub enum LookContent {
    /// Processes.
    Processes(ProcessTable),
    /// Listening ports.
    Ports(Vec<ListeningPort>),
    /// Mounts, in the order of the mount table.
    Mounts(Vec<MountedHere>),
}

/// The processes that matter most, and how many there are.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProcessTable {
    /// All that the account may see there.
    pub count: usize,
    /// Those that use most of the CPU, and those that use most memory.
    pub rows: Vec<RunningProcess>,
}

/// A process. Its arguments are not read: they may hold secrets.
#[derive(Debug, Clone, PartialEq)]
pub struct RunningProcess {
    /// Its number.
    pub pid: u32,
    /// The number of the process that started it.
    pub parent: u32,
    /// When it was started, in hundredths of a second since the machine was: tells it from a later one of the same number.
    pub started: u64,
    /// Its program's name, at most 15 bytes of it.
    pub name: Clean,
    /// Whose it is; `None` where it ended meanwhile.
    pub user: Option<Clean>,
    /// The kernel's letter for its state: `R`, `S`, `D`, `Z`, …
    pub state: char,
    /// Percent of one CPU between this question and the one before; `None` when there was none before.
    pub cpu: Option<f32>,
    /// Hundredths of a second of CPU since it was started.
    pub ticks: u64,
    /// Resident memory, kB; `None` for threads of the kernel.
    pub memory_kb: Option<u64>,
    /// Seconds that it has run.
    pub seconds: u64,
}

impl RunningProcess {
    /// Its state in a word.
    #[must_use]
    pub fn state_word(&self) -> &'static str {
        match self.state {
            'R' => "runs",
            'S' => "sleeps",
            'D' => "waits for disk",
            'Z' => "zombie",
            'T' | 't' => "stopped",
            'I' => "idle",
            'X' | 'x' => "dead",
            _ => "?",
        }
    }
}

/// A port that something listens on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListeningPort {
    /// By which protocol.
    pub protocol: PortProtocol,
    /// On which address; `*` is every one.
    pub address: Clean,
    /// Which port.
    pub port: u16,
    /// Who listens.
    pub owner: PortOwner,
    /// Connections that wait to be accepted, and how many may; of TCP alone.
    pub queue: Option<(u64, Option<u64>)>,
}

/// A protocol with ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PortProtocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl PortProtocol {
    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// Who listens on a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PortOwner {
    /// These processes: name and number.
    Processes(Vec<(Clean, u32)>),
    /// No process, as root sees it: the kernel.
    Kernel,
    /// Not visible to the account that asked.
    Hidden,
}

impl PortOwner {
    /// It in words: `nginx 812 813`, `(kernel)`, `?`.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Processes(all) => {
                let mut words = String::new();
                let mut before = None;
                for (name, pid) in all {
                    if before != Some(name) {
                        words.push_str(if before.is_some() { ", " } else { "" });
                        words.push_str(name.as_str());
                        before = Some(name);
                    }
                    words.push_str(&format!(" {pid}"));
                }
                words
            }
            Self::Kernel => "(kernel)".to_owned(),
            Self::Hidden => "?".to_owned(),
        }
    }
}

/// A mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountedHere {
    /// What is mounted.
    pub device: Clean,
    /// Where.
    pub mount: Clean,
    /// As what.
    pub fstype: Clean,
    /// How: `rw,noatime`.
    pub options: Clean,
    /// How full it is.
    pub room: MountRoom,
}

impl MountedHere {
    /// Whether nothing can be written there.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.options.as_str().split(',').any(|option| option == "ro")
    }
}

/// How full a mount is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MountRoom {
    /// So.
    Known(Usage),
    /// It was not asked: it holds no files of its own, or it is on another machine and might not answer.
    NotAsked,
    /// It was asked, and `df` said nothing of it.
    Unknown,
}

/// News of a host that is looked at.
#[derive(Debug, Clone, PartialEq)]
pub enum LookEvent {
    /// It is being asked, for the first time or after the connection was lost.
    Asking,
    /// It answered.
    Answer(HostLook),
    /// It did not.
    Lost {
        /// Where it failed.
        hop: Hop,
        /// What happened.
        why: Clean,
        /// Whether it is tried again without anybody doing something.
        again: bool,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_named_once_with_their_numbers() {
        let owner = |all: &[(&str, u32)]| {
            PortOwner::Processes(all.iter().map(|(name, pid)| ((*name).into(), *pid)).collect()).words()
        };
        assert_eq!(owner(&[("nginx", 8), ("nginx", 9)]), "nginx 8 9");
        assert_eq!(owner(&[("a", 1), ("b", 2)]), "a 1, b 2");
        assert_eq!(PortOwner::Hidden.words(), "?");
    }

    #[test]
    fn a_mount_is_read_only_by_a_whole_option() {
        let mount = |options: &str| MountedHere {
            device: "/dev/sda1".into(),
            mount: "/".into(),
            fstype: "ext4".into(),
            options: options.into(),
            room: MountRoom::NotAsked,
        };
        assert!(mount("ro").is_read_only() && mount("relatime,ro").is_read_only());
        assert!(!mount("rw,errors=remount-ro").is_read_only());
    }
}
