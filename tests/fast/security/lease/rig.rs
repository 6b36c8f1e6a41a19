//! A jump box with accounts of its own, a real sshd.

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use crate::support::reach::over_ssh;
use jumpdeck::transport::SessionPool;
use jumpdeck::transport::ask::RefuseAll;
use jumpdeck::transport::ssh::dial::TcpDial;
use jumpdeck::transport::{HostSessions, Session};
use jumpdeck_fleet::access::Access;
use jumpdeck_fleet::names::EnvName;

use crate::support::accounts::Kept;
use crate::support::fleet::{access, environment, remote};
use crate::support::sshd::{Sshd, keygen, missing, not_root, public, run};

/// The group of operators, and accounts of the jump box: two of the group, one of the group with a name that some programs
/// shorten, and one outside.
pub(crate) const GROUP: u32 = 61_000;
pub(crate) const ANNA: u32 = 61_001;
pub(crate) const BOB: u32 = 61_002;
pub(crate) const ODD: u32 = 61_003;
pub(crate) const WEB: u32 = 61_004;
pub(crate) const ODD_NAME: &str = "corp+bob";

pub(crate) const FOLDER: &str = "/run/lock/jumpdeck";
pub(crate) const RIGHT: &str = "install -d -o root -g 61000 -m 2770 /run/lock/jumpdeck";

/// A jump box with accounts of its own.
pub(crate) struct Rig {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) jump: Sshd,
    /// Its accounts are mounted over the machine's.
    _accounts: Kept,
}

impl Rig {
    /// None, and said so, where this is not root. `folder` makes the folder of leases, or something else in its place.
    pub(crate) fn new(folder: &str) -> Option<Self> {
        if missing(&["sshd", "ssh-keygen", "setpriv", "unshare", "nsenter", "flock"]) || not_root() {
            return None;
        }
        let accounts = Kept::begin();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
        keygen(&path.join("key"), "ed25519", "");
        std::fs::write(path.join("authorized_keys"), public(&path.join("key")) + "\n").unwrap();
        let mut passwd = std::fs::read_to_string("/etc/passwd").unwrap();
        let mut group = std::fs::read_to_string("/etc/group").unwrap();
        for (name, uid) in [("anna", ANNA), ("bob", BOB), (ODD_NAME, ODD), ("web", WEB)] {
            let home = path.join(uid.to_string());
            std::fs::create_dir(&home).unwrap();
            std::os::unix::fs::chown(&home, Some(uid), Some(uid)).unwrap();
            passwd.push_str(&format!("{name}:x:{uid}:{uid}::{}:/bin/sh\n", home.display()));
            group.push_str(&format!("{name}:x:{uid}:\n"));
        }
        group.push_str(&format!("jumpdeck:x:{GROUP}:anna,bob,{ODD_NAME}\n"));
        std::fs::write(path.join("passwd"), passwd).unwrap();
        std::fs::write(path.join("group"), group).unwrap();
        let before = format!(
            "mount --bind {dir}/passwd /etc/passwd && mount --bind {dir}/group /etc/group && {{ {folder}; }}",
            dir = path.display()
        );
        let jump = Sshd::behind(path, "jump", "", &before);
        std::fs::write(path.join("known"), jump.known()).unwrap();
        Some(Self { dir, jump, _accounts: accounts })
    }

    /// A session of an account, and what keeps its connection.
    pub(crate) async fn session(&self, account: &str) -> (SessionPool, Arc<dyn Session>) {
        let access = Access {
            user: account.to_owned(),
            ..access(&self.dir.path().join("key"), self.dir.path().join("known"))
        };
        let mut env = environment(remote(self.jump.port, access), Duration::from_secs(30));
        env.name = EnvName::new("production").unwrap();
        let reach = over_ssh(Arc::new(env), Arc::new(TcpDial), Arc::new(RefuseAll));
        let session = reach.host(reach.jump()).await.unwrap();
        (reach, session)
    }

    /// A script of an account on the jump box, without any capability: whether it succeeded, and what it printed.
    pub(crate) fn by(&self, uid: u32, groups: &str, script: &str) -> (bool, String) {
        let (pid, id) = (self.jump.child.id().to_string(), uid.to_string());
        let mut command = Command::new("nsenter");
        command.args(["-t", &pid, "-m", "setpriv", "--reuid", &id, "--regid", &id, "--bounding-set=-all"]);
        match groups {
            "" => command.arg("--clear-groups"),
            groups => command.args(["--groups", groups]),
        };
        let out = command.args(["sh", "-c", script]).stdin(Stdio::null()).output().unwrap();
        let said = [out.stdout, out.stderr].concat();
        (out.status.success(), String::from_utf8_lossy(&said).into_owned())
    }

    /// What root sees there.
    pub(crate) fn root(&self, script: &str) -> String {
        let pid = self.jump.child.id().to_string();
        run("nsenter", &["-t", &pid, "-m", "sh", "-c", script])
    }
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}
