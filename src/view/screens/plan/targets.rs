//! A plan's targets: what the inventory says of each host, and what the host says of itself.

use ratatui::text::Span;
use unicode_width::UnicodeWidthStr;

use crate::domain::run::{PlanHost, PlanTarget};
use crate::domain::text::Clean;
use crate::view::scene::Scene;
use crate::view::signs::Status;
use crate::view::text::{cut, span};
use crate::view::widgets::page::Page;

pub(super) fn add(page: &mut Page<'_>, scene: &Scene<'_>, targets: &[PlanTarget], width: u16) {
    if targets.is_empty() {
        return;
    }
    let styles = scene.styles;
    let longest = targets.iter().flat_map(|t| &t.hosts).map(|h| h.name.as_str().len()).max().unwrap_or(0);
    let name = longest.clamp(10, 24);
    let room = usize::from(width).saturating_sub(name + 7);
    let columns = (name, room / 2, room - room / 2);
    page.gap();
    page.line(vec![
        span(fit(" TARGETS", name + 5), styles.title),
        span(fit("INVENTORY SAYS", columns.1 + 1), styles.title),
        span("THE HOST SAYS", styles.title),
    ]);
    for target in targets {
        let note = target.note.as_ref().map_or_else(String::new, |n| format!(", {n}"));
        let none = if target.hosts.is_empty() { ": no host" } else { "" };
        page.text(2, &format!("{}{none}{note}", target.name), styles.muted);
        for host in &target.hosts {
            add_host(page, scene, host, columns);
        }
    }
}

fn add_host(page: &mut Page<'_>, scene: &Scene<'_>, host: &PlanHost, columns: (usize, usize, usize)) {
    let styles = scene.styles;
    let found = findings(host);
    let status = match found.iter().map(|(status, _)| *status).max() {
        Some(status) => status,
        None => Status::Ok,
    };
    let (inventory, itself) = sides(host);
    let said = if status == Status::Ok { styles.base } else { styles.status(status) };
    page.line(vec![
        span(format!("  {} ", status.sign()), styles.status(status)),
        span(fit(host.name.as_str(), columns.0 + 1), styles.strong),
        span(fit(&inventory, columns.1 + 1), styles.base),
        Span::styled(cut(&itself, columns.2), said),
    ]);
    for (status, text) in found {
        page.signed(4, status.sign(), &text, styles.status(status));
    }
}

fn sides(host: &PlanHost) -> (String, String) {
    let said = |said: &Result<Clean, Clean>| said.as_ref().map_or("?", Clean::as_str).to_owned();
    let inventory = format!("{}  {}  {}", host.roles.0, host.level.0, host.address);
    let itself = format!("{}  {}  {}", said(&host.roles.1), said(&host.level.1), said(&host.hostname));
    (inventory, itself)
}

/// Where the two sources differ, or the host itself is silent.
fn findings(host: &PlanHost) -> Vec<(Status, String)> {
    let mut out = Vec::new();
    for (what, (inventory, itself)) in [("roles", &host.roles), ("level", &host.level)] {
        match itself {
            Err(why) => out.push((Status::Unknown, format!("{what} not told by the host: {why}"))),
            Ok(itself) if !same(inventory, itself) => {
                let text = format!("{what} differ: inventory says {inventory}, the host says {itself}");
                out.push((Status::Critical, text));
            }
            Ok(_) => {}
        }
    }
    match &host.hostname {
        Err(why) => out.push((Status::Unknown, format!("name not told by the host: {why}"))),
        Ok(own) if own.as_str().split('.').next() != Some(host.name.as_str()) => {
            out.push((Status::Critical, format!("it calls itself {own}")));
        }
        Ok(_) => {}
    }
    out
}

/// The same words, in whatever order.
fn same(a: &Clean, b: &Clean) -> bool {
    let words = |text: &Clean| {
        let mut words: Vec<String> = text
            .as_str()
            .split(|c: char| c.is_whitespace() || c == ',')
            .filter(|w| !w.is_empty())
            .map(str::to_owned)
            .collect();
        words.sort();
        words
    };
    words(a) == words(b)
}

/// Text in exactly that many columns.
fn fit(text: &str, width: usize) -> String {
    let text = cut(text, width.saturating_sub(1));
    let pad = width.saturating_sub(text.width());
    format!("{text}{}", " ".repeat(pad))
}
