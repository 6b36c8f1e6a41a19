use proptest::prelude::*;

use super::*;

fn press(editor: &mut Editor, code: KeyCode) {
    editor.key(KeyPress { code, ctrl: false, alt: false });
}

/// The text, the cursor shown as `|`.
fn shown(editor: &Editor) -> String {
    format!("{}|{}", editor.before(), editor.after())
}

#[test]
fn what_is_drawn_takes_no_invisible_character_and_a_secret_takes_all_but_controls() {
    let pasted = "db\u{200d}1\u{202e}\u{34f}\u{feff}ü\x1b\n";
    for (mut editor, expected) in
        [(Editor::line(), "db1ü"), (Editor::secret(), "db\u{200d}1\u{202e}\u{34f}\u{feff}ü")]
    {
        editor.insert(pasted);
        assert_eq!(editor.as_str(), expected);
    }
}

#[test]
fn words_are_parts_between_blanks() {
    let mut line = Editor::from("  role:db  load>1 ");
    let key = |line: &mut Editor, code, ctrl, alt| {
        line.key(KeyPress { code, ctrl, alt });
        shown(line)
    };
    assert_eq!(key(&mut line, KeyCode::Left, true, false), "  role:db  |load>1 ");
    assert_eq!(key(&mut line, KeyCode::Left, false, true), "  |role:db  load>1 ");
    assert_eq!(key(&mut line, KeyCode::Char('b'), false, true), "|  role:db  load>1 ");
    assert_eq!(key(&mut line, KeyCode::Right, true, false), "  role:db|  load>1 ");
    assert_eq!(key(&mut line, KeyCode::Char('f'), false, true), "  role:db  load>1| ");
    assert_eq!(key(&mut line, KeyCode::Char('w'), true, false), "  role:db  | ");
    assert_eq!(key(&mut line, KeyCode::Backspace, false, true), "  | ");
    assert_eq!(key(&mut line, KeyCode::Backspace, true, false), "| ");
}

#[test]
fn characters_that_become_one_are_not_split() {
    let mut line = Editor::from("🇩x🇪");
    press(&mut line, KeyCode::Left);
    press(&mut line, KeyCode::Backspace);
    assert_eq!(shown(&line), "🇩🇪|", "two letters are a flag now");
    let mut line = Editor::from("\u{301}a");
    press(&mut line, KeyCode::Home);
    press(&mut line, KeyCode::Char('e'));
    assert_eq!(shown(&line), "e\u{301}|a", "the accent found a letter");
}

#[test]
fn a_text_has_an_end_and_what_is_set_is_set_whole() {
    for (mut editor, most) in [(Editor::line(), LINE), (Editor::secret(), LINE)] {
        editor.insert(&"x".repeat(10_000));
        assert_eq!(editor.as_str().len(), most);
        editor.set(&"y".repeat(10_000));
        press(&mut editor, KeyCode::Char('x'));
        assert_eq!(editor.as_str(), "y".repeat(10_000));
    }
}

#[test]
fn what_is_typed_is_in_no_debug_text() {
    let mut secret = Editor::secret();
    secret.insert("geheim");
    assert!(!format!("{secret:?}").contains("geheim"));
    assert_eq!((secret.take().as_str(), secret.as_str()), ("geheim", ""));
}

/// Keys of all kinds, with characters that join the ones before or after them.
fn keys() -> impl Strategy<Value = Vec<KeyPress>> {
    let named = [
        KeyCode::Backspace,
        KeyCode::Delete,
        KeyCode::Left,
        KeyCode::Right,
        KeyCode::Home,
        KeyCode::End,
        KeyCode::Char('w'),
        KeyCode::Char('u'),
        KeyCode::Char('k'),
    ];
    let typed = prop::sample::select("ab ü日e\u{301}🇩🇪👍🏽\u{200d}\u{1b}क\u{94d}".chars().collect::<Vec<_>>());
    let code = prop_oneof![
        4 => typed.prop_map(|c| (KeyCode::Char(c), false)),
        3 => (prop::sample::select(named.to_vec()), any::<bool>()),
    ];
    let key = code.prop_map(|(code, ctrl)| KeyPress { code, ctrl, alt: false });
    prop::collection::vec(key, 0..60)
}

proptest! {
    #[test]
    fn the_cursor_is_between_two_characters_and_the_text_never_moves_in_memory(keys in keys()) {
        for mut editor in [Editor::line(), Editor::secret()] {
            let place = editor.text.as_ptr();
            for key in &keys {
                let before = editor.as_str().to_owned();
                let changes = editor.key(*key);
                let at = editor.cursor;
                let mut ends = editor.text.grapheme_indices(true).map(|(at, _)| at).chain([editor.text.len()]);
                prop_assert!(ends.any(|end| end == at), "{}", shown(&editor));
                prop_assert!(changes || editor.as_str() == before, "{key:?} only moves");
            }
            prop_assert_eq!(editor.text.as_ptr(), place);
            prop_assert!(!editor.as_str().contains('\x1b'));
        }
    }
}
