//! A look at a host, for people: a table.

use super::LookSite;
use crate::cli::terminal::paper::{Ink, Paper};
use jumpdeck_fleet::look::{HostLook, LookContent, MountRoom};
use jumpdeck_fleet::storage::{human_kb, human_signed_kb};
use jumpdeck_fleet::time::short_age;

/// Which columns lean to the right.
type Leaning = &'static [bool];

/// The whole answer.
pub(super) fn render(paper: &mut Paper, site: &LookSite, look: &HostLook) -> String {
    let (titles, leaning, rows, summary) = table(&look.content);
    let mut all = vec![titles.iter().map(|title| (*title).to_owned()).collect()];
    all.extend(rows);
    for (at, line) in aligned(&all, leaning).into_iter().enumerate() {
        let ink = if at == 0 { Ink::Dim } else { Ink::Plain };
        paper.command(0, ink, "", &line);
    }
    paper.gap();
    for note in &look.notes {
        paper.words(0, Ink::Warn, note.as_str());
    }
    let simulated = if site.simulated { "SIMULATED " } else { "" };
    paper.words(0, Ink::Bold, &format!("{simulated}{} ({}): {summary}", site.host, site.env.name));
    paper.take()
}

fn table(content: &LookContent) -> (&'static [&'static str], Leaning, Vec<Vec<String>>, String) {
    match content {
        LookContent::Processes(table) => {
            let mut rows: Vec<_> = table.rows.iter().collect();
            rows.sort_by(|a, b| {
                let cpu = |cpu: Option<f32>| cpu.unwrap_or(-1.0);
                cpu(b.cpu).total_cmp(&cpu(a.cpu)).then(b.memory_kb.cmp(&a.memory_kb)).then(a.pid.cmp(&b.pid))
            });
            let row = |row: &jumpdeck_fleet::look::RunningProcess| {
                vec![
                    row.cpu.map_or_else(|| "?".to_owned(), |cpu| format!("{cpu:.1}%")),
                    row.memory_kb.map_or_else(|| "-".to_owned(), human_kb),
                    row.user.as_ref().map_or_else(|| "?".to_owned(), ToString::to_string),
                    row.pid.to_string(),
                    short_age(std::time::Duration::from_secs(row.seconds)),
                    row.state_word().to_owned(),
                    row.name.to_string(),
                ]
            };
            let summary = if rows.len() < table.count {
                format!(
                    "{} processes; listed are the {} that use most CPU or memory",
                    table.count,
                    rows.len()
                )
            } else {
                format!("{} processes", table.count)
            };
            (
                &["CPU", "MEMORY", "USER", "PID", "TIME", "STATE", "NAME"],
                &[true, true, false, true, true, false, false],
                rows.into_iter().map(row).collect(),
                summary,
            )
        }
        LookContent::Ports(ports) => {
            let row = |port: &jumpdeck_fleet::look::ListeningPort| {
                let queue = port.queue.map_or_else(
                    || "-".to_owned(),
                    |(waiting, room)| {
                        format!("{waiting}/{}", room.map_or_else(|| "?".to_owned(), |room| room.to_string()))
                    },
                );
                let (protocol, address) = (port.protocol.word().to_owned(), port.address.to_string());
                vec![protocol, port.port.to_string(), address, queue, port.owner.words()]
            };
            (
                &["", "PORT", "ADDRESS", "QUEUE", "LISTENS"],
                &[false, true, false, true, false],
                ports.iter().map(row).collect(),
                format!("{} listening ports", ports.len()),
            )
        }
        LookContent::Mounts(mounts) => {
            let row = |mount: &jumpdeck_fleet::look::MountedHere| {
                let [used, left, size] = match mount.room {
                    MountRoom::Known(usage) => [
                        usage.use_percent.map_or_else(|| "-".to_owned(), |percent| format!("{percent}%")),
                        human_signed_kb(usage.available_kb),
                        human_kb(usage.size_kb),
                    ],
                    MountRoom::Unknown => ["?", "?", "?"].map(str::to_owned),
                    MountRoom::NotAsked => ["-", "-", "-"].map(str::to_owned),
                };
                let mode = if mount.is_read_only() { "ro" } else { "rw" };
                let (fstype, device) = (mount.fstype.to_string(), mount.device.to_string());
                vec![mount.mount.to_string(), used, left, size, fstype, mode.to_owned(), device]
            };
            (
                &["MOUNT", "USED", "LEFT", "SIZE", "TYPE", "", "DEVICE"],
                &[false, true, true, true, false, false, false],
                mounts.iter().map(row).collect(),
                format!("{} mounts", mounts.len()),
            )
        }
    }
}

/// Rows as lines, each column as wide as its widest cell.
fn aligned(rows: &[Vec<String>], leaning: Leaning) -> Vec<String> {
    use unicode_width::UnicodeWidthStr;
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max();
    let widths: Vec<usize> = (0..leaning.len()).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let mut line = String::new();
        for ((cell, width), to_right) in row.iter().zip(&widths).zip(leaning) {
            let pad = " ".repeat(width.saturating_sub(cell.width()));
            let cell = if *to_right { format!("{pad}{cell}") } else { format!("{cell}{pad}") };
            line.push_str(&cell);
            line.push_str("  ");
        }
        line.trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [vec!["CPU".to_owned(), "NAME".to_owned()], vec!["100.0%".to_owned(), "日本".to_owned()]];
        assert_eq!(aligned(&rows, &[true, false]), ["   CPU  NAME", "100.0%  日本"]);
    }
}
