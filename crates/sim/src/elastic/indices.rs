//! Indices, their shards' copies, and how healthy the cluster is with them.

use super::Elastic;

/// Where a copy is. Nodes are told by their number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Place {
    /// Nowhere; its data lie on the last node that had it.
    Unassigned {
        /// That node.
        last: Option<usize>,
    },
    /// Being recovered.
    Initializing {
        /// Where.
        node: usize,
        /// Until then.
        until: f64,
    },
    /// Served.
    Started {
        /// Where.
        node: usize,
    },
    /// Served, and moving.
    Relocating {
        /// From there.
        from: usize,
        /// To there.
        to: usize,
        /// Until then.
        until: f64,
    },
}

/// One copy of a shard.
#[derive(Debug, Clone, PartialEq)]
pub struct Copy {
    /// The shard's number.
    pub shard: u32,
    /// Whether it is the primary.
    pub primary: bool,
    /// Where it is.
    pub place: Place,
}

/// An index.
#[derive(Debug, Clone, PartialEq)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// How many primaries.
    pub shards: u32,
    /// Copies of each primary.
    pub replicas: u32,
    /// Documents.
    pub documents: u64,
    /// MB of one shard.
    pub megabytes: u64,
    /// Whether it is open.
    pub open: bool,
    /// Its shards' copies.
    pub copies: Vec<Copy>,
}

/// Green, yellow, red.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// A primary is not served.
    Red,
    /// A replica is not served.
    Yellow,
    /// Everything is.
    Green,
}

/// What `_cluster/health` counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Health {
    /// The status.
    pub status: Status,
    /// Nodes.
    pub nodes: usize,
    /// Primaries that are served.
    pub primaries: usize,
    /// Copies that are served.
    pub active: usize,
    /// Copies that move.
    pub relocating: usize,
    /// Copies that are recovered.
    pub initializing: usize,
    /// Copies that are nowhere.
    pub unassigned: usize,
}

impl Status {
    /// As it is written.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Red => "red",
            Self::Yellow => "yellow",
            Self::Green => "green",
        }
    }
}

impl Place {
    /// The node that serves it or is about to.
    #[must_use]
    pub fn node(self) -> Option<usize> {
        match self {
            Self::Unassigned { .. } => None,
            Self::Initializing { node, .. } | Self::Started { node } => Some(node),
            Self::Relocating { from, .. } => Some(from),
        }
    }

    /// Whether it is served.
    #[must_use]
    pub fn is_active(self) -> bool {
        matches!(self, Self::Started { .. } | Self::Relocating { .. })
    }

    /// Whether the node holds it or is getting it.
    pub(super) fn concerns(self, number: usize) -> bool {
        match self {
            Self::Unassigned { .. } => false,
            Self::Initializing { node, .. } | Self::Started { node } => node == number,
            Self::Relocating { from, to, .. } => from == number || to == number,
        }
    }
}

impl Index {
    pub(super) fn new(name: &str, shards: u32, documents: u64, megabytes: u64) -> Self {
        let copy = |shard| Copy { shard, primary: true, place: Place::Unassigned { last: None } };
        Self {
            name: name.to_owned(),
            shards,
            replicas: 0,
            documents,
            megabytes,
            open: true,
            copies: (0..shards).map(copy).collect(),
        }
    }

    /// Sets how many copies each primary has.
    pub(super) fn set_replicas(&mut self, replicas: u32) {
        for shard in 0..self.shards {
            let mut kept = 0;
            self.copies.retain(|copy| {
                if copy.primary || copy.shard != shard {
                    return true;
                }
                kept += 1;
                kept <= replicas
            });
            for _ in kept..replicas {
                self.copies.push(Copy { shard, primary: false, place: Place::Unassigned { last: None } });
            }
        }
        self.replicas = replicas;
    }

    /// The health of this index alone.
    #[must_use]
    pub fn status(&self) -> Status {
        let missing =
            |primary: bool| self.copies.iter().any(|c| c.primary == primary && !c.place.is_active());
        match (missing(true), missing(false)) {
            (true, _) => Status::Red,
            (false, true) => Status::Yellow,
            (false, false) => Status::Green,
        }
    }
}

impl Elastic {
    /// Health, now.
    #[must_use]
    pub fn health(&self) -> Health {
        let open = || self.indices.iter().filter(|index| index.open);
        let count =
            |wanted: &dyn Fn(&Copy) -> bool| open().flat_map(|i| &i.copies).filter(|c| wanted(c)).count();
        Health {
            status: open().map(Index::status).min().unwrap_or(Status::Green),
            nodes: self.members().count(),
            primaries: count(&|c| c.primary && c.place.is_active()),
            active: count(&|c| c.place.is_active()),
            relocating: count(&|c| matches!(c.place, Place::Relocating { .. })),
            initializing: count(&|c| matches!(c.place, Place::Initializing { .. })),
            unassigned: count(&|c| matches!(c.place, Place::Unassigned { .. })),
        }
    }

    /// The indices that names, separated by commas, mean: `_all`, `*`, and names with `*` at the end.
    #[must_use]
    pub fn named(&self, names: &str) -> Vec<String> {
        let all = names.is_empty() || names == "_all" || names == "*";
        let means = |index: &Index| {
            all || names.split(',').any(|name| match name.strip_suffix('*') {
                Some(start) => index.name.starts_with(start),
                None => index.name == name,
            })
        };
        self.indices.iter().filter(|index| means(index)).map(|index| index.name.clone()).collect()
    }

    /// Opens or closes an index; false when there is none.
    pub fn open(&mut self, name: &str, open: bool) -> bool {
        let Some(index) = self.indices.iter_mut().find(|index| index.name == name) else { return false };
        if index.open != open {
            index.open = open;
            // What was closed is read from the disks again.
            for copy in &mut index.copies {
                copy.place = Place::Unassigned { last: copy.place.node().or(last(copy.place)) };
            }
        }
        true
    }

    /// Leaves an index that number of documents, as after a deletion by mistake; false when there is no such index.
    pub fn keep_documents(&mut self, name: &str, documents: u64) -> bool {
        let index = self.indices.iter_mut().find(|index| index.name == name);
        index.map(|index| index.documents = documents).is_some()
    }

    /// Sets how many copies an index's primaries have; false when there is none.
    pub fn set_replicas(&mut self, name: &str, replicas: u32) -> bool {
        let index = self.indices.iter_mut().find(|index| index.name == name);
        index.map(|index| index.set_replicas(replicas)).is_some()
    }

    /// Deletes an index; false when there is none.
    pub fn delete_index(&mut self, name: &str) -> bool {
        let before = self.indices.len();
        self.indices.retain(|index| index.name != name);
        self.indices.len() < before
    }
}

fn last(place: Place) -> Option<usize> {
    match place {
        Place::Unassigned { last } => last,
        _ => None,
    }
}
