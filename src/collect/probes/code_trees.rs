//! The git trees below `/srv` of a Salt master: which have changes that nobody committed, and commits that nobody pushed.
//!
//! A round looks at every tree, every minute or so, every five where it takes long; a report goes on with it for a second at most, so that many or large trees
//! delay none. `git status` changes and fetches nothing: it takes no lock, runs no monitor of files and no hook. "Not pushed" is what
//! the last fetch or push says. A tree that git does not trust this account with is asked as its owner, where the inventory allows
//! `sudo`. One whose own configuration names programs that `git status` would run is not asked; and before 2.15, when git could not be
//! told to write nothing, none that the account may write to.

use crate::collect::probe::{HyphenatedProbe, ProbeCadence, Raw, ServiceProbe, unreadable};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::Thresholds;
use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::service::{Figure, Finding, HostsOf, Service, ServiceKind, ServiceReading};
use jumpdeck_fleet::text::Clean;

pub(super) static PROBE: HyphenatedProbe = HyphenatedProbe {
    section: "code_trees",
    probe: ServiceProbe {
        kind: &ServiceKind {
            name: "code-trees",
            hosts: HostsOf::FoundIn(&["salt", "deployment"]),
            stopped: Severity::Unknown,
            when_stopped: "",
            rule,
            short: |_| None,
        },
        script: include_str!("code_trees/probe.sh"),
        settings: |_| None,
        cadence: ProbeCadence::Every,
        read,
    },
};

/// Trees that are named in a message.
const SHOWN: usize = 3;

/// What git says of a tree.
#[derive(Debug, PartialEq, Eq)]
struct CodeTree<'a> {
    path: &'a str,
    /// Files that are changed, or that git does not know.
    changed: u64,
    /// There are more: git's answer was cut.
    cut: bool,
    /// Commits that were not pushed.
    ahead: u64,
    /// Its branch follows one of another repository, that exists.
    follows: bool,
}

fn read(raw: &Raw) -> Result<Service, Gap> {
    let text = raw.ok()?;
    let mut lines = text.lines();
    let whole = lines.next().unwrap_or_default();
    if !matches!(whole, "@all" | "@some") {
        return Err(unreadable(whole));
    }
    let (mut trees, mut refused, mut warned, mut gaps) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut closed = Vec::new();
    let mut count = 0_u64;
    while let Some(head) = lines.next() {
        if head == "@cut" {
            gaps.push((OTHERS, Gap::Cut("32 KiB of the list of trees".into())));
            continue;
        }
        if let Some(folder) = head.strip_prefix("@closed ") {
            closed.push(folder);
            continue;
        }
        if let Some(warning) = head.strip_prefix("@warned ") {
            warned.push(warning);
            continue;
        }
        let (branch, first) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        match tree(head, branch, first).ok_or_else(|| unreadable(head))? {
            TreeAnswer::Seen(tree) => trees.push(tree),
            TreeAnswer::Refused(why, path) => refused.push((why, path)),
            TreeAnswer::Failed(gap) => gaps.push((TREE, gap)),
        }
        count = count.saturating_add(1);
    }
    if count == 0 && closed.is_empty() {
        return Err(if whole == "@all" { Gap::NotInstalled } else { Gap::NotAsked });
    }
    for why in [TreeRefusal::Owner, TreeRefusal::Programs, TreeRefusal::OldGit] {
        let mut paths = refused.iter().filter(|(one, _)| *one == why).map(|(_, path)| *path);
        if let Some(first) = paths.next() {
            gaps.push((TREE, why.gap(first, paths.count())));
        }
    }
    if let [first, more @ ..] = closed.as_slice() {
        let more = u64::try_from(more.len()).unwrap_or(u64::MAX);
        let folders = if more == 0 {
            (*first).to_owned()
        } else {
            format!("{first} and {}", plural(more, "more folder"))
        };
        let why = format!(
            "{folders}: this account sees no tree there: set sudo = true in the inventory for an account that may use sudo"
        );
        gaps.push((OTHERS, Gap::NotPermitted(Clean::first_line(&why, 200))));
    }
    if let [first, more @ ..] = warned.as_slice() {
        let more = match more.len() {
            0 => String::new(),
            more => format!("; and {}", plural(u64::try_from(more).unwrap_or(u64::MAX), "more tree")),
        };
        gaps.push((TREE, Gap::Failed(Clean::first_line(&format!("{first}{more}"), 200))));
    }
    if whole == "@some" {
        gaps.push((OTHERS, Gap::NotAsked));
    }
    Ok(service(&trees, count, gaps))
}

/// What a gap is about: one tree, or those that nobody looked at.
const TREE: &str = "tree";
const OTHERS: &str = "other trees";

/// The answer for one tree.
enum TreeAnswer<'a> {
    Seen(CodeTree<'a>),
    /// Git does not look at it: why, and its path.
    Refused(TreeRefusal, &'a str),
    Failed(Gap),
}

/// Why git does not look at a tree. One gap stands for all trees of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TreeRefusal {
    /// It is another account's.
    Owner,
    /// Its own configuration names programs.
    Programs,
    /// This git would write into it.
    OldGit,
}

impl TreeRefusal {
    /// The gap of the first tree, with the number of the others.
    fn gap(self, first: &str, more: usize) -> Gap {
        let more = u64::try_from(more).unwrap_or(u64::MAX);
        let trees =
            if more == 0 { first.to_owned() } else { format!("{first} and {}", plural(more, "more tree")) };
        let said = |why: &str| Clean::first_line(&format!("{trees}: {why}"), 200);
        match self {
            Self::Owner => Gap::NotPermitted(said(
                "another account's: set sudo = true in the inventory, and git is asked as that account",
            )),
            Self::Programs => Gap::NotPermitted(said(
                "its own configuration names programs that git status would run (filter.*)",
            )),
            Self::OldGit => Gap::NoTool(Clean::first_line(&format!("git 2.15 for {trees}"), 200)),
        }
    }
}

fn tree<'a>(head: &'a str, branch: &'a str, first: &str) -> Option<TreeAnswer<'a>> {
    let mut words = head.strip_prefix("@tree ")?.splitn(4, ' ');
    let status: u8 = words.next()?.parse().ok()?;
    let changed: u64 = words.next()?.parse().ok()?;
    let cut = words.next()? == "yes";
    let path = words.next()?;
    let failed =
        |why: &str| Some(TreeAnswer::Failed(Gap::Failed(Clean::first_line(&format!("{path}: {why}"), 200))));
    if status == 124 {
        return failed("git status did not finish within 3 s");
    }
    if status != 0 || !branch.starts_with("## ") {
        let owner = ["ubious ownership", "owned by someone else", "ermission denied"];
        return match first {
            "@programs" => Some(TreeAnswer::Refused(TreeRefusal::Programs, path)),
            "@old" => Some(TreeAnswer::Refused(TreeRefusal::OldGit, path)),
            _ if owner.iter().any(|words| first.contains(words)) => {
                Some(TreeAnswer::Refused(TreeRefusal::Owner, path))
            }
            "" => failed("git status failed"),
            _ => failed(first),
        };
    }
    let apart = branch.rsplit_once(" [").map_or("", |(_, apart)| apart.trim_end_matches(']'));
    let ahead = apart.split(", ").find_map(|part| part.strip_prefix("ahead ")).and_then(|n| n.parse().ok());
    let follows = branch.contains("...") && apart != "gone";
    Some(TreeAnswer::Seen(CodeTree { path, changed, cut, ahead: ahead.unwrap_or(0), follows }))
}

fn service(trees: &[CodeTree<'_>], all: u64, gaps: Vec<(&'static str, Gap)>) -> Service {
    let count = |n: usize| Figure::count(u64::try_from(n).unwrap_or(u64::MAX));
    let mut readings = Vec::new();
    let mut add = |name, figure| readings.push(ServiceReading { name, figure });
    let changed: Vec<String> = trees
        .iter()
        .filter(|tree| tree.changed > 0)
        .map(|tree| {
            let at_least = if tree.cut { "at least " } else { "" };
            format!("{} ({at_least}{})", tree.path, plural(tree.changed, "file"))
        })
        .collect();
    let ahead = trees.iter().filter(|tree| tree.ahead > 0);
    let ahead: Vec<String> =
        ahead.map(|tree| format!("{} ({})", tree.path, plural(tree.ahead, "commit"))).collect();
    add("trees", Figure::count(all));
    add("uncommitted", count(changed.len()));
    add("unpushed", count(ahead.len()));
    add("no_upstream", count(trees.iter().filter(|tree| !tree.follows).count()));
    let mut detail = plural(all, "git tree");
    for (name, names, word) in [
        ("uncommitted_trees", &changed, "with uncommitted changes"),
        ("unpushed_trees", &ahead, "with unpushed commits"),
    ] {
        if !names.is_empty() {
            add(name, Figure::text(&in_short(names)));
            detail.push_str(&format!(", {} {word}", names.len()));
        }
    }
    Service {
        running: true,
        detail: detail.into(),
        readings: readings.into(),
        gaps: gaps.into(),
        ..Service::default()
    }
}

fn plural(count: u64, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

fn in_short(names: &[String]) -> String {
    let shown = names.get(..SHOWN.min(names.len())).unwrap_or_default().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn rule(service: &Service, _: &Thresholds, found: &mut Vec<Finding>) {
    // One that was cut is another tree's.
    let first = |names: &str| {
        let first = names.split(' ').next().filter(|path| !path.contains('…'));
        first.unwrap_or("TREE").to_owned()
    };
    if let Some(names) = service.text("uncommitted_trees") {
        let message = format!(
            "Uncommitted changes in {names}. They are in no backup of the repository, and a run that needs a clean tree refuses. \
             See them (git -C {} status), then commit or remove them.",
            first(names)
        );
        found.push(Finding::of("uncommitted", Severity::Warning, message));
    }
    if let Some(names) = service.text("unpushed_trees") {
        let message = format!(
            "Unpushed commits in {names}. They are on this host only. See them (git -C {} log @{{u}}..), then push them.",
            first(names)
        );
        found.push(Finding::of("unpushed", Severity::Warning, message));
    }
}

#[cfg(test)]
mod tests;
