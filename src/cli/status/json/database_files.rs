//! The files of a host that name its applications' database server, in the status JSON.

use serde::Serialize;

use jumpdeck_fleet::database_address::{NamedServer, NamingFile};
use jumpdeck_fleet::topology::identity::host_named;

use crate::cli::status::gather::Picture;

/// A file, and what it names.
#[derive(Debug, Serialize)]
pub(crate) struct DatabaseFileStatus {
    file: String,
    servers: Option<Vec<NamedServerStatus>>,
    errors: Vec<String>,
}

/// A server that a file names.
#[derive(Debug, Serialize)]
pub(crate) struct NamedServerStatus {
    name: String,
    address: Option<String>,
    host: Option<String>,
}

pub(super) fn status(picture: &Picture, file: &NamingFile) -> DatabaseFileStatus {
    let server = |server: &NamedServer| NamedServerStatus {
        name: server.word.to_string(),
        address: server.address().map(|address| address.to_string()),
        host: host_named(&picture.env, &picture.hosts, server).map(ToString::to_string),
    };
    DatabaseFileStatus {
        file: file.file.to_string(),
        servers: file.servers.as_ref().ok().map(|servers| servers.iter().map(server).collect()),
        errors: file.servers.as_ref().err().map(|gap| gap.describe()).into_iter().collect(),
    }
}
