//! highstate on the real fleet, with real Salt: a test on every host, one host first, the others after it. Needs `JUMPDECK_FLEET`, the
//! directory of a fleet that is up.

use std::path::Path;

use jumpdeck_fleet::run::{RunState, StepState};

use crate::support::lane::{agrees, fleet, lane, own_runbooks, run};

const INPUTS: (&str, &[(&str, &str)]) = ("highstate", &[("role", "app"), ("canary", "app1")]);
/// What somebody wrote by hand.
const BY_HAND: &str = "198.18.250.9 elsewhere";

fn on(dir: &Path, host: &str, script: &str) -> String {
    lane(dir, &["exec", host, "sh", "-c", script])
}

fn is_changed(dir: &Path, host: &str) -> bool {
    on(dir, host, "cat /etc/hosts").contains(BY_HAND)
}

/// The states as they were before the test, committed.
struct Restored<'a>(&'a Path);

impl Drop for Restored<'_> {
    fn drop(&mut self) {
        on(self.0, "salt", "cd /srv/salt && git revert --no-edit HEAD >/dev/null");
        for app in ["app1", "app2"] {
            on(self.0, app, "salt-call state.highstate >/dev/null");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_differs_is_shown_and_put_right_and_a_state_that_fails_stops_it_after_the_first() {
    let Some(dir) = fleet() else { return };
    lane(&dir, &["salt", "up"]);
    let journals = tempfile::tempdir().unwrap();
    for app in ["app1", "app2"] {
        on(&dir, app, &format!("echo '{BY_HAND}' >>/etc/hosts"));
    }
    let told = run(&dir, journals.path(), &own_runbooks(), INPUTS, agrees).await;
    println!("highstate of two hosts in {:.1} s", told.took.as_secs_f64());
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    assert!(!is_changed(&dir, "app1") && !is_changed(&dir, "app2"));
    let entries = std::fs::read_dir(journals.path()).unwrap();
    let text: String =
        entries.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap_or_default()).collect();
    for line in ["would change: file /etc/hosts: ", " states: 1 would change, ", " states: 0 would change, "]
    {
        assert!(text.contains(line), "{line}: {}", told.story());
    }

    // Its test says that it would run: that it fails is seen on the first host.
    let state = "printf 'broken:\\n  cmd.run:\\n    - name: exit 3\\n' >>/srv/salt/hosts/init.sls";
    on(&dir, "salt", &format!("{state}; git -C /srv/salt commit -qam 'A state that fails'"));
    let _restored = Restored(&dir);
    for app in ["app1", "app2"] {
        on(&dir, app, &format!("echo '{BY_HAND}' >>/etc/hosts"));
    }
    let told = run(&dir, journals.path(), &own_runbooks(), INPUTS, agrees).await;
    assert!(matches!(told.view.state, RunState::Stopped(_)), "{}", told.story());
    let states: Vec<_> = told.view.steps.iter().filter(|s| s.id.ends_with("canary/states")).collect();
    assert!(
        matches!(states.as_slice(), [step] if matches!(step.state, StepState::Failed(_))),
        "{}",
        told.story()
    );
    assert!(told.said("canary/states) failed").contains("broken"), "{}", told.story());
    assert!(!is_changed(&dir, "app1") && is_changed(&dir, "app2"), "{}", told.story());
}
