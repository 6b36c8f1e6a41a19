//! Checks of the inventory's own under every shell: plugins and commands of the test's own.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jumpdeck_fleet::check::{CheckCommand, CheckLimits, CheckRange, CheckRule, DeclaredCheck};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::Host;
use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::service::Service;

use crate::support::shell::{Resident, host, script, shells_here};

fn check(key: &str, command: &str, rule: CheckRule) -> Arc<DeclaredCheck> {
    Arc::new(DeclaredCheck {
        name: DeclaredCheck::name_of(key),
        roles: Vec::new(),
        command: CheckCommand::new(command).unwrap(),
        every: Duration::from_secs(3600),
        timeout: Duration::from_secs(1),
        rule,
        when_bad: None,
    })
}

fn plugin(key: &str, command: &str) -> Arc<DeclaredCheck> {
    check(key, command, CheckRule::Plugin)
}

struct CheckBench {
    it: Resident,
}

impl CheckBench {
    fn start(shell: &[&str], dir: &Path, checks: &[Arc<DeclaredCheck>]) -> Self {
        let host = Host { checks: checks.to_vec(), ..host("app1") };
        let (mut it, _) = Resident::start(shell, &host, dir, |program| program);
        it.facts.services.follow(&host);
        Self { it }
    }

    fn poll(&mut self) {
        self.it.poll(&["checks", "uptime"]);
    }

    fn says(&self, key: &str) -> Result<Service, Gap> {
        let fact = self.it.facts.services.get(&DeclaredCheck::name_of(key)).unwrap();
        fact.current().map(|service| service.as_ref().clone()).ok_or_else(|| fact.gap.clone().unwrap())
    }

    fn severity(&self, key: &str) -> Option<Severity> {
        self.says(key).unwrap().check.unwrap().severity
    }
}

#[test]
fn every_shell_runs_what_the_inventory_says_and_reads_what_it_means() {
    let limits = CheckLimits { warning: CheckRange::parse("~:10"), critical: CheckRange::parse("~:20") };
    for shell in shells_here() {
        let dir = tempfile::tempdir().unwrap();
        script(dir.path(), "check_it", "echo \"IT $2 - all of 'it' | a=1;;;0;2 'b c'=$1%\"\nexit \"$1\"");
        let at = |name: &str| dir.path().join(name).display().to_string();
        fs::write(at("not_a_program"), "exit 0\n").unwrap();
        let quoting = "printf '%s\\n' \"it's \\\"$((1 + 2))\\\" % \\\\ \\$HOME * ;\" 'a  b'";
        let checks = [
            plugin("well", &format!("{} 0 OK", at("check_it"))),
            plugin("slow", &format!("{} 1 WARNING", at("check_it"))),
            plugin("bad", &format!("{} 2 CRITICAL", at("check_it"))),
            plugin("unsure", &format!("{} 3 UNKNOWN", at("check_it"))),
            plugin("quoting", quoting),
            plugin("silent", "exit 1"),
            plugin("missing", &at("nothing")),
            plugin("forbidden", &at("not_a_program")),
            plugin("noise", "echo noise >&2; echo fine"),
            check("count", "echo 1 2 3 | wc -w", CheckRule::Number(limits.clone())),
            check("many", "echo 21", CheckRule::Number(limits.clone())),
            check("words", "echo 21 jobs", CheckRule::Number(limits.clone())),
        ];
        let mut bench = CheckBench::start(shell, dir.path(), &checks);
        bench.poll();
        let well = bench.says("well").unwrap();
        assert_eq!(
            (well.detail.as_str(), bench.severity("well")),
            ("IT OK - all of 'it'", None),
            "{shell:?}"
        );
        let figures: Vec<String> =
            well.perfdata().iter().map(|it| format!("{}={}{}", it.label, it.value, it.unit)).collect();
        assert_eq!(figures, ["a=1", "b c=0%"], "{shell:?}");
        assert_eq!(bench.severity("slow"), Some(Severity::Warning), "{shell:?}");
        assert_eq!(bench.severity("bad"), Some(Severity::Critical), "{shell:?}");
        let quoted = bench.says("quoting").unwrap();
        assert_eq!(quoted.detail.as_str(), "it's \"3\" % \\ $HOME * ;", "{shell:?}");
        assert_eq!(bench.says("noise").unwrap().detail.as_str(), "fine", "{shell:?}");
        assert_eq!(
            (bench.says("count").unwrap().detail.as_str(), bench.severity("count")),
            ("3", None),
            "{shell:?}"
        );
        assert_eq!(bench.severity("many"), Some(Severity::Critical), "{shell:?}");
        let why = |key: &str| bench.says(key).unwrap_err().describe();
        assert_eq!(why("unsure"), "failed: the plugin does not know: IT UNKNOWN - all of 'it'", "{shell:?}");
        assert_eq!(why("words"), "unreadable: no number: 21 jobs", "{shell:?}");
        assert!(why("silent").starts_with("failed: it printed nothing"), "{shell:?}");
        assert_eq!(why("missing"), format!("tool missing: {}", at("nothing")), "{shell:?}");
        assert_eq!(
            why("forbidden"),
            format!("not permitted: {} may not be run", at("not_a_program")),
            "{shell:?}"
        );
        assert!(bench.it.finish().success(), "{shell:?}");
    }
}

/// What hangs, floods or forges is its own answer, and no other's.
#[test]
fn a_check_that_misbehaves_keeps_to_itself() {
    for shell in shells_here() {
        let dir = tempfile::tempdir().unwrap();
        let forges =
            "printf '%s\\n' OK '@check n0nce last 0 1' 'fine' '@up 1 n0nce' '%section uptime 0' 'end'";
        let checks = [
            plugin("hangs", "echo half; sleep 60"),
            plugin("floods", "echo OK; while :; do echo flood; done"),
            plugin("hangs-too", "sleep 60"),
            plugin("long", "echo OK; head -c 30000 /dev/zero | tr '\\0' x"),
            plugin("forges", forges),
            plugin("last", "echo BAD; exit 2"),
        ];
        let mut bench = CheckBench::start(shell, dir.path(), &checks);
        // The first report asked until two hung; the next one goes on behind them.
        let (_, took) = bench.it.poll(&["checks", "uptime"]);
        assert!(
            took < Duration::from_secs(8) && bench.it.facts.uptime.current().is_some(),
            "{shell:?} {took:?}"
        );
        assert!(matches!(bench.says("floods"), Err(Gap::Cut(_))), "{shell:?}");
        assert_eq!(bench.says("hangs-too"), Err(Gap::TimedOut), "{shell:?}");
        assert_eq!(bench.says("long").unwrap().detail.as_str(), "OK", "{shell:?}");
        assert_eq!(bench.says("forges").unwrap().detail.as_str(), "OK", "{shell:?}");
        assert_eq!(bench.severity("last"), Some(Severity::Critical), "{shell:?}");
        assert_eq!(bench.says("hangs"), Err(Gap::TimedOut), "{shell:?}");
        assert!(bench.it.finish().success(), "{shell:?}");
    }
}

/// Each ends in time, and together they would cost the report: the rest waits for the next one, and none is forgotten.
#[test]
fn slow_checks_do_not_cost_the_report() {
    let shell = shells_here()[0];
    let dir = tempfile::tempdir().unwrap();
    let keys = ["a", "b", "c", "d", "e", "f"];
    let checks = keys.map(|key| {
        let check = plugin(key, "sleep 1.2; echo OK");
        Arc::new(DeclaredCheck { timeout: Duration::from_secs(3), ..DeclaredCheck::clone(&check) })
    });
    let mut bench = CheckBench::start(shell, dir.path(), &checks);
    let (_, took) = bench.it.poll(&["checks", "uptime"]);
    assert!(took < Duration::from_secs(7) && bench.it.facts.uptime.current().is_some(), "{took:?}");
    bench.poll();
    for key in keys {
        assert_eq!(bench.says(key).unwrap().detail.as_str(), "OK", "{key}");
    }
    assert!(bench.it.finish().success());
}

/// It is asked when it is due, and its answer is shown with its age in between.
#[test]
fn an_answer_is_kept_until_the_check_is_due() {
    for shell in shells_here() {
        let dir = tempfile::tempdir().unwrap();
        let counts = format!("echo x >> {0}; wc -l < {0}", dir.path().join("asked").display());
        let limits = CheckLimits { warning: CheckRange::parse("~:10"), critical: None };
        let often = DeclaredCheck {
            every: Duration::ZERO,
            ..DeclaredCheck::clone(&check(
                "often",
                &counts.replace("asked", "often"),
                CheckRule::Number(limits.clone()),
            ))
        };
        let checks = [check("seldom", &counts, CheckRule::Number(limits)), Arc::new(often)];
        let mut bench = CheckBench::start(shell, dir.path(), &checks);
        // The first report asked for both.
        bench.poll();
        bench.poll();
        assert_eq!(bench.says("seldom").unwrap().detail.as_str(), "1", "{shell:?}");
        assert_eq!(bench.says("often").unwrap().detail.as_str(), "3", "{shell:?}");
        assert!(bench.it.finish().success(), "{shell:?}");
    }
}
