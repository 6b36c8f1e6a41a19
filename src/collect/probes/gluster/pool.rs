//! What `gluster` says of a pool: peers, volumes and bricks.

use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::text::Clean;

/// What is read of a list: more are in no pool of this kind.
const MOST: usize = 500;
/// Names that are shown of a list.
const SHOWN: usize = 3;

/// A pool.
#[derive(Default)]
pub(super) struct Pool<'a> {
    pub(super) peers: Vec<PoolHost<'a>>,
    pub(super) volumes: Vec<Volume<'a>>,
    /// Why the state of the bricks is not known.
    pub(super) failed: Option<String>,
    /// Seconds for which the backlog has not become smaller; `None` where nobody could count.
    pub(super) idle: Option<u64>,
    /// Why the backlog of some volume is not known.
    pub(super) backlog_gap: Option<Gap>,
}

/// Another host of the pool.
pub(super) struct PoolHost<'a> {
    name: &'a str,
    /// `Peer in Cluster (Connected)`
    state: &'a str,
}

/// A volume.
pub(super) struct Volume<'a> {
    pub(super) name: &'a str,
    kind: &'a str,
    pub(super) started: bool,
    /// Bricks of a set that holds the same files, and how many of those may be missing.
    set: usize,
    spare: usize,
    /// Bricks of a set that hold names only.
    arbiters: usize,
    pub(super) bricks: Vec<Brick<'a>>,
    /// Entries that wait to be healed.
    backlog: Option<u64>,
}

/// A brick: `host:/folder`.
pub(super) struct Brick<'a> {
    name: &'a str,
    /// `None`: its host's server is away, so nobody says it.
    up: Option<bool>,
    /// Bytes of its filesystem: free, and all.
    free: Option<f64>,
    size: Option<f64>,
}

/// How bad it is for the files of a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BrickTrouble {
    /// Some cannot be read.
    Lost,
    /// One more failure, and some cannot.
    Last,
    /// Fewer copies than there should be.
    Fewer,
    /// Nobody knows of some bricks.
    Unknown,
}

impl PoolHost<'_> {
    /// `storage5 is disconnected`
    pub(super) fn trouble(&self) -> Option<String> {
        let (state, connection) = self.state.rsplit_once(" (").unwrap_or((self.state, ""));
        match (state, connection) {
            ("Peer in Cluster", "Connected)") => None,
            ("Peer in Cluster", "Disconnected)") => Some(format!("peer {} is disconnected", self.name)),
            _ => Some(format!("peer {} is in state {}", self.name, self.state)),
        }
    }
}

/// `Key: value` and `Key   : value`.
fn pair(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once(':')?;
    Some((key.trim(), value.trim()))
}

impl<'a> Pool<'a> {
    /// Reads the answers to `peer status`, `volume info`, `volume status all detail` and `heal-count`, with marks between.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let (peers, rest) = text.split_once("@volumes\n")?;
        let (volumes, rest) = rest.split_once("@bricks\n")?;
        let (bricks, rest) = rest.split_once("@status ")?;
        if !peers.contains("eers") {
            return None;
        }
        let mut pool = Self { peers: read_peers(peers), volumes: read_volumes(volumes), ..Self::default() };
        let status = rest.lines().next()?;
        if status == "0" {
            pool.read_bricks(bricks);
        } else {
            let why = bricks.lines().rfind(|line| !line.trim().is_empty());
            pool.failed = Some(why.unwrap_or("gluster volume status failed").to_owned());
        }
        if let Some((_, heals)) = rest.split_once("@heals ") {
            pool.read_heals(heals);
        }
        Some(pool)
    }

    fn volume(&mut self, name: &str) -> Option<&mut Volume<'a>> {
        self.volumes.iter_mut().find(|volume| volume.name == name)
    }

    fn read_bricks(&mut self, text: &str) {
        let (mut volume, mut brick) = ("", "");
        for line in text.lines() {
            if let Some(name) = line.strip_prefix("Status of volume: ") {
                (volume, brick) = (name.trim(), "");
                continue;
            }
            let Some((key, value)) = pair(line) else { continue };
            if key == "Brick" {
                brick = value.strip_prefix("Brick ").unwrap_or(value);
                continue;
            }
            let bricks = self.volume(volume).map(|volume| volume.bricks.iter_mut()).into_iter().flatten();
            let Some(found) = bricks.into_iter().find(|one| one.name == brick) else { continue };
            match key {
                "Online" => found.up = Some(value == "Y"),
                "Disk Space Free" => found.free = bytes(value),
                "Total Disk Space" => found.size = bytes(value),
                _ => {}
            }
        }
    }

    /// `STATUS CUT`, then the answer of each volume that was asked.
    fn read_heals(&mut self, text: &str) {
        let mut lines = text.lines();
        let head = lines.next().unwrap_or_default();
        let mut answers: Vec<HealAnswer<'_>> = Vec::new();
        for line in lines.map(str::trim).filter(|line| !line.is_empty()) {
            if let Some(volume) = line.strip_prefix("@heal ") {
                answers.push(HealAnswer { volume, lines: Vec::new() });
            } else if let Some(seconds) = line.strip_prefix("@idle ") {
                self.idle = seconds.parse().ok();
            } else if let Some(answer) = answers.last_mut() {
                answer.lines.push(line);
            }
        }
        self.backlog_gap = match head.split_once(' ') {
            Some((_, "yes")) => Some(Gap::Cut("16 KiB of what waits to be healed".into())),
            Some(("124", _)) => Some(Gap::TimedOut),
            _ if answers.is_empty() => Some(Gap::Failed("gluster volume heal failed".into())),
            _ => None,
        };
        if self.backlog_gap.is_some() {
            // Of the last one the end is missing.
            answers.pop();
        }
        for answer in &answers {
            let Some(entries) = answer.entries() else {
                if !answer.is_not_counted() {
                    self.backlog_gap.get_or_insert_with(|| answer.gap());
                }
                continue;
            };
            if let Some(volume) = self.volume(answer.volume) {
                volume.backlog = Some(entries);
            }
        }
    }

    pub(super) fn bricks_up(&self) -> usize {
        self.volumes.iter().flat_map(|v| &v.bricks).filter(|brick| brick.up == Some(true)).count()
    }

    /// The entries of all volumes that wait to be healed; `None` where some are not known.
    pub(super) fn backlog(&self) -> Option<u64> {
        if self.backlog_gap.is_some() {
            return None;
        }
        self.volumes.iter().filter_map(|volume| volume.backlog).reduce(u64::saturating_add)
    }

    /// `wiki-images 12`
    pub(super) fn backlog_words(&self) -> String {
        let waiting = self.volumes.iter().filter_map(|v| Some((v.name, v.backlog.filter(|n| *n > 0)?)));
        in_short(&waiting.map(|(name, n)| format!("{name} {n}")).collect::<Vec<_>>())
    }

    /// How much of each brick's filesystem is used, as exact as its host says it: two copies can be compared.
    pub(super) fn used(&self) -> Option<String> {
        let used =
            |brick: &Brick<'_>| Some(format!("{} {}", brick.name, in_units(brick.size? - brick.free?)));
        let found: Vec<String> = self.volumes.iter().flat_map(|v| &v.bricks).filter_map(used).collect();
        (!found.is_empty()).then(|| in_short(&found))
    }
}

/// What `heal-count` says of a volume.
struct HealAnswer<'a> {
    volume: &'a str,
    lines: Vec<&'a str>,
}

impl HealAnswer<'_> {
    /// The sum of what its bricks say.
    fn entries(&self) -> Option<u64> {
        let number = |line: &&str| line.strip_prefix("Number of entries: ")?.trim().parse::<u64>().ok();
        self.lines.iter().filter_map(number).reduce(u64::saturating_add)
    }

    /// Before 3.5 nobody counts: the usage does not name it.
    fn is_not_counted(&self) -> bool {
        self.lines.iter().any(|line| line.starts_with("Usage: volume heal "))
            && !self.lines.iter().any(|line| line.contains("heal-count"))
    }

    fn gap(&self) -> Gap {
        let why = self.lines.last().copied().unwrap_or("gluster volume heal failed");
        Gap::Failed(Clean::first_line(&format!("{}: {why}", self.volume), 160))
    }
}

fn read_peers(text: &str) -> Vec<PoolHost<'_>> {
    let mut found: Vec<PoolHost<'_>> = Vec::new();
    for (key, value) in text.lines().filter_map(pair).take(MOST * 4) {
        match (key, found.last_mut()) {
            ("Hostname", _) => found.push(PoolHost { name: value, state: "" }),
            ("State", Some(peer)) => peer.state = value,
            _ => {}
        }
    }
    found
}

fn read_volumes(text: &str) -> Vec<Volume<'_>> {
    let mut found: Vec<Volume<'_>> = Vec::new();
    for (key, value) in text.lines().filter_map(pair) {
        if key == "Volume Name" {
            if found.len() == MOST {
                break;
            }
            found.push(Volume {
                name: value,
                kind: "",
                started: false,
                set: 1,
                spare: 0,
                arbiters: 0,
                bricks: Vec::new(),
                backlog: None,
            });
        }
        let Some(volume) = found.last_mut() else { continue };
        match key {
            "Type" => volume.kind = value,
            "Status" => volume.started = value == "Started",
            "Number of Bricks" => volume.take_shape(value),
            _ if key.strip_prefix("Brick").is_some_and(|n| n.parse::<u32>().is_ok())
                && volume.bricks.len() < MOST =>
            {
                let name = value.strip_suffix(" (arbiter)").unwrap_or(value);
                volume.bricks.push(Brick { name, up: None, free: None, size: None });
            }
            _ => {}
        }
    }
    found
}

impl Volume<'_> {
    /// `2`, `1 x 2 = 2`, `2 x (2 + 1) = 6`, and of stripes with copies `1 x 2 x 2 = 4`.
    fn take_shape(&mut self, text: &str) {
        let set = text.split(" = ").next().and_then(|text| text.rsplit(" x ").next()).unwrap_or(text);
        let mut numbers =
            set.split(|c: char| !c.is_ascii_digit()).filter_map(|word| word.parse::<usize>().ok());
        let (whole, more) = (numbers.next().unwrap_or(1), numbers.next().unwrap_or(0));
        if self.kind.contains("Disperse") {
            (self.set, self.spare) = (whole + more, more);
        } else if self.kind.contains("Replicate") {
            // `3` copies; `(2 + 1)`: the last of them holds no data.
            (self.set, self.spare, self.arbiters) = (whole + more, whole.saturating_sub(1), more);
        }
        self.set = self.set.clamp(1, MOST);
    }

    /// `wiki-images Replicate 2 of 2 bricks`
    pub(super) fn words(&self) -> String {
        let up = self.bricks.iter().filter(|brick| brick.up == Some(true)).count();
        let state =
            if self.started { format!("{up} of {} bricks", self.bricks.len()) } else { "stopped".to_owned() };
        format!("{} {} {state}", self.name, self.kind)
    }

    /// The bricks of the sets that are in this trouble: `wiki-images: brick storage5:/srv/b is down`.
    pub(super) fn words_of(&self, trouble: BrickTrouble) -> Option<String> {
        if !self.started {
            return None;
        }
        let sets = self.bricks.chunks(self.set).filter(|set| self.trouble(set) == Some(trouble));
        let wanted = |brick: &&Brick<'_>| {
            if trouble == BrickTrouble::Unknown { brick.up.is_none() } else { brick.up == Some(false) }
        };
        let names: Vec<String> = sets.flatten().filter(wanted).map(|brick| brick.name.to_owned()).collect();
        let state = if trouble == BrickTrouble::Unknown { "unknown" } else { "down" };
        match names.len() {
            0 => None,
            1 => Some(format!("{}: brick {} is {state}", self.name, in_short(&names))),
            _ => Some(format!("{}: bricks {} are {state}", self.name, in_short(&names))),
        }
    }

    fn trouble(&self, set: &[Brick<'_>]) -> Option<BrickTrouble> {
        let data = set.len().saturating_sub(self.arbiters);
        let is_down = |brick: &&Brick<'_>| brick.up == Some(false);
        let down = set.iter().filter(is_down).count();
        if down == 0 {
            return set.iter().any(|brick| brick.up.is_none()).then_some(BrickTrouble::Unknown);
        }
        let of_data = || set.iter().take(data);
        // One that nobody knows of is no copy to rely on.
        let missing = of_data().filter(|brick| brick.up != Some(true)).count();
        Some(match () {
            () if of_data().filter(is_down).count() > self.spare => BrickTrouble::Lost,
            () if missing > 0 && missing >= self.spare => BrickTrouble::Last,
            () => BrickTrouble::Fewer,
        })
    }
}

/// `47.3GB`, `512Bytes`.
fn bytes(text: &str) -> Option<f64> {
    let at = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(at);
    let power = ["B", "KB", "MB", "GB", "TB", "PB"].iter().position(|known| *known == unit.trim());
    let power = power.or_else(|| (unit.trim() == "Bytes").then_some(0))?;
    let number: f64 = number.trim().parse().ok()?;
    (number.is_finite() && number >= 0.0).then(|| number * 1024_f64.powi(i32::try_from(power).unwrap_or(0)))
}

fn in_units(bytes: f64) -> String {
    let mut left = bytes.max(0.0);
    let mut units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"].iter();
    let mut unit = units.next().unwrap_or(&"B");
    while left >= 1024.0 {
        let Some(next) = units.next() else { break };
        (left, unit) = (left / 1024.0, next);
    }
    format!("{left:.1} {unit}")
}

fn in_short(names: &[String]) -> String {
    let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
