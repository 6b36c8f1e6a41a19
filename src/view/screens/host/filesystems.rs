//! Every filesystem of a host, none left out.

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::view::scene::{Scene, ShownFact};
use crate::view::text::{span, tail};
use crate::view::widgets::bar;
use jumpdeck_fleet::fact::{Fact, Gap};
use jumpdeck_fleet::snapshot::HostSnapshot;
use jumpdeck_fleet::storage::{Filesystem, human_kb, human_signed_kb};
use jumpdeck_fleet::time::{Freshness, short_age};

use super::{HostPage, cells};

/// The widths of a page's columns.
#[derive(Clone, Copy)]
struct Widths {
    mount: usize,
    bar: u16,
    fstype: usize,
    device: usize,
}

impl Widths {
    /// Sizes, percentages and the spaces between columns.
    const FIGURES: usize = 32;

    /// Mounts and devices share what figures leave; neither takes more than it needs while the other lacks.
    fn of(host: &HostSnapshot, width: u16) -> Self {
        let widest = |of: fn(&Filesystem) -> &str, least: usize, most: usize| {
            host.facts.all_filesystems().map(|f| of(f).width()).max().unwrap_or(0).clamp(least, most)
        };
        let (bar, type_most) = if width < 100 { (9, 8) } else { (15, 14) };
        let fstype = widest(|f| f.fstype.as_ref().map_or("?", |t| t.as_str()), 4, type_most);
        let room = usize::from(width).saturating_sub(Self::FIGURES + usize::from(bar) + fstype);
        let (mount, device) = (widest(|f| f.mount.as_str(), 5, 80), widest(|f| f.device.as_str(), 6, 80));
        let mount = mount.min(room.saturating_sub(device).max(room / 2)).max(5);
        Self { mount, bar, fstype, device: room.saturating_sub(mount) }
    }
}

pub(super) fn lines<'a>(page: &mut HostPage<'a>, scene: &Scene<'a>, host: &'a HostSnapshot) {
    page.section("FILESYSTEMS");
    let facts = &host.facts;
    let w = Widths::of(host, page.width);
    let (mount, bar, fstype) = (w.mount, usize::from(w.bar), w.fstype);
    let title = format!(
        "{:<mount$}  {:>5} {:>5} {:>5}  {:<bar$} {:>6}  {:<fstype$} {}",
        "mount", "size", "used", "avail", "in use", "inodes", "type", "device"
    );
    if facts.all_filesystems().next().is_some() {
        page.plain(span(title, scene.styles.title));
    }
    section(page, scene, host, &facts.filesystems, w, "local filesystems");
    section(page, scene, host, &facts.network_filesystems, w, "network filesystems");
}

fn section<'a>(
    page: &mut HostPage<'a>,
    scene: &Scene<'a>,
    host: &'a HostSnapshot,
    fact: &'a Fact<Vec<Filesystem>>,
    widths: Widths,
    what: &str,
) {
    match scene.shown(host, fact) {
        ShownFact::Value(list, freshness) => {
            for filesystem in list {
                page.plain(line(scene, filesystem, freshness, widths));
                page.lines.extend(growth(scene, host, filesystem));
                if let Some(words) = deleted_files(scene, host, filesystem) {
                    page.plain(words);
                }
            }
        }
        ShownFact::Gap(gap) => page.plain(span(format!("{what}: {}", gap.describe()), scene.styles.unknown)),
        ShownFact::Expired if fact.last().is_none_or(Vec::is_empty) => {}
        ShownFact::Expired => {
            page.plain(span(format!("?  {what}, last known:"), scene.styles.unknown));
            let from = page.lines.len();
            for filesystem in fact.last().into_iter().flatten() {
                page.plain(line(scene, filesystem, Freshness::Stale, widths));
            }
            page.dim(from, scene.styles.stale);
        }
    }
}

/// How fast it fills, below its line.
fn growth<'a>(scene: &Scene<'a>, host: &HostSnapshot, f: &Filesystem) -> Option<Line<'a>> {
    let (growth, usage) = (host.growth_of(f)?, f.usage.as_ref().ok()?);
    let says = growth.describe(usage)?;
    let is_a_problem = growth.is_a_problem(usage, &scene.env.spec.thresholds);
    let style = if is_a_problem { scene.styles.warning } else { scene.styles.muted };
    Some(span(format!("  {says}, seen for {}", short_age(growth.span)), style).into())
}

/// Deleted files that are still open on a filesystem that is nearly full.
fn deleted_files<'a>(scene: &Scene<'a>, host: &'a HostSnapshot, f: &Filesystem) -> Option<Line<'a>> {
    let ShownFact::Value(all, freshness) = scene.shown(host, &host.facts.deleted_files) else { return None };
    match &all.iter().find(|one| !f.remote && one.mount == f.mount)?.held {
        Ok(held) if held.files == 0 => None,
        Ok(held) => {
            let style = scene.styles.figure(None, freshness);
            Some(Line::from(span(format!("  {}", held.words()), style)))
        }
        Err(gap) => Some(Line::from(span(
            format!("  deleted files that are still open: {}", gap.describe()),
            scene.styles.unknown,
        ))),
    }
}

fn line<'a>(scene: &Scene<'a>, f: &'a Filesystem, freshness: Freshness, w: Widths) -> Line<'a> {
    let styles = scene.styles;
    let plain = styles.figure(None, freshness);
    let mount = tail(f.mount.as_str(), w.mount);
    let mut spans = vec![span(mount, plain.patch(bold(styles.strong, freshness))), Span::raw("  ")];
    match &f.usage {
        Ok(u) => {
            let sizes = format!(
                "{:>5} {:>5} {:>5}  ",
                human_kb(u.size_kb),
                human_kb(u.used_kb),
                human_signed_kb(u.available_kb)
            );
            spans.push(span(sizes, plain));
            let limits = &scene.env.spec.thresholds;
            let style = styles.figure(cells::at_or_above(u.use_percent, limits.disk), freshness);
            match u.use_percent {
                Some(percent) => spans.extend(bar::with_percent(f64::from(percent), w.bar, style, styles)),
                None => {
                    spans.push(span(format!("{:>width$}", "–", width = usize::from(w.bar)), styles.muted))
                }
            }
            let inodes = u.inodes_use_percent.map_or_else(|| "–".to_owned(), |p| format!("{p}%"));
            let style = match cells::at_or_above(u.inodes_use_percent, limits.inodes) {
                None => styles.muted,
                severity => styles.figure(severity, freshness),
            };
            spans.push(span(format!(" {inodes:>6}  "), style));
        }
        Err(gap) => {
            let style = if *gap == Gap::TimedOut { styles.critical } else { styles.unknown };
            let width = 28 + usize::from(w.bar) - 2;
            spans.push(span(fit(&gap.describe(), width), style));
            spans.push(Span::raw("  "));
        }
    }
    let fstype = f.fstype.as_ref().map_or("?", |t| t.as_str());
    spans.push(span(format!("{} ", fit(fstype, w.fstype)), styles.muted));
    let device = tail(f.device.as_str(), w.device);
    spans.push(span(device.trim_end().to_owned(), styles.muted));
    Line::from(spans)
}

/// Text in exactly that many columns; what is cut off at the right shows as `…`.
fn fit(text: &str, width: usize) -> String {
    let mut out = String::new();
    let mut used = 0;
    for grapheme in unicode_segmentation::UnicodeSegmentation::graphemes(text, true) {
        let last = used + grapheme.width() == width && out.len() + grapheme.len() == text.len();
        if used + grapheme.width() > width.saturating_sub(1) && !last {
            out.push('…');
            used += 1;
            break;
        }
        out.push_str(grapheme);
        used += grapheme.width();
    }
    out.push_str(&" ".repeat(width.saturating_sub(used)));
    out
}

fn bold(strong: Style, freshness: Freshness) -> Style {
    if freshness == Freshness::Fresh { strong } else { Style::default() }
}

#[cfg(test)]
mod tests {
    use super::fit;

    #[test]
    fn text_is_cut_only_where_it_must_be() {
        assert_eq!(fit("ext4", 6), "ext4  ");
        assert_eq!(fit("ext4", 4), "ext4");
        assert_eq!(fit("fuse.glusterfs", 8), "fuse.gl…");
    }
}
