//! What the jump box says before it lets anybody in, on the page of the host that is the jump box. It names the environment in the
//! words of those who run it.

use crate::view::scene::Scene;
use crate::view::text::span;
use jumpdeck_fleet::snapshot::HostSnapshot;

use super::HostPage;

pub(super) fn lines<'a>(page: &mut HostPage<'a>, scene: &Scene<'a>, host: &HostSnapshot) {
    let jump = &scene.env.jump;
    if *jump.in_use() != host.id.host || jump.banner.iter().all(|line| line.is_empty()) {
        return;
    }
    page.section("BANNER");
    for line in &jump.banner {
        page.plain(span(line.as_str(), scene.styles.muted));
    }
}
