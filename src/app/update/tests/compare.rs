//! Two hosts side by side, by keys.

use super::*;
use crate::app::screens::compare::{HostPair, pair_of};

fn pair(model: &Model) -> Option<(String, String)> {
    pair_of(model.screen()).map(|HostPair { left, right }| (left.to_string(), right.to_string()))
}

fn notice(model: &Model) -> &str {
    model.notice.as_ref().map_or("", |(text, _)| text.as_str())
}

#[test]
fn two_marked_hosts_are_compared_or_the_marked_one_with_the_selected_one() {
    let mut model = model();
    acts(&mut model, &[Action::Compare]);
    assert_eq!((pair(&model), notice(&model)), (None, "mark two hosts, or mark one and select another"));
    acts(&mut model, &[Action::Last, Action::Mark, Action::Compare]);
    assert_eq!(pair(&model), None, "a host is not compared with itself");
    acts(&mut model, &[Action::First, Action::Compare]);
    assert_eq!(pair(&model), Some(("app1".into(), "db2".into())), "in the inventory's order");
    acts(&mut model, &[Action::Back, Action::Down, Action::Mark, Action::First, Action::Compare]);
    assert_eq!(pair(&model), Some(("app2".into(), "db2".into())), "whatever is selected");
    acts(&mut model, &[Action::Back, Action::MarkAll, Action::Compare]);
    assert_eq!((pair(&model), notice(&model)), (None, "more than two hosts are marked: two can be compared"));
    acts(&mut model, &[Action::ClearMarks, Action::Mark, Action::Open, Action::Compare]);
    assert_eq!(pair(&model), Some(("app1".into(), "app2".into())), "the host shown in full");
    acts(&mut model, &[Action::NextEnvironment]);
    assert_eq!(pair(&model), None, "it is of one environment");
}
