#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use std::fs;

use super::*;

fn context() -> Context {
    Context { home: "/home/ada".into(), user: "ada".into(), ..Context::default() }
}

/// Takes every runbook for a sound one, and knows those that the example names.
const NO_RUNBOOKS: Runbooks<'_> = Runbooks {
    file: &|_, _| Vec::new(),
    all: &Vec::new,
    names: &|| vec!["mail-queue".to_owned(), "promote-masterdb".to_owned()],
};

/// Needs no files to log in.
const NO_LOGINS: Logins<'_> = &|_| Vec::new();

fn paths(folder: &Path) -> Paths {
    Paths { config: folder.join("config"), state: folder.join("state") }
}

/// What screens know in these tests.
fn words() -> ScreenWords<'static> {
    static RULES: std::sync::LazyLock<ViewRules> =
        std::sync::LazyLock::new(crate::config::views::tests::rules);
    ScreenWords { columns: &["HOST"], views: &RULES }
}

#[test]
fn without_files_all_that_would_be_used_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    let paths = paths(folder.path());
    fs::create_dir_all(paths.themes()).unwrap();
    fs::create_dir_all(paths.keymaps()).unwrap();
    fs::write(paths.settings(), "theme = \"lihgt\"\nkeymap = \"mine\"\nenvironment = \"prod\"\n").unwrap();
    fs::write(paths.inventory(), inventory::EXAMPLE).unwrap();
    fs::write(paths.keymaps().join("mine.toml"), "[keys]\nhelp = [\"f10\"]\n").unwrap();
    let report = run(&[], &paths, &context(), NO_RUNBOOKS, NO_LOGINS, words(), false);
    assert_eq!(report.errors, 2, "{}", report.rendered);
    assert!(report.rendered.contains("did you mean \"light\"?"));
    assert!(report.rendered.contains("unknown environment \"prod\""));
    assert!(report.rendered.ends_with("3 files, 2 errors\n"), "{}", report.rendered);

    fs::write(paths.settings(), "theme = \"light\"\nkeymap = \"mine\"\nenvironment = \"staging\"\n").unwrap();
    assert_eq!(run(&[], &paths, &context(), NO_RUNBOOKS, NO_LOGINS, words(), false).errors, 0);

    fs::write(paths.themes().join("x.toml"), "").unwrap();
    assert_eq!(run(&[], &paths, &context(), NO_RUNBOOKS, NO_LOGINS, words(), false).errors, 3);
}

#[test]
fn saved_views_are_checked_with_the_environments_that_they_name() {
    let folder = tempfile::tempdir().unwrap();
    let paths = paths(folder.path());
    fs::create_dir_all(&paths.config).unwrap();
    fs::write(paths.inventory(), inventory::EXAMPLE).unwrap();
    let checked = |views: &str| {
        fs::write(paths.views(), views).unwrap();
        run(&[], &paths, &context(), NO_RUNBOOKS, NO_LOGINS, words(), false)
    };
    let sound = checked("[views.a]\nenvironment = \"staging\"\n");
    assert_eq!(sound.errors, 0, "{}", sound.rendered);
    let unknown = checked("[views.a]\nenvironment = \"staging\"\n[views.b]\nenvironment = \"stagin\"\n");
    assert_eq!(unknown.errors, 1, "{}", unknown.rendered);
    for wanted in
        ["views.toml:4:15", "did you mean \"staging\"?", "the view \"b\" is of an unknown environment"]
    {
        assert!(unknown.rendered.contains(wanted), "{wanted}: {}", unknown.rendered);
    }
    let wrong = checked("[views.a]\nenvironment = \"staging\"\nsort = \"dsk\"\n");
    assert!(wrong.errors == 1 && wrong.rendered.contains("views.toml:3:8"), "{}", wrong.rendered);
}

#[test]
fn no_inventory_is_an_error_that_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let report = run(&[], &paths(folder.path()), &context(), NO_RUNBOOKS, NO_LOGINS, words(), false);
    assert_eq!(report.errors, 1);
    assert!(report.rendered.contains("inventory.example.toml"), "{}", report.rendered);
}

#[test]
fn the_kind_is_told_by_content_or_place() {
    let kind = |path: &str, text: &str| kind_of(Path::new(path), text);
    assert_eq!(kind("x.toml", "[environments.a]"), Some(FileKind::Inventory));
    assert_eq!(kind("x.toml", "[colors]"), Some(FileKind::Theme));
    assert_eq!(kind("x.toml", "[keys]"), Some(FileKind::Keymap));
    assert_eq!(kind("x.toml", "[views.a]"), Some(FileKind::Views));
    assert_eq!(kind("views.toml", ""), Some(FileKind::Views));
    assert_eq!(kind("x.toml", "theme = \"dark\""), Some(FileKind::Settings));
    assert_eq!(kind("a/themes/x.toml", "???"), Some(FileKind::Theme));
    assert_eq!(kind("a/keymaps/x.toml", ""), Some(FileKind::Keymap));
    assert_eq!(kind("my-inventory.toml", "keys = []"), Some(FileKind::Inventory));
    // A syntax error hides no table that was named before or after it.
    assert_eq!(
        kind("fleet.toml", "[environments.production\nlevel = \"production\"\n"),
        Some(FileKind::Inventory)
    );
    assert_eq!(kind("fleet.toml", "user = \"ada\nx\n[environments.staging]\n"), Some(FileKind::Inventory));
    assert_eq!(kind("r.toml", "name = \n[[step]\nid = \"a\"\n"), Some(FileKind::Runbook));
    assert_eq!(kind("t.toml", "[colors\n"), Some(FileKind::Theme));
    assert_eq!(kind("config.toml", ""), Some(FileKind::Settings));
    assert_eq!(kind("x.toml", "[[step]]\nid = \"a\""), Some(FileKind::Runbook));
    assert_eq!(kind("a/runbooks/x.toml", ""), Some(FileKind::Runbook));
    assert_eq!(kind("x.toml", "a = 1"), None);
}

#[test]
fn named_files_are_checked_each() {
    let folder = tempfile::tempdir().unwrap();
    let good = folder.path().join("good.toml");
    let bad = folder.path().join("bad.toml");
    fs::write(&good, inventory::EXAMPLE).unwrap();
    fs::write(&bad, "[environments.a]\njump = 3\n").unwrap();
    let report = run(
        &[good.clone(), bad, folder.path().join("none.toml")],
        &paths(folder.path()),
        &context(),
        NO_RUNBOOKS,
        NO_LOGINS,
        words(),
        false,
    );
    assert!(report.errors >= 3, "{}", report.rendered);
    assert!(report.rendered.contains(&format!("{}: ok\n", good.display())));
    assert!(report.rendered.contains("bad.toml:2:8"), "{}", report.rendered);
}

/// Console finding 22: a syntax error is told with the parser's words and its line, whatever the file is called.
#[test]
fn a_syntax_error_is_told_as_the_parser_says_it() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text, line, part) in [
        (
            "fleet.toml",
            "user = \"ada\"\n[environments.production\nlevel = \"production\"\n",
            2,
            "unclosed table",
        ),
        ("fleet.toml", "[environments.a]\nlevel = production\n", 2, ""),
        ("fleet.toml", "[environments.a]\nhosts = [\"a\"\n", 2, ""),
        ("what.toml", "a = \n", 1, ""),
        ("what.toml", "just words\n", 1, "key with no value"),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        let found = check_file(&path, &context(), NO_RUNBOOKS, words());
        let rendered: String = found.iter().map(|error| error.render(false)).collect();
        assert!(!rendered.contains("cannot tell what this file is"), "{text}: {rendered}");
        assert!(rendered.contains(part) && rendered.contains("toml.io"), "{text}: {rendered}");
        assert_eq!(found[0].position().unwrap().0, line, "{text}: {rendered}");
    }
}

/// The console and `status` start without a runbook that is missing on one machine: only `check` refuses its name.
#[test]
fn a_contact_that_names_no_runbook_is_refused_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inventory.toml");
    let text = "[contacts]\nrunbook = \"mail-queue\"\nroles.db = { runbook = \"promote-master\" }\n[environments.a]\njump = \"local\"\nhosts.a = {}\n\
                [environments.a.contacts.services]\nredis = { runbook = \"zzz\" }\nexim = false\n";
    fs::write(&path, text).unwrap();
    assert!(inventory::parse("inventory.toml", text, &context()).is_ok());
    let found = check_file(&path, &context(), NO_RUNBOOKS, words());
    let rendered: Vec<String> = found.iter().map(|error| error.render(false)).collect();
    assert_eq!(found.len(), 2, "{rendered:?}");
    assert_eq!(found[0].position(), Some((3, 24)), "{rendered:?}");
    assert!(
        rendered[0].contains("unknown runbook \"promote-master\"")
            && rendered[0].contains("did you mean \"promote-masterdb\"?")
    );
    assert!(
        rendered[1].contains("unknown runbook \"zzz\"") && rendered[1].contains("jumpdeck runbook list"),
        "{rendered:?}"
    );
    // The same of the inventory that is used.
    let paths = paths(folder.path());
    fs::create_dir_all(&paths.config).unwrap();
    fs::write(paths.inventory(), text).unwrap();
    let report = run(&[], &paths, &context(), NO_RUNBOOKS, NO_LOGINS, words(), false);
    assert_eq!(report.errors, 2, "{}", report.rendered);
}
