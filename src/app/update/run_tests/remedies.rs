//! From a problem to the runbooks for it.

use super::*;
use jumpdeck_fleet::contact::Contact;
use jumpdeck_fleet::problem::{Problem, ProblemKind, Severity};
use jumpdeck_fleet::run::Remedy;

fn problem(host: &str, kind: ProblemKind, service: Option<&str>) -> Problem {
    Problem {
        severity: Severity::Critical,
        env: env_name("production"),
        host: Some(host_name(host)),
        named: Vec::new(),
        kind,
        service: service.map(str::to_owned),
        subject: None,
        message: "it is stopped".to_owned(),
    }
}

fn runbook(name: &str, remedy: Option<Remedy>) -> RunbookEntry {
    RunbookEntry {
        name: name.into(),
        title: name.into(),
        summary: "".into(),
        danger: Danger::Data,
        own: false,
        steps: 1,
        inputs: vec![InputView { name: "vm".into(), ..input(&[]) }, input(&[])],
        remedies: remedy.into_iter().collect(),
        last_run: None,
    }
}

fn remedy(kind: ProblemKind) -> Remedy {
    Remedy { kind, services: Vec::new(), roles: Vec::new(), not_roles: Vec::new(), input: Some("vm".into()) }
}

fn of(runbooks: Vec<RunbookEntry>) -> RunEvent {
    let env = env_name("production");
    RunEvent::List(Arc::new(Listing { env, runs: Vec::new(), runbooks, troubles: Vec::new() }))
}

fn names(model: &Model) -> Vec<String> {
    let rows = crate::app::screens::runbooks::runbook_rows(model);
    rows.iter()
        .filter_map(|row| match row {
            crate::app::screens::runbooks::RunbookRow::Runbook(runbook) => Some(runbook.name.clone()),
            _ => None,
        })
        .collect()
}

#[test]
fn a_problem_leads_to_its_runbooks_and_its_host_is_filled_in() {
    let mut model = start();
    let mail = Remedy { services: vec!["postfix".into()], ..remedy(ProblemKind::Service) };
    let all = vec![
        runbook("a-disk", Some(remedy(ProblemKind::Disk))),
        runbook("b", None),
        runbook("mail", Some(mail)),
    ];
    model.environments[0].problems = vec![problem("app1", ProblemKind::Service, Some("postfix"))];
    let asked = keys(&mut model, "4");
    assert_eq!(
        asked,
        [AppEffect::ListRunbooks(env_name("production"))],
        "what is for it comes with the list"
    );
    tell(&mut model, of(all));
    assert_eq!(keys(&mut model, "4"), [], "it is known now");
    keys(&mut model, "b");
    assert_eq!(names(&model), ["mail", "a-disk", "b"]);
    key(&mut model, KeyCode::Enter);
    let Some(Dialog::Inputs(form)) = model.runs.dialogs.last() else { panic!("nothing is asked") };
    let values: Vec<&str> = form.fields.iter().map(|(_, value)| value.as_str()).collect();
    assert_eq!(values, ["app1", ""], "the host is not the answer to every question");
    assert_eq!(form.runbook, "mail");
    key(&mut model, KeyCode::Esc);
    key(&mut model, KeyCode::Esc);
    assert_eq!(model.screen(), &Screen::Problems, "the way back leads to the problem");

    // Another runbook is begun as ever, and so is the same one from elsewhere.
    keys(&mut model, "b");
    key(&mut model, KeyCode::End);
    key(&mut model, KeyCode::Enter);
    let Some(Dialog::Inputs(form)) = model.runs.dialogs.last() else { panic!("nothing is asked") };
    assert!(form.fields.iter().all(|(_, value)| value.as_str().is_empty()));
    key(&mut model, KeyCode::Esc);
    keys(&mut model, "1b");
    assert_eq!(names(&model), ["a-disk", "b", "mail"]);
}

#[test]
fn the_runbook_that_the_inventory_names_comes_first() {
    let mut model = start();
    let spec = std::sync::Arc::make_mut(&mut model.environments[0].spec);
    let contact = |runbook: &str| Contact { runbook: Some(runbook.to_owned()), ..Contact::default() };
    spec.contacts.services =
        vec![("postfix".to_owned(), contact("z-own")), ("redis".to_owned(), contact("gone"))];
    let mail = Remedy { services: vec!["postfix".into()], ..remedy(ProblemKind::Service) };
    tell(&mut model, of(vec![runbook("a-disk", None), runbook("mail", Some(mail)), runbook("z-own", None)]));
    let problem = problem("app1", ProblemKind::Service, Some("postfix"));
    assert_eq!(model.runbooks_for(&problem).unwrap(), ["z-own", "mail"]);
    let redis = Problem { service: Some("redis".to_owned()), ..problem.clone() };
    assert_eq!(
        model.runbooks_for(&redis).unwrap(),
        [] as [&str; 0],
        "one that is not here cannot be offered"
    );
    model.environments[0].problems = vec![problem];
    keys(&mut model, "4b");
    assert_eq!(names(&model), ["z-own", "mail", "a-disk"]);
    keys(&mut model, "1b");
    assert_eq!(names(&model), ["a-disk", "mail", "z-own"], "it is named for a problem only");
}

#[test]
fn a_runbook_is_for_a_service_and_roles_and_nothing_else() {
    let role = |name| jumpdeck_fleet::names::RoleName::new(name).unwrap();
    let down = problem("app1", ProblemKind::HostDown, None);
    let not_master = Remedy { not_roles: vec![role("masterdb")], ..remedy(ProblemKind::HostDown) };
    assert!(not_master.suits(&down, &[role("db")]));
    assert!(!not_master.suits(&down, &[role("db"), role("masterdb")]));
    let backup = Remedy { roles: vec![role("backup")], ..remedy(ProblemKind::HostDown) };
    assert!(backup.suits(&down, &[role("backup")]) && !backup.suits(&down, &[]));
    let postfix = problem("mail", ProblemKind::Service, Some("postfix"));
    let redis = Remedy { services: vec!["redis".into()], ..remedy(ProblemKind::Service) };
    assert!(!redis.suits(&postfix, &[]));
    assert!(!remedy(ProblemKind::Service).suits(&postfix, &[]), "it names no service");
    assert!(!not_master.suits(&postfix, &[]));
}
