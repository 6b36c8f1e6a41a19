//! Leaving while a run is under way or has left something in effect.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use super::*;

#[test]
fn quitting_stops_what_is_under_way_first() {
    let mut model = start();
    assert_eq!(keys(&mut model, "q"), [AppEffect::Quit], "nothing is");
    tell(&mut model, RunEvent::Run(Arc::new(run(Mode::Live, None))));
    assert_eq!(keys(&mut model, "q"), []);
    assert_eq!(key(&mut model, KeyCode::Enter), [], "no is what Enter means");
    assert!(model.runs.dialogs.is_empty());
    assert_eq!(ctrl(&mut model, 'c'), []);
    frame(&mut model);
    wait(&mut model, A_MOMENT);
    assert_eq!(keys(&mut model, "y"), [AppEffect::TellRun("r1".into(), RunCommand::Stop)]);
    assert_eq!(tell(&mut model, RunEvent::Run(Arc::new(run(Mode::Live, None)))), [], "its step still runs");
    let stopped = RunView { state: RunState::Stopped("asked to".into()), ..run(Mode::Live, None) };
    assert_eq!(tell(&mut model, RunEvent::Run(Arc::new(stopped))), [AppEffect::Quit]);

    let mut model = start();
    tell(&mut model, RunEvent::Run(Arc::new(run(Mode::Live, None))));
    ctrl(&mut model, 'c');
    assert_eq!(ctrl(&mut model, 'c'), [AppEffect::Quit], "twice is meant");
}

pub(super) fn frozen(state: RunState) -> RunView {
    let freeze = InEffect {
        step: "freeze".into(),
        says: "Writes are refused".into(),
        on: vec![host_name("db1-masterdb")],
        since: Moment(0),
        since_clock: "13:45:02+01:00".into(),
        certain: true,
        stops_writes: true,
        found: false,
        guards: Vec::new(),
        ended_by: EndedBy::Rollback,
    };
    RunView { state, in_effect: vec![freeze], ..run(Mode::Live, None) }
}

#[test]
fn what_is_still_in_effect_is_left_only_by_a_typed_word() {
    let stop = AppEffect::TellRun("r1".into(), RunCommand::Stop);
    let roll_back = AppEffect::TellRun("r1".into(), RunCommand::Rollback);
    // Quitting from anywhere, and stopping the run on its screen.
    for (leaves, on_screen) in [('q', false), ('c', true), ('x', true)] {
        let ask = |model: &mut Model| {
            if on_screen {
                model.screens.push(Screen::Run("r1".into()));
            }
            let effects = match leaves {
                'c' => ctrl(model, 'c'),
                key => press(model, KeyCode::Char(key)),
            };
            frame(model);
            assert_eq!(effects, [], "{leaves}: nothing before the answer");
            assert!(matches!(model.runs.dialogs[..], [Dialog::Leave(_)]), "{leaves}");
        };
        let fresh = || {
            let mut model = start();
            tell(&mut model, RunEvent::Run(Arc::new(frozen(RunState::Running))));
            model
        };
        let mut model = fresh();
        ask(&mut model);
        assert_eq!(keys(&mut model, "lu"), [], "{leaves}: typed ahead");
        wait(&mut model, A_MOMENT);
        assert_eq!(keys(&mut model, "y"), [], "{leaves}: a letter does not leave it");
        wait(&mut model, A_MOMENT);
        assert_eq!(keys(&mut model, "l"), [], "{leaves}");
        assert_eq!(keys(&mut model, "leave it"), [], "{leaves}");
        assert_eq!(key(&mut model, KeyCode::Enter), [], "{leaves}: another word");
        keys(&mut model, "leave");
        assert_eq!(key(&mut model, KeyCode::Enter), std::slice::from_ref(&stop), "{leaves}");

        let mut model = fresh();
        ask(&mut model);
        wait(&mut model, A_MOMENT);
        assert_eq!(keys(&mut model, "u"), std::slice::from_ref(&roll_back), "{leaves}: rolled back first");
        assert_eq!(model.screen(), &Screen::Run("r1".into()), "{leaves}");

        let mut model = fresh();
        ask(&mut model);
        assert_eq!(key(&mut model, KeyCode::Enter), [], "{leaves}");
        assert!(model.runs.dialogs.is_empty(), "{leaves}: Enter stays");
    }
    // Twice Ctrl-C does not slip past it, and a run that has stopped counts, too.
    let mut model = start();
    tell(&mut model, RunEvent::Run(Arc::new(frozen(RunState::Stopped("the link was lost".into())))));
    assert_eq!(ctrl(&mut model, 'c'), []);
    assert_eq!(ctrl(&mut model, 'c'), []);
    frame(&mut model);
    wait(&mut model, A_MOMENT);
    keys(&mut model, "lleave");
    assert_eq!(key(&mut model, KeyCode::Enter), [AppEffect::Quit]);
}
