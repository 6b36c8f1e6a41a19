//! Keys pressed one after another: what they do, what ends them, and that they answer nothing.

use super::*;
use crate::config::action::{Action, Destination};
use crate::config::keymap::parse_onto;

fn bound(model: &mut Model, text: &str) {
    let base = Keymap::builtin("vim").unwrap();
    model.keymap = Arc::new(parse_onto(&base, "own.toml", text).unwrap());
}

/// A console with the keymap vim, on the fleet.
fn vim() -> Model {
    let mut model = start();
    model.keymap = Arc::new(Keymap::builtin("vim").unwrap());
    model
}

fn pending(model: &Model) -> Option<String> {
    model.pending.as_ref().map(|pending| pending.typed())
}

fn notice(model: &Model) -> &str {
    model.notice.as_ref().map_or("", |(text, _)| text)
}

fn selected(model: &Model) -> usize {
    crate::app::rows::selection::selected(model).unwrap()
}

#[test]
fn a_sequence_acts_with_its_last_key() {
    let mut model = vim();
    keys(&mut model, "G");
    let last = selected(&model);
    assert!(last > 0);
    keys(&mut model, "g");
    assert_eq!((selected(&model), pending(&model)), (last, Some("g".into())), "its beginning does nothing");
    let following: Vec<String> = model.following().into_iter().map(|(keys, _)| keys).collect();
    assert_eq!(following, ["g", "t", "T", "?"]);
    keys(&mut model, "g");
    assert_eq!((selected(&model), pending(&model)), (0, None));
    assert_eq!(keys(&mut model, "ZZ"), [AppEffect::Quit]);
}

#[test]
fn a_key_that_does_not_go_on_does_nothing_and_is_said() {
    let mut model = vim();
    keys(&mut model, "G");
    let last = selected(&model);
    // `k` alone goes up.
    keys(&mut model, "gk");
    assert_eq!((selected(&model), pending(&model)), (last, None));
    assert_eq!(notice(&model), "g k is not bound");
    keys(&mut model, "k");
    assert_eq!(selected(&model), last - 1);
}

#[test]
fn esc_ends_it_and_nothing_else() {
    let mut model = vim();
    model.filter_mut().unwrap().text = "db".into();
    keys(&mut model, "g");
    key(&mut model, KeyCode::Esc);
    assert_eq!((pending(&model), model.filter().text.as_str()), (None, "db"), "the filter stays");
    key(&mut model, KeyCode::Esc);
    assert_eq!(model.filter().text.as_str(), "");
    keys(&mut model, "g");
    assert_eq!(ctrl(&mut model, 'c'), [AppEffect::Quit]);
}

#[test]
fn a_question_a_dialog_and_another_screen_end_it() {
    let mut model = vim();
    keys(&mut model, "g");
    ask(&mut model, 1, passphrase());
    assert_eq!(pending(&model), None);
    assert_eq!(notice(&model), "g ended: the screen has changed");
    frame(&mut model);
    keys(&mut model, "g");
    assert_eq!(pending(&model), None, "the question has the key");

    let mut model = vim();
    keys(&mut model, "g");
    model.runs.dialogs.push(Dialog::Refused(vec!["no".into()]));
    let now = model.now;
    update(&mut model, Msg::Tick(now));
    assert_eq!(pending(&model), None);

    let mut model = vim();
    keys(&mut model, "g");
    update(&mut model, Msg::Resize(50, 10));
    assert_eq!(pending(&model), None, "what can follow is not seen");
    keys(&mut model, "g");
    assert_eq!(pending(&model), None);

    let mut model = vim();
    keys(&mut model, "g");
    model.show(Screen::Problems);
    let now = model.now;
    update(&mut model, Msg::Tick(now));
    assert_eq!(pending(&model), None);
    // Time and a paste do not.
    keys(&mut model, "g");
    wait(&mut model, A_MOMENT);
    update(&mut model, Msg::Paste("gg".into()));
    assert_eq!(pending(&model), Some("g".into()));
}

#[test]
fn a_sequence_never_answers_a_run() {
    let sequences = "[keys]\nfirst = [\"g y\", \"home\"]\nlast = [\"space y\", \"end\"]\npause = [\"p\"]";
    // It was begun before the question was asked.
    let mut model = asked(Mode::DryRun, false, PromptKind::Confirm);
    bound(&mut model, sequences);
    keys(&mut model, "g");
    assert_eq!(pending(&model), Some("g".into()));
    update(&mut model, Msg::Run(RunEvent::Run(Arc::new(run(Mode::DryRun, Some((5, PromptKind::Confirm)))))));
    assert_eq!(pending(&model), None);
    assert_eq!(keys(&mut model, "y"), [], "typed ahead");

    // It is begun while the question is on screen: its last key is its own.
    let mut model = asked(Mode::DryRun, false, PromptKind::Confirm);
    bound(&mut model, sequences);
    wait(&mut model, A_MOMENT);
    for rest in ["y", "n", "x"] {
        assert_eq!(keys(&mut model, &format!("g{rest}")), []);
        assert_eq!(pending(&model), None);
        assert!(!model.runs.reply.given, "g {rest}");
    }
    assert_eq!(key(&mut model, KeyCode::Char('g')), []);
    assert_eq!(key(&mut model, KeyCode::Enter), [], "Enter is no no here");
    assert_eq!(keys(&mut model, "y"), [], "the keys of a sequence are no silence");
    wait(&mut model, A_MOMENT);
    assert_eq!(keys(&mut model, "y"), answered(Reply::Yes));

    // What is asked has its own keys: a sequence that begins with one of them cannot be begun.
    let mut model = asked(Mode::DryRun, false, PromptKind::Confirm);
    bound(&mut model, "[keys]\nfirst = [\"y y\", \"home\"]");
    wait(&mut model, A_MOMENT);
    assert_eq!(keys(&mut model, "y"), answered(Reply::Yes));
}

#[test]
fn a_layer_is_that_of_the_screen_and_help_has_none() {
    let mut model = vim();
    bound(
        &mut model,
        "[keys.problems]\nscreen_roles = [\"j\"]\nscreen_fleet = [\"space f\"]\npause = [\"p\"]",
    );
    keys(&mut model, "4");
    assert_eq!(model.screen(), &Screen::Problems);
    key(&mut model, KeyCode::Char('?'));
    keys(&mut model, "j");
    assert_eq!((model.screen(), model.help), (&Screen::Problems, Some(1)), "help scrolls");
    key(&mut model, KeyCode::Char('?'));
    keys(&mut model, " f");
    assert_eq!(model.screen(), &Screen::Fleet);
    keys(&mut model, "4j");
    assert_eq!(model.screen(), &Screen::Roles);
    keys(&mut model, "4");
    let roles = Action::Screen(Destination::Roles);
    assert_eq!(model.keys_of(roles).map(ToString::to_string).collect::<Vec<_>>(), ["j"]);
    keys(&mut model, "1");
    assert_eq!(model.screen(), &Screen::Problems, "an action that the layer names has no other key there");
    keys(&mut model, " f");
    assert_eq!(model.keys_of(roles).next().map(ToString::to_string), Some("3".into()));
}

#[test]
fn colon_q_quits_with_the_keymap_vim() {
    let mut model = vim();
    keys(&mut model, ":q");
    assert_eq!(key(&mut model, KeyCode::Enter).last(), Some(&AppEffect::Quit));
}
