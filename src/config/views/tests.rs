#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use super::*;

pub(crate) fn rules() -> ViewRules {
    ViewRules {
        screens: vec![("fleet".into(), Destination::Fleet), ("problems".into(), Destination::Problems)],
        orders: vec!["worst-first".into(), "disk".into()],
        columns: vec!["HOST", "1m", "WORST PROBLEM"],
        folds: |screen| screen == Destination::Fleet,
        sorts: |screen| screen == Destination::Fleet,
        filter: |_, text| match text.find("wrong:") {
            None => Ok(()),
            Some(at) => Err(Box::new(
                Diagnostic::at("f", &text.into(), at..at + 1, "no field \"wrong\"").help("write role:db"),
            )),
        },
    }
}

fn view(name: &str) -> SavedView {
    SavedView {
        name: name.into(),
        environment: EnvName::new("production").unwrap(),
        screen: Destination::Fleet,
        host: None,
        filter: String::new(),
        sort: None,
        reverse: false,
        fold: false,
        columns: None,
    }
}

fn read(text: &str) -> Vec<SavedView> {
    parse_views("views.toml", text, &rules()).unwrap_or_else(|errors| panic!("{}", errors[0].render(false)))
}

#[test]
fn views_are_read_in_the_order_of_the_file() {
    let text = "[views.b]\nenvironment = \"production\"\nfilter = \"role:db\"\nsort = \"disk\"\nreverse = true\n\
                [views.\"a host\"]\nenvironment = \"staging\"\nhost = \"db2\"\n";
    let read = read(text);
    assert_eq!(
        read[0],
        SavedView { filter: "role:db".into(), sort: Some("disk".into()), reverse: true, ..view("b") }
    );
    assert_eq!((read[1].name.as_str(), read[1].environment.as_str()), ("a host", "staging"));
    assert_eq!(read[1].host.as_ref().map(HostName::as_str), Some("db2"));
    assert!(self::read("").is_empty() && self::read("# none yet\n").is_empty());
}

#[test]
fn a_view_is_added_replaced_and_removed_and_the_rest_stays() {
    let before = "# mine\n[views.a]  # first\nenvironment = \"production\" # env\nsort = \"disk\" # by disk\n\n# b is old\n[views.b]\nenvironment = \"production\"\n";
    let added =
        edit::with("f", before, &rules(), &SavedView { filter: "say \"x\" \\".into(), ..view("new one") })
            .unwrap();
    assert!(added.starts_with(before), "{added}");
    assert!(added.ends_with("\n[views.\"new one\"]\nenvironment = \"production\"\nscreen = \"fleet\"\nfilter = 'say \"x\" \\'\n"), "{added}");
    let other = SavedView { screen: Destination::Problems, filter: "app".into(), ..view("a") };
    let replaced = edit::with("f", before, &rules(), &other).unwrap();
    assert_eq!(
        replaced,
        "# mine\n[views.a]  # first\nscreen = \"problems\"\nfilter = \"app\"\nenvironment = \"production\" # env\n# by disk\n\n# b is old\n[views.b]\nenvironment = \"production\"\n"
    );
    assert_eq!(
        edit::without("f", before, &rules(), "a").unwrap(),
        "# mine\n# first\n# env\n# by disk\n\n# b is old\n[views.b]\nenvironment = \"production\"\n"
    );
    assert_eq!(edit::without("f", before, &rules(), "none"), Err(edit::ViewEditError::Layout("f".into())));
    let windows = before.replace('\n', "\r\n");
    let added = edit::with("f", &windows, &rules(), &view("c")).unwrap();
    assert!(added.starts_with(&windows) && !added.replace("\r\n", "").contains('\n'), "{added:?}");
    assert_eq!(read(&edit::with("f", "", &rules(), &view("c")).unwrap()), [view("c")]);
    let no_end = "[views.c]\nenvironment = \"production\"";
    assert_eq!(
        read(&edit::with("f", no_end, &rules(), &SavedView { reverse: true, ..view("c") }).unwrap()).len(),
        1
    );
    assert_eq!(read(&edit::without("f", no_end, &rules(), "c").unwrap()), []);
}

#[test]
fn what_cannot_be_changed_is_refused_and_not_guessed() {
    let inline = "views = { a = { environment = \"production\" } }\n";
    assert_eq!(edit::without("f", inline, &rules(), "a"), Err(edit::ViewEditError::Layout("f".into())));
    assert!(edit::with("f", inline, &rules(), &view("b")).is_err());
    let dotted = "views.a.environment = \"production\"\n";
    assert!(edit::without("f", dotted, &rules(), "a").is_err());
    let broken = "[views.a]\nenvironment = 3\n";
    let error = edit::with("f", broken, &rules(), &view("b")).unwrap_err();
    assert!(error.to_string().contains("f:2:15"), "{error}");
}

proptest::proptest! {
    #[test]
    fn whatever_is_typed_is_read_back(name in "\\PC{1,40}", filter in "\\PC{0,60}") {
        let view = SavedView { name, filter, ..view("x") };
        let may = wrong_name(&view.name).is_none() && !view.filter.contains("wrong:");
        if may && let Ok(text) = edit::with("f", "", &rules(), &view) {
            proptest::prop_assert_eq!(read(&text), [view.clone()]);
            proptest::prop_assert_eq!(read(&edit::without("f", &text, &rules(), &view.name).unwrap()), []);
        }
    }
}
