//! What a run asks.

use super::*;

#[test]
fn enter_never_confirms_and_a_yes_needs_silence() {
    let mut model = asked(Mode::DryRun, false, PromptKind::Confirm);
    assert_eq!(keys(&mut model, "y"), [], "typed ahead");
    wait(&mut model, Duration::from_millis(399));
    assert_eq!(keys(&mut model, "y"), [], "the silence began anew");
    wait(&mut model, A_MOMENT);
    assert_eq!(keys(&mut model, "oy"), [], "in a word");
    wait(&mut model, A_MOMENT);
    assert_eq!(keys(&mut model, "y"), answered(Reply::Yes));
    assert_eq!(keys(&mut model, "y"), [], "once");

    for code in [KeyCode::Enter, KeyCode::Char('n')] {
        let mut model = asked(Mode::DryRun, false, PromptKind::Confirm);
        assert_eq!(key(&mut model, code), [], "typed ahead");
        wait(&mut model, A_MOMENT);
        assert_eq!(key(&mut model, code), answered(Reply::No));
    }
}

#[test]
fn what_was_not_on_screen_is_not_answered() {
    let mut model = asked(Mode::DryRun, false, PromptKind::Confirm);
    wait(&mut model, A_MOMENT);
    model.help = Some(0);
    assert_eq!(keys(&mut model, "y"), []);
    model.help = None;
    update(&mut model, Msg::Resize(59, 20));
    assert_eq!(keys(&mut model, "y"), [], "too small a terminal shows no question");
    update(&mut model, Msg::Resize(80, 24));
    assert_eq!(keys(&mut model, "y"), [], "it has just come back");
    wait(&mut model, A_MOMENT);
    ask(&mut model, 9, unknown_key());
    frame(&mut model);
    keys(&mut model, "y");
    assert!(model.runs.reply.to.is_none() || !model.runs.reply.given);
    // Another prompt than the one that was looked at.
    let mut model = asked(Mode::DryRun, false, PromptKind::Confirm);
    wait(&mut model, A_MOMENT);
    update(&mut model, Msg::Run(RunEvent::Run(Arc::new(run(Mode::DryRun, Some((5, PromptKind::Confirm)))))));
    assert_eq!(keys(&mut model, "y"), []);
}

#[test]
fn a_challenge_is_typed_not_pasted() {
    let mut model = asked(Mode::Live, true, PromptKind::Challenge("db2".into()));
    keys(&mut model, "db2");
    key(&mut model, KeyCode::Enter);
    assert!(model.runs.reply.typed.is_empty(), "typed ahead");
    wait(&mut model, A_MOMENT);
    update(&mut model, Msg::Paste("db2\n".into()));
    assert!(model.runs.reply.typed.is_empty() && model.runs.reply.wrong.is_some());
    assert_eq!(key(&mut model, KeyCode::Enter), []);
    keys(&mut model, "db3");
    assert_eq!(key(&mut model, KeyCode::Enter), []);
    assert_eq!(model.runs.reply.wrong, Some("does not match the value on screen"));
    keys(&mut model, "db2");
    let typed = Reply::Text(Zeroizing::new("db2".into()));
    assert_eq!(key(&mut model, KeyCode::Enter), answered(typed));

    let mut model = asked(Mode::Live, true, PromptKind::Challenge("db2".into()));
    wait(&mut model, A_MOMENT);
    keys(&mut model, "d");
    assert_eq!(key(&mut model, KeyCode::Esc), [], "first what was typed goes");
    assert_eq!(ctrl(&mut model, 'd'), answered(Reply::No));
}

#[test]
fn a_yes_to_changes_wants_an_armed_environment() {
    let mut model = asked(Mode::Live, false, PromptKind::Confirm);
    wait(&mut model, A_MOMENT);
    assert_eq!(keys(&mut model, "y"), []);
    assert!(matches!(model.runs.dialogs[..], [Dialog::Arm { .. }]));
    key(&mut model, KeyCode::Enter);
    assert!(model.is_armed(&env_name("production")));
    assert_eq!(keys(&mut model, "y"), [], "the question has just come back");
    wait(&mut model, A_MOMENT);
    assert_eq!(keys(&mut model, "y"), answered(Reply::Yes));

    let mut model = asked(Mode::Live, false, PromptKind::Confirm);
    wait(&mut model, A_MOMENT);
    assert_eq!(keys(&mut model, "n"), answered(Reply::No), "a no does not");
    let mut model = asked(Mode::Live, false, PromptKind::Challenge("db2".into()));
    wait(&mut model, A_MOMENT);
    keys(&mut model, "db2");
    assert_eq!(key(&mut model, KeyCode::Enter), []);
    assert!(matches!(model.runs.dialogs[..], [Dialog::Arm { .. }]));
}

#[test]
fn ways_on_are_chosen_by_their_key_some_with_a_reason() {
    let choice = |key, reason| Choice { key, label: "".into(), reason, changes: false };
    let kind = PromptKind::Choose(vec![choice('r', false), choice('k', true)]);
    let mut model = asked(Mode::Live, false, kind.clone());
    assert_eq!(keys(&mut model, "r"), [], "typed ahead");
    wait(&mut model, A_MOMENT);
    assert_eq!(key(&mut model, KeyCode::Enter), []);
    wait(&mut model, A_MOMENT);
    assert_eq!(keys(&mut model, "r"), answered(Reply::Chosen('r', None)));

    let mut model = asked(Mode::Live, false, kind);
    wait(&mut model, A_MOMENT);
    keys(&mut model, "k");
    assert_eq!(key(&mut model, KeyCode::Enter), []);
    keys(&mut model, "known bug");
    let chosen = Reply::Chosen('k', Some("known bug".into()));
    assert_eq!(key(&mut model, KeyCode::Enter), answered(chosen));
}

#[test]
fn a_way_on_that_changes_something_wants_an_armed_environment() {
    let choice = |key, changes| Choice { key, label: "".into(), reason: false, changes };
    let kind = PromptKind::Choose(vec![choice('b', true), choice('r', true), choice('s', false)]);
    for way in ['b', 'r'] {
        let mut model = asked(Mode::Live, false, kind.clone());
        wait(&mut model, A_MOMENT);
        assert_eq!(keys(&mut model, &way.to_string()), [], "{way}");
        assert!(matches!(model.runs.dialogs[..], [Dialog::Arm { .. }]), "{way}");
        key(&mut model, KeyCode::Enter);
        wait(&mut model, A_MOMENT);
        assert_eq!(keys(&mut model, &way.to_string()), answered(Reply::Chosen(way, None)));
    }
    let mut model = asked(Mode::Live, false, kind);
    wait(&mut model, A_MOMENT);
    assert_eq!(keys(&mut model, "s"), answered(Reply::Chosen('s', None)), "stopping does not");
}

/// Keys that mean something somewhere, more often than not.
fn any_key() -> impl proptest::strategy::Strategy<Value = KeyPress> {
    use proptest::prelude::*;
    let named = [
        KeyCode::Enter,
        KeyCode::Esc,
        KeyCode::Tab,
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::Backspace,
        KeyCode::Home,
        KeyCode::End,
    ];
    let letters: Vec<char> = "ynbrskldxaAuUnqxdb2gG?/ ".chars().collect();
    let code = prop_oneof![
        3 => prop::sample::select(letters).prop_map(KeyCode::Char),
        1 => prop::sample::select(named.to_vec()),
        1 => any::<char>().prop_map(KeyCode::Char),
    ];
    (code, prop::bool::weighted(0.1), prop::bool::weighted(0.1)).prop_map(|(code, ctrl, alt)| KeyPress {
        code,
        ctrl,
        alt,
    })
}

/// Whether something may be changed on it.
fn may_change(kind: &PromptKind, effect: &AppEffect) -> bool {
    match effect {
        AppEffect::TellRun(_, RunCommand::Answer { reply, .. }) => match (kind, reply) {
            (_, Reply::No) => false,
            (PromptKind::Choose(ways), Reply::Chosen(key, _)) => {
                ways.iter().any(|w| w.key == *key && w.changes)
            }
            (PromptKind::Input(_), Reply::Text(_)) => false,
            _ => true,
        },
        AppEffect::StartRun { mode, .. } => *mode == Mode::Live,
        AppEffect::ResumeRun(_) => true,
        _ => false,
    }
}

proptest::proptest! {
    #[test]
    fn no_keys_make_a_read_only_console_send_an_answer_that_changes_something(
        keys in proptest::collection::vec((any_key(), 0u64..900), 1..60),
        kind in 0usize..5,
    ) {
        let choice = |key, reason, changes| Choice { key, label: "".into(), reason, changes };
        let kind = match kind {
            0 => PromptKind::Confirm,
            1 => PromptKind::Challenge("db2".into()),
            2 => PromptKind::Input(input(&[])),
            3 => PromptKind::Approve("approve r1".into()),
            _ => PromptKind::Choose(vec![
                choice('b', false, true),
                choice('r', false, true),
                choice('d', true, true),
                choice('k', true, false),
                choice('s', false, false),
            ]),
        };
        let mut model = asked(Mode::Live, false, kind.clone());
        wait(&mut model, A_MOMENT);
        for (key, after) in keys {
            let armed = model.is_armed(&env_name("production"));
            let effects = update(&mut model, Msg::Key(key));
            let changing: Vec<_> = effects.iter().filter(|e| may_change(&kind, e)).collect();
            proptest::prop_assert!(armed || changing.is_empty(), "{key:?}: {changing:?}");
            frame(&mut model);
            wait(&mut model, Duration::from_millis(after));
        }
    }
}

#[test]
fn waiting_for_a_second_person_can_be_given_up() {
    let mut model = asked(Mode::Live, false, PromptKind::Approve("approve r1".into()));
    assert_eq!(keys(&mut model, "n"), [], "typed ahead");
    wait(&mut model, A_MOMENT);
    assert_eq!(keys(&mut model, "y"), [], "who runs it cannot approve it");
    wait(&mut model, A_MOMENT);
    assert_eq!(keys(&mut model, "n"), answered(Reply::No));
}

#[test]
fn a_question_brings_its_step_on_screen_and_nothing_is_answered_while_another_is_looked_at() {
    let kinds = [
        (PromptKind::Challenge("db2".into()), "db2"),
        (PromptKind::Confirm, "y"),
        (PromptKind::Input(input(&[])), "x"),
        (PromptKind::Input(input(&["a", "b"])), "a"),
        (PromptKind::Choose(vec![choice('r', false)]), "r"),
    ];
    for (kind, text) in kinds {
        let mut model = start();
        model.runs.known.push(Arc::new(run(Mode::DryRun, None)));
        model.screens.push(Screen::Run("r1".into()));
        frame(&mut model);
        key(&mut model, KeyCode::Up);
        assert_eq!(model.shown_step(), Some(0), "another step is looked at");
        tell(&mut model, RunEvent::Run(Arc::new(run(Mode::DryRun, Some((4, kind.clone()))))));
        assert_eq!(model.shown_step(), Some(1), "{kind:?}: what asks is on screen");

        model.runs.step = Some(0);
        frame(&mut model);
        wait(&mut model, A_MOMENT);
        assert_eq!(keys(&mut model, text), [], "{kind:?}: its command is not on screen");
        assert_eq!(model.shown_step(), Some(1), "{kind:?}: the key leads back");
        assert!(!model.runs.reply.given, "{kind:?}");
        wait(&mut model, A_MOMENT);
        keys(&mut model, text);
        if !matches!(kind, PromptKind::Confirm | PromptKind::Choose(_)) {
            key(&mut model, KeyCode::Enter);
        }
        assert!(model.runs.reply.given, "{kind:?}: now it is answered");
    }
}

fn choice(key: char, reason: bool) -> Choice {
    Choice { key, label: "retry".into(), reason, changes: false }
}

#[test]
fn the_key_that_the_status_line_names_leads_back_in_every_kind_of_prompt() {
    for kind in [
        PromptKind::Challenge("db2".into()),
        PromptKind::Confirm,
        PromptKind::Input(input(&["a"])),
        PromptKind::Choose(vec![choice('r', false)]),
        PromptKind::Approve("x".into()),
    ] {
        let mut model = asked(Mode::DryRun, false, kind.clone());
        model.runs.step = Some(0);
        frame(&mut model);
        wait(&mut model, A_MOMENT);
        let free = |k: &KeyPress| !model.prompt_takes(*k) || model.runs.step.is_some();
        let singles = model.keys_of(crate::config::action::Action::Last).filter_map(|keys| keys.single());
        let key = singles.into_iter().find(free).unwrap();
        assert_eq!(update(&mut model, Msg::Key(key)), [], "{kind:?}");
        assert_eq!(model.shown_step(), Some(1), "{kind:?}");
        // The box says that Enter does.
        model.runs.step = Some(0);
        frame(&mut model);
        assert_eq!(press(&mut model, KeyCode::Enter), [], "{kind:?}");
        assert_eq!(model.shown_step(), Some(1), "{kind:?}");
    }
}

#[test]
fn leaving_the_screen_is_no_answer() {
    for kind in [
        PromptKind::Challenge("db2".into()),
        PromptKind::Confirm,
        PromptKind::Input(input(&[])),
        PromptKind::Input(input(&["a"])),
        PromptKind::Choose(vec![choice('r', false)]),
    ] {
        let mut model = asked(Mode::DryRun, false, kind.clone());
        wait(&mut model, A_MOMENT);
        let effects = key(&mut model, KeyCode::Esc);
        assert!(!effects.iter().any(|e| matches!(e, AppEffect::TellRun(..))), "{kind:?}: {effects:?}");
        assert!(!matches!(model.screen(), Screen::Run(_)), "{kind:?}");
    }
    for kind in [PromptKind::Input(input(&[])), PromptKind::Input(input(&["a"]))] {
        let mut model = asked(Mode::DryRun, false, kind);
        assert_eq!(ctrl(&mut model, 'd'), [], "typed ahead");
        wait(&mut model, A_MOMENT);
        assert_eq!(ctrl(&mut model, 'd'), answered(Reply::No));
    }
}

#[test]
fn what_was_typed_is_still_there_when_the_environment_had_to_be_armed() {
    let mut model = asked(Mode::Live, false, PromptKind::Challenge("db2".into()));
    wait(&mut model, A_MOMENT);
    keys(&mut model, "db2");
    assert_eq!(key(&mut model, KeyCode::Enter), []);
    assert!(matches!(model.runs.dialogs[..], [Dialog::Arm { .. }]));
    key(&mut model, KeyCode::Enter);
    assert_eq!(model.runs.reply.typed.as_str(), "db2");
    wait(&mut model, A_MOMENT);
    assert_eq!(key(&mut model, KeyCode::Enter), answered(Reply::Text(Zeroizing::new("db2".into()))));
}

#[test]
fn keys_that_were_meant_for_a_question_that_went_by_itself_do_nothing() {
    let mut model = asked(Mode::DryRun, false, PromptKind::Challenge("app1".into()));
    wait(&mut model, A_MOMENT);
    keys(&mut model, "ap");
    // The run goes on: its time limit passed, say.
    tell(&mut model, RunEvent::Run(Arc::new(run(Mode::DryRun, None))));
    assert_eq!(keys(&mut model, "p1uxq"), []);
    assert_eq!(key(&mut model, KeyCode::Enter), []);
    assert_eq!(model.screen(), &Screen::Run("r1".into()));
    wait(&mut model, A_MOMENT);
    keys(&mut model, "q");
    assert!(!matches!(model.screen(), Screen::Run(_)), "after a silence keys are keys again");
}

#[test]
fn a_choice_is_typed_into_and_what_must_differ_is_left_out() {
    let hosts: Vec<String> = (1..=40).map(|n| format!("app{n}")).collect();
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let mut model = asked(Mode::DryRun, false, PromptKind::Input(input(&hosts)));
    wait(&mut model, A_MOMENT);
    keys(&mut model, "p37");
    assert_eq!(key(&mut model, KeyCode::Enter), answered(Reply::Text(Zeroizing::new("app37".into()))));

    let mut model = start();
    keys(&mut model, "b");
    let second = InputView { name: "other".into(), not: vec!["candidate".into()], ..input(&["db1", "db2"]) };
    tell(&mut model, listing(vec![input(&["db1", "db2"]), second]));
    key(&mut model, KeyCode::End);
    key(&mut model, KeyCode::Enter);
    keys(&mut model, "db1");
    key(&mut model, KeyCode::Enter);
    let Some(Dialog::Inputs(form)) = model.runs.dialogs.last() else { panic!("no form") };
    assert_eq!((form.at, form.choices()), (1, vec!["db2".into()]));
}

#[test]
fn what_servers_tell_of_a_question_stands_there_unless_something_was_written() {
    let found = |value: Option<&str>, why: &str| {
        let (default, because) = (value.map(Clean::new), Some(Clean::new(why)));
        let inputs = vec![InputView { finds: true, default, because, ..input(&["db1", "db2"]) }];
        RunEvent::Found { env: env_name("production"), runbook: "promote".into(), inputs }
    };
    let open = |typed: &str| {
        let mut model = start();
        keys(&mut model, "b");
        let asked = InputView { finds: true, ..input(&["db1", "db2"]) };
        tell(&mut model, listing(vec![asked]));
        key(&mut model, KeyCode::End);
        let effects = key(&mut model, KeyCode::Enter);
        assert_eq!(effects, [AppEffect::FindInputs(env_name("production"), "promote".into())]);
        keys(&mut model, typed);
        model
    };
    let shown = |model: &Model| match model.runs.dialogs.last() {
        Some(Dialog::Inputs(form)) => {
            let (input, value) = &form.fields[0];
            (
                value.as_str().to_owned(),
                input.because.as_ref().map(ToString::to_string),
                form.picker.chosen.clone(),
            )
        }
        _ => panic!("no form"),
    };
    let mut model = open("");
    tell(&mut model, found(Some("db2"), "the only one"));
    assert_eq!(shown(&model), ("db2".to_owned(), Some("the only one".to_owned()), Some("db2".to_owned())));
    let mut model = open("db1");
    tell(&mut model, found(Some("db2"), "the only one"));
    assert_eq!(shown(&model).0, "db1");
    let mut model = open("");
    tell(&mut model, found(None, "not every host answered"));
    assert_eq!(shown(&model), (String::new(), Some("not every host answered".to_owned()), None));
}
