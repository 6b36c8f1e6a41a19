//! The name of a role, wherever an inventory has one.

use jumpdeck_fleet::names::RoleName;

use crate::config::reader::{At, Reader};

/// A role's name.
pub(super) fn role_name(reader: &mut Reader, name: &At<&str>) -> Option<RoleName> {
    match RoleName::new(name.value) {
        Ok(role) => Some(role),
        Err(error) => {
            reader.error(name.span.clone(), error.to_string(), "write a role such as db or memcache");
            None
        }
    }
}
