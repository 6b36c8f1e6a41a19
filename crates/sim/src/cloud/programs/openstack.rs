//! `openstack`, with the words of python-openstackclient 6.6.

use serde_json::{Value, json};

use crate::cloud::{CloudError, FloatingIp, Order, Server, Status};
use crate::program::Reply;
use crate::program::quick::{failure, output};
use crate::world::World;
use jumpdeck_fleet::names::HostName;

use super::options::Options;
use super::table::{Listing, Missing, one};
use super::{Answer, Tool, Wait, console, file, now, stamp};

mod volumes;

pub(crate) static OPENSTACK: Tool = Tool { name: "openstack", run };

static FLAGS: &[&str] = &["--wait", "--long", "--no-name-lookup", "--force", "--hard", "--soft", "--port"];
static VALUED: &[&str] = &[
    "-f",
    "--format",
    "-c",
    "--column",
    "--flavor",
    "--image",
    "--key-name",
    "--user-data",
    "--security-group",
    "--network",
    "--nic",
    "--property",
    "--availability-zone",
    "--name",
    "--status",
    "--lines",
    "--server",
    "--fixed-ip",
    "--fixed-ip-address",
];

/// The commands there are, the longest names first among those that begin alike.
static COMMANDS: &[(&str, Command)] = &[
    ("console log show", Command::Show(console_log)),
    ("floating ip list", Command::Show(floating_list)),
    ("floating ip show", Command::Show(floating_show)),
    ("floating ip set", Command::Change(floating_set)),
    ("floating ip unset", Command::Change(floating_unset)),
    ("flavor list", Command::Show(flavor_list)),
    ("image list", Command::Show(image_list)),
    ("keypair list", Command::Show(keypair_list)),
    ("port list", Command::Show(port_list)),
    ("server list", Command::Show(server_list)),
    ("server show", Command::Show(server_show)),
    ("server create", Command::Change(server_create)),
    ("server delete", Command::Change(server_delete)),
    ("server start", Command::Change(|world, _, o| many(world, o, World::start_server))),
    ("server stop", Command::Change(|world, _, o| many(world, o, World::stop_server))),
    ("server add volume", Command::Change(volumes::add)),
    ("server remove volume", Command::Change(volumes::remove)),
    ("server volume list", Command::Show(volumes::of_server)),
    ("volume list", Command::Show(volumes::list_all)),
    (
        "server reboot",
        Command::Change(|world, _, o| {
            let hard = o.has("--hard");
            many(world, o, if hard { World::hard_reboot_server } else { World::reboot_server })
        }),
    ),
];

type Changed = Result<Answer, String>;

#[derive(Clone, Copy)]
enum Command {
    Show(fn(&World, &Options) -> Result<String, String>),
    Change(fn(&mut World, &HostName, &Options) -> Changed),
}

fn run(world: &mut World, host: &HostName, args: &[String]) -> Answer {
    let words: Vec<&str> =
        args.iter().map(String::as_str).take_while(|word| !word.starts_with('-')).collect();
    let found = COMMANDS.iter().find(|(name, _)| {
        let count = name.split(' ').count();
        words.get(..count).is_some_and(|first| first.join(" ") == *name)
    });
    let Some((name, command)) = found else {
        let what =
            format!("openstack: '{}' is not an openstack command. See 'openstack --help'.", words.join(" "));
        return failure(2, &what).into();
    };
    let rest = args.get(name.split(' ').count()..).unwrap_or_default();
    // `--port` is a flag of `floating ip unset` and takes a value everywhere else.
    let (flags, valued): (Vec<&str>, Vec<&str>) = if *name == "floating ip unset" {
        (FLAGS.to_vec(), VALUED.to_vec())
    } else {
        let flags = FLAGS.iter().copied().filter(|flag| *flag != "--port").collect();
        (flags, VALUED.iter().copied().chain(["--port"]).collect())
    };
    let options = match Options::parse(rest, &flags, &valued) {
        Ok(options) => options,
        Err(what) => return failure(2, &format!("openstack {name}: error: {what}")).into(),
    };
    let done = match command {
        Command::Show(show) => show(world, &options).map(|text| Answer::from(output(text))),
        Command::Change(change) => change(world, host, &options),
    };
    done.unwrap_or_else(|what| failure(1, &what).into())
}

/// The words of osc-lib's `find_resource`, and of the interface where it answers itself.
fn refused(why: &CloudError) -> String {
    match why {
        CloudError::Missing { kind: "floatingip", name } => format!("No FloatingIP found for {name}"),
        CloudError::Missing { kind: "port", name } => format!("No Port found for {name}"),
        CloudError::Missing { .. } => why.to_string(),
        CloudError::Ambiguous { kind, name } => {
            format!("More than one {kind} exists with the name '{name}'.")
        }
        CloudError::Conflict(what) => format!("{what} (HTTP 409)"),
        CloudError::Bad(what) => format!("{what} (HTTP 400)"),
    }
}

fn list(heads: &[&'static str], rows: Vec<Vec<Value>>, options: &Options) -> Result<String, String> {
    Listing { heads: heads.to_vec(), rows }.print(form(options), &columns(options), Missing::None)
}

fn form(options: &Options) -> &str {
    options.value("-f").or(options.value("--format")).unwrap_or("table")
}

fn columns(options: &Options) -> Vec<&str> {
    options.values("-c").chain(options.values("--column")).collect()
}

fn first<'a>(options: &'a Options, what: &str) -> Result<&'a str, String> {
    options.word(0).ok_or_else(|| format!("error: the following arguments are required: {what}"))
}

fn networks(world: &World, server: &Server) -> Value {
    if server.status(now(world)) == Status::Build {
        return json!({});
    }
    let public = world.cloud().public_address(server).map(str::to_owned);
    let addresses: Vec<String> = std::iter::once(server.address.clone()).chain(public).collect();
    json!({ "private-network": addresses })
}

fn flavor<'a>(world: &'a World, server: &Server) -> &'a str {
    world.cloud().flavors().iter().find(|f| f.id == server.flavor).map_or("", |f| f.name.as_str())
}

fn image<'a>(world: &'a World, server: &Server) -> &'a str {
    world.cloud().images().iter().find(|i| i.id == server.image).map_or("", |i| i.name.as_str())
}

fn server_list(world: &World, options: &Options) -> Result<String, String> {
    let at = now(world);
    let wanted = |server: &&Server| {
        options.value("--name").is_none_or(|name| server.name.contains(name.trim_matches(['^', '$'])))
            && options.value("--status").is_none_or(|status| server.status(at).text() == status)
    };
    let rows = world.cloud().servers(at).filter(wanted).map(|server| {
        vec![
            json!(server.id),
            json!(server.name),
            json!(server.status(at).text()),
            networks(world, server),
            json!(image(world, server)),
            json!(flavor(world, server)),
        ]
    });
    list(&["ID", "Name", "Status", "Networks", "Image", "Flavor"], rows.collect(), options)
}

fn details(world: &World, server: &Server, password: Option<String>) -> Vec<(&'static str, Value)> {
    let at = now(world);
    let cloud = world.cloud();
    let status = server.status(at);
    let (power, vm_state) = match status {
        Status::Build => ("NOSTATE", "building"),
        Status::Active => ("Running", "active"),
        Status::Shutoff => ("Shutdown", "stopped"),
        Status::Error => ("NOSTATE", "error"),
    };
    let launched = (at >= server.active_at).then(|| stamp(world, server.active_at));
    let updated = stamp(world, server.updated(at));
    let groups: Vec<Value> = server.security_groups.iter().map(|group| json!({ "name": group })).collect();
    let mut fields = vec![
        ("OS-DCF:diskConfig", json!("MANUAL")),
        ("OS-EXT-AZ:availability_zone", json!("iad-1")),
        ("OS-EXT-STS:power_state", json!(power)),
        ("OS-EXT-STS:task_state", json!(server.task(at))),
        ("OS-EXT-STS:vm_state", json!(vm_state)),
        ("OS-SRV-USG:launched_at", json!(launched)),
        ("addresses", networks(world, server)),
        ("created", json!(stamp(world, server.created))),
        ("flavor", json!(format!("{} ({})", flavor(world, server), server.flavor))),
        ("hostId", json!(cloud.identifier(&format!("{}/hypervisor", server.id)))),
        ("id", json!(server.id)),
        ("image", json!(format!("{} ({})", image(world, server), server.image))),
        ("key_name", json!(server.key_name)),
        ("name", json!(server.name)),
        ("project_id", json!(cloud.identifier("project"))),
        ("properties", json!({})),
        ("security_groups", json!(groups)),
        ("status", json!(status.text())),
        ("updated", json!(updated)),
        ("user_id", json!(cloud.identifier("user"))),
    ];
    if let Some(password) = password {
        fields.push(("adminPass", json!(password)));
        fields.sort_by_key(|(name, _)| *name);
    }
    fields
}

fn server_show(world: &World, options: &Options) -> Result<String, String> {
    let wanted = first(options, "<server>")?;
    let server = world.cloud().find(wanted, now(world)).map_err(|why| refused(&why))?;
    one(details(world, server, None), form(options), &columns(options), Missing::None)
}

fn server_create(world: &mut World, host: &HostName, options: &Options) -> Changed {
    let name = first(options, "<server-name>")?;
    let need = |option: &str| {
        let value = options.value(option).map(str::to_owned);
        value.ok_or_else(|| format!("error: the following arguments are required: {option}"))
    };
    let user_data = options.value("--user-data").map(|path| file(world, host, path)).transpose()?;
    let order = Order {
        name: name.to_owned(),
        flavor: need("--flavor")?,
        image: need("--image")?,
        key_name: options.value("--key-name").map(str::to_owned),
        security_groups: options.values("--security-group").map(str::to_owned).collect(),
        user_data,
    };
    let id = world.build_server(&order).map_err(|why| refused(&why))?;
    let server = world.cloud().find(&id, now(world)).map_err(|why| refused(&why))?;
    let password = world.cloud().identifier(&format!("{id}/password")).get(..12).map(str::to_owned);
    let text = one(details(world, server, password), form(options), &columns(options), Missing::None)?;
    Ok(Answer { reply: output(text), wait: options.has("--wait").then_some(Wait::Built(id)) })
}

fn server_delete(world: &mut World, _: &HostName, options: &Options) -> Changed {
    first(options, "<server>")?;
    let mut answer = Answer::from(Reply::default());
    for wanted in &options.words {
        let id = world.cloud().find(wanted, now(world)).map_err(|why| refused(&why))?.id.clone();
        world.delete_server(&id).map_err(|why| refused(&why))?;
        answer.wait = options.has("--wait").then_some(Wait::Gone(id));
    }
    Ok(answer)
}

fn many(
    world: &mut World,
    options: &Options,
    run: fn(&mut World, &str) -> Result<(), CloudError>,
) -> Changed {
    first(options, "<server>")?;
    for wanted in &options.words {
        run(world, wanted).map_err(|why| refused(&why))?;
    }
    Ok(Reply::default().into())
}

fn console_log(world: &World, options: &Options) -> Result<String, String> {
    let wanted = first(options, "<server>")?;
    let server = world.cloud().find(wanted, now(world)).map_err(|why| refused(&why))?;
    Ok(console::log(world, server, options.value("--lines")))
}

fn flavor_list(world: &World, options: &Options) -> Result<String, String> {
    let rows = world.cloud().flavors().iter().map(|f| {
        vec![
            json!(f.id),
            json!(f.name),
            json!(f.ram_mb),
            json!(f.disk_gb),
            json!(0),
            json!(f.cpus),
            json!(true),
        ]
    });
    list(&["ID", "Name", "RAM", "Disk", "Ephemeral", "VCPUs", "Is Public"], rows.collect(), options)
}

fn image_list(world: &World, options: &Options) -> Result<String, String> {
    let rows = world.cloud().images().iter().map(|i| vec![json!(i.id), json!(i.name), json!("active")]);
    list(&["ID", "Name", "Status"], rows.collect(), options)
}

fn keypair_list(world: &World, options: &Options) -> Result<String, String> {
    let cloud = world.cloud();
    let rows = cloud.key_names().iter().map(|k| vec![json!(k), json!(cloud.identifier(k)), json!("ssh")]);
    list(&["Name", "Fingerprint", "Type"], rows.collect(), options)
}

fn port_list(world: &World, options: &Options) -> Result<String, String> {
    let at = now(world);
    let subnet = world.cloud().identifier("subnet");
    let of = match options.value("--server") {
        Some(wanted) => Some(world.cloud().find(wanted, at).map_err(|why| refused(&why))?.id.clone()),
        None => None,
    };
    let fixed = options.value("--fixed-ip").map(|filter| filter.trim_start_matches("ip-address=").to_owned());
    let rows = world
        .cloud()
        .servers(at)
        .filter(|s| s.deleted_at.is_none())
        .filter(|s| of.as_ref().is_none_or(|id| s.id == *id))
        .filter(|s| fixed.as_ref().is_none_or(|address| s.address == *address))
        .map(|s| {
            let status = if s.status(at) == Status::Active { "ACTIVE" } else { "DOWN" };
            let fixed = json!([{ "subnet_id": subnet, "ip_address": s.address }]);
            vec![json!(s.port), json!(""), json!(s.mac), fixed, json!(status)]
        });
    list(&["ID", "Name", "MAC Address", "Fixed IP Addresses", "Status"], rows.collect(), options)
}

/// A floating address by its UUID or by itself.
fn floating<'a>(world: &'a World, wanted: &str) -> Result<&'a FloatingIp, String> {
    let found = world.cloud().floating_ips().iter().find(|f| f.id == wanted || f.address == wanted);
    found.ok_or_else(|| format!("No FloatingIP found for {wanted}"))
}

fn fixed_address(world: &World, floating: &FloatingIp) -> Option<String> {
    let port = floating.port.as_deref()?;
    world.cloud().server_of_port(port).map(|server| server.address.clone())
}

fn floating_list(world: &World, options: &Options) -> Result<String, String> {
    let cloud = world.cloud();
    let rows = cloud
        .floating_ips()
        .iter()
        .filter(|f| options.value("--port").is_none_or(|port| f.port.as_deref() == Some(port)));
    let rows = rows.map(|f| {
        vec![
            json!(f.id),
            json!(f.address),
            json!(fixed_address(world, f)),
            json!(f.port),
            json!(cloud.identifier("external")),
            json!(cloud.identifier("project")),
        ]
    });
    let heads = ["ID", "Floating IP Address", "Fixed IP Address", "Port", "Floating Network", "Project"];
    list(&heads, rows.collect(), options)
}

fn floating_show(world: &World, options: &Options) -> Result<String, String> {
    let found = floating(world, first(options, "<floating-ip>")?)?;
    let fields = vec![
        ("fixed_ip_address", json!(fixed_address(world, found))),
        ("floating_ip_address", json!(found.address)),
        ("floating_network_id", json!(world.cloud().identifier("external"))),
        ("id", json!(found.id)),
        ("name", json!(found.address)),
        ("port_id", json!(found.port)),
        ("project_id", json!(world.cloud().identifier("project"))),
        ("status", json!(if found.port.is_some() { "ACTIVE" } else { "DOWN" })),
    ];
    one(fields, form(options), &columns(options), Missing::None)
}

fn floating_set(world: &mut World, _: &HostName, options: &Options) -> Changed {
    let id = floating(world, first(options, "<floating-ip>")?)?.id.clone();
    let port = options.value("--port").ok_or("error: the following arguments are required: --port")?;
    world.associate(&id, port).map_err(|why| refused(&why))?;
    Ok(Reply::default().into())
}

fn floating_unset(world: &mut World, _: &HostName, options: &Options) -> Changed {
    let id = floating(world, first(options, "<floating-ip>")?)?.id.clone();
    if options.has("--port") {
        world.disassociate(&id).map_err(|why| refused(&why))?;
    }
    Ok(Reply::default().into())
}
