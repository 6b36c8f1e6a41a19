//! The table on screen, exported.

use super::*;
use crate::app::message::{ExportTarget, HandoverNews};
use crate::app::model::runs::Dialog;
use jumpdeck_fleet::table::TableFormat;

fn name(model: &Model) -> String {
    match model.runs.dialogs.last() {
        Some(Dialog::Export(form)) => form.name.as_str().to_owned(),
        Some(_) | None => String::new(),
    }
}

#[test]
fn a_table_goes_into_a_new_file_in_the_format_that_is_chosen() {
    let mut model = model();
    act(&mut model, Action::Export);
    assert!(name(&model).starts_with("~/jumpdeck-production-fleet-") && name(&model).ends_with("Z.csv"));
    press(&mut model, KeyCode::Tab);
    assert!(name(&model).ends_with("Z.json"), "{}", name(&model));
    press(&mut model, KeyCode::Tab);
    assert!(name(&model).ends_with("Z.md"), "{}", name(&model));
    ctrl(&mut model, 'u');
    assert_eq!(press(&mut model, KeyCode::Enter), [], "a name is needed");
    type_text(&mut model, "/tmp/fleet");
    press(&mut model, KeyCode::Tab);
    assert_eq!(name(&model), "/tmp/fleet", "a name with another end stays");
    let target = ExportTarget::File("/tmp/fleet".into());
    assert_eq!(press(&mut model, KeyCode::Enter), [AppEffect::ExportTable(TableFormat::Csv, target)]);
    assert!(model.runs.dialogs.is_empty());
}

#[test]
fn a_table_goes_to_the_clipboard_and_what_became_of_it_is_said() {
    let mut model = model();
    act(&mut model, Action::Export);
    press(&mut model, KeyCode::Down);
    type_text(&mut model, "x");
    let exported = AppEffect::ExportTable(TableFormat::Csv, ExportTarget::Clipboard);
    assert_eq!(press(&mut model, KeyCode::Enter), [exported]);
    for (outcome, says) in [
        (Ok("4 rows in ~/x.csv".to_owned()), "4 rows in ~/x.csv"),
        (
            Err("/x.csv exists, and is not replaced: choose another name".to_owned()),
            "not exported: /x.csv exists",
        ),
    ] {
        update(&mut model, Msg::Handover(HandoverNews::Exported(outcome)));
        let notice = model.notice.as_ref().map_or("", |(text, _)| text.as_str());
        assert!(notice.starts_with(says), "{notice}");
    }
    act(&mut model, Action::Export);
    press(&mut model, KeyCode::Esc);
    assert!(model.runs.dialogs.is_empty());
}

#[test]
fn a_page_has_no_table() {
    let mut model = model();
    acts(&mut model, &[Action::Open, Action::Export]);
    assert!(model.runs.dialogs.is_empty());
    let notice = model.notice.as_ref().map_or("", |(text, _)| text.as_str());
    assert_eq!(notice, "this screen has no table with rows");
}
