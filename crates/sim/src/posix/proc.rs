//! `/proc` and `/sys` of a simulated machine, written from the same figures that its programs print.

use crate::world::World;

use super::machine::{Machine, count};
use super::storage::Mount;
use super::upkeep;

/// What such a file holds now; `None` when it is not simulated.
pub(crate) fn read(world: &World, m: &Machine, path: &str) -> Option<String> {
    Some(match path {
        "/proc/loadavg" => loadavg(world, m)?,
        "/proc/meminfo" => meminfo(world, m)?,
        "/proc/uptime" => uptime(world, m)?,
        "/proc/mounts" | "/proc/self/mounts" | "/etc/mtab" => mounts(world, m)?,
        "/proc/cpuinfo" => (0..m.cpus).map(cpu).collect(),
        "/proc/stat" => stat(world, m)?,
        "/proc/net/tcp" if !world.keeps_keys(&m.name) => "  sl  local_address rem_address   st\n".to_owned(),
        "/proc/net/tcp" => world.minion_connections(m)?,
        "/proc/vmstat" => upkeep::vmstat(world, m)?,
        "/proc/version" => {
            format!("Linux version {} (buildd@allspice) (gcc) {}\n", m.os.kernel, m.os.build)
        }
        "/proc/sys/kernel/random/boot_id" => format!("{}\n", m.boot_id()),
        "/proc/sys/kernel/random/uuid" => uuid(world, m)?,
        "/proc/sys/kernel/hostname" => format!("{}\n", m.hostname),
        "/proc/sys/kernel/osrelease" => format!("{}\n", m.os.kernel),
        "/proc/sys/kernel/ostype" => "Linux\n".to_owned(),
        "/sys/devices/system/cpu/online" | "/sys/devices/system/cpu/possible" => match m.cpus {
            0 | 1 => "0\n".to_owned(),
            n => format!("0-{}\n", n - 1),
        },
        _ => return world.process_file(&m.name, path),
    })
}

/// The simulated paths, for directory listings.
pub(crate) static PATHS: &[&str] = &[
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/uptime",
    "/proc/mounts",
    "/proc/self/mounts",
    "/proc/cpuinfo",
    "/proc/stat",
    "/proc/version",
    "/proc/vmstat",
    "/proc/sys/kernel/random/boot_id",
    "/proc/sys/kernel/random/uuid",
    "/proc/sys/kernel/hostname",
    "/proc/sys/kernel/osrelease",
    "/proc/sys/kernel/ostype",
    "/sys/devices/system/cpu/online",
    "/sys/devices/system/cpu/possible",
];

/// Another one each time the world's clock has moved.
fn uuid(world: &World, m: &Machine) -> Option<String> {
    let tick = count(world.uptime(&m.name)? * 1000.0);
    let [a, b] = [0x5ee_d01, 0x5ee_d02].map(|salt| crate::world::noise::draw(m.number(16) ^ salt, tick));
    Some(format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}\n",
        a >> 32,
        a & 0xffff,
        (a >> 16) & 0xfff,
        b >> 52,
        b & 0xffff_ffff_ffff
    ))
}

fn loadavg(world: &World, m: &Machine) -> Option<String> {
    let [one, five, fifteen] = world.load(&m.name)?;
    let running = 1 + count(one.round());
    let last = 1_000 + count(world.uptime(&m.name)?) % 31_000;
    Some(format!("{one:.2} {five:.2} {fifteen:.2} {running}/{} {last}\n", m.tasks()))
}

fn meminfo(world: &World, m: &Machine) -> Option<String> {
    let memory = world.memory(&m.name)?;
    let used = memory.total - memory.available;
    let mut text = String::new();
    let mut row = |name: &str, kb: u64| text.push_str(&format!("{:<16}{kb:>8} kB\n", format!("{name}:")));
    row("MemTotal", memory.total);
    row("MemFree", memory.free);
    if m.os.tells_available_memory() {
        row("MemAvailable", memory.available);
    }
    row("Buffers", memory.buffers);
    row("Cached", memory.cached);
    row("SwapCached", 0);
    row("Active", used * 7 / 10 + memory.cached / 2);
    row("Inactive", used / 10 + memory.cached / 2);
    row("SwapTotal", memory.swap_total);
    row("SwapFree", memory.swap_free);
    row("Dirty", 64 + m.number(9) % 900);
    row("Writeback", 0);
    row("AnonPages", used * 8 / 10);
    row("Mapped", used / 12);
    row("Slab", used / 20);
    row("SReclaimable", 0);
    row("PageTables", used / 90);
    row("CommitLimit", memory.total / 2 + memory.swap_total);
    row("Committed_AS", used * 13 / 10);
    Some(text)
}

fn uptime(world: &World, m: &Machine) -> Option<String> {
    let up = world.uptime(&m.name)?;
    let idle = up * f64::from(m.cpus) * 0.94;
    Some(format!("{up:.2} {idle:.2}\n"))
}

fn mounts(world: &World, m: &Machine) -> Option<String> {
    Some(world.filesystems(&m.name)?.iter().map(mount_row).collect())
}

fn mount_row(mount: &Mount) -> String {
    let Mount { device, path, fstype, options, .. } = mount;
    format!("{} {} {fstype} {options} 0 0\n", escape(device), escape(path))
}

/// The kernel's `mangle()`: what would break a row into more fields is written in octal.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            ' ' => out.push_str("\\040"),
            '\t' => out.push_str("\\011"),
            '\n' => out.push_str("\\012"),
            '\\' => out.push_str("\\134"),
            '#' => out.push_str("\\043"),
            other => out.push(other),
        }
    }
    out
}

fn cpu(number: u32) -> String {
    format!(
        "processor\t: {number}\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 13\n\
         model name\t: QEMU Virtual CPU version 1.0\nstepping\t: 3\ncpu MHz\t\t: 2399.998\ncache size\t: 4096 KB\n\
         fpu\t\t: yes\nflags\t\t: fpu de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat\n\
         bogomips\t: 4799.99\n\n"
    )
}

fn stat(world: &World, m: &Machine) -> Option<String> {
    let up = world.uptime(&m.name)?;
    // In ticks of 10 ms, one row a CPU and the sum before them.
    let one = |part: f64| count(up * 100.0 * part);
    let row = |name: &str, by: u64| {
        let [user, nice, system, idle, wait] = [0.035, 0.001, 0.012, 0.94, 0.008].map(|p| one(p) * by);
        format!("{name} {user} {nice} {system} {idle} {wait} 0 {} 0 0 0\n", one(0.001) * by)
    };
    let mut text = row("cpu ", u64::from(m.cpus));
    for number in 0..m.cpus {
        text.push_str(&row(&format!("cpu{number}"), 1));
    }
    let booted = count(world.epoch(&m.name) - up);
    let [load, _, _] = world.load(&m.name)?;
    text.push_str(&format!(
        "intr 0\nctxt {}\nbtime {booted}\nprocesses {}\nprocs_running {}\nprocs_blocked 0\n",
        one(4.1),
        1_000 + count(up / 3.0),
        1 + count(load.round())
    ));
    Some(text)
}
