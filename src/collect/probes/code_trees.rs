//! The git trees below `/srv` of a Salt master: which have changes that nobody committed, and commits that nobody pushed.
//!
//! A round looks at every tree, every minute or so, every five where it takes long; a report goes on with it for a second at most, so that many or large trees
//! delay none. `git status` changes and fetches nothing: it takes no lock, runs no monitor of files and no hook. "Not pushed" is what
//! the last fetch or push says. A tree that git does not trust this account with is asked as its owner, where the inventory allows
//! `sudo`.

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
        script: SCRIPT,
        settings: |_| None,
        cadence: ProbeCadence::Every,
        read,
    },
};

// A folder of a file server that is gone would hang: folders are looked through in a shell of its own. A tree inside another one is
// a part of that. Plain names only: they are words of a command.
const SCRIPT: &str = r#"
    code_trees_wait=0 code_trees_left= code_trees_new= code_trees_kept=
    code_trees_find() {
        set +f
        code_trees_above=/
        for code_trees_dir in /srv/*/.git /srv/*/*/.git /srv/*/*/*/.git; do
            [ -e "$code_trees_dir" ] || continue
            code_trees_dir=${code_trees_dir%/.git}
            case $code_trees_dir in *[!A-Za-z0-9._/-]*) continue ;; esac
            code_trees_in=$code_trees_dir
            while code_trees_in=${code_trees_in%/*} && [ "$code_trees_in" != /srv ]; do
                [ ! -e "$code_trees_in/.git" ] || continue 2
            done
            echo "$code_trees_dir"
        done
    }
    # The code is a text, so that the owner's shell can have it too.
    code_trees_code='
    code_trees_git() {
        GIT_OPTIONAL_LOCKS=0 GIT_NO_LAZY_FETCH=1 GIT_TERMINAL_PROMPT=0 git -c core.fsmonitor=false -c core.hooksPath=/dev/null -C "$1" status --porcelain --branch 2>&1
    }'
    eval "$code_trees_code"
    code_trees_owner() {
        code_trees_user=$(stat -c %U "$1/.git") || return
        $SUDO -u "$code_trees_user" $LIMIT 3 sh -c "$code_trees_code$NL"'code_trees_git "$1"' sh "$1"
    }
    # TREE: adds what git says of it.
    code_trees_ask() {
        jd_ask 3 4096 code_trees_git "$1"
        code_trees_status=$?
        case $code_trees_status$jd_got in
            0*|124*) ;;
            *ubious*|*'is owned by someone else'*|*ermission*)
                if [ -n "$SUDO" ] && [ "$LIMIT" != jd_bounded ]; then
                    jd_ask 4 4096 code_trees_owner "$1"
                    code_trees_status=$?
                fi ;;
        esac
        code_trees_n=0 code_trees_first= code_trees_branch= code_trees_path=$1
        IFS=$NL
        set -- $jd_got
        IFS=$jd_ifs
        for code_trees_row in "$@"; do
            case $code_trees_row in
                '## '*) code_trees_branch=$code_trees_row ;;
                *)
                    [ -n "$code_trees_first" ] || code_trees_first=$code_trees_row
                    code_trees_n=$((code_trees_n + 1)) ;;
            esac
        done
        code_trees_new="$code_trees_new@tree $code_trees_status $code_trees_n ${jd_cut:-no} $code_trees_path$NL$code_trees_branch$NL$code_trees_first$NL"
    }
    probe_code_trees() {
        if [ "$code_trees_wait" -gt 0 ]; then
            code_trees_wait=$((code_trees_wait - 1))
            jd_out=$code_trees_kept
            return 0
        fi
        if [ -z "$code_trees_left" ]; then
            jd_ask 2 4096 code_trees_find || return
            code_trees_left=$jd_got code_trees_new= code_trees_took=0
            if [ -n "$code_trees_left" ] && lacks git; then return 127; fi
        fi
        jd_clock
        code_trees_begun=$jd_up
        while [ -n "$code_trees_left" ]; do
            code_trees_ask "${code_trees_left%%"$NL"*}"
            case $code_trees_left in *"$NL"?*) code_trees_left=${code_trees_left#*"$NL"} ;; *) code_trees_left= ;; esac
            jd_clock
            [ "$((jd_up - code_trees_begun))" -lt 100 ] || break
        done
        code_trees_took=$((code_trees_took + jd_up - code_trees_begun))
        if [ -z "$code_trees_left" ]; then
            code_trees_wait=59
            [ "$code_trees_took" -gt 30 ] || code_trees_wait=11
            code_trees_kept="@all$NL$code_trees_new"
            jd_out=$code_trees_kept
        else
            jd_out=${code_trees_kept:-"@some$NL$code_trees_new"}
        fi
    }
"#;

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
    let (mut trees, mut gaps) = (Vec::new(), Vec::new());
    while let Some(head) = lines.next() {
        let (branch, first) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        match tree(head, branch, first).ok_or_else(|| unreadable(head))? {
            Ok(tree) => trees.push(tree),
            Err(gap) => gaps.push((TREE, gap)),
        }
    }
    if trees.is_empty() && gaps.is_empty() {
        return Err(if whole == "@all" { Gap::NotInstalled } else { Gap::NotAsked });
    }
    Ok(service(&trees, gaps))
}

/// What a gap is about.
const TREE: &str = "tree";

fn tree<'a>(head: &'a str, branch: &'a str, first: &str) -> Option<Result<CodeTree<'a>, Gap>> {
    let mut words = head.strip_prefix("@tree ")?.splitn(4, ' ');
    let status: u8 = words.next()?.parse().ok()?;
    let changed: u64 = words.next()?.parse().ok()?;
    let cut = words.next()? == "yes";
    let path = words.next()?;
    let said = |why: &str| Clean::first_line(&format!("{path}: {why}"), 200);
    if status == 124 {
        return Some(Err(Gap::Failed(said("git status did not finish within 3 s"))));
    }
    if status != 0 || !branch.starts_with("## ") {
        let owner = ["ubious ownership", "owned by someone else", "ermission denied"];
        return Some(Err(if owner.iter().any(|words| first.contains(words)) {
            let why =
                "it is another account's: set sudo = true in the inventory, and it is asked as that account";
            Gap::NotPermitted(said(why))
        } else {
            Gap::Failed(said(if first.is_empty() { "git status failed" } else { first }))
        }));
    }
    let apart = branch.rsplit_once(" [").map_or("", |(_, apart)| apart.trim_end_matches(']'));
    let ahead = apart.split(", ").find_map(|part| part.strip_prefix("ahead ")).and_then(|n| n.parse().ok());
    let follows = branch.contains("...") && apart != "gone";
    Some(Ok(CodeTree { path, changed, cut, ahead: ahead.unwrap_or(0), follows }))
}

fn service(trees: &[CodeTree<'_>], gaps: Vec<(&'static str, Gap)>) -> Service {
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
    add("trees", count(trees.len() + gaps.len()));
    add("uncommitted", count(changed.len()));
    add("unpushed", count(ahead.len()));
    add("no_upstream", count(trees.iter().filter(|tree| !tree.follows).count()));
    let mut detail = plural(u64::try_from(trees.len() + gaps.len()).unwrap_or(u64::MAX), "git tree");
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
    let first = |names: &str| names.split(' ').next().unwrap_or_default().to_owned();
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
