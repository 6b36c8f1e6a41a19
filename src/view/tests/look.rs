//! Looks at a host: at every size, lost, paused, in every theme and without colour.

use super::*;
use crate::app::message::Msg;
use crate::app::update::update;
use crate::config::keymap::{KeyCode, KeyPress};
use jumpdeck_fleet::look::{
    HostLook, ListeningPort, LookContent, LookEvent, MountRoom, MountedHere, PortOwner, PortProtocol,
    ProcessTable, RunningProcess,
};
use jumpdeck_fleet::storage::Usage;
use std::time::Duration;

fn press(model: &mut Model, c: char) {
    update(model, Msg::Key(KeyPress { code: KeyCode::Char(c), ctrl: false, alt: false }));
}

fn tell(model: &mut Model, event: LookEvent) {
    let number = model.look.as_ref().unwrap().number;
    update(model, Msg::Look(number, event));
    model.settle();
}

/// A second ago.
fn answer(model: &Model, content: LookContent, notes: &[&str]) -> LookEvent {
    let asked = Moment(model.now.0 - 1000);
    LookEvent::Answer(HostLook { asked, content, notes: notes.iter().map(|note| (*note).into()).collect() })
}

fn processes() -> LookContent {
    let row = |name: &str, pid: u32, user: Option<&str>, cpu, memory_kb, state, seconds| RunningProcess {
        pid,
        parent: 1,
        started: u64::from(pid),
        name: name.into(),
        user: user.map(Into::into),
        state,
        cpu,
        ticks: 123_456,
        memory_kb,
        seconds,
    };
    let mut rows = vec![
        row("mysqld", 1187, Some("mysql"), Some(187.4), Some(12_345_678), 'S', 900_000),
        row("kworker/0:1-events", 33, Some("root"), Some(0.0), None, 'I', 900_000),
        row("backup \x1b[2J", 4_194_303, Some("a-very-long-account"), Some(12.0), Some(9_000), 'D', 59),
        row("defunct", 700, None, None, Some(0), 'Z', 3_600),
    ];
    rows.extend(
        (0..40).map(|n| row("apache2", 2000 + n, Some("www-data"), Some(0.3), Some(44_000), 'S', 7_200)),
    );
    LookContent::Processes(ProcessTable { count: 2_345, rows })
}

fn ports() -> LookContent {
    let port = |protocol, address: &str, port, owner, queue| ListeningPort {
        protocol,
        address: address.into(),
        port,
        owner,
        queue,
    };
    let of = |all: &[(&str, u32)]| PortOwner::Processes(all.iter().map(|(n, p)| ((*n).into(), *p)).collect());
    let (tcp, udp) = (PortProtocol::Tcp, PortProtocol::Udp);
    LookContent::Ports(vec![
        port(tcp, "*", 22, of(&[("sshd", 812)]), Some((0, Some(128)))),
        port(udp, "127.0.0.53%lo", 53, PortOwner::Kernel, None),
        port(tcp, "[::]", 80, of(&[("nginx", 8), ("nginx", 9)]), Some((129, Some(128)))),
        port(tcp, "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff", 3306, PortOwner::Hidden, Some((2, None))),
    ])
}

fn mounts() -> LookContent {
    let mount = |mount: &str, device: &str, fstype: &str, options: &str, room| MountedHere {
        device: device.into(),
        mount: mount.into(),
        fstype: fstype.into(),
        options: options.into(),
        room,
    };
    let used = |size_kb: u64, percent: u8| {
        let used_kb = size_kb * u64::from(percent) / 100;
        MountRoom::Known(Usage {
            size_kb,
            used_kb,
            available_kb: i64::try_from(size_kb - used_kb).unwrap(),
            use_percent: Some(percent),
            inodes_use_percent: None,
        })
    };
    LookContent::Mounts(vec![
        mount("/proc", "proc", "proc", "rw,nosuid", MountRoom::NotAsked),
        mount("/", "/dev/vda1", "ext4", "rw,errors=remount-ro", used(20_000_000, 88)),
        mount("/boot", "/dev/vda2", "ext2", "ro", used(240_000, 31)),
        mount("/mnt/backup", "/dev/mapper/backup1-lvbackup1", "xfs", "rw", used(42_000_000, 100)),
        mount("/srv/wiki/images", "storage3:/wiki-images", "fuse.glusterfs", "rw", MountRoom::NotAsked),
        mount(
            "/var/lib/docker/overlay2/0123456789abcdef0123456789abcdef/merged",
            "overlay",
            "overlay",
            "rw",
            MountRoom::Unknown,
        ),
    ])
}

/// A host that is looked at by that key, with its answer.
fn looked(key: char, content: LookContent, notes: &[&str]) -> Model {
    let mut model = healthy();
    press(&mut model, key);
    let event = answer(&model, content, notes);
    tell(&mut model, event);
    model
}

/// The processes that were asked for are there.
pub(super) fn answered(mut model: Model) -> Model {
    let event = answer(&model, processes(), &[]);
    tell(&mut model, event);
    model
}

#[test]
fn processes_ports_and_mounts_at_every_size() {
    let root = "which process listens is shown to root alone: sudo = true in the inventory asks as root";
    for (name, model) in [
        ("look-processes", looked('P', processes(), &[])),
        ("look-ports", looked('i', ports(), &[root])),
        ("look-mounts", looked('F', mounts(), &[])),
    ] {
        for size in SIZES {
            snapshot(name, &model, size);
        }
    }
}

#[test]
fn a_host_that_does_not_answer_shows_what_is_old_as_old() {
    let mut model = healthy();
    press(&mut model, 'P');
    snapshot("look-asking", &model, SIZES[0]);
    let event = answer(&model, processes(), &[]);
    tell(&mut model, event);
    let hop = Hop::Host(model.look.as_ref().unwrap().place.host.clone());
    tell(&mut model, LookEvent::Lost { hop, why: "no answer within 8 s".into(), again: true });
    model.now = model.now.plus(Duration::from_secs(90));
    snapshot("look-lost", &model, SIZES[0]);
    let text = text(&model, SIZES[0]);
    assert!(text.contains("LOST, 1m old") && !text.contains("asked every"), "{text}");
}

#[test]
fn an_answer_that_is_late_is_not_shown_as_new() {
    let mut model = looked('P', processes(), &[]);
    assert!(text(&model, SIZES[0]).contains("● 1s old, asked every 3 s"));
    model.now = model.now.plus(Duration::from_secs(10));
    let late = text(&model, SIZES[0]);
    assert!(late.contains("○ 11s old, no newer answer") && !late.contains("● 11s"), "{late}");
    press(&mut model, 'p');
    assert!(text(&model, SIZES[0]).contains("‖ PAUSED, 11s old"));
}

#[test]
fn what_is_wrong_is_seen_in_every_theme_and_without_colour() {
    let model = looked('F', mounts(), &[]);
    let mut all: Vec<Styles> = ["dark", "light", "high-contrast"].iter().map(|theme| styles(theme)).collect();
    all.push(Styles::default());
    for styles in all {
        let rows = rows(&drawn(&model, &styles, SIZES[0]));
        let row = |text: &str| rows.iter().find(|row| row.contains(text)).unwrap().clone();
        assert!(row("/mnt/backup").contains('✖') && row("100%").contains("/mnt/backup"), "{rows:#?}");
        assert!(row("/boot").contains(" ro "), "{rows:#?}");
        assert!(row("overlay2").contains('?') || row("merged").contains('?'), "{rows:#?}");
    }
}

#[test]
fn text_of_a_host_is_shown_harmless() {
    let model = looked('P', processes(), &[]);
    let shown = text(&model, SIZES[2]);
    assert!(shown.contains("backup ^[[2J"), "{shown}");
}
