//! `neutron`, with the words of python-neutronclient 2.4 (2015).

use serde_json::{Value, json};

use crate::cloud::{CloudError, Server, Status};
use crate::program::Reply;
use crate::program::quick::{failure, output};
use crate::world::World;
use jumpdeck_fleet::names::HostName;

use super::options::Options;
use super::table::{Listing, Missing, one};
use super::{Answer, Tool, now};

pub(crate) static NEUTRON: Tool = Tool { name: "neutron", run };

fn run(world: &mut World, _: &HostName, args: &[String]) -> Answer {
    let (Some(command), rest) = (args.first(), args.get(1..).unwrap_or_default()) else {
        return failure(2, "usage: neutron [--version] [-v] [-q] <subcommand> ...").into();
    };
    let valued = ["-f", "--format", "-c", "--column", "--fixed-ip-address", "--device-id", "--device_id"];
    let options = match Options::parse(rest, &["-q", "--quiet", "-D"], &valued) {
        Ok(options) => options,
        Err(what) => return failure(2, &format!("neutron {command}: error: {what}")).into(),
    };
    let form = options.value("-f").or(options.value("--format")).unwrap_or("table");
    let columns: Vec<&str> = options.values("-c").chain(options.values("--column")).collect();
    let printed = match command.as_str() {
        "floatingip-list" => addresses(world).print(form, &columns, Missing::Blank),
        "port-list" => ports(world, options.value("--device-id")).print(form, &columns, Missing::Blank),
        "floatingip-show" => match options.word(0).and_then(|id| floating(world, id)) {
            Some(fields) => one(fields, form, &columns, Missing::Blank),
            None => Err(no_floating(options.word(0))),
        },
        "port-show" => match options.word(0).and_then(|id| port(world, id)) {
            Some(fields) => one(fields, form, &columns, Missing::Blank),
            None => Err(format!("Unable to find port with name '{}'", options.word(0).unwrap_or_default())),
        },
        "floatingip-associate" => return associate(world, &options).into(),
        "floatingip-disassociate" => return disassociate(world, &options).into(),
        other => return failure(2, &format!("Unknown command [u'{other}']")).into(),
    };
    match printed {
        Ok(text) => output(text).into(),
        Err(what) => failure(1, &what).into(),
    }
}

fn no_floating(id: Option<&str>) -> String {
    format!("Unable to find floatingip with id '{}'", id.unwrap_or_default())
}

fn addresses(world: &World) -> Listing {
    let cloud = world.cloud();
    let rows = cloud.floating_ips().iter().map(|f| {
        let server = f.port.as_deref().and_then(|port| cloud.server_of_port(port));
        // What is not there is an empty text in its lists, in JSON, too.
        let fixed = server.map(|s| s.address.as_str()).unwrap_or_default();
        vec![json!(f.id), json!(fixed), json!(f.address), json!(f.port.as_deref().unwrap_or_default())]
    });
    Listing { heads: vec!["id", "fixed_ip_address", "floating_ip_address", "port_id"], rows: rows.collect() }
}

/// The fixed addresses of a port as this program prints them: JSON in a string.
fn fixed(world: &World, server: &Server) -> Value {
    let subnet = world.cloud().identifier("subnet");
    json!(format!(r#"{{"subnet_id": "{subnet}", "ip_address": "{}"}}"#, server.address))
}

fn ports(world: &World, device: Option<&str>) -> Listing {
    let servers = world.cloud().servers(now(world)).filter(|s| s.deleted_at.is_none());
    let rows = servers
        .filter(|s| device.is_none_or(|device| s.id == device))
        .map(|s| vec![json!(s.port), json!(""), json!(s.mac), fixed(world, s)]);
    Listing { heads: vec!["id", "name", "mac_address", "fixed_ips"], rows: rows.collect() }
}

fn floating(world: &World, id: &str) -> Option<Vec<(&'static str, Value)>> {
    let cloud = world.cloud();
    let found = cloud.floating_ips().iter().find(|f| f.id == id)?;
    let server = found.port.as_deref().and_then(|port| cloud.server_of_port(port));
    let status = if found.port.is_some() { "ACTIVE" } else { "DOWN" };
    Some(vec![
        ("fixed_ip_address", json!(server.map(|s| &s.address))),
        ("floating_ip_address", json!(found.address)),
        ("floating_network_id", json!(cloud.identifier("external"))),
        ("id", json!(found.id)),
        ("port_id", json!(found.port)),
        ("router_id", json!(server.map(|_| cloud.identifier("router")))),
        ("status", json!(status)),
        ("tenant_id", json!(cloud.identifier("project"))),
    ])
}

fn port(world: &World, id: &str) -> Option<Vec<(&'static str, Value)>> {
    let at = now(world);
    let server = world.cloud().servers(at).find(|s| s.port == id && s.deleted_at.is_none())?;
    let status = if server.status(at) == Status::Active { "ACTIVE" } else { "DOWN" };
    Some(vec![
        ("admin_state_up", json!(true)),
        ("device_id", json!(server.id)),
        ("device_owner", json!("compute:iad-1")),
        ("fixed_ips", fixed(world, server)),
        ("id", json!(server.port)),
        ("mac_address", json!(server.mac)),
        ("name", json!("")),
        ("network_id", json!(world.cloud().identifier("private-network"))),
        ("security_groups", json!(server.security_groups.join("\n"))),
        ("status", json!(status)),
        ("tenant_id", json!(world.cloud().identifier("project"))),
    ])
}

fn refused(why: &CloudError) -> Reply {
    failure(
        1,
        &match why {
            CloudError::Missing { kind: "port", name } => format!("Port {name} could not be found."),
            CloudError::Missing { name, .. } => format!("Floating IP {name} could not be found."),
            other => other.to_string(),
        },
    )
}

fn associate(world: &mut World, options: &Options) -> Reply {
    let (Some(id), Some(port)) = (options.word(0), options.word(1)) else {
        return failure(2, "neutron floatingip-associate: error: too few arguments");
    };
    match world.associate(id, port) {
        Ok(()) => output(format!("Associated floating IP {id}\n")),
        Err(why) => refused(&why),
    }
}

fn disassociate(world: &mut World, options: &Options) -> Reply {
    let Some(id) = options.word(0) else {
        return failure(2, "neutron floatingip-disassociate: error: too few arguments");
    };
    match world.disassociate(id) {
        Ok(()) => output(format!("Disassociated floating IP {id}\n")),
        Err(why) => refused(&why),
    }
}
