//! Salt's jobs: the number of a step's is kept on the jump box, and its undo is another job.

use super::*;

const SALT: &str = r#"
[[step]]
id = "code"
kind = "salt"
title = "Code"
on = "apps"
salt = "state.sls"
arguments = ["code"]
job = true
effect = "mutate"
read_back = [{ says = "it answers", salt = "test.ping", expect = [{ is = "true" }] }]
undo = { salt = "state.sls", arguments = ["before"], job = true, read_back = [{ says = "it answers", salt = "test.ping", expect = [{ is = "true" }] }] }

[[step]]
id = "well"
kind = "check"
title = "It is well"
on = "apps"
salt = "service.status"
arguments = ["app"]
expect = [{ is = "true" }]
on_fail = "rollback"
"#;

/// A jump box with Salt: every job succeeds at once, nothing is well. Keeps what it was sent.
#[derive(Clone)]
struct Salt(Arc<Mutex<Vec<String>>>, HostName);

impl HostSessions for Salt {
    fn host<'a>(&'a self, _: &'a HostName) -> BoxFuture<'a, Result<Arc<dyn Session>, TransportError>> {
        Box::pin(async move { Ok(Arc::new(self.clone()) as Arc<dyn Session>) })
    }

    fn jump(&self) -> &HostName {
        &self.1
    }
}

impl Session for Salt {
    fn exec<'a>(
        &'a self,
        _: &'a str,
        stdin: &'a [u8],
        _: Limits,
        _: &'a mut (dyn FnMut(&[u8]) + Send),
    ) -> BoxFuture<'a, Result<Ran, TransportError>> {
        Box::pin(async move {
            let text = String::from_utf8(stdin.to_vec()).unwrap();
            let said = match &text {
                text if text.contains("--async") => "Executed command with job ID: 20261128101112131415\n",
                text if text.contains("saltutil.running") => r#"{"app1": [], "app2": []}"#,
                text if text.contains("service.status") => r#"{"app1": false, "app2": false}"#,
                text if text.contains("test.ping") => r#"{"app1": true, "app2": true}"#,
                text if text.contains("jobs.lookup_jid") => {
                    r#"{"app1": {"s": {"result": true}}, "app2": {"s": {"result": true}}}"#
                }
                _ => "over\n",
            };
            self.0.lock().unwrap().push(text);
            Ok(Ran { status: Some(0), stdout: said.as_bytes().to_vec(), ..Ran::default() })
        })
    }

    fn start<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Box<dyn Held>, TransportError>> {
        Box::pin(async { panic!("nothing is held here") })
    }
}

#[tokio::test]
async fn the_undo_of_a_salt_job_is_a_job_of_its_own() {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let mut needs = needs(&Arc::new(World::default()), &Paper::default());
    needs.reach = Arc::new(Salt(sent.clone(), HostName::new("jump").unwrap()));
    let (state, asked) = drive(launch(machine_of(&book(SALT), false), needs), |prompt| match &prompt.kind {
        PromptKind::Choose(_) => Reply::Chosen('b', None),
        _ => yes(prompt),
    })
    .await;
    assert_eq!(state, RunState::RolledBack, "{asked:?}");
    let jobs: Vec<String> =
        sent.lock().unwrap().iter().filter(|text| text.contains("--async")).cloned().collect();
    let [step, undo] = jobs.as_slice() else { panic!("{jobs:?}") };
    // The step's number is kept under the step's name, which is taken then.
    assert!(
        step.contains("jd=$jd/run-code-1\n") && step.contains("mkdir \"$jd\"") && step.contains("code"),
        "{step}"
    );
    assert!(!undo.contains("jd=$jd/run-code-1\n") && undo.contains("before"), "{undo}");
    assert!(undo.contains("mkdir \"$jd/run-code-1-jump-undo-1.now\""), "{undo}");
}
