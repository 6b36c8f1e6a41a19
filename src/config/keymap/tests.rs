//! Keymaps by their text.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use super::*;

fn key(text: &str) -> KeyPress {
    text.parse().unwrap()
}

fn sequence(text: &str) -> KeySequence {
    text.parse().unwrap()
}

fn own(base: &str, text: &str) -> Keymap {
    parse_onto(&Keymap::builtin(base).unwrap(), "own.toml", text)
        .unwrap_or_else(|errors| panic!("{}", errors[0].render(false)))
}

fn refused(base: &str, text: &str) -> String {
    let errors = parse_onto(&Keymap::builtin(base).unwrap(), "own.toml", text).unwrap_err();
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors[0].render(false)
}

fn typed(map: &Keymap, layer: Option<Layer>, text: &str) -> KeyMatch {
    map.find(layer, sequence(text).keys())
}

#[test]
fn every_action_has_a_key_in_every_builtin_keymap_on_every_screen() {
    for (name, _) in BUILTIN {
        let map = Keymap::builtin(name).unwrap();
        for layer in [None].into_iter().chain(Layer::ALL.iter().copied().map(Some)) {
            for action in Action::ALL {
                assert!(map.keys(layer, *action).next().is_some(), "{name}: {}", action.name());
            }
            assert_eq!(map.action(layer, ALWAYS_QUITS), Some(Action::Quit));
        }
    }
    assert_eq!(Keymap::builtin("default").unwrap(), Keymap::builtin_default());
    assert_eq!(Keymap::builtin("vim").unwrap().action(None, key("n")), Some(Action::NextEnvironment));
}

#[test]
fn a_file_overrides_action_by_action() {
    let map = own("default", "[keys]\nhelp = [\"f10\"]\nrefresh = [\"t\"]\nretry = [\"R\"]\nquit = []");
    assert_eq!(map.keys(None, Action::Help).collect::<Vec<_>>(), [&sequence("f10")]);
    assert_eq!(map.action(None, key("?")), None);
    assert_eq!(map.action(None, key("t")), Some(Action::Refresh));
    assert_eq!(map.action(None, key("R")), Some(Action::Retry));
    assert_eq!(map.keys(None, Action::Quit).collect::<Vec<_>>(), [&KeySequence::from(ALWAYS_QUITS)]);
    assert_eq!(map.action(None, key("j")), Some(Action::Down));
}

#[test]
fn a_key_taken_from_an_action_with_others_is_taken_quietly() {
    let map = own("default", "[keys]\nhelp = [\"k\"]");
    assert_eq!(map.action(None, key("k")), Some(Action::Help));
    assert_eq!(map.keys(None, Action::Up).collect::<Vec<_>>(), [&sequence("up")]);
}

#[test]
fn a_sequence_begins_goes_on_and_ends() {
    let map = own("default", "[keys]\nfirst = [\"g g\", \"home\"]\ncopy = [\"space y c\"]\npause = [\"p\"]");
    assert_eq!(typed(&map, None, "g"), KeyMatch::Begins);
    assert_eq!(typed(&map, None, "g g"), KeyMatch::Action(Action::First));
    assert_eq!(typed(&map, None, "g x"), KeyMatch::Nothing);
    assert_eq!(typed(&map, None, "space y"), KeyMatch::Begins);
    assert_eq!(map.action(None, key("g")), None, "one key of two does nothing");
    assert_eq!(map.following(None, sequence("space").keys()), [("y c".to_owned(), Action::Copy)]);
    assert_eq!(map.following(None, sequence("x").keys()), []);
}

#[test]
fn a_layer_holds_on_its_screen_and_the_rest_falls_through() {
    let map = own("default", "[keys.run]\nrollback = [\"R\"]\nnote = [\"r\", \"g n\"]\narm = []");
    let (run, plan) = (Some(Layer::Run), Some(Layer::Plan));
    assert_eq!(map.action(run, key("R")), Some(Action::Rollback));
    assert_eq!(map.action(run, key("u")), None, "an action that a layer names has these keys and no others");
    assert_eq!(map.action(run, key("r")), Some(Action::Note));
    assert_eq!(map.action(run, key("f5")), Some(Action::Refresh));
    assert_eq!(map.action(run, key("A")), None);
    assert_eq!(map.action(run, key("q")), Some(Action::Quit), "what it does not bind falls through");
    // `g` begins a sequence there, so what it did is gone there.
    assert_eq!(typed(&map, run, "g"), KeyMatch::Begins);
    assert_eq!(map.keys(run, Action::First).collect::<Vec<_>>(), [&sequence("home")]);
    for elsewhere in [plan, None] {
        assert_eq!(map.action(elsewhere, key("r")), Some(Action::Refresh));
        assert_eq!(map.action(elsewhere, key("g")), Some(Action::First));
        assert_eq!(map.action(elsewhere, key("A")), Some(Action::Arm));
    }
    assert_eq!(own("default", "[keys.run]\nquit = []").action(run, ALWAYS_QUITS), Some(Action::Quit));
}

#[test]
fn the_file_is_right_against_the_keymap_below_it() {
    // vim has `g g` and others that begin with g: whoever bound g before keeps it.
    let map = own("vim", "[keys]\ncopy = [\"g\"]");
    assert_eq!(map.action(None, key("g")), Some(Action::Copy));
    assert_eq!(map.keys(None, Action::First).collect::<Vec<_>>(), [&sequence("home")]);
    assert_eq!(own("vim", "[keys]\narm = [\"Z\"]").action(None, key("Z")), Some(Action::Arm));
    let shown = refused("vim", "[keys]\nfirst = [\"g g\"]\nlast = [\"g\"]");
    assert!(
        shown.contains("own.toml:3:9") && shown.contains("\"g\" (last) is the beginning of \"g g\" (first)"),
        "{shown}"
    );

    // A layer of the keymap below gives way to what the file says of every screen.
    let base = own(
        "default",
        "[keys.run]\ncopy = [\"g c\"]\nnote = [\"g n\"]\nfilter = [\"g f\", \"f7\"]\narm = []",
    );
    let map = parse_onto(&base, "own.toml", "[keys]\nhelp = [\"g\"]\nfirst = [\"home\"]").unwrap();
    let run = Some(Layer::Run);
    assert_eq!(map.action(run, key("g")), Some(Action::Help));
    assert_eq!(map.keys(run, Action::Filter).collect::<Vec<_>>(), [&sequence("f7")]);
    assert_eq!(
        map.action(run, key("c")),
        Some(Action::Copy),
        "a layer that is left without a key falls through"
    );
    assert_eq!(map.action(run, key("A")), None);
    let map = parse_onto(&base, "own.toml", "[keys]\narm = [\"B\"]").unwrap();
    assert_eq!(map.action(run, key("B")), Some(Action::Arm));
    assert_eq!(typed(&map, run, "g n"), KeyMatch::Action(Action::Note), "the rest of the layer stays");
}

#[test]
fn the_beginning_of_a_sequence_is_refused_wherever_both_work() {
    for (text, place, named) in [
        (
            "[keys]\ncopy = [\"g g\"]\nfirst = [\"g\"]",
            "3:10",
            "\"g\" (first) is the beginning of \"g g\" (copy)",
        ),
        (
            "[keys]\nfirst = [\"g\"]\ncopy = [\"g g\"]",
            "3:9",
            "\"g\" (first) is the beginning of \"g g\" (copy)",
        ),
        ("[keys]\nfirst = [\"g g\", \"g g x\"]", "2:17", "\"g g\" (first) is the beginning"),
        ("[keys.run]\nnote = [\"g\"]\ncopy = [\"g g\"]", "3:9", "is the beginning of"),
        ("[keys]\nfirst = [\"g g\"]\n[keys.run]\nnote = [\"g\"]", "4:9", "(first) on the screen run"),
        ("[keys]\nfirst = [\"g\"]\n[keys.run]\nnote = [\"g n\"]", "4:9", "(note) on the screen run"),
    ] {
        let shown = refused("default", text);
        assert!(shown.contains(&format!("own.toml:{place}")) && shown.contains(named), "{text}\n{shown}");
        assert!(shown.contains("bound here") && shown.contains('^'), "both places are shown\n{shown}");
    }
    // Layers of different screens are never active together, and a layer that names the action itself has it in hand.
    own("default", "[keys.run]\nnote = [\"g\"]\n[keys.plan]\ncopy = [\"g g\"]");
    own("default", "[keys]\nfirst = [\"g g\"]\n[keys.run]\nfirst = [\"g\"]");
    own("default", "[keys]\nfirst = [\"g g\"]\n[keys.run]\nfirst = []\nnote = [\"g\"]");
    own("default", "[keys]\nfirst = [\"g\"]\n[keys.run]\nnote = [\"g\"]");
}

#[test]
fn older_names_of_actions_are_read() {
    let map = own("default", "[keys]\nrunbooks = [\"B\"]\npast_runs = [\"P\"]\n");
    assert_eq!(map.action(None, key("B")), "screen_runbooks".parse().ok());
    assert_eq!(map.action(None, key("P")), "screen_past_runs".parse().ok());
    assert_eq!(
        own("default", "[keys.runbooks]\nopen = [\"o\"]").action(Some(Layer::Runbooks), key("o")),
        Some(Action::Open)
    );
    let shown = refused("default", "[keys]\nscreen_runbooks = [\"B\"]\nrunbooks = [\"b\"]");
    assert!(shown.contains("own.toml:3:1") && shown.contains("older name"), "{shown}");
}

#[test]
fn a_file_of_a_hundred_thousand_sequences_is_read_at_once() {
    let letters: Vec<char> = ('\u{4e00}'..'\u{4f40}').collect();
    let pairs = letters.iter().flat_map(|a| letters.iter().map(move |b| format!("\"{a} {b}\"")));
    let text = format!(
        "[keys]\ncopy = [{}]\n[keys.run]\nnote = [\"\u{5000}\"]",
        pairs.collect::<Vec<_>>().join(",")
    );
    let map = own("default", &text);
    assert_eq!(map.keys(Some(Layer::Run), Action::Copy).count(), letters.len() * letters.len());
}

/// `UPDATE_EXPECT=1` writes the table anew.
#[test]
fn the_table_of_keys_in_the_documentation_is_true() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/keys.md");
    let doc = std::fs::read_to_string(&path).unwrap();
    let (before, _) = doc.split_once("|---|---|---|---|\n").unwrap();
    let maps = ["default", "vim"].map(|name| Keymap::builtin(name).unwrap());
    let mut expected = format!("{before}|---|---|---|---|\n");
    for action in Action::ALL {
        let [default, vim] = maps.each_ref().map(|map| {
            let keys: Vec<String> = map.keys(None, *action).map(|keys| format!("`{keys}`")).collect();
            keys.join(", ")
        });
        expected.push_str(&format!("| `{}` | {default} | {vim} | {} |\n", action.name(), action.help()));
    }
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
}

#[test]
fn the_example_of_the_documentation_is_a_keymap() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/keys.md");
    let doc = std::fs::read_to_string(path).unwrap();
    let example = doc.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let map = own("default", example);
    assert_eq!(typed(&map, None, "space c"), KeyMatch::Action(Action::Copy));
    assert_eq!(map.action(Some(Layer::Run), key("R")), Some(Action::Rollback));
}
