//! Salt's grains, from all the places that Salt merges them from.

use std::path::Path;

use jumpdeck_fleet::fact::{Fact, Gap};
use jumpdeck_fleet::snapshot::Grains;

use crate::support::shell::{Resident, host, script, shells_here};

/// What the probe reads of a folder that stands for `/etc/salt`, with `salt-call` and `sudo` from `bin`.
fn read(shell: &[&str], root: &Path, sudo: bool, change: impl Fn(String) -> String) -> Fact<Grains> {
    let mut spec = host("app1");
    spec.sudo = sudo;
    let (salt, cache) = (root.join("salt"), root.join("cache"));
    let (it, _) = Resident::start_long(shell, &spec, root, |program| {
        let program = program.replace("/usr/local/etc/salt", "/nowhere");
        let program = program.replace("/etc/salt", salt.to_str().unwrap());
        change(program.replace("/var/cache/salt", cache.to_str().unwrap()))
    });
    it.facts.grains.clone()
}

fn put(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn told(grains: &Fact<Grains>) -> (String, Vec<String>) {
    let grains = grains.current().unwrap_or_else(|| panic!("{grains:?}"));
    let roles = grains.roles.iter().flatten().map(ToString::to_string).collect();
    (grains.level.as_ref().map(ToString::to_string).unwrap_or_default(), roles)
}

fn as_it_is(program: String) -> String {
    program
}

const SALT_CALL: &str = r#"echo 'Traceback (most recent call last): return {"rack": 1}' >&2
echo '{"local": {"level": "secondary", "roles": ["mail"]}}'"#;

/// Case 07: `grains:` of the minion's configuration wins over the file, later files over earlier ones, `include` over both.
#[test]
fn grains_are_merged_as_salt_merges_them() {
    for shell in shells_here() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        put(root, "salt/grains", "level: production\nroles: [app]\npath: 'a\\nb'\n");
        put(root, "salt/minion", "master: salt\nlog_level: warning\n#grains:\n#  level: x\n");
        assert_eq!(
            told(&read(shell, root, false, as_it_is)),
            ("production".into(), vec!["app".into()]),
            "{shell:?}"
        );
        put(root, "salt/minion.d/roles.conf", "grains:\n  level: staging\n  roles:\n    - db\n");
        assert_eq!(
            told(&read(shell, root, false, as_it_is)),
            ("staging".into(), vec!["db".into()]),
            "{shell:?}"
        );
        put(root, "salt/minion.d/zz.conf", "grains:\n  level: temporary\n");
        put(root, "salt/minion.d/zz.conf.bak", "grains:\n  level: no\n");
        assert_eq!(
            told(&read(shell, root, false, as_it_is)),
            ("temporary".into(), vec!["db".into()]),
            "{shell:?}"
        );
        put(root, "salt/minion", "master: salt\ninclude:\n  - 'more/*.conf'  # ours\nid: app1\n");
        put(root, "salt/more/x.conf", "grains: {level: secondary}\n");
        assert_eq!(
            told(&read(shell, root, false, as_it_is)),
            ("secondary".into(), vec!["app".into()]),
            "{shell:?}"
        );
        put(root, "salt/minion", "default_include: other/*.conf\ngrains:\n  roles: [mail]\n");
        assert_eq!(
            told(&read(shell, root, false, as_it_is)),
            ("production".into(), vec!["mail".into()]),
            "{shell:?}"
        );
    }
}

/// Case 08: Salt is asked where a module of the fleet's own may decide, and its messages are no answer.
#[test]
fn salt_is_asked_where_files_do_not_tell() {
    for shell in shells_here() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        script(root, "salt-call", SALT_CALL);
        put(root, "salt/minion", "log_level: warning\n");
        let salt = ("secondary".to_owned(), vec!["mail".to_owned()]);
        assert_eq!(told(&read(shell, root, false, as_it_is)), salt, "{shell:?}");
        put(root, "salt/grains", "level: production\nroles: [app]\n");
        assert_eq!(told(&read(shell, root, false, as_it_is)).0, "production", "{shell:?}");
        put(root, "cache/minion/extmods/grains/rack.py", "def rack():\n    return {'rack': 1}\n");
        assert_eq!(told(&read(shell, root, false, as_it_is)).0, "production", "{shell:?}");
        put(root, "cache/minion/extmods/grains/own.py", "def own():\n    return {'roles': []}\n");
        assert_eq!(told(&read(shell, root, false, as_it_is)), salt, "{shell:?}");
        script(
            root,
            "salt-call",
            "echo 'sudo: unable to resolve host app1' >&2; echo 'No space {left}' >&2; exit 1",
        );
        let failed = read(shell, root, false, as_it_is);
        assert_eq!(failed.gap, Some(Gap::Failed("No space {left}".into())), "{shell:?}");
        script(root, "salt-call", "exit 9");
        let silent = read(shell, root, false, as_it_is);
        let why = "salt-call ended with status 9 and printed nothing";
        assert_eq!(silent.gap, Some(Gap::Failed(why.into())), "{shell:?}");
    }
}

/// Case 07: SUSE's bundle keeps everything under a name of its own.
#[test]
fn the_bundle_s_grains_are_read_and_its_salt_is_asked() {
    for shell in shells_here() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        let moved = |program: String| {
            let bundle = root.join("bundle").display().to_string();
            let program =
                program.replace("/etc/venv-salt-minion", &bundle).replace("v salt-call ", "v no-salt-call ");
            program.replace("/var/cache/venv-salt-minion", root.join("venv").to_str().unwrap())
        };
        put(root, "bundle/grains", "level: production\nroles: [app]\n");
        put(root, "bundle/minion.d/a.conf", "grains:\n  level: staging\n");
        let read = || told(&read(shell, root, false, moved));
        assert_eq!(read(), ("staging".into(), vec!["app".into()]), "{shell:?}");
        script(root, "venv-salt-call", SALT_CALL);
        put(root, "venv/extmods/grains/own.py", "def own():\n    return {'roles': []}\n");
        assert_eq!(read(), ("secondary".into(), vec!["mail".into()]), "{shell:?}");
    }
}

/// Case 03: sudo's remarks on a host whose name it cannot resolve stay out of files that are read with it.
#[test]
fn sudo_s_remarks_are_no_grains() {
    for shell in shells_here() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        put(root, "salt/grains", "level: production\nroles:\n  - db\n");
        let closed =
            |program: String| program.replace("if [ -r \"$1\" ]; then cat \"$1\"", "if false; then :");
        let remark = "echo 'sudo: unable to resolve host app1: Name or service not known' >&2";
        script(root, "sudo", &format!("{remark}\nshift\nexec \"$@\""));
        assert_eq!(
            told(&read(shell, root, true, closed)),
            ("production".into(), vec!["db".into()]),
            "{shell:?}"
        );
        script(root, "sudo", &format!("{remark}\necho 'sudo: a password is required' >&2\nexit 1"));
        let denied = read(shell, root, true, closed);
        let said = denied.gap.as_ref().map(Gap::describe).unwrap_or_default();
        assert!(
            said.starts_with("not permitted") && said.ends_with("a password is required"),
            "{shell:?}: {said}"
        );
        assert!(matches!(read(shell, root, false, closed).gap, Some(Gap::NotPermitted(_))), "{shell:?}");
    }
}
