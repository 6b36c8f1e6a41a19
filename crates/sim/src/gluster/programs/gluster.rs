//! `gluster`, with the words of 3.4 (2013): peers, the volume, its bricks. Nothing is changed by it here.

use crate::gluster::uuid;
use crate::options::Options;
use crate::program::quick::{failure, output, write};
use crate::program::{BoxFuture, Call, Program, Reply};
use crate::world::World;
use jumpdeck_fleet::names::HostName;

#[derive(Debug)]
pub(crate) struct Gluster;

static OPTIONS: Options = Options::new("", &[("mode=", 'm'), ("log-file=", 'l')]);

const LINE: &str = "------------------------------------------------------------------------------\n";

impl Program for Gluster {
    fn name(&self) -> &'static str {
        "gluster"
    }

    fn installed(&self, world: &World, host: &HostName) -> bool {
        world.has_brick(host)
    }

    fn options(&self) -> Option<&'static Options> {
        Some(&OPTIONS)
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        Box::pin(async move {
            let reply = OPTIONS.read(&call.args).map_or_else(
                |refused| refused,
                |given| {
                    let world = call.world.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    let words: Vec<&str> = given.operands.iter().map(String::as_str).collect();
                    answer(&world, &call.host, &words)
                },
            );
            write(reply, call.stdout, call.stderr).await
        })
    }
}

fn answer(world: &World, host: &HostName, words: &[&str]) -> Reply {
    if !world.serves_gluster(host) {
        return failure(1, "Connection failed. Please check if gluster daemon is operational.");
    }
    match words {
        ["peer", "status"] => output(peers(world, host)),
        ["volume", "info"] => output(volume(world)),
        ["volume", "status", "all", "detail"] => output(bricks(world, host)),
        ["volume", "heal", ..] => {
            failure(1, "Usage: volume heal <VOLNAME> [{full | info {healed | heal-failed | split-brain}}]")
        }
        _ => {
            let word = words.first().copied().unwrap_or_default();
            failure(1, &format!("unrecognized word: {word} (position 0)"))
        }
    }
}

fn peers(world: &World, host: &HostName) -> String {
    let others: Vec<&HostName> = world.brick_hosts().into_iter().filter(|other| *other != host).collect();
    let mut text = format!("Number of Peers: {}\n", others.len());
    for other in others {
        let state = if world.serves_gluster(other) { "Connected" } else { "Disconnected" };
        text.push_str(&format!(
            "\nHostname: {other}\nUuid: {}\nState: Peer in Cluster ({state})\n",
            uuid(other)
        ));
    }
    text
}

fn volume(world: &World) -> String {
    let hosts = world.brick_hosts();
    let mut text = format!(
        " \nVolume Name: wiki-images\nType: Replicate\nVolume ID: 0b5c3a52-6d0e-4f5f-9a53-5a0b6f0f7c11\nStatus: Started\n\
         Number of Bricks: 1 x {0} = {0}\nTransport-type: tcp\nBricks:\n",
        hosts.len()
    );
    for (number, host) in hosts.iter().enumerate() {
        text.push_str(&format!("Brick{}: {host}:/srv/storage/wiki-images\n", number + 1));
    }
    text
}

/// The bricks of hosts whose server is connected; the others are not listed.
fn bricks(world: &World, asked: &HostName) -> String {
    let mut text = "Status of volume: wiki-images\n".to_owned();
    for host in world.brick_hosts() {
        if host != asked && !world.serves_gluster(host) {
            continue;
        }
        let (port, online, pid) =
            if world.gluster.contains(host) { ("N/A", 'N', "N/A") } else { ("49152", 'Y', "1402") };
        let mounts = world.filesystems(host).into_iter().flatten();
        let (free, size) = mounts
            .filter(|mount| mount.path == "/srv/storage")
            .map(|mount| (mount.size_kb.saturating_sub(mount.used_kb), mount.size_kb))
            .next()
            .unwrap_or_default();
        text.push_str(LINE);
        for (key, value) in [
            ("Brick", format!("Brick {host}:/srv/storage/wiki-images")),
            ("Port", port.to_owned()),
            ("Online", online.to_string()),
            ("Pid", pid.to_owned()),
            ("File System", "xfs".to_owned()),
            ("Device", "/dev/vdc".to_owned()),
            ("Mount Options", "rw,noatime".to_owned()),
            ("Inode Size", "256".to_owned()),
            ("Disk Space Free", size_of(free)),
            ("Total Disk Space", size_of(size)),
        ] {
            text.push_str(&format!("{key:<20} : {value:<20}\n"));
        }
    }
    text + " \n"
}

/// kB as GlusterFS prints sizes.
#[allow(clippy::cast_precision_loss)] // a tenth is shown
fn size_of(kb: u64) -> String {
    match kb {
        1_048_576.. => format!("{:.1}GB", kb as f64 / 1_048_576.0),
        1024.. => format!("{:.1}MB", kb as f64 / 1024.0),
        _ => format!("{kb}.0KB"),
    }
}
