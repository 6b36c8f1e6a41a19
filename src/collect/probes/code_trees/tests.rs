#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use super::*;
use jumpdeck_fleet::service::ServiceHealth;

fn said(text: &str) -> Result<Service, Gap> {
    read(&Raw { status: 0, text: text.to_owned() })
}

fn judged(text: &str) -> (ServiceHealth, Vec<(Severity, String)>) {
    let service = said(text).unwrap();
    let findings = PROBE.probe.kind.findings(&service, &Thresholds::default());
    let health = ServiceHealth::of(&service, &findings);
    (health, findings.into_iter().map(|finding| (finding.severity, finding.message)).collect())
}

#[test]
fn clean_trees_are_well() {
    let text =
        "@all\n@tree 0 0 no /srv/salt\n## master...origin/master\n\n@tree 0 0 no /srv/pillar\n## master\n\n";
    assert_eq!(judged(text), (ServiceHealth::Ok, vec![]));
    let service = said(text).unwrap();
    assert_eq!((service.detail.as_str(), service.amount("no_upstream")), ("2 git trees", Some(1)));
}

#[test]
fn changes_and_commits_are_named_with_their_tree() {
    let text = "@all\n@tree 0 2 no /srv/salt\n## a.b...origin/a.b [ahead 12, behind 2]\n M top.sls\n\
                @tree 0 90 yes /srv/code/www/repo\n## HEAD (no branch)\n?? a\n\
                @tree 0 0 no /srv/ops\n## master...origin/master [behind 3]\n\n";
    let (health, problems) = judged(text);
    assert_eq!((health, problems.len()), (ServiceHealth::Degraded, 2));
    let words = "Uncommitted changes in /srv/salt (2 files), /srv/code/www/repo (at least 90 files). ";
    assert!(problems[0].1.starts_with(words), "{problems:?}");
    assert!(problems[0].1.contains("git -C /srv/salt status"), "{problems:?}");
    assert!(problems[1].1.starts_with("Unpushed commits in /srv/salt (12 commits). "), "{problems:?}");
    assert!(problems[1].1.contains("git -C /srv/salt log @{u}..)"), "{problems:?}");
}

#[test]
fn what_git_does_not_say_is_unknown_for_that_tree_alone() {
    let text = "@all\n@tree 128 1 no /srv/salt\n\nfatal: detected dubious ownership in repository at '/srv/salt'\n\
                @tree 124 0 no /srv/code/wiki/repo\n\n\n@tree 128 1 no /srv/x\n\n\x1b[2Jfatal: bad object HEAD\n\
                @tree 0 1 no /srv/pillar\n## master\n?? x\n";
    let (health, problems) = judged(text);
    let severities: Vec<Severity> = problems.iter().map(|(severity, _)| *severity).collect();
    assert_eq!(severities, [Severity::Warning, Severity::Unknown, Severity::Unknown, Severity::Unknown]);
    assert_eq!(health, ServiceHealth::Unknown);
    assert!(problems[1].1.contains("/srv/code/wiki/repo: git status did not finish"), "{problems:?}");
    assert!(problems[2].1.contains("bad object HEAD") && !problems[2].1.contains('\x1b'), "{problems:?}");
    assert!(problems[3].1.contains("/srv/salt: another account's: set sudo = true"), "{problems:?}");
}

#[test]
fn trees_that_git_does_not_look_at_are_one_gap_for_each_reason() {
    let tree = |status: &str, path: &str, first: &str| format!("@tree {status} 0 no {path}\n\n{first}\n");
    let text = [
        "@all\n".to_owned(),
        tree("128", "/srv/a", "fatal: detected dubious ownership in repository at '/srv/a'"),
        tree("128", "/srv/b", "fatal: detected dubious ownership in repository at '/srv/b'"),
        tree("126", "/srv/c", "@programs"),
        tree("127", "/srv/d", "@old"),
        tree("127", "/srv/e", "@old"),
        tree("127", "/srv/f", "@old"),
    ]
    .concat();
    let service = said(&text).unwrap();
    assert_eq!(service.amount("trees"), Some(6));
    let gaps: Vec<String> = service.gaps.iter().map(|(_, gap)| gap.describe()).collect();
    assert_eq!(gaps.len(), 3, "{gaps:?}");
    assert!(gaps[0].starts_with("not permitted: /srv/a and 1 more tree: another account's"), "{gaps:?}");
    assert!(gaps[1].contains("/srv/c: its own configuration names programs"), "{gaps:?}");
    assert!(!gaps[1].contains("sudo"), "{gaps:?}");
    assert_eq!(gaps[2], "tool missing: git 2.15 for /srv/d and 2 more trees");
}

#[test]
fn what_was_not_looked_at_is_said_and_counted_as_no_tree() {
    let tree = "@tree 0 1 no /srv/a\n## master\n\n";
    let warned = "@warned /srv/a: warning: could not open directory 'priv/': Permission denied\n";
    for (text, words) in [
        (format!("@some\n{tree}"), "code-trees other trees not asked"),
        (format!("@all\n{tree}@cut\n"), "code-trees other trees cut by jumpdeck: 32 KiB"),
        (
            format!("@all\n{tree}@closed /srv/pillar\n@closed ?\n"),
            "code-trees other trees not permitted: /srv/pillar and 1 more folder: this account sees no tree there: set sudo = true",
        ),
        (format!("@all\n{tree}{warned}"), "code-trees tree failed: /srv/a: warning: could not open"),
    ] {
        let (_, problems) = judged(&text);
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].1.starts_with("Uncommitted changes in /srv/a (1 file). "), "{problems:?}");
        assert!(problems[1].0 == Severity::Unknown && problems[1].1.starts_with(words), "{problems:?}");
        assert_eq!(said(&text).unwrap().detail.as_str(), "1 git tree, 1 with uncommitted changes");
    }
}

#[test]
fn without_trees_there_is_nothing_to_say() {
    assert_eq!(said("@all\n"), Err(Gap::NotInstalled));
    assert_eq!(said("@some\n"), Err(Gap::NotAsked));
    let (health, _) = judged("@all\n@closed /srv/pillar\n");
    assert_eq!(health, ServiceHealth::Unknown, "there may be one in a closed folder");
    for text in ["", "x\n", "@all\nx\n", "@all\n@tree x\n", "@all\n@tree 0 0\n## a\n\n"] {
        assert!(matches!(said(text), Err(Gap::Unreadable(_))), "{text:?}");
    }
    let gap = read(&Raw { status: 127, text: "git\n".into() }).unwrap_err();
    assert_eq!(gap, Gap::NoTool("git".into()));
}
