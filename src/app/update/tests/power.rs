//! The power state of a host: what is asked, and what an answer shows.

#![allow(clippy::panic)]

use std::sync::Arc;

use super::*;
use jumpdeck_fleet::power::{PowerNews, PowerOrder, PowerReport};
use jumpdeck_fleet::run::RunEvent;

/// Asks about what is selected.
fn asked(model: &mut Model) -> Arc<PowerOrder> {
    let effects = acts(model, &[Action::Power]);
    let [AppEffect::AskPower(order)] = effects.as_slice() else { panic!("{effects:?}") };
    order.clone()
}

fn answered(model: &mut Model, order: &Arc<PowerOrder>, why: &str) {
    let report = Arc::new(PowerReport::not_asked(&order.host, why));
    let news = PowerNews { order: order.clone(), at: model.now, report };
    update(model, Msg::Run(RunEvent::Power(Arc::new(news))));
}

fn shown(model: &Model) -> Option<String> {
    let report = &model.shown_power()?.last.as_ref()?.1;
    Some(report.without[0].why.describe())
}

#[test]
fn it_is_asked_for_once_and_shown_on_a_screen_of_its_own() {
    let mut model = model();
    acts(&mut model, &[Action::Down]);
    let host = selected_host(&model);
    let order = asked(&mut model);
    assert_eq!((order.host.as_str(), order.env.as_str()), (host.as_str(), "production"));
    assert_eq!(model.screen(), &Screen::Power(order.host.clone()));
    assert_eq!(acts(&mut model, &[Action::Power]), [], "it is being asked");
    assert_eq!(acts(&mut model, &[Action::Refresh]), [], "it is being asked");
    assert!(shown(&model).is_none() && model.shown_power().unwrap().asking.is_some());
    answered(&mut model, &order, "first");
    assert_eq!(shown(&model).unwrap(), "no login: first");
    // Asked again, what is known stays until there is more.
    let effects = acts(&mut model, &[Action::Refresh]);
    let [AppEffect::AskPower(again)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_ne!(again.id, order.id);
    assert_eq!(shown(&model).unwrap(), "no login: first");
    answered(&mut model, &order, "late");
    assert_eq!(shown(&model).unwrap(), "no login: first", "an answer to the order before is no news");
    answered(&mut model, again, "second");
    assert_eq!(shown(&model).unwrap(), "no login: second");
    assert_eq!(model.screens.iter().filter(|screen| matches!(screen, Screen::Power(_))).count(), 1);
    acts(&mut model, &[Action::Back]);
    assert_eq!(model.screen(), &Screen::Fleet);
}

#[test]
fn an_answer_about_one_host_is_never_shown_of_another() {
    let mut model = model();
    acts(&mut model, &[Action::Down]);
    let first = asked(&mut model);
    acts(&mut model, &[Action::Back, Action::Down]);
    let second = asked(&mut model);
    assert_ne!(first.host, second.host);
    answered(&mut model, &first, "of the first");
    assert_eq!(shown(&model), None);
    answered(&mut model, &second, "of the second");
    assert_eq!(shown(&model).unwrap(), "no login: of the second");
    acts(&mut model, &[Action::Back]);
    model.push(Screen::Power(first.host.clone()));
    assert!(model.shown_power().is_none(), "it is of another host");
}

#[test]
fn whoever_has_left_the_screen_reads_the_answer_in_a_line() {
    let mut model = model();
    let order = asked(&mut model);
    acts(&mut model, &[Action::Back]);
    answered(&mut model, &order, "lost");
    let said = &model.notice.as_ref().unwrap().0;
    assert_eq!(said, &format!("{} of production, by the cloud: unknown", order.host));
}

#[test]
fn where_no_host_is_selected_it_says_so() {
    let mut model = model();
    acts(&mut model, &[Action::Screen(Destination::Runbooks)]);
    assert_eq!(acts(&mut model, &[Action::Power]), []);
    assert_eq!(model.notice.as_ref().unwrap().0, "select a host first");
}
