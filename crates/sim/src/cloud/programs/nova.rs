//! `nova`, with the words of python-novaclient 2.23 (2015).

use crate::cloud::volumes::Volume;
use crate::cloud::{CloudError, Order, Server, Status};
use crate::program::Reply;
use crate::program::quick::{failure, output};
use crate::world::World;
use jumpdeck_fleet::names::HostName;

use super::options::Options;
use super::table::draw;
use super::{Answer, Tool, Wait, console, file, now, stamp};

pub(crate) static NOVA: Tool = Tool { name: "nova", run };

/// Says what went wrong and ends with 1.
fn error(kind: &str, what: &str) -> Reply {
    failure(1, &format!("ERROR ({kind}): {what}"))
}

fn refused(why: &CloudError) -> Reply {
    match why {
        CloudError::Missing { .. } | CloudError::Ambiguous { .. } => error("CommandError", &why.to_string()),
        CloudError::Bad(what) => error("BadRequest", &format!("{what} (HTTP 400)")),
        CloudError::Conflict(what) => error("Conflict", &format!("{what} (HTTP 409)")),
    }
}

fn usage(command: &str, what: &str) -> Reply {
    let lines =
        format!("usage: nova {command}\nerror: {what}\nTry 'nova help {command}' for more information.");
    failure(2, &lines)
}

fn run(world: &mut World, host: &HostName, args: &[String]) -> Answer {
    let (Some(command), rest) = (args.first(), args.get(1..).unwrap_or_default()) else {
        return failure(2, "usage: nova [--version] [--debug] <subcommand> ...").into();
    };
    let (flags, valued): (&[&str], &[&str]) = match command.as_str() {
        "boot" => (
            &["--poll"],
            &[
                "--flavor",
                "--image",
                "--key-name",
                "--user-data",
                "--security-groups",
                "--security-group",
                "--nic",
                "--availability-zone",
                "--meta",
            ],
        ),
        "console-log" => (&[], &["--length"]),
        "list" => (&["--all-tenants", "--minimal"], &["--name", "--status", "--ip", "--fields"]),
        "reboot" => (&["--hard", "--poll"], &[]),
        _ => (&[], &[]),
    };
    let options = match Options::parse(rest, flags, valued) {
        Ok(options) => options,
        Err(what) => return usage(command, &what).into(),
    };
    match command.as_str() {
        "boot" => boot(world, host, &options),
        "list" => list(world, &options).into(),
        "delete" => many(world, &options, "delete", World::delete_server).into(),
        "stop" => many(world, &options, "stop", World::stop_server).into(),
        "start" => many(world, &options, "start", World::start_server).into(),
        "reboot" if options.has("--hard") => {
            many(world, &options, "reboot", World::hard_reboot_server).into()
        }
        "reboot" => many(world, &options, "reboot", World::reboot_server).into(),
        "show" | "console-log" => about(world, command, &options).into(),
        "volume-list" => volumes(world).into(),
        "volume-attach" | "volume-detach" => volume(world, command, &options).into(),
        "flavor-list" => flavors(world).into(),
        "image-list" => images(world).into(),
        "keypair-list" => {
            let rows: Vec<_> = world
                .cloud()
                .key_names()
                .iter()
                .map(|name| vec![name.clone(), fingerprint(&world.cloud().identifier(name))])
                .collect();
            output(draw(&["Name", "Fingerprint"], &rows)).into()
        }
        other => failure(
            2,
            &format!("usage: nova [--version] [--debug] <subcommand> ...\nerror: argument <subcommand>: invalid choice: u'{other}'"),
        )
        .into(),
    }
}

/// An MD5 fingerprint's form.
fn fingerprint(hex: &str) -> String {
    let pairs: Vec<&str> = (0..hex.len()).step_by(2).filter_map(|at| hex.get(at..at + 2)).collect();
    pairs.join(":")
}

fn networks(world: &World, server: &Server) -> Vec<String> {
    if server.status(now(world)) == Status::Build {
        return Vec::new();
    }
    let public = world.cloud().public_address(server).map(str::to_owned);
    std::iter::once(server.address.clone()).chain(public).collect()
}

fn power(server: &Server, now: f64) -> (&'static str, &'static str) {
    match server.status(now) {
        Status::Build => ("NOSTATE", "0"),
        Status::Active => ("Running", "1"),
        Status::Shutoff => ("Shutdown", "4"),
        Status::Error => ("NOSTATE", "0"),
    }
}

fn list(world: &World, options: &Options) -> Reply {
    let at = now(world);
    let wanted = |server: &&Server| {
        // The interface takes the name as a regular expression; a plain one is found anywhere in it.
        options.value("--name").is_none_or(|name| server.name.contains(name.trim_matches(['^', '$'])))
            && options.value("--status").is_none_or(|status| server.status(at).text() == status)
    };
    let mut servers: Vec<&Server> = world.cloud().servers(at).filter(wanted).collect();
    servers.sort_by(|a, b| a.name.cmp(&b.name));
    let rows: Vec<Vec<String>> = servers
        .into_iter()
        .map(|server| {
            let addresses = networks(world, server);
            let networks = match addresses.as_slice() {
                [] => String::new(),
                some => format!("private-network={}", some.join(", ")),
            };
            vec![
                server.id.clone(),
                server.name.clone(),
                server.status(at).text().to_owned(),
                server.task(at).unwrap_or("-").to_owned(),
                power(server, at).0.to_owned(),
                networks,
            ]
        })
        .collect();
    output(draw(&["ID", "Name", "Status", "Task State", "Power State", "Networks"], &rows))
}

fn about(world: &World, command: &str, options: &Options) -> Reply {
    let Some(wanted) = options.word(0) else { return usage(command, "too few arguments") };
    match world.cloud().find(wanted, now(world)) {
        Err(why) => refused(&why),
        Ok(server) if command == "show" => output(show(world, server, None)),
        Ok(server) => output(console::log(world, server, options.value("--length")) + "\n"),
    }
}

fn show(world: &World, server: &Server, password: Option<&str>) -> String {
    let at = now(world);
    let cloud = world.cloud();
    let flavor = cloud.flavors().iter().find(|f| f.id == server.flavor).map_or("", |f| f.name.as_str());
    let image = cloud.images().iter().find(|i| i.id == server.image).map_or("", |i| i.name.as_str());
    let launched = if at < server.active_at { "-".to_owned() } else { stamp(world, server.active_at) };
    let mut groups = server.security_groups.clone();
    groups.sort();
    let vm_state = match server.status(at) {
        Status::Build => "building",
        Status::Active => "active",
        Status::Shutoff => "stopped",
        Status::Error => "error",
    };
    let addresses = networks(world, server);
    let mut fields = vec![
        ("OS-DCF:diskConfig", "MANUAL".to_owned()),
        ("OS-EXT-AZ:availability_zone", "iad-1".to_owned()),
        ("OS-EXT-STS:power_state", power(server, at).1.to_owned()),
        ("OS-EXT-STS:task_state", server.task(at).unwrap_or("-").to_owned()),
        ("OS-EXT-STS:vm_state", vm_state.to_owned()),
        ("OS-SRV-USG:launched_at", launched),
        ("OS-SRV-USG:terminated_at", "-".to_owned()),
        ("accessIPv4", String::new()),
        ("accessIPv6", String::new()),
        ("config_drive", String::new()),
        ("created", stamp(world, server.created)),
        ("flavor", format!("{flavor} ({})", server.flavor)),
        ("hostId", cloud.identifier(&format!("{}/hypervisor", server.id))),
        ("id", server.id.clone()),
        ("image", format!("{image} ({})", server.image)),
        ("key_name", if server.key_name.is_empty() { "-".to_owned() } else { server.key_name.clone() }),
        ("metadata", "{}".to_owned()),
        ("name", server.name.clone()),
    ];
    if let Some(password) = password {
        fields.push(("adminPass", password.to_owned()));
    }
    if !addresses.is_empty() {
        fields.push(("private-network network", addresses.join(", ")));
    }
    fields.extend([
        ("progress", "0".to_owned()),
        ("security_groups", groups.join(", ")),
        ("status", server.status(at).text().to_owned()),
        ("tenant_id", cloud.identifier("project")),
        ("updated", stamp(world, server.updated(at))),
        ("user_id", cloud.identifier("user")),
    ]);
    fields.sort_by_key(|(name, _)| *name);
    let rows: Vec<_> = fields.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect();
    draw(&["Property", "Value"], &rows)
}

fn boot(world: &mut World, host: &HostName, options: &Options) -> Answer {
    let Some(name) = options.word(0) else { return usage("boot", "too few arguments").into() };
    let (Some(flavor), Some(image)) = (options.value("--flavor"), options.value("--image")) else {
        let what = if options.value("--flavor").is_none() {
            "you need to specify a Flavor ID "
        } else {
            "you need to specify an Image ID or a block device mapping "
        };
        return error("CommandError", what).into();
    };
    let user_data = match options.value("--user-data").map(|path| file(world, host, path)) {
        Some(Err(what)) => return error("CommandError", &what).into(),
        Some(Ok(text)) => Some(text),
        None => None,
    };
    let groups = options.values("--security-groups").chain(options.values("--security-group"));
    let order = Order {
        name: name.to_owned(),
        flavor: flavor.to_owned(),
        image: image.to_owned(),
        key_name: options.value("--key-name").map(str::to_owned),
        security_groups: groups.flat_map(|list| list.split(',')).map(str::to_owned).collect(),
        user_data,
    };
    let id = match world.build_server(&order) {
        Ok(id) => id,
        Err(why) => return refused(&why).into(),
    };
    let text = match world.cloud().find(&id, now(world)) {
        Ok(server) => {
            let password = world.cloud().identifier(&format!("{id}/password"));
            show(world, server, password.get(..12))
        }
        Err(why) => return refused(&why).into(),
    };
    Answer { reply: output(text), wait: options.has("--poll").then_some(Wait::Built(id)) }
}

fn volumes(world: &World) -> Reply {
    let row = |volume: &Volume| {
        let at = world.cloud().servers(now(world)).find(|server| server.machine == volume.machine);
        let server =
            at.filter(|_| volume.machine.is_some()).map(|server| server.id.clone()).unwrap_or_default();
        let status = if volume.machine.is_some() { "in-use" } else { "available" };
        let size = volume.size_gb().to_string();
        vec![volume.id.clone(), status.to_owned(), volume.name.clone(), size, "None".to_owned(), server]
    };
    let rows: Vec<Vec<String>> = world.volumes().iter().map(row).collect();
    output(draw(&["ID", "Status", "Display Name", "Size", "Volume Type", "Attached to"], &rows))
}

fn volume(world: &mut World, command: &str, options: &Options) -> Reply {
    let (Some(server), Some(volume)) = (options.word(0), options.word(1)) else {
        return usage(command, "too few arguments");
    };
    if command == "volume-detach" {
        return world.order_detaching(volume).map_or_else(|why| refused(&why), |()| output(""));
    }
    match world.attach_volume(server, volume) {
        Err(why) => refused(&why),
        Ok(device) => {
            let row = |name: &str, value: &str| vec![name.to_owned(), value.to_owned()];
            let rows = [row("device", &device), row("serverId", server), row("volumeId", volume)];
            output(draw(&["Property", "Value"], &rows))
        }
    }
}

/// Does one thing to each server named, as novaclient does: what fails is said on standard output, and all others are
/// done.
fn many(
    world: &mut World,
    options: &Options,
    act: &str,
    run: fn(&mut World, &str) -> Result<(), CloudError>,
) -> Reply {
    if options.words.is_empty() {
        return usage(act, "too few arguments");
    }
    let mut reply = Reply::default();
    for wanted in &options.words {
        let line = match run(world, wanted) {
            Ok(()) => format!("Request to {act} server {wanted} has been accepted.\n"),
            Err(why) => {
                reply.status = 1;
                format!("{why}\n")
            }
        };
        reply.stdout.extend(line.into_bytes());
    }
    if reply.status != 0 {
        let what = error("CommandError", &format!("Unable to {act} the specified server(s)."));
        reply.stderr = what.stderr;
    }
    reply
}

fn flavors(world: &World) -> Reply {
    let rows: Vec<Vec<String>> = world
        .cloud()
        .flavors()
        .iter()
        .map(|f| {
            let (ram, disk, cpus) = (f.ram_mb.to_string(), f.disk_gb.to_string(), f.cpus.to_string());
            let rest = ["1.0", "True"].map(str::to_owned);
            let mut row = vec![f.id.clone(), f.name.clone(), ram, disk, "0".to_owned(), String::new(), cpus];
            row.extend(rest);
            row
        })
        .collect();
    let heads = ["ID", "Name", "Memory_MB", "Disk", "Ephemeral", "Swap", "VCPUs", "RXTX_Factor", "Is_Public"];
    output(draw(&heads, &rows))
}

fn images(world: &World) -> Reply {
    let rows: Vec<Vec<String>> = world
        .cloud()
        .images()
        .iter()
        .map(|i| vec![i.id.clone(), i.name.clone(), "ACTIVE".to_owned(), String::new()])
        .collect();
    output(draw(&["ID", "Name", "Status", "Server"], &rows))
}
