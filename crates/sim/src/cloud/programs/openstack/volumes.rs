//! `openstack server volume list`, `server add volume`, `server remove volume` and `volume list`.

use serde_json::json;

use crate::cloud::Server;
use crate::cloud::programs::options::Options;
use crate::cloud::volumes::Volume;
use crate::program::Reply;
use crate::world::World;
use jumpdeck_fleet::names::HostName;

use super::super::now;
use super::{Changed, first, list, refused};

fn server_of<'a>(world: &'a World, volume: &Volume) -> Option<&'a Server> {
    let machine = volume.machine.as_ref()?;
    world.cloud().servers(now(world)).find(|server| server.machine.as_ref() == Some(machine))
}

/// The volumes attached to a server.
pub(super) fn of_server(world: &World, options: &Options) -> Result<String, String> {
    let wanted = first(options, "<server>")?;
    let server = world.cloud().find(wanted, now(world)).map_err(|why| refused(&why))?;
    let own = |volume: &&Volume| volume.machine.is_some() && volume.machine == server.machine;
    let rows = world
        .volumes()
        .iter()
        .filter(own)
        .map(|volume| vec![json!(volume.id), json!(volume.device()), json!(server.id), json!(volume.id)]);
    list(&["ID", "Device", "Server ID", "Volume ID"], rows.collect(), options)
}

/// Every volume.
pub(super) fn list_all(world: &World, options: &Options) -> Result<String, String> {
    let rows = world.volumes().iter().map(|volume| {
        let at = server_of(world, volume);
        let status = if volume.machine.is_some() { "in-use" } else { "available" };
        let attached: Vec<_> = at
            .iter()
            .map(
                |server| json!({ "server_id": server.id, "volume_id": volume.id, "device": volume.device() }),
            )
            .collect();
        vec![json!(volume.id), json!(volume.name), json!(status), json!(volume.size_gb()), json!(attached)]
    });
    list(&["ID", "Name", "Status", "Size", "Attached to"], rows.collect(), options)
}

/// Attaches a volume.
pub(super) fn add(world: &mut World, _: &HostName, options: &Options) -> Changed {
    let (server, volume) = both(options)?;
    world.attach_volume(server, volume).map_err(|why| refused(&why))?;
    Ok(Reply::default().into())
}

/// Detaches a volume.
pub(super) fn remove(world: &mut World, _: &HostName, options: &Options) -> Changed {
    let (server, volume) = both(options)?;
    let (id, at) = {
        let server = world.cloud().find(server, now(world)).map_err(|why| refused(&why))?;
        let found = world.volumes().iter().find(|v| v.id == volume || v.name == volume);
        (server.id.clone(), found.and_then(|found| server_of(world, found)).map(|server| server.id.clone()))
    };
    if at.as_ref() != Some(&id) {
        return Err(format!("Volume {volume} is not attached to server {server} (HTTP 404)"));
    }
    world.order_detaching(volume).map_err(|why| refused(&why))?;
    Ok(Reply::default().into())
}

fn both(options: &Options) -> Result<(&str, &str), String> {
    let server = first(options, "<server>, <volume>")?;
    Ok((server, options.word(1).ok_or("error: the following arguments are required: <volume>")?))
}
