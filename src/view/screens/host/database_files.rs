//! The database servers that the files of a host's applications name.

use crate::view::scene::{Scene, ShownFact};
use jumpdeck_fleet::database_address::NamingFile;
use jumpdeck_fleet::snapshot::HostSnapshot;
use jumpdeck_fleet::topology::identity::host_named;

use super::HostPage;

pub(super) fn lines<'a>(page: &mut HostPage<'a>, scene: &Scene<'a>, host: &'a HostSnapshot) {
    let styles = scene.styles;
    let fact = &host.facts.database_files;
    match scene.shown(host, fact) {
        ShownFact::Value(files, _) => files.iter().for_each(|file| one(page, scene, file)),
        ShownFact::Gap(gap) => {
            page.wrapped("db named", &format!("? {}", gap.describe_access()), styles.unknown)
        }
        ShownFact::Expired => {
            let from = page.lines.len();
            fact.last().into_iter().flatten().for_each(|file| one(page, scene, file));
            page.dim(from, styles.stale);
        }
    }
}

fn one(page: &mut HostPage<'_>, scene: &Scene<'_>, file: &NamingFile) {
    let styles = scene.styles;
    match &file.servers {
        Ok(servers) => {
            let each =
                servers.iter().map(|server| match host_named(&scene.env.spec, &scene.env.hosts, server) {
                    Some(name) => format!("{name} ({})", server.words()),
                    None => server.words(),
                });
            let names = each.collect::<Vec<_>>().join(", ");
            page.wrapped("db named", &format!("{names}, by {}", file.file), styles.base);
        }
        Err(gap) => {
            let text = format!("? {} {}", file.file, gap.describe_access());
            page.wrapped("db named", &text, styles.unknown);
        }
    }
}
