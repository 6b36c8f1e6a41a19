//! Files that somebody else can write, or has put there: none is obeyed, and every refusal says what mends it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jumpdeck::transport::error::ErrorKind;

use crate::support::fleet::{Person, access, environment, open, remote};
use crate::support::sshd::{Sshd, keygen, missing, not_root, public, run};

/// An account without any rights, and one more.
const NOBODY: u32 = 65534;
const OTHER: u32 = 33;

const INVENTORY: &str = "user = \"root\"\nagent = false\nkeys = []\n[environments.test]\n\
                         jump = { name = \"salt\", address = \"127.0.0.1\", port = 1 }\nhosts.app1 = {}\n";
const RUNBOOK: &str = "name = \"mine\"\ntitle = \"Mine\"\nsummary = \"s\"\ndanger = \"reads\"\n\
                       [[step]]\nid = \"n\"\nkind = \"note\"\ntitle = \"t\"\ntext = \"x\"\n";

/// A home with a configuration that is sound; root's.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        home.mode("", 0o755);
        for folder in ["c/jumpdeck/runbooks", "c/jumpdeck/themes", "c/jumpdeck/keymaps", "lair"] {
            fs::create_dir_all(home.path(folder)).unwrap();
        }
        home.write("c/jumpdeck/inventory.toml", INVENTORY);
        home.write("c/jumpdeck/config.toml", "color = \"never\"\n");
        home.write("c/jumpdeck/runbooks/mine.toml", RUNBOOK);
        home.write("c/jumpdeck/keymaps/mine.toml", "[keys]\nhelp = [\"f10\"]\n");
        chown(home.path("lair"), Some(NOBODY), Some(NOBODY)).unwrap();
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    fn command(&self, program: &mut Command, arguments: &[&str]) -> Output {
        program
            .args(arguments)
            .env("HOME", self.0.path())
            .env("XDG_CONFIG_HOME", self.path("c"))
            .env("XDG_STATE_HOME", self.path("s"))
            .env_remove("JUMPDECK_INVENTORY")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// What the program says, and its exit status.
    fn jumpdeck(&self, arguments: &[&str]) -> (String, i32) {
        told(&self.command(&mut Command::new(env!("CARGO_BIN_EXE_jumpdeck")), arguments))
    }

    /// Every one of these refuses, naming the path, its owner and mode, and the command.
    fn refused(&self, commands: &[&[&str]], said: &[&str]) {
        for arguments in commands {
            let (text, status) = self.jumpdeck(arguments);
            // The renderer breaks no words; paths may be on lines of their own.
            assert_eq!(status, 2, "{arguments:?}: {text}");
            for word in said {
                assert!(text.contains(word), "{arguments:?} does not say {word:?}: {text}");
            }
        }
    }
}

fn told(out: &Output) -> (String, i32) {
    let text = [&out.stdout[..], &out.stderr[..]].concat();
    (String::from_utf8_lossy(&text).into_owned(), out.status.code().unwrap_or(-1))
}

/// What `nobody` does.
fn as_nobody(script: &str) -> bool {
    let out = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c", script])
        .status()
        .unwrap();
    out.success()
}

fn unprepared() -> bool {
    missing(&["setpriv"]) || not_root()
}

const CHECK: &[&str] = &["check"];
const STATUS: &[&str] = &["status"];
const LIST: &[&str] = &["runbook", "list"];
const PLAN: &[&str] = &["runbook", "plan", "mine"];

#[test]
fn a_configuration_of_ones_own_is_read() {
    if unprepared() {
        return;
    }
    let home = Home::new();
    assert_eq!(home.jumpdeck(CHECK).1, 0, "{}", home.jumpdeck(CHECK).0);
    let list = home.jumpdeck(LIST).0;
    assert!(
        list.lines().any(|line| line.starts_with("mine ") && line.ends_with("Mine (your own)")),
        "{list}"
    );
    let (text, status) = home.jumpdeck(STATUS);
    assert!(status == 3 || status == 2 && !text.contains("configuration has errors"), "{status} {text}");
}

#[test]
fn an_inventory_that_others_wrote_is_refused() {
    if unprepared() {
        return;
    }
    let home = Home::new();
    let inventory = home.path("c/jumpdeck/inventory.toml").display().to_string();
    home.mode("c/jumpdeck/inventory.toml", 0o666);
    assert!(as_nobody(&format!("echo '# mine' >>{inventory}")));
    let fix = format!("chmod go-w {inventory}");
    let commands: &[&[&str]] = &[CHECK, &["check", &inventory], STATUS, &["-i", &inventory, "status"]];
    home.refused(commands, &["others can write to this file (owner root, mode 0666)", &inventory, &fix]);
    // With what nobody wrote still in it, but no way to write more.
    home.mode("c/jumpdeck/inventory.toml", 0o644);
    assert_eq!(home.jumpdeck(CHECK).1, 0);
    chown(&inventory, Some(NOBODY), None).unwrap();
    home.refused(commands, &["owner nobody, mode 0644", &format!("chown root {inventory}")]);
    // A link of one's own into a folder of theirs.
    home.write("lair/inventory.toml", INVENTORY);
    fs::remove_file(&inventory).unwrap();
    symlink(home.path("lair/inventory.toml"), &inventory).unwrap();
    home.refused(commands, &["lair", "neither to you nor to root (owner nobody"]);
    // A folder above.
    fs::remove_file(&inventory).unwrap();
    home.write("c/jumpdeck/inventory.toml", INVENTORY);
    home.mode("c", 0o777);
    assert!(as_nobody(&format!("cd {} && mv jumpdeck old && cp -r old jumpdeck", home.path("c").display())));
    home.refused(&[CHECK, STATUS, LIST, PLAN], &["chmod go-w", "mode 0777"]);
}

#[test]
fn runbooks_that_others_wrote_are_refused_and_nothing_is_run_in_their_place() {
    if unprepared() {
        return;
    }
    let home = Home::new();
    let folder = home.path("c/jumpdeck/runbooks").display().to_string();
    // A runbook that comes with the program, and one's own in its place.
    home.write("c/jumpdeck/runbooks/mail-queue.toml", &RUNBOOK.replace("\"mine\"", "\"mail-queue\""));
    let commands: &[&[&str]] =
        &[CHECK, LIST, PLAN, &["runbook", "plan", "mail-queue"], &["runbook", "show", "mail-queue"]];
    home.mode("c/jumpdeck/runbooks", 0o777);
    assert!(as_nobody(&format!("cd {folder} && rm mine.toml && echo 'name = 3' >mine.toml")));
    home.refused(
        commands,
        &[
            "others can replace what is in this folder (owner root, mode 0777)",
            &format!("chmod go-w {folder}"),
        ],
    );
    home.mode("c/jumpdeck/runbooks", 0o755);
    home.refused(commands, &["mine.toml", "owner nobody"]);
    home.write("c/jumpdeck/runbooks/mine.toml", RUNBOOK);
    chown(home.path("c/jumpdeck/runbooks/mine.toml"), Some(0), Some(0)).unwrap();
    assert_eq!(home.jumpdeck(CHECK).1, 0, "{}", home.jumpdeck(CHECK).0);
    chown(home.path("c/jumpdeck/runbooks/mail-queue.toml"), None, Some(NOBODY)).unwrap();
    home.mode("c/jumpdeck/runbooks/mail-queue.toml", 0o664);
    home.refused(commands, &["mail-queue.toml", "members of the group nogroup can write", "mode 0664"]);
    home.mode("c/jumpdeck/runbooks/mail-queue.toml", 0o644);
    fs::create_dir(home.path("c/real")).unwrap();
    fs::rename(&folder, home.path("c/real/runbooks")).unwrap();
    symlink(home.path("lair"), &folder).unwrap();
    home.refused(commands, &["lair", "owner nobody"]);
}

#[test]
fn settings_keymaps_and_themes_that_others_wrote_are_refused() {
    if unprepared() {
        return;
    }
    for (file, text) in [
        ("config.toml", "inventory = \"/etc/other.toml\"\n"),
        ("keymaps/mine.toml", "[keys]\nhelp = [\"f10\"]\n"),
        ("themes/mine.toml", "name = \"mine\"\n"),
        ("views.toml", "[views.a]\nenvironment = \"test\"\n"),
    ] {
        let home = Home::new();
        let name = format!("c/jumpdeck/{file}");
        home.write(&name, text);
        home.mode(&name, 0o602);
        home.refused(&[CHECK], &[file, "mode 0602", "chmod go-w"]);
    }
}

#[test]
fn an_account_reads_its_own_files_and_roots_and_no_others() {
    if unprepared() || missing(&["ssh-keygen"]) {
        return;
    }
    let home = Home::new();
    let inventory = home.path("c/jumpdeck/inventory.toml");
    // The program where anybody may run it. Another process writes it: a child of another test would inherit the open file, and
    // what is open for writing cannot be run.
    let program = home.path("jumpdeck");
    run("cp", &[env!("CARGO_BIN_EXE_jumpdeck"), program.to_str().unwrap()]);
    let check = |account: u32| {
        let mut command = Command::new("setpriv");
        let (user, group) = (format!("--reuid={account}"), format!("--regid={account}"));
        command.args([&user, &group, "--clear-groups", program.to_str().unwrap()]);
        told(&home.command(&mut command, &["check"]))
    };
    assert_eq!(check(NOBODY).1, 0, "root's: {}", check(NOBODY).0);
    chown(&inventory, Some(NOBODY), None).unwrap();
    assert_eq!(check(NOBODY).1, 0, "its own: {}", check(NOBODY).0);
    chown(&inventory, Some(OTHER), None).unwrap();
    let (text, status) = check(NOBODY);
    assert!(status == 2 && text.contains("sudo chown nobody"), "{text}");

    // Debian gives an account a group of its own and a umask of 0002; ssh takes what that makes.
    let config = home.path("c/jumpdeck");
    for (path, mode) in [(&inventory, 0o664), (&config, 0o775)] {
        chown(path, Some(OTHER), Some(OTHER)).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    assert_eq!(check(OTHER).1, 0, "its group's: {}", check(OTHER).0);
    chown(&inventory, None, Some(NOBODY)).unwrap();
    let (text, status) = check(OTHER);
    assert!(status == 2 && text.contains("members of the group nogroup can write to this file"), "{text}");

    // Who may read root's key is root's decision; a key of one's own is readable for nobody else.
    chown(&inventory, None, Some(OTHER)).unwrap();
    let key = home.path("key");
    keygen(&key, "ed25519", "");
    home.write(
        "c/jumpdeck/inventory.toml",
        &INVENTORY.replace("keys = []", &format!("keys = [{:?}]", key.display())),
    );
    for (owner, group, mode, good) in [
        (0, 0, 0o644, true),
        (0, OTHER, 0o640, true),
        (0, OTHER, 0o660, true),
        (0, 0, 0o666, false),
        (OTHER, OTHER, 0o600, true),
        (OTHER, OTHER, 0o640, false),
    ] {
        chown(&key, Some(owner), Some(group)).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
        let (text, status) = check(OTHER);
        assert_eq!(status == 0, good, "{owner}:{group} {mode:o}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_key_that_others_can_use_is_not_used() {
    if unprepared() || missing(&["sshd", "ssh-keygen"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("key");
    keygen(&key, "ed25519", "");
    fs::write(dir.path().join("authorized_keys"), public(&key)).unwrap();
    let sshd = Sshd::start(dir.path(), "server", "");
    let known = dir.path().join("known_hosts");
    fs::write(&known, sshd.known()).unwrap();
    let env = environment(remote(sshd.port, access(&key, known)), Duration::from_secs(20));
    let log_in = || async { open(&env, &Person::new([]), &Arc::default()).await };
    log_in().await.unwrap();
    for (mode, owner) in [(0o666, 0), (0o640, 0), (0o604, 0), (0o600, NOBODY)] {
        fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
        chown(&key, Some(owner), None).unwrap();
        let refused = log_in().await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::NoCredentials, "{mode:o}: {refused}");
        let text = refused.to_string();
        let fix = if owner == 0 { "chmod go=" } else { "chown root" };
        assert!(text.contains(fix) && text.contains(&format!("mode {mode:04o}")), "{text}");
        let home = Home::new();
        let keys = format!("keys = [{:?}]", key.display());
        home.write("c/jumpdeck/inventory.toml", &INVENTORY.replace("keys = []", &keys));
        home.refused(&[CHECK], &[fix, &key.display().to_string()]);
    }
}

#[test]
fn a_link_in_the_way_of_known_hosts_is_not_written_through() {
    if unprepared() {
        return;
    }
    let home = Home::new();
    home.write("victim", "kept");
    let lair = home.path("lair").display().to_string();
    assert!(as_nobody(&format!("ln -s ../victim {lair}/link; : >{lair}/theirs; mkfifo {lair}/pipe")));
    for name in ["link", "theirs", "pipe"] {
        let file = format!("{lair}/{name}");
        let (text, status) = home.jumpdeck(&["sim", "--listen", "127.0.0.1:0", "--known-hosts", &file]);
        assert_eq!(status, 2, "{name}: {text}");
        assert!(text.contains(&file), "{text}");
    }
    assert_eq!(fs::read_to_string(home.path("victim")).unwrap(), "kept");
}

#[test]
fn a_crash_leaves_no_memory_on_the_disk() {
    if unprepared() {
        return;
    }
    let home = Home::new();
    let script =
        format!("ulimit -c unlimited; exec {} sim --listen 127.0.0.1:0", env!("CARGO_BIN_EXE_jumpdeck"));
    let mut child = Command::new("sh")
        .args(["-c", &script])
        .current_dir(home.path(""))
        .env("HOME", home.0.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let until = Instant::now() + Duration::from_secs(60);
    // It listens once it has said so.
    use std::io::BufRead;
    let mut line = String::new();
    std::io::BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("SIMULATED") && Instant::now() < until, "{line}");
    let limits = fs::read_to_string(status.replace("/status", "/limits")).unwrap();
    let core = limits.lines().find(|l| l.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    // What is not dumpable belongs to root in /proc, and no other process of the account may look into it.
    assert!(Command::new("kill").args(["-ABRT", &child.id().to_string()]).status().unwrap().success());
    let ended = child.wait().unwrap();
    assert_eq!((ended.signal(), ended.core_dumped()), (Some(6), false));
    assert!(!Path::new(&home.path("core")).exists());
}
