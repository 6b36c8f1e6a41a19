//! `_cat`: tables for people.

use crate::elastic::{Elastic, Place};
use crate::web::exchange::{Request, Response};
use crate::world::World;

use super::refused;

/// A table: its columns (those named with `true` stand at the right), and its rows.
struct Table {
    heads: Vec<(&'static str, bool)>,
    rows: Vec<Vec<String>>,
}

pub(crate) fn table(world: &mut World, what: &str, request: &Request) -> Response {
    let loads: Vec<_> = world.machines().map(|m| (m.name.clone(), world.load(&m.name))).collect();
    let elastic = world.elastic();
    let table = match what {
        "health" => health(elastic),
        "indices" => indices(elastic),
        "master" => master(elastic),
        "nodes" => nodes(elastic, |host| {
            let load = loads.iter().find(|(name, _)| name == host).and_then(|(_, load)| *load);
            load.map_or_else(String::new, |[one, ..]| format!("{one:.2}"))
        }),
        "shards" => shards(elastic),
        _ => return Response::text(400, format!("No handler found for uri [/_cat/{what}] and method [GET]")),
    };
    match table.print(request) {
        Some(text) => Response::text(200, text),
        None => refused(400, "ElasticsearchIllegalArgumentException[unknown column]"),
    }
}

impl Table {
    /// With a line of heads for `v`, and only the columns that `h` names.
    fn print(mut self, request: &Request) -> Option<String> {
        if let Some(wanted) = request.parameter("h") {
            let places: Vec<usize> = wanted
                .split(',')
                .map(|name| self.heads.iter().position(|(head, _)| *head == name))
                .collect::<Option<_>>()?;
            self.heads = places.iter().filter_map(|place| self.heads.get(*place).copied()).collect();
            for row in &mut self.rows {
                *row = places.iter().filter_map(|place| row.get(*place).cloned()).collect();
            }
        }
        if request.flag("v") {
            self.rows.insert(0, self.heads.iter().map(|(head, _)| (*head).to_owned()).collect());
        }
        let width = |column: usize| self.rows.iter().filter_map(|row| row.get(column)).map(String::len).max();
        let widths: Vec<usize> = (0..self.heads.len()).map(|column| width(column).unwrap_or(0)).collect();
        let mut text = String::new();
        for row in &self.rows {
            for ((cell, (_, right)), width) in row.iter().zip(&self.heads).zip(&widths) {
                text.push_str(&if *right { format!("{cell:>width$} ") } else { format!("{cell:<width$} ") });
            }
            text.push('\n');
        }
        Some(text)
    }
}

fn size(megabytes: u64) -> String {
    format!("{megabytes}mb")
}

fn health(elastic: &Elastic) -> Table {
    let health = elastic.health();
    let numbers = [
        health.nodes,
        health.nodes,
        health.active,
        health.primaries,
        health.relocating,
        health.initializing,
        health.unassigned,
    ];
    let mut row = vec![elastic.name.clone(), health.status.text().to_owned()];
    row.extend(numbers.map(|number| number.to_string()));
    Table {
        heads: vec![
            ("cluster", false),
            ("status", false),
            ("node.total", true),
            ("node.data", true),
            ("shards", true),
            ("pri", true),
            ("relo", true),
            ("init", true),
            ("unassign", true),
        ],
        rows: vec![row],
    }
}

fn master(elastic: &Elastic) -> Table {
    let row = |node: &crate::elastic::Node| {
        vec![node.id.clone(), node.name.clone(), node.address.clone(), node.name.clone()]
    };
    Table {
        heads: vec![("id", false), ("host", false), ("ip", false), ("node", false)],
        rows: elastic.members().take(1).map(row).collect(),
    }
}

fn nodes(elastic: &Elastic, load: impl Fn(&jumpdeck_fleet::names::HostName) -> String) -> Table {
    let rows = elastic.members().enumerate().map(|(number, node)| {
        vec![
            node.name.clone(),
            node.address.clone(),
            "41".to_owned(),
            "78".to_owned(),
            load(&node.host),
            "d".to_owned(),
            if number == 0 { "*" } else { "m" }.to_owned(),
            node.name.clone(),
        ]
    });
    Table {
        heads: vec![
            ("host", false),
            ("ip", false),
            ("heap.percent", true),
            ("ram.percent", true),
            ("load", true),
            ("node.role", false),
            ("master", false),
            ("name", false),
        ],
        rows: rows.collect(),
    }
}

fn indices(elastic: &Elastic) -> Table {
    let rows = elastic.indices().iter().map(|index| {
        let counts = [index.shards, index.replicas].map(|n| n.to_string());
        let state = if index.open { "open" } else { "close" };
        let health = if index.open { index.status().text() } else { "" };
        let held = u64::try_from(index.copies.iter().filter(|c| c.place.is_active()).count()).unwrap_or(0);
        let mut row = vec![health.to_owned(), state.to_owned(), index.name.clone()];
        row.extend(if index.open { counts } else { Default::default() });
        row.extend(if index.open {
            let primaries = index.megabytes * u64::from(index.shards);
            [index.documents.to_string(), "0".to_owned(), size(index.megabytes * held), size(primaries)]
        } else {
            Default::default()
        });
        row
    });
    Table {
        heads: vec![
            ("health", false),
            ("status", false),
            ("index", false),
            ("pri", true),
            ("rep", true),
            ("docs.count", true),
            ("docs.deleted", true),
            ("store.size", true),
            ("pri.store.size", true),
        ],
        rows: rows.collect(),
    }
}

fn shards(elastic: &Elastic) -> Table {
    let mut rows = Vec::new();
    for index in elastic.indices().iter().filter(|index| index.open) {
        let mut copies: Vec<_> = index.copies.iter().collect();
        copies.sort_by_key(|copy| (copy.shard, !copy.primary));
        for copy in copies {
            let of = |number: usize| elastic.node(number).map(|n| (n.address.clone(), n.name.clone()));
            let (state, (ip, name)) = match copy.place {
                Place::Unassigned { .. } => ("UNASSIGNED", Default::default()),
                Place::Initializing { node, .. } => ("INITIALIZING", of(node).unwrap_or_default()),
                Place::Started { node } => ("STARTED", of(node).unwrap_or_default()),
                Place::Relocating { from, to, .. } => {
                    let (ip, name) = of(from).unwrap_or_default();
                    let (to_ip, to_name) = of(to).unwrap_or_default();
                    ("RELOCATING", (ip, format!("{name} -> {to_ip} {to_name}")))
                }
            };
            let active = copy.place.is_active();
            let documents = (index.documents / u64::from(index.shards.max(1))).to_string();
            rows.push(vec![
                index.name.clone(),
                copy.shard.to_string(),
                if copy.primary { "p" } else { "r" }.to_owned(),
                state.to_owned(),
                if active { documents } else { String::new() },
                if active { size(index.megabytes) } else { String::new() },
                ip,
                name,
            ]);
        }
    }
    Table {
        heads: vec![
            ("index", false),
            ("shard", false),
            ("prirep", false),
            ("state", false),
            ("docs", true),
            ("store", true),
            ("ip", false),
            ("node", false),
        ],
        rows,
    }
}
