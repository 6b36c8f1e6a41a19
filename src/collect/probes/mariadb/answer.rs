//! The client's batch output, taken apart: parts after marker rows, rows after header lines, errors among them.

use crate::collect::probe::unreadable;
use crate::domain::fact::Gap;
use crate::domain::text::Clean;

/// The column of a marker row.
const MARKER: &str = "jd_part";

/// One row: column name and value, `None` for NULL.
pub(super) type Row = Vec<(String, Option<String>)>;

/// What a run of the client printed, by statement.
pub(super) struct Answer {
    parts: Vec<(String, Result<Vec<Row>, Gap>)>,
}

impl Answer {
    pub(super) fn read(text: &str) -> Self {
        let mut parts: Vec<(String, Vec<&str>)> = Vec::new();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if line == MARKER {
                parts.push((lines.next().unwrap_or_default().to_owned(), Vec::new()));
            } else if let Some((_, body)) = parts.last_mut() {
                body.push(line);
            }
        }
        // The last part may have been cut short: only a marker after it proves that it is whole.
        parts.pop();
        Self { parts: parts.into_iter().map(|(name, body)| (name, rows(&body))).collect() }
    }

    /// The rows of one statement.
    ///
    /// # Errors
    /// Why there are none to read: refused, failed, cut short.
    pub(super) fn part(&self, name: &str) -> Result<&[Row], Gap> {
        let part = self.parts.iter().find(|(n, _)| n == name);
        match part {
            Some((_, Ok(rows))) => Ok(rows),
            Some((_, Err(gap))) => Err(gap.clone()),
            None => Err(unreadable("the server's answer ends before this")),
        }
    }
}

fn rows(body: &[&str]) -> Result<Vec<Row>, Gap> {
    if let Some(gap) = body.iter().find_map(|l| error_gap(l)) {
        return Err(gap);
    }
    let mut lines = body.iter().filter(|l| !l.is_empty());
    let Some(header) = lines.next() else { return Ok(Vec::new()) };
    let columns: Vec<String> = header.split('\t').map(one_language).collect();
    let mut found = Vec::new();
    for line in lines {
        let values: Vec<&str> = line.split('\t').collect();
        if values.len() != columns.len() {
            return Err(unreadable(&format!("{} values in {} columns: {line}", values.len(), columns.len())));
        }
        let values = values.into_iter().map(|v| (v != "NULL").then(|| unescape(v)));
        found.push(columns.iter().cloned().zip(values).collect());
    }
    Ok(found)
}

/// A column name in one language for all versions: `Slave_IO_Running`, `Replica_IO_Running` → `replica_io_running`.
fn one_language(column: &str) -> String {
    column.to_ascii_lowercase().replace("master", "source").replace("slave", "replica")
}

/// Undoes the batch format's escapes.
fn unescape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('0') => out.push('\0'),
            Some(other) => out.push(other),
            None => out.push('\\'),
        }
    }
    out
}

/// The gap of a line `ERROR 1227 (42000) at line 5: Access denied; …`.
///
/// Refusals, by the servers' lists of error codes: access denied to the server (1045, 1698), the database (1044), the
/// host (1130), a command or column (1142, 1143), for want of a privilege (1227), an expired password (1820, 1862).
pub(super) fn error_gap(line: &str) -> Option<Gap> {
    let number: u32 = line.strip_prefix("ERROR ")?.split([' ', ':']).next()?.parse().ok()?;
    let said = Clean::first_line(line, 200);
    Some(match number {
        1044 | 1045 | 1130 | 1142 | 1143 | 1227 | 1698 | 1820 | 1862 => Gap::NotPermitted(said),
        _ => Gap::Failed(said),
    })
}
