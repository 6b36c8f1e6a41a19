//! What the console says of its own keys: hints, help, the filter.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use super::*;

#[test]
fn a_key_is_hinted_as_it_is_bound() {
    use crate::config::keymap::{Keymap, parse_onto};
    let mut model = healthy();
    let keymap = parse_onto(&Keymap::builtin_default(), "own.toml", "[keys]\nhelp = [\"f12\"]\n").unwrap();
    model.keymap = std::sync::Arc::new(keymap);
    let screen = text(&model, (80, 24));
    assert!(screen.contains("F12 help") && !screen.contains("? help"), "{screen}");
}

#[test]
fn a_filter_says_how_much_it_hides_and_what_it_cannot_read() {
    for size in SIZES {
        let mut model = on(trouble(), Screen::Problems);
        model.filter_mut().unwrap().text = "memc".into();
        let screen = text(&settled(model), size);
        assert!(screen.contains("FILTER /memc (18 hidden) Esc clears"), "{screen}");
        assert!(screen.contains("9 critical"), "{screen}");
        let mut model = trouble();
        model.filter_mut().unwrap().text = "weight>3".into();
        let screen = text(&settled(model), size);
        assert!(screen.contains("no field \"weight\"; fields: host: role:"), "{screen}");
        assert!(screen.contains("piwik"), "a filter that cannot be read hides nothing\n{screen}");
    }
}

#[test]
fn only_keys_that_work_are_hinted() {
    use super::run_fixtures as runs;
    let last = |model: &Model| text(model, (120, 40)).lines().last().unwrap().to_owned();
    let challenge = runs::armed(runs::with(runs::challenge()), 1499);
    let keys = last(&challenge);
    for wanted in ["Alt-x stop", "Alt-n note", "Alt-u roll back", "F1 fleet"] {
        assert!(keys.contains(wanted), "{wanted}: {keys}");
    }
    assert!(!keys.contains(" x stop") && !keys.contains("? help") && !keys.contains(" 1 fleet"), "{keys}");
    let confirm = last(&runs::armed(runs::with(runs::confirm()), 1499));
    assert!(confirm.contains("Alt-n note") && !confirm.contains(" n note"), "n is a no: {confirm}");
    assert!(confirm.contains(" x stop"), "{confirm}");
    let small = text(&healthy(), (80, 24));
    for wanted in ["Tab env", ": find", "/ filter", "? help", "q quit"] {
        assert!(small.lines().last().unwrap().contains(wanted), "{wanted}\n{small}");
    }
    let narrow = text(&runs::list(), (60, 15));
    assert!(narrow.lines().last().unwrap().contains("? help"), "{narrow}");
}

#[test]
fn help_explains_the_screen_under_it_and_every_bound_key() {
    let all = |screen: Screen, size| {
        let mut model = on(trouble(), screen);
        let mut shown = String::new();
        for top in 0..90 {
            model.help = Some(top);
            shown.push_str(&text(&model, size));
        }
        shown
    };
    for size in SIZES {
        let fleet = all(Screen::Fleet, size);
        for action in crate::config::action::Action::ALL {
            assert!(fleet.contains(action.help()), "{} at {size:?}", action.help());
        }
        for wanted in ["LOAD/CPU", "TREND", "≤5s", "FILTER", "role:db,app", "^D declines", "not watched"] {
            assert!(fleet.contains(wanted), "{wanted} at {size:?}");
        }
        assert!(all(Screen::Replication, size).contains("LOG POSITION"));
        assert!(all(Screen::Runbooks, size).contains("irreversible: has"));
        assert!(!fleet.contains("stop the run at the next s…"), "nothing is cut");
    }
}

#[test]
fn the_screen_of_services_has_its_key_where_the_footer_is_wide() {
    let last =
        |screen: Screen, width| text(&on(trouble(), screen), (width, 40)).lines().last().unwrap().to_owned();
    for screen in [Screen::Fleet, Screen::Services] {
        assert!(last(screen, 140).contains("5 services"));
    }
    for width in [80, 120] {
        let keys = last(Screen::Fleet, width);
        assert!(keys.contains(": find") && !keys.contains("5 "), "the palette and help have it: {keys}");
    }
}

#[test]
fn a_dialog_that_comes_while_help_is_read_lies_over_it() {
    use crate::app::model::runs::Dialog;
    for size in SIZES {
        let mut model = trouble();
        model.help = Some(0);
        model.runs.dialogs.push(Dialog::Refused(vec!["the plan is an older one".into()]));
        let screen = text(&model, size);
        assert!(screen.contains("the plan is an older one") && screen.contains("Enter close"), "{screen}");
    }
}

#[test]
fn marked_hosts_have_their_keys_and_their_number_in_the_footer() {
    use crate::app::message::Msg;
    use crate::app::update::update;
    use crate::config::keymap::{KeyCode, KeyPress};
    let press = |model: &mut Model, c: char| {
        update(model, Msg::Key(KeyPress { code: KeyCode::Char(c), ctrl: false, alt: false }));
    };
    let last = |model: &Model, size| text(model, size).lines().last().unwrap().to_owned();
    let mut model = healthy();
    assert!(!last(&model, SIZES[0]).contains("logs"));
    (0..3).for_each(|_| press(&mut model, 'm'));
    let small = last(&model, SIZES[0]);
    for wanted in ["! command on 3", "q quit", "? help"] {
        assert!(small.contains(wanted), "{wanted}: {small}");
    }
    let wide = last(&model, SIZES[1]);
    for wanted in ["! command on 3", "L logs of 3", "q quit", "? help"] {
        assert!(wide.contains(wanted), "{wanted}: {wide}");
    }
    press(&mut model, 'M');
    assert!(!last(&model, SIZES[0]).contains(" on 3"));
    // A host's own page acts on that host.
    (0..3).for_each(|_| press(&mut model, 'm'));
    press(&mut model, 'l');
    assert!(!last(&model, SIZES[2]).contains("command on 3"));
}
