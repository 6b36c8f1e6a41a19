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
    assert!(problems[1].1.contains("/srv/salt: it is another account's: set sudo = true"), "{problems:?}");
    assert!(problems[2].1.contains("/srv/code/wiki/repo: git status did not finish"), "{problems:?}");
    assert!(problems[3].1.contains("bad object HEAD") && !problems[3].1.contains('\x1b'), "{problems:?}");
}

#[test]
fn without_trees_there_is_nothing_to_say() {
    assert_eq!(said("@all\n"), Err(Gap::NotInstalled));
    assert_eq!(said("@some\n"), Err(Gap::NotAsked));
    for text in ["", "x\n", "@all\nx\n", "@all\n@tree x\n", "@all\n@tree 0 0\n## a\n\n"] {
        assert!(matches!(said(text), Err(Gap::Unreadable(_))), "{text:?}");
    }
    let gap = read(&Raw { status: 127, text: "git\n".into() }).unwrap_err();
    assert_eq!(gap, Gap::NoTool("git".into()));
}
