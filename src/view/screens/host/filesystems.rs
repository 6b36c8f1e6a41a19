//! Every filesystem of a host, none left out.

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::domain::fact::Fact;
use crate::domain::snapshot::HostSnapshot;
use crate::domain::storage::{Filesystem, human_kb};
use crate::domain::time::Freshness;
use crate::view::scene::{Scene, Shown};
use crate::view::text::span;
use crate::view::widgets::bar;

use super::{Page, cells};

pub(super) fn lines<'a>(page: &mut Page<'a>, scene: &Scene<'a>, host: &'a HostSnapshot) {
    page.section("FILESYSTEMS");
    let facts = &host.facts;
    let widest = |of: fn(&Filesystem) -> &str, most: usize| {
        facts.all_filesystems().map(|f| of(f).width()).max().unwrap_or(0).clamp(6, most)
    };
    // Half of what figures leave goes to mounts, the rest to types and devices.
    let mount = widest(|f| f.mount.as_str(), (usize::from(page.width).saturating_sub(48) * 2 / 3).max(16));
    let title = format!(
        "{:<mount$}  {:>6} {:>6} {:>6}  {:<14} {:>6}  {:<8} {}",
        "mount", "size", "used", "avail", "in use", "inodes", "type", "device"
    );
    if facts.all_filesystems().next().is_some() {
        page.plain(span(title, scene.styles.title));
    }
    section(page, scene, host, &facts.filesystems, mount, "local filesystems");
    section(page, scene, host, &facts.network_filesystems, mount, "network filesystems");
}

fn section<'a>(
    page: &mut Page<'a>,
    scene: &Scene<'a>,
    host: &'a HostSnapshot,
    fact: &'a Fact<Vec<Filesystem>>,
    mount: usize,
    what: &str,
) {
    match scene.shown(host, fact) {
        Shown::Value(list, freshness) => {
            for filesystem in list {
                page.plain(line(scene, filesystem, freshness, mount));
            }
        }
        Shown::Gap(gap) => page.plain(span(format!("{what}: {}", gap.describe()), scene.styles.unknown)),
        Shown::Expired => {
            for filesystem in fact.last().into_iter().flatten() {
                let was = filesystem.usage.as_ref().ok().and_then(|u| u.use_percent);
                let was = was.map_or_else(String::new, |p| format!("   (was {p}%)"));
                page.plain(Line::from(vec![
                    span(fit(filesystem.mount.as_str(), mount), scene.styles.stale),
                    span("  ?", scene.styles.unknown),
                    span(was, scene.styles.stale),
                ]));
            }
        }
    }
}

fn line<'a>(scene: &Scene<'a>, f: &'a Filesystem, freshness: Freshness, mount: usize) -> Line<'a> {
    let styles = scene.styles;
    let plain = styles.figure(None, freshness);
    let mut spans = vec![
        span(fit(f.mount.as_str(), mount), plain.patch(bold(styles.strong, freshness))),
        Span::raw("  "),
    ];
    match &f.usage {
        Ok(u) => {
            let sizes = format!(
                "{:>6} {:>6} {:>6}  ",
                human_kb(u.size_kb),
                human_kb(u.used_kb),
                human_kb(u.available_kb)
            );
            spans.push(span(sizes, plain));
            let limits = &scene.env.spec.thresholds;
            let style = styles.figure(cells::at_or_above(u.use_percent, limits.disk), freshness);
            match u.use_percent {
                Some(percent) => spans.extend(bar::with_percent(f64::from(percent), 14, style, styles)),
                None => spans.push(span(format!("{:>14}", "–"), styles.muted)),
            }
            let inodes = u.inodes_use_percent.map_or_else(|| "–".to_owned(), |p| format!("{p}%"));
            let style = styles.figure(cells::at_or_above(u.inodes_use_percent, limits.inodes), freshness);
            let style = if style == styles.base { styles.muted } else { style };
            spans.push(span(format!(" {inodes:>6}  "), style));
        }
        Err(gap) => spans.push(span(format!("{:<44}", gap.describe()), styles.unknown)),
    }
    let fstype = f.fstype.as_ref().map_or("?", |t| t.as_str());
    spans.push(span(format!("{:<8} ", fstype), styles.muted));
    spans.push(span(f.device.as_str(), styles.muted));
    if f.remote {
        spans.push(span("  network", styles.muted));
    }
    Line::from(spans)
}

fn bold(strong: Style, freshness: Freshness) -> Style {
    if freshness == Freshness::Fresh { strong } else { Style::default() }
}

/// Text in exactly that many columns; what is cut off at the left shows as `…`, since paths differ at their ends.
fn fit(text: &str, width: usize) -> String {
    let have = text.width();
    if have <= width {
        return format!("{text}{}", " ".repeat(width - have));
    }
    let mut used = 1;
    let mut tail: Vec<&str> = unicode_segmentation::UnicodeSegmentation::graphemes(text, true)
        .rev()
        .take_while(|g| {
            used += g.width();
            used <= width
        })
        .collect();
    tail.reverse();
    let tail = tail.concat();
    let pad = width.saturating_sub(1 + tail.width());
    format!("…{tail}{}", " ".repeat(pad))
}

#[cfg(test)]
mod tests {
    use super::fit;

    #[test]
    fn paths_keep_their_ends() {
        assert_eq!(fit("/mnt", 6), "/mnt  ");
        assert_eq!(fit("/srv/webplatform/wiki", 10), "…form/wiki");
        assert_eq!(fit("/東京東京", 6), "…東京 ");
    }
}
