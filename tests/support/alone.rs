//! A test that measures its own process, which the other tests of its program would disturb: it runs in a process of its own.

use std::process::Command;

/// Set in the process that runs the test.
const HERE: &str = "JUMPDECK_TEST_ALONE";

/// Runs `body` in a new process of this program, with `env` set there. `module`: `module_path!()`; `test`: the name of the calling
/// test in it.
pub(crate) fn alone(module: &str, test: &str, env: &[(&str, &str)], body: impl FnOnce()) {
    if std::env::var_os(HERE).is_some() {
        return body();
    }
    let path = module.split_once("::").map_or(module, |(_program, path)| path);
    let name = format!("{path}::{test}");
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", &name, "--nocapture"]).env(HERE, "1").envs(env.iter().copied());
    let out = again.output().unwrap();
    let said = [out.stdout, out.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(out.status.success(), "{said}");
    assert!(said.contains("1 passed"), "no test is called {name}: {said}");
    // Without the lines that count tests: this is one.
    let begins = format!("test {name} ... ");
    for line in said.lines().map(|line| line.strip_prefix(&begins).unwrap_or(line)) {
        if !line.is_empty()
            && line != "ok"
            && !line.starts_with("running ")
            && !line.starts_with("test result: ")
        {
            println!("{line}");
        }
    }
}
