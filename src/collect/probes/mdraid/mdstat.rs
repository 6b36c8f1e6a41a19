//! `/proc/mdstat`.

/// An array.
pub(super) struct Array<'a> {
    name: &'a str,
    active: bool,
    level: Option<&'a str>,
    failed: Vec<&'a str>,
    /// Disks there should be, and those that work; none of RAID 0 and linear, which live without spare.
    disks: Option<(u64, u64)>,
    /// What is done to it: `recovery`, `resync`, `reshape`, `check`, with how far it is.
    work: Option<(&'a str, String)>,
    /// The disks of a controller's RAID (Intel RST and VROC, DDF), which never run themselves: its arrays do, each on its own.
    container: bool,
}

/// Every array, without the containers of other arrays.
pub(super) fn arrays(text: &str) -> Vec<Array<'_>> {
    let mut found: Vec<Array<'_>> = Vec::new();
    for line in text.lines() {
        if let Some((name, rest)) = line.split_once(" : ").filter(|(name, _)| name.starts_with("md")) {
            found.push(Array::read(name.trim(), rest));
        } else if let Some(array) = found.last_mut().filter(|_| line.starts_with(' ')) {
            array.add(line);
        }
    }
    found.retain(|array| !array.container);
    found
}

impl<'a> Array<'a> {
    /// `active (auto-read-only) raid1 sdb1[1](F) sda1[0]`
    fn read(name: &'a str, rest: &'a str) -> Self {
        let mut words = rest.split_whitespace();
        let active = words.next() == Some("active");
        let words: Vec<&str> = words.filter(|word| !word.starts_with('(')).collect();
        let failed = words.iter().filter(|word| word.ends_with("(F)"));
        Self {
            name,
            active,
            level: words.first().copied().filter(|word| !word.contains('[')),
            failed: failed.filter_map(|word| word.split('[').next()).collect(),
            disks: None,
            work: None,
            container: false,
        }
    }

    fn add(&mut self, line: &'a str) {
        if let Some((_, of)) = line.split_once(" super external:") {
            // `imsm`, `ddf`; an array of it has the container's name there, `/md127/0`, with `-` before it while mdadm holds it.
            self.container = !of.starts_with(['/', '-']);
        }
        if line.contains(" blocks ") {
            // `[2/1] [U_]`; raid10 and others have more brackets before it.
            self.disks = line.split(['[', ']']).find_map(|word| {
                let (all, working) = word.split_once('/')?;
                Some((all.parse().ok()?, working.parse().ok()?))
            });
        }
        for kind in ["recovery", "resync", "reshape", "check", "repair"] {
            let Some((before, rest)) = line.split_once(kind) else { continue };
            if !before.ends_with([' ', '\t']) {
                continue;
            }
            let rest = rest.trim_start_matches([' ', '=']);
            let progress = match rest.split_once('%') {
                Some((percent, after)) => {
                    let left = after.split_once("finish=").and_then(|(_, rest)| rest.split_once("min"));
                    let left = left.and_then(|(minutes, _)| minutes.split('.').next());
                    let left = left.map(|minutes| format!(", {minutes} min left"));
                    format!("{kind} {percent} %{}", left.unwrap_or_default())
                }
                None => format!("{kind} {}", rest.trim().to_ascii_lowercase()),
            };
            self.work = Some((kind, progress));
            return;
        }
    }

    pub(super) fn is_degraded(&self) -> bool {
        self.disks.is_some_and(|(all, working)| working < all)
    }

    fn is_rebuilt(&self) -> bool {
        self.work.as_ref().is_some_and(|(kind, _)| matches!(*kind, "recovery" | "resync" | "reshape"))
    }

    /// `md1 raid1 2 of 2 disks`
    pub(super) fn words(&self) -> String {
        let level = self.level.map(|level| format!(" {level}")).unwrap_or_default();
        let disks = self.disks.map(|(all, working)| format!(" {working} of {all} disks")).unwrap_or_default();
        let state = if self.active { "" } else { " inactive" };
        format!("{}{level}{disks}{state}", self.name)
    }

    fn missing(&self) -> String {
        let (all, working) = self.disks.unwrap_or_default();
        let failed = if self.failed.is_empty() {
            String::new()
        } else {
            format!(", {} failed", self.failed.join(" "))
        };
        format!("{} has {working} of {all} disks{failed}", self.name)
    }

    pub(super) fn broken(&self) -> Option<String> {
        (self.active && self.is_degraded() && !self.is_rebuilt()).then(|| self.missing())
    }

    pub(super) fn rebuilt(&self) -> Option<String> {
        let (_, progress) = self.work.as_ref()?;
        (self.active && self.is_degraded() && self.is_rebuilt())
            .then(|| format!("{}, {progress}", self.missing()))
    }

    pub(super) fn inactive(&self) -> Option<String> {
        (!self.active).then(|| self.name.to_owned())
    }

    /// What is done to an array that misses no disk.
    pub(super) fn checked(&self) -> Option<String> {
        let (_, progress) = self.work.as_ref().filter(|_| !self.is_degraded())?;
        Some(format!("{} {progress}", self.name))
    }
}
