//! The console's inventory while the console runs: a real console in a pseudo-terminal, on a simulated fleet that is reached over SSH,
//! with an inventory file that is edited under it.

use crate::support::sshd::keygen;
use crate::support::{program, terminal};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jumpdeck_fleet::names::EnvName;
use jumpdeck_sim::sshd::{Listening, SimFleet};
use jumpdeck_sim::world::World;
use jumpdeck_sim::world::universe::Universe;
use terminal::Terminal;

/// A simulated fleet that listens, and a home folder with an inventory of some of its hosts.
pub(crate) struct Site {
    pub(crate) home: tempfile::TempDir,
    _runtime: tokio::runtime::Runtime,
    _fleet: (SimFleet, Listening),
    world: Arc<Mutex<World>>,
    known: String,
    port: u16,
}

impl Site {
    pub(crate) fn start() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (fleet, listening, known, world) = runtime.block_on(async {
            let universe = Universe::load("wpd-2015", 7).unwrap();
            let fleet = SimFleet::start(&universe);
            let production = EnvName::new("production").unwrap();
            let world = universe.jumps().find(|(env, ..)| **env == production).unwrap().1.clone();
            let listening = fleet.listen(&production, "127.0.0.1:0".parse().unwrap()).await.unwrap();
            let known = format!("{}\n{}", listening.known_hosts, fleet.known_hosts(&production));
            (fleet, listening, known, world)
        });
        let port = listening.address.port();
        let home = home_with_key(&known);
        Self { home, _runtime: runtime, _fleet: (fleet, listening), world, known, port }
    }

    /// The home of somebody else, with a key and an inventory of their own.
    pub(crate) fn another_home(&self, hosts: &str) -> tempfile::TempDir {
        let home = home_with_key(&self.known);
        let path = inventory_in(&home);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, self.text(hosts)).unwrap();
        home
    }

    /// Looks at the world behind it, or changes something there.
    pub(crate) fn world<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(&mut self.world.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn inventory(&self) -> PathBuf {
        inventory_in(&self.home)
    }

    fn text(&self, hosts: &str) -> String {
        format!(
            "user = \"root\"\nagent = false\ncadence = {{ poll = \"1s\" }}\n\n[environments.production]\njump = {{ name = \"salt\", address = \"127.0.0.1\", \
             port = {} }}\n\n[environments.production.hosts]\n{hosts}",
            self.port
        )
    }

    pub(crate) fn write(&self, hosts: &str) {
        let path = self.inventory();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, self.text(hosts)).unwrap();
    }

    pub(crate) fn console(&self, args: &[&str]) -> Terminal {
        Terminal::run(program::console(self.home.path(), args))
    }
}

fn inventory_in(home: &tempfile::TempDir) -> PathBuf {
    home.path().join(".config/jumpdeck/inventory.toml")
}

/// A home with a new key, and these known hosts.
fn home_with_key(known: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir_all(home.path().join(".ssh")).unwrap();
    fs::write(home.path().join(".ssh/known_hosts"), known).unwrap();
    keygen(&home.path().join(".ssh/id_ed25519"), "ed25519", "");
    home
}

/// Writes a file as editors do: under another name beside it, then moved over it.
fn move_over(path: &Path, text: &str) {
    let new = path.with_extension("toml.new");
    fs::write(&new, text).unwrap();
    fs::rename(new, path).unwrap();
}

/// A text that is wrapped on screen.
fn one_line(shown: &str) -> String {
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Issue 10, part 3; console.md 36: the console had to be started again.
#[test]
fn a_running_console_follows_its_inventory() {
    let site = Site::start();
    site.write("app1 = {}\ndb1-masterdb = {}\n");
    let mut console = site.console(&[]);
    console.until_it_shows("two hosts", |s| s.contains("2 of 2 hosts up"));
    // An editor moves a new file over it.
    move_over(
        &site.inventory(),
        &site.text(
            "app1 = {}\ndb1-masterdb = { roles = [\"db\"] }\ndb2 = { roles = [\"db\", \"masterdb\"] }\n",
        ),
    );
    console.until_it_shows("the line that says what changed", |s| {
        s.contains("inventory read again: db1-masterdb is no longer masterdb; 1 host added (db2)")
    });
    console.until_it_shows("the new host", |s| s.contains("3 of 3 hosts up"));
    // Written in place, with a mistake: the old one stays in force, and that is said.
    site.write("app1 = {}\ndb2 = { rolls = [\"db\"] }\n");
    let shown = console.until_it_shows("the mistake", |s| s.contains("INVENTORY ON DISK NOT USED"));
    let flat = one_line(&shown);
    assert!(
        flat.contains("inventory.toml:10:9: unknown key") && flat.contains("did you mean \"roles\"?"),
        "{shown}"
    );
    assert!(shown.contains("3 of 3 hosts up"), "{shown}");
    // Half of it.
    fs::write(site.inventory(), &site.text("")[..40]).unwrap();
    console.until_it_shows("the half", |s| s.contains("NOT USED") && !s.contains("unknown key"));
    // Writable by others.
    site.write("app1 = {}\n");
    fs::set_permissions(site.inventory(), fs::Permissions::from_mode(0o646)).unwrap();
    console.until_it_shows("the way to mend it", |s| s.contains("chmod go-w"));
    fs::set_permissions(site.inventory(), fs::Permissions::from_mode(0o644)).unwrap();
    let shown = console.until_it_shows("one host", |s| s.contains("1 of 1 hosts up"));
    assert!(!shown.contains("NOT USED"), "{shown}");
    console.types("q");
}

#[test]
fn an_inventory_named_by_its_path_and_behind_a_link_is_followed_too() {
    let site = Site::start();
    let kept = site.home.path().join("kept.toml");
    fs::write(&kept, site.text("app1 = {}\n")).unwrap();
    let link = site.home.path().join("fleet.toml");
    std::os::unix::fs::symlink("kept.toml", &link).unwrap();
    let mut console = site.console(&["--inventory", link.to_str().unwrap()]);
    console.until_it_shows("one host", |s| s.contains("1 of 1 hosts up"));
    move_over(&kept, &site.text("app1 = {}\napp2 = {}\n"));
    console.until_it_shows("two", |s| s.contains("2 of 2 hosts up"));
    fs::remove_file(&kept).unwrap();
    console.until_it_shows("what is wrong", |s| {
        s.contains("NOT USED") && one_line(s).contains("cannot be read")
    });
    fs::write(&kept, site.text("app1 = {}\n")).unwrap();
    console.until_it_shows("one again", |s| s.contains("1 of 1 hosts up") && !s.contains("NOT USED"));
}
