//! Every field is edited with the same keys.

use super::*;
use jumpdeck_fleet::event::QuestionKind;

/// What is typed in the field that has the keys.
fn typed(model: &Model) -> &str {
    if !model.questions.is_empty() {
        return model.answer.as_str();
    }
    match model.runs.dialogs.last() {
        Some(Dialog::Inputs(form)) if form.choices().is_empty() => form.fields[form.at].1.as_str(),
        Some(Dialog::Inputs(form)) => form.picker.filter.as_str(),
        Some(Dialog::Start { why, .. }) => why.as_str(),
        Some(Dialog::Arm { reason, time, at_time, .. }) => if *at_time { time } else { reason }.as_str(),
        Some(Dialog::Acknowledge(form)) => if form.at_until { &form.until } else { &form.reason }.as_str(),
        Some(Dialog::Note { text, .. }) => &text.lines()[0],
        Some(Dialog::Session(form)) => form.fields[form.at].1.as_str(),
        Some(Dialog::SessionNote(note)) => &note.text.lines()[0],
        Some(Dialog::Command(form)) => form.text.as_str(),
        Some(Dialog::Leave(leave)) => leave.typed.as_ref().map_or("", |typed| typed.as_str()),
        Some(Dialog::SaveView { name, .. }) => name.as_str(),
        Some(Dialog::Export(form)) => form.name.as_str(),
        Some(Dialog::Refused(_) | Dialog::ViewQuestion(_) | Dialog::Columns(_)) => "",
        None if model.filter().editing => model.filter().text.as_str(),
        None => match model.open_prompt().map(|(_, prompt)| &prompt.kind) {
            Some(PromptKind::Input(input)) if !input.choices.is_empty() => {
                model.runs.reply.picker.filter.as_str()
            }
            _ => model.runs.reply.typed.as_str(),
        },
    }
}

/// The form of a runbook that asks this.
fn form(input: InputView) -> Model {
    let mut model = start();
    keys(&mut model, "b");
    tell(&mut model, listing(vec![input]));
    key(&mut model, KeyCode::End);
    key(&mut model, KeyCode::Enter);
    assert!(matches!(model.runs.dialogs[..], [Dialog::Inputs(_)]));
    model
}

fn dialog(dialog: Dialog) -> Model {
    let mut model = start();
    model.runs.dialogs.push(dialog);
    frame(&mut model);
    model
}

fn armed(at_time: bool) -> Model {
    let mut model = start();
    model.ask_arming(String::new());
    if at_time {
        key(&mut model, KeyCode::Tab);
        ctrl(&mut model, 'u');
    }
    model
}

fn login(kind: QuestionKind) -> Model {
    let mut model = start();
    ask(&mut model, 1, kind);
    frame(&mut model);
    model
}

/// A model with each field of the console in turn, empty and with the keys.
fn fields() -> Vec<(&'static str, Model)> {
    let secret = || InputView { sensitive: true, ..input(&[]) };
    let reason =
        PromptKind::Choose(vec![Choice { key: 'k', label: "".into(), reason: true, changes: false }]);
    let mut filter = start();
    keys(&mut filter, "/");
    let mut chosen = asked(Mode::Live, true, reason);
    wait(&mut chosen, A_MOMENT);
    keys(&mut chosen, "k");
    let mut noted = asked(Mode::Live, true, PromptKind::Confirm);
    alt(&mut noted, 'n');
    let mut named = start();
    keys(&mut named, "V");
    let mut leaving = leave::frozen(RunState::Running);
    leaving.prompt = None;
    let mut left = start();
    tell(&mut left, RunEvent::Run(Arc::new(leaving)));
    keys(&mut left, "q");
    wait(&mut left, A_MOMENT);
    keys(&mut left, "l");
    vec![
        ("a filter", filter),
        ("a field of a form", form(input(&[]))),
        ("a secret of a form", form(secret())),
        ("what narrows a choice of a form", form(input(&["db1", "db2"]))),
        ("why a run is started", dialog(Dialog::Start { mode: Mode::DryRun, why: "".into(), wrong: None })),
        ("why an environment is armed", armed(false)),
        ("for how long it is armed", armed(true)),
        ("a note", noted),
        ("the name of a view", named),
        ("the word that leaves", left),
        ("a challenge", asked(Mode::Live, true, PromptKind::Challenge("db2".into()))),
        ("a value", asked(Mode::Live, true, PromptKind::Input(input(&[])))),
        ("a secret value", asked(Mode::Live, true, PromptKind::Input(secret()))),
        ("what narrows a value", asked(Mode::Live, true, PromptKind::Input(input(&["db1", "db2"])))),
        ("the reason of a choice", chosen),
        ("a passphrase", login(passphrase())),
    ]
}

#[test]
fn every_field_is_edited_with_the_same_keys() {
    for (field, mut model) in fields() {
        wait(&mut model, A_MOMENT);
        let mut step = |press: &[(KeyCode, bool)], expected: &str| {
            for (code, ctrl) in press {
                update(&mut model, Msg::Key(KeyPress { code: *code, ctrl: *ctrl, alt: false }));
                frame(&mut model);
            }
            assert_eq!(typed(&model), expected, "{field}");
        };
        let c = |c| (KeyCode::Char(c), false);
        let (left, right) = ((KeyCode::Left, false), (KeyCode::Right, false));
        step(&[c('d'), c('b'), c(' '), c('o'), c('n')], "db on");
        step(&[left, left, c('x')], "db xon");
        step(&[(KeyCode::Backspace, false), right, (KeyCode::Delete, false)], "db o");
        step(&[(KeyCode::Home, false), c('1'), (KeyCode::End, false), c('2')], "1db o2");
        step(&[(KeyCode::Char('a'), true), c('3'), (KeyCode::Char('e'), true), c('4')], "31db o24");
        step(
            &[(KeyCode::Left, true), c('5'), (KeyCode::Left, true), (KeyCode::Left, true), c('6')],
            "631db 5o24",
        );
        step(&[(KeyCode::Right, true), c('7')], "631db7 5o24");
        step(&[(KeyCode::Char('w'), true)], " 5o24");
        step(&[right, right, (KeyCode::Char('u'), true)], "o24");
        step(&[right, (KeyCode::Char('k'), true)], "o");
        step(&[(KeyCode::Char('h'), true)], "");
    }
}

#[test]
fn what_is_pasted_goes_where_the_cursor_is() {
    for (field, mut model) in fields() {
        if matches!(field, "a challenge" | "the word that leaves") {
            continue; // They are typed.
        }
        wait(&mut model, A_MOMENT);
        keys(&mut model, "ad");
        key(&mut model, KeyCode::Left);
        update(&mut model, Msg::Paste("bc".into()));
        frame(&mut model);
        keys(&mut model, "x");
        assert_eq!(typed(&model), "abcxd", "{field}");
    }
}

#[test]
fn a_cursor_never_stands_within_a_character() {
    for (field, mut model) in fields() {
        wait(&mut model, A_MOMENT);
        keys(&mut model, "e\u{301}日🇩🇪");
        key(&mut model, KeyCode::Left);
        key(&mut model, KeyCode::Left);
        keys(&mut model, "x");
        assert_eq!(typed(&model), "e\u{301}x日🇩🇪", "{field}");
        key(&mut model, KeyCode::Left);
        key(&mut model, KeyCode::Backspace);
        assert_eq!(typed(&model), "x日🇩🇪", "{field}");
        key(&mut model, KeyCode::End);
        key(&mut model, KeyCode::Backspace);
        assert_eq!(typed(&model), "x日", "{field}");
    }
}

#[test]
fn a_secret_of_a_form_is_in_no_other_place_than_its_field() {
    let mut model = form(InputView { sensitive: true, ..input(&[]) });
    keys(&mut model, "geheim");
    key(&mut model, KeyCode::Tab);
    key(&mut model, KeyCode::BackTab);
    let Some(Dialog::Inputs(form)) = model.runs.dialogs.last() else { panic!("no form") };
    assert_eq!(form.picker.chosen, None);
}
