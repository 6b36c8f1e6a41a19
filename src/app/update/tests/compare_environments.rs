//! Two environments side by side, by keys.

use super::*;
use crate::app::screens::compare_environments::environments_of;
use crate::config::action::Need;

fn pair(model: &Model) -> Option<(String, String)> {
    environments_of(model.screen()).map(|pair| (pair.shown.to_string(), pair.other.to_string()))
}

#[test]
fn the_environment_that_is_shown_is_compared_with_the_other_one_which_is_asked_too() {
    let mut model = model();
    let effects = acts(&mut model, &[Action::CompareEnvironments]);
    assert_eq!(pair(&model), Some(("production".into(), "staging".into())));
    assert!(effects.contains(&AppEffect::Activate(env_name("staging"))), "{effects:?}");
    acts(&mut model, &[Action::CompareEnvironments]);
    assert_eq!(pair(&model), Some(("production".into(), "staging".into())), "there is no third one");
    assert_eq!(model.obstacle(Need::OtherEnvironment), Some("there are only these two environments"));
    model.changed = false;
    report(&mut model, "staging", "app1", 0.5);
    assert!(model.changed, "its news shows");
    acts(&mut model, &[Action::NextEnvironment]);
    assert_eq!(pair(&model), None, "the header names another environment than the left side");
    acts(&mut model, &[Action::CompareEnvironments]);
    assert_eq!(pair(&model), Some(("staging".into(), "production".into())));
    acts(&mut model, &[Action::Back]);
    assert_eq!(*model.screen(), Screen::Fleet);
}

#[test]
fn of_several_environments_the_key_takes_one_after_the_other() {
    let mut model = model();
    let third = environment("secondary", &["db1"]);
    model.environments.push(crate::app::model::EnvironmentState::new(third, model.now));
    for other in ["staging", "secondary", "staging"] {
        acts(&mut model, &[Action::CompareEnvironments]);
        assert_eq!(pair(&model), Some(("production".into(), other.into())));
    }
    acts(&mut model, &[Action::Back]);
    assert_eq!(*model.screen(), Screen::Fleet, "one step leads out");
}

#[test]
fn an_only_environment_is_compared_with_none() {
    let mut model = model();
    model.environments.truncate(1);
    acts(&mut model, &[Action::CompareEnvironments]);
    assert_eq!(pair(&model), None);
    let why = "this is the only environment: there is none to compare it with";
    assert_eq!(model.notice.as_ref().map(|(text, _)| text.as_str()), Some(why));
}
