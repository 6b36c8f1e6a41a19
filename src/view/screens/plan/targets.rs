//! A plan's targets; and of each host what the inventory says, and what the host says of itself.

use ratatui::text::Span;
use unicode_width::UnicodeWidthStr;

use crate::view::scene::Scene;
use crate::view::signs::Status;
use crate::view::text::{cut, span};
use crate::view::widgets::page::Page;
use jumpdeck_fleet::run::{Differs, PlanHost, PlanTarget, PlanView};

pub(super) fn add(page: &mut Page<'_>, scene: &Scene<'_>, plan: &PlanView, width: u16) {
    if plan.targets.is_empty() {
        return;
    }
    let styles = scene.styles;
    page.section("TARGETS", "");
    let hosts_of = |target: &PlanTarget| {
        let names: Vec<&str> = target.hosts.iter().map(|host| host.name.as_str()).collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let note = target.note.as_ref().map_or_else(String::new, |n| format!(" ({n})"));
        format!("{names}{note}")
    };
    let told: Vec<String> = plan.targets.iter().map(hosts_of).collect();
    let rows: Vec<(&str, &str)> =
        plan.targets.iter().zip(&told).map(|(t, hosts)| (t.name.as_str(), hosts.as_str())).collect();
    page.table(&rows, styles.base);
    let hosts = plan.hosts();
    let longest = |text: &dyn Fn(&PlanHost) -> usize| hosts.iter().map(|h| text(h)).max().unwrap_or(0);
    let name = longest(&|h| h.name.as_str().width()).clamp(5, 24);
    let room = usize::from(width).saturating_sub(name + 7);
    let inventory = longest(&|h| inventory(h).width()).clamp(14, (room / 2).max(14));
    let columns = (name, inventory, room.saturating_sub(inventory + 1));
    page.gap();
    page.line(vec![
        span(fit(" HOSTS", name + 5), styles.title),
        span(fit("INVENTORY SAYS", inventory + 2), styles.title),
        span("THE HOST SAYS", styles.title),
    ]);
    for host in hosts {
        add_host(page, scene, host, columns);
    }
}

fn add_host(page: &mut Page<'_>, scene: &Scene<'_>, host: &PlanHost, columns: (usize, usize, usize)) {
    let styles = scene.styles;
    let found = host.differences();
    // A host that has no such grain leaves nothing unknown: the inventory's word counts.
    let quiet = host.hostname.is_ok() && found.iter().all(|d| d.how == Differs::Silent);
    let status = |how: Differs| match how {
        Differs::Silent if host.hostname.is_ok() => Status::NotWatched,
        Differs::More => Status::Warning,
        Differs::Silent => Status::Unknown,
        Differs::Unsaid => Status::Ok,
        Differs::Other => Status::Critical,
    };
    let worst = found.iter().map(|d| status(d.how)).max().unwrap_or(Status::Ok);
    let told: Vec<&str> = found.iter().map(|d| d.text.as_str()).collect();
    let told = match (told.is_empty(), quiet) {
        (true, _) => "the same".to_owned(),
        (false, true) => format!("the same; {}", told.join("; ")),
        (false, false) => told.join("; "),
    };
    // What does not fit stands below, whole: it may be the reason not to begin.
    let fits = told.width() <= columns.2;
    let said = if worst == Status::Ok { styles.muted } else { styles.status(worst) };
    page.line(vec![
        span(format!("  {} ", worst.sign()), styles.status(worst)),
        span(fit(host.name.as_str(), columns.0 + 1), styles.strong),
        span(fit(&inventory(host), columns.1 + 2), styles.base),
        Span::styled(if fits { told } else { "see below".to_owned() }, said),
    ]);
    for difference in found.iter().filter(|_| !fits) {
        let status = status(difference.how);
        page.signed(4, status.sign(), &difference.text, styles.status(status));
    }
}

fn inventory(host: &PlanHost) -> String {
    format!("{}  {}  {}", host.roles.0, host.level.0, host.address)
}

/// Text in exactly that many columns.
fn fit(text: &str, width: usize) -> String {
    let text = cut(text, width.saturating_sub(1));
    let pad = width.saturating_sub(text.width());
    format!("{text}{}", " ".repeat(pad))
}
