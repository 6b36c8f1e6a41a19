//! The probe of the files that name the database server, under every shell.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use jumpdeck_fleet::database_address::NamedServer;
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::{DatabaseFile, Host};
use jumpdeck_fleet::names::RoleName;

use super::bench::{ServiceBench, Sudo, as_nobody};
use crate::support::shell::{host, script, shells_here};

const SECTION: &str = "database_files";
const SECRET: &str = "hunter2";
const NO_LINE: &str =
    "failed: no line has the text of database_files with a name or an address in the place of {address}";

/// An application's host with these files: name, and the line.
fn naming(dir: &Path, files: &[(&str, &str)], sudo: bool) -> Host {
    let one = |(file, line): &(&str, &str)| DatabaseFile {
        role: RoleName::new("app").unwrap(),
        file: dir.join(file).display().to_string(),
        line: (*line).to_owned(),
        reload: None,
        check: None,
        built_in: false,
    };
    Host { database_files: files.iter().map(one).collect(), sudo, ..host("app1") }
}

fn start(
    shell: &[&str],
    files: &[(&str, &str)],
    sudo: bool,
    etc: &Path,
    bin: impl FnOnce(&Path),
) -> ServiceBench {
    let spec = naming(etc, files, sudo);
    let hosts = etc.join("hosts").display().to_string();
    ServiceBench::start(shell, (&spec, SECTION), bin, |program, _| program.replace("/etc/hosts", &hosts))
}

/// What is known of each file: its servers, or why not.
fn known(bench: &mut ServiceBench) -> Vec<Result<Vec<String>, String>> {
    bench.it.poll(&[SECTION]);
    let files = bench.it.facts.database_files.current().cloned().unwrap();
    assert!(!format!("{files:?}").contains(SECRET), "a password left the host: {files:?}");
    let words = |servers: Vec<NamedServer>| servers.iter().map(NamedServer::words).collect();
    files.into_iter().map(|file| file.servers.map(words).map_err(|gap| gap.describe())).collect()
}

fn servers(words: &[&str]) -> Result<Vec<String>, String> {
    Ok(words.iter().map(|word| (*word).to_owned()).collect())
}

#[test]
fn every_shell_reads_the_address_and_nothing_else_of_the_file() {
    let etc = tempfile::tempdir().unwrap();
    let write = |file: &str, text: &str| fs::write(etc.path().join(file), text).unwrap();
    write(
        "hosts",
        "127.0.0.1 localhost\n# 10.0.0.9 masterdb\n10.0.0.6\tdb2.example.org  masterdb # old\n10.0.0.7 masterdb\n",
    );
    write(
        "db.ini",
        "; host = 10.9.9.9\n[database]\nghost = hunter2\nhost = 10.0.0.5\nport = 3306\npassword = hunter2\n  host = 10.0.0.5\n",
    );
    write(
        "a b's.php",
        "<?php\n// define('DB_HOST', '10.9.9.9');\ndefine('DB_PASSWORD', 'hunter2');\ndefine('DB_HOST', 'masterdb:3306');\n",
    );
    write(
        "url.yml",
        "url: mysql://wiki:hunter2@10.0.0.5:3306/wiki?a=hunter2\nother: mysql://wiki@db1:3306/wiki\n",
    );
    write("bare", "'hunter2'\n'masterdb'\n'10.0.0.8'\n");
    write("like", "DB_HOST=db1\nDB_PASSWORD=hunter2\n");
    write("odd", "host = \"$(reboot)\"\nhost = \x1b[2J\n");
    // An account and its password stand where the line says that the address is.
    write("dsn", "a = mysql://wiki:s:hunter2@10.0.0.1:3306/wiki\nb = mysql://hunter2@10.0.0.1/wiki\n");
    write("forms", "host = [fd00::5]:3306\nhost = \"10.0.0.7\" # ops@example.org\nhost = '10.0.0.8:3306'\n");
    write("ends", "first\nhost = fd00::5");
    let files = [
        ("db.ini", "host = {address}"),
        ("a b's.php", "define('DB_HOST', '{address}');"),
        ("url.yml", "@{address}:3306/"),
        ("bare", "'{address}'"),
        ("like", "HOST={address}"),
        ("odd", "host = {address}"),
        ("ends", "host = {address}"),
        ("missing.ini", "host = {address}"),
        ("dsn", "mysql://{address}"),
        ("forms", "host = {address}"),
    ];
    for shell in shells_here() {
        let mut bench = start(shell, &files, false, etc.path(), |_| ());
        let found = known(&mut bench);
        assert_eq!(
            found,
            [
                servers(&["10.0.0.5"]),
                servers(&["masterdb (10.0.0.6 by /etc/hosts)"]),
                servers(&["10.0.0.5", "db1"]),
                servers(&["10.0.0.8"]),
                servers(&["db1"]),
                Err(NO_LINE.to_owned()),
                servers(&["fd00::5"]),
                Err("failed: the file is missing".to_owned()),
                Err(NO_LINE.to_owned()),
                servers(&["fd00::5", "10.0.0.7", "10.0.0.8"]),
            ],
            "{shell:?}"
        );
    }
}

/// What nobody but root reads: the shell is one of another account.
#[test]
fn a_closed_file_is_read_with_sudo_and_else_says_how_to_open_it() {
    let etc = tempfile::tempdir().unwrap();
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    mode(etc.path(), 0o755);
    fs::write(etc.path().join("hosts"), "").unwrap();
    let folder = etc.path().join("folder");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("db.ini"), "host = 10.0.0.5\npassword = hunter2\n").unwrap();
    let files = [("folder/db.ini", "host = {address}"), ("folder/missing.ini", "host = {address}")];
    let open = |dir: &Path| mode(dir, 0o777);
    let refused = |dir: &Path| {
        open(dir);
        script(dir, "sudo", "echo 'sudo: a password is required' >&2; exit 1");
    };
    for shell in shells_here() {
        let nobody = as_nobody();
        let nobody: Vec<&str> = nobody.iter().map(String::as_str).chain(shell.iter().copied()).collect();
        let closed = |bench: &mut ServiceBench| {
            let [Err(why), other] = <[_; 2]>::try_from(known(bench)).unwrap() else { panic!("{shell:?}") };
            assert!(
                why.starts_with("not permitted: the account may not read it. Set sudo = true"),
                "{shell:?}: {why}"
            );
            other
        };
        let missing = Err("failed: the file is missing".to_owned());
        // The file alone is closed.
        mode(&folder, 0o755);
        mode(&folder.join("db.ini"), 0o600);
        assert_eq!(closed(&mut start(&nobody, &files, false, etc.path(), open)), missing, "{shell:?}");
        // Its folder is: nobody knows what is in it.
        mode(&folder, 0o700);
        let other = closed(&mut start(&nobody, &files, false, etc.path(), open));
        assert!(other.is_err_and(|why| why.starts_with("not permitted: ")), "{shell:?}");
        closed(&mut start(&nobody, &files, true, etc.path(), refused)).unwrap_err();

        let mut sudo = None;
        let allowed = |dir: &Path| {
            open(dir);
            sudo = Some(Sudo::serve(dir));
        };
        let mut bench = start(&nobody, &files, true, etc.path(), allowed);
        assert_eq!(known(&mut bench), [servers(&["10.0.0.5"]), missing], "{shell:?}");
        drop(sudo);
    }
}

#[test]
fn what_is_no_file_or_too_long_or_hangs_is_said_and_holds_nobody_up() {
    let etc = tempfile::tempdir().unwrap();
    fs::write(etc.path().join("hosts"), "").unwrap();
    fs::create_dir(etc.path().join("folder")).unwrap();
    let long: String = (0..60_000).map(|n| format!("row{n} = 1\n")).collect();
    fs::write(etc.path().join("long"), format!("host = 10.0.0.5\n{long}host = 10.0.0.6\n")).unwrap();
    let files = [("folder", "host = {address}"), ("long", "host = {address}")];
    for shell in shells_here() {
        let mut bench = start(shell, &files, false, etc.path(), |_| ());
        let found = known(&mut bench);
        let cut = "cut by jumpdeck: 256 KiB of the file";
        let wanted: [Result<Vec<String>, String>; 2] =
            [Err("failed: it is not a file".to_owned()), Err(cut.to_owned())];
        assert_eq!(found, wanted, "{shell:?}");
    }
    // A folder on a server that is gone: whatever reads it waits.
    let spec = naming(etc.path(), &files, false);
    let hangs = |program: String, _: &str| {
        program.replace("database_files_quietly() {", "database_files_quietly() { sleep 60;")
    };
    let mut bench = ServiceBench::start(shells_here()[0], (&spec, SECTION), |_| (), hangs);
    let (_, took) = bench.it.poll(&[SECTION, "uptime"]);
    assert_eq!(bench.it.facts.database_files.gap, Some(Gap::Stuck));
    assert!(bench.it.facts.uptime.current().is_some() && took < Duration::from_secs(8), "{took:?}");
}

#[test]
fn a_host_without_such_files_is_asked_nothing() {
    let etc = tempfile::tempdir().unwrap();
    let mut bench = start(shells_here()[0], &[], false, etc.path(), |_| ());
    assert_eq!(known(&mut bench), []);
}
