//! Questions of logins.

use super::*;

#[test]
fn a_key_typed_ahead_never_accepts_a_host_key() {
    let mut model = model();
    ask(&mut model, 1, unknown_key());
    pass(&mut model, Duration::from_secs(60));
    assert_eq!(type_text(&mut model, "y"), [], "it was never on screen");
    frame(&mut model);
    pass(&mut model, Duration::from_millis(399));
    assert_eq!(type_text(&mut model, "y"), [], "too soon to have been read");
    pass(&mut model, LONG);
    assert_eq!(type_text(&mut model, "y"), [AppEffect::Answer(QuestionId(1), Answer::Accept)]);
    assert!(model.questions.is_empty());
}

#[test]
fn a_letter_of_a_word_never_accepts_a_host_key() {
    let mut model = model();
    ask(&mut model, 1, unknown_key());
    frame(&mut model);
    for c in "on my way".chars() {
        pass(&mut model, Duration::from_millis(300));
        assert_eq!(type_text(&mut model, &c.to_string()), [], "{c}");
    }
    assert_eq!(model.questions.len(), 1);
}

#[test]
fn pasted_text_never_confirms() {
    let mut model = model();
    for (id, kind) in [(1, unknown_key()), (2, passphrase())] {
        model.questions.clear();
        ask(&mut model, id, kind);
        frame(&mut model);
        pass(&mut model, LONG);
        assert_eq!(update(&mut model, Msg::Paste("y\nyes\n\r".into())), []);
        assert_eq!(model.questions.len(), 1);
    }
    assert_eq!(model.answer.as_str(), "y", "a secret may be pasted, not sent by it");
}

#[test]
fn escape_refuses_and_the_next_question_wants_its_own_silence() {
    let mut model = model();
    ask(&mut model, 1, unknown_key());
    ask(&mut model, 2, unknown_key());
    frame(&mut model);
    pass(&mut model, LONG);
    assert_eq!(press(&mut model, KeyCode::Esc), [AppEffect::Answer(QuestionId(1), Answer::Refuse)]);
    assert_eq!(type_text(&mut model, "y"), []);
    frame(&mut model);
    assert_eq!(type_text(&mut model, "y"), []);
    pass(&mut model, LONG);
    assert_eq!(type_text(&mut model, "y"), [AppEffect::Answer(QuestionId(2), Answer::Accept)]);
}

#[test]
fn a_secret_is_typed_sent_once_and_forgotten() {
    let mut model = model();
    ask(&mut model, 3, passphrase());
    frame(&mut model);
    pass(&mut model, LONG);
    type_text(&mut model, "tel");
    press(&mut model, KeyCode::Backspace);
    type_text(&mut model, "st");
    let effects = press(&mut model, KeyCode::Enter);
    let [AppEffect::Answer(QuestionId(3), Answer::Secret(secret))] = &effects[..] else {
        unreachable!("{effects:?}")
    };
    assert_eq!(secret.as_str(), "test");
    assert_eq!(model.answer.as_str(), "");
    assert!(!format!("{effects:?} {model:?}").contains("test"), "it is in no debug text");
}

#[test]
fn a_long_secret_never_moves_in_memory() {
    let mut model = model();
    ask(&mut model, 3, passphrase());
    frame(&mut model);
    pass(&mut model, LONG);
    let before = model.answer.as_str().as_ptr();
    type_text(&mut model, &"x".repeat(3000));
    assert_eq!((model.answer.as_str().len(), model.answer.as_str().as_ptr()), (1024, before));
}

#[test]
fn a_question_that_is_gone_takes_its_half_typed_answer_with_it() {
    let mut model = model();
    ask(&mut model, 3, passphrase());
    frame(&mut model);
    pass(&mut model, LONG);
    type_text(&mut model, "half");
    update(&mut model, Msg::Fleet(FleetEvent::QuestionGone(QuestionId(3))));
    assert!(model.questions.is_empty() && model.answer.is_empty());
    update(&mut model, Msg::Fleet(FleetEvent::QuestionGone(QuestionId(9))));
}
