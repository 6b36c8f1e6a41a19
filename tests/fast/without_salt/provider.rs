//! What a person does on the provider's pages, and to a new server.

use std::time::Duration;

use jumpdeck_fleet::names::HostName;
use jumpdeck_sim::cloud::{CloudError, Order};
use jumpdeck_sim::sshd::host_key_fingerprint;
use jumpdeck_sim::world::World;

use super::fleet::below;
use super::{Does, Hand};

/// What a person does on the provider's pages to replace app1.
pub(super) const PROVIDER: &[Hand] = &[
    Hand("Build the new", Does::Orders(|world| build(world, "app1", None))),
    Hand("The host key of the new", Does::Orders(|world| console_print(world, "app1"))),
    Hand("Stop the old", Does::Orders(|world| old_server(world, "app1", World::stop_server))),
    Hand("Delete the old", Does::Orders(|world| old_server(world, "app1", World::delete_server))),
];

/// The UUIDs of the servers of that name, the newest first.
pub(super) fn servers(world: &World, name: &str) -> Vec<String> {
    let now = world.now().as_secs_f64();
    world.cloud().servers(now).filter(|server| server.name == name).map(|server| server.id.clone()).collect()
}

/// A new server like the one of that name, set up as that one is: its services run, and its configuration is the old one's. Its address.
pub(super) fn build(world: &mut World, name: &str, user_data: Option<&str>) -> String {
    let like = world.cloud().find(name, world.now().as_secs_f64()).unwrap().clone();
    let order = Order {
        name: name.to_owned(),
        flavor: like.flavor,
        image: like.image,
        key_name: Some(like.key_name),
        security_groups: like.security_groups,
        user_data: user_data.map(str::to_owned),
    };
    let id = world.build_server(&order).unwrap();
    let new = world.cloud().find(&id, world.now().as_secs_f64()).unwrap().machine.clone().unwrap();
    world.advance(Duration::from_secs(30));
    for service in world.services(&new) {
        assert!(world.set_service(&new, service, true), "{service}");
    }
    let old = HostName::new(name).unwrap();
    let mut kept =
        ["/etc/hosts", "/etc/webplatform/db.ini", "/etc/webplatform/db.password"].map(str::to_owned).to_vec();
    kept.extend(below(world, &old, &["/srv"]));
    for path in kept {
        if let Some(text) = world.read_file(&old, &path) {
            world.write_file(&new, &path, text);
        }
    }
    address(world, name)
}

/// The address of the newest server of that name.
pub(super) fn address(world: &mut World, name: &str) -> String {
    let newest = servers(world, name).remove(0);
    world.cloud().find(&newest, world.now().as_secs_f64()).unwrap().address.clone()
}

/// The machine of the newest server of that name.
pub(super) fn newest(world: &World, name: &str) -> HostName {
    let id = servers(world, name).remove(0);
    world.cloud().find(&id, world.now().as_secs_f64()).unwrap().machine.clone().unwrap()
}

/// The fingerprint that the console of the newest server of that name shows.
pub(super) fn console_print(world: &mut World, name: &str) -> String {
    let machine = newest(world, name);
    host_key_fingerprint(world, &machine).unwrap()
}

/// An order about the oldest server of that name.
pub(super) fn old_server(
    world: &mut World,
    name: &str,
    order: fn(&mut World, &str) -> Result<(), CloudError>,
) -> String {
    let oldest = servers(world, name).pop().unwrap();
    order(world, &oldest).unwrap();
    oldest
}
