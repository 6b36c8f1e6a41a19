use std::io::Read;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{PermissionsExt, chown, symlink};

use super::*;

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn said(opened: Result<File, OpenError>) -> String {
    opened.map(|_| "good".to_owned()).unwrap_or_else(|error| error.to_string())
}

#[test]
fn a_file_or_folder_that_others_can_write_to_is_refused_with_the_command_that_mends_it() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, file) = (dir.path().join("a folder"), dir.path().join("a folder/f"));
    fs::create_dir(&folder).unwrap();
    fs::write(&file, "text").unwrap();
    // A group that others are in; without root's rights there is none to give.
    let root = rustix::process::geteuid().is_root();
    for path in [dir.path(), &folder, &file] {
        chown(path, None, root.then_some(65534)).unwrap();
    }
    let tried = |bits: &u32| root || bits & 0o020 == 0 || bits & 0o002 != 0;
    for good in [0o600, 0o644, 0o444, 0o755] {
        mode(&file, good);
        let mut text = String::new();
        open(&file).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "text");
    }
    for bad in [0o666, 0o620, 0o602, 0o664].into_iter().filter(tried) {
        mode(&file, bad);
        let refused = said(open(&file));
        let who =
            if bad & 0o002 != 0 { "others can write" } else { "members of the group nogroup can write" };
        assert!(refused.contains(who), "{refused}");
        assert!(refused.contains(&format!("mode {bad:04o}")), "{refused}");
        assert!(refused.ends_with(&format!("chmod go-w '{}'", file.display())), "{refused}");
    }
    mode(&file, 0o600);
    let modes = [(0o777, false), (0o775, false), (0o702, false), (0o1777, true), (0o755, true)];
    for (bits, good) in modes.into_iter().filter(|(bits, _)| tried(bits)) {
        mode(&folder, bits);
        assert_eq!(said(open(&file)) == "good", good, "{bits:o}");
        assert_eq!(judge_folder(&folder).is_ok(), good, "{bits:o}");
    }
    mode(&folder, 0o700);
    mode(dir.path(), 0o703);
    assert!(said(open(&file)).contains("replace what is in this folder"), "a folder above");
    assert!(judge_folder(&dir.path().join("none")).is_err());
    mode(dir.path(), 0o700);
    assert!(judge_folder(&dir.path().join("none")).is_ok());
    assert!(
        matches!(open(&dir.path().join("none")), Err(OpenError::Io(e)) if e.kind() == io::ErrorKind::NotFound)
    );
}

#[test]
fn links_are_followed_and_the_folders_they_lead_through_are_judged() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    fs::create_dir(at("real")).unwrap();
    fs::create_dir(at("open")).unwrap();
    fs::write(at("real/f"), "text").unwrap();
    symlink("real/f", at("relative")).unwrap();
    symlink(at("real"), at("absolute")).unwrap();
    symlink("../real/f", at("open/f")).unwrap();
    symlink("loop", at("loop")).unwrap();
    assert_eq!(said(open(&at("relative"))), "good");
    assert_eq!(said(open(&at("absolute/f"))), "good");
    assert_eq!(said(open(&at("absolute/../real/f"))), "good");
    assert_eq!(said(open(&at("open/f"))), "good");
    // Who can write to the folder of the link can let it lead elsewhere.
    mode(&at("open"), 0o777);
    assert!(said(open(&at("open/f"))).contains("open: others can replace"));
    mode(&at("real"), 0o777);
    assert!(said(open(&at("relative"))).contains("real: others can replace"));
    assert!(said(open(&at("absolute/f"))).contains("real: others can replace"));
    assert_ne!(said(open(&at("loop"))), "good");
}

#[test]
fn a_pipe_that_a_shell_opened_is_read() {
    let (read, write) = io::pipe().unwrap();
    drop(write);
    assert_eq!(said(open(Path::new(&format!("/dev/fd/{}", read.as_raw_fd())))), "good");
}

#[test]
fn a_private_key_is_private() {
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("key");
    fs::write(&key, "secret").unwrap();
    for (bits, good) in
        [(0o600, true), (0o400, true), (0o700, true), (0o640, false), (0o604, false), (0o666, false)]
    {
        mode(&key, bits);
        let said = said(open_private(&key));
        assert_eq!(said == "good", good, "{bits:o}: {said}");
        assert!(good || said.ends_with(&format!("chmod go= {}", key.display())), "{said}");
    }
    assert!(said(open_private(dir.path())).contains("not a plain file"));
}

#[test]
fn what_this_program_keeps_is_its_own_and_nobody_elses() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, file) = (dir.path().join("folder"), dir.path().join("folder/f"));
    fs::create_dir(&folder).unwrap();
    fs::write(&file, "text").unwrap();
    let opened = File::open(&file).unwrap();
    let judged = || judge_own(&file, &opened).map_or_else(|error| error.to_string(), |()| "good".to_owned());
    for (bits, good) in [(0o600, true), (0o644, true), (0o602, false), (0o666, false)] {
        mode(&file, bits);
        assert_eq!(judged() == "good", good, "{bits:o}");
    }
    mode(&file, 0o600);
    // Here the sticky bit is no help: others could put a file in the way.
    for (bits, good) in [(0o700, true), (0o755, true), (0o777, false), (0o1777, false)] {
        mode(&folder, bits);
        assert_eq!(said(open_own_folder(&folder)) == "good", good, "{bits:o}");
    }
    mode(&folder, 0o700);
    symlink(&folder, dir.path().join("link")).unwrap();
    for no_folder in [&dir.path().join("link"), &file] {
        assert!(said(open_own_folder(no_folder)).contains("not a folder"));
    }
    assert!(
        matches!(open_own_folder(&dir.path().join("none")), Err(OpenError::Io(e)) if e.kind() == io::ErrorKind::NotFound)
    );
    fs::hard_link(&file, dir.path().join("second")).unwrap();
    assert!(judged().contains("with one name"));
    if rustix::process::geteuid().is_root() {
        fs::remove_file(dir.path().join("second")).unwrap();
        for path in [&file, &folder] {
            chown(path, Some(65534), None).unwrap();
        }
        assert!(judged().contains("your own") && said(open_own_folder(&folder)).contains("not your own"));
    }
}

#[test]
fn what_is_made_is_no_link_and_under_one_name() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    fs::write(at("victim"), "kept").unwrap();
    symlink(at("victim"), at("link")).unwrap();
    fs::hard_link(at("victim"), at("second")).unwrap();
    symlink(at("new"), at("dangling")).unwrap();
    for name in ["link", "second", "victim", "dangling"] {
        assert!(create(&at(name)).is_err(), "{name}");
    }
    assert_eq!(fs::read_to_string(at("victim")).unwrap(), "kept");
    assert!(!at("new").exists());
    fs::write(at("mine"), "old").unwrap();
    assert_eq!(said(create(&at("mine"))), "good");
    assert_eq!(fs::read_to_string(at("mine")).unwrap(), "");
}
