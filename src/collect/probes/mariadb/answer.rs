//! The client's batch output, taken apart: parts after marker rows, rows after header lines, errors among them.

use std::rc::Rc;

use crate::collect::probe::unreadable;
use crate::domain::fact::Gap;
use crate::domain::text::Clean;

/// The column of a marker row.
const MARKER: &str = "jd_part";

/// Rows of one statement that are read. A master with more replicas than this does not exist; an answer that is longer
/// would make the console hold, judge and draw it with every report.
const MAX_ROWS: usize = 1_000;

/// One row. The rows of a statement share the names of its columns: a name that is copied into every row lets an answer
/// of 240 kB take gigabytes.
pub(super) struct Row {
    columns: Rc<[String]>,
    /// One for each column; `None` for NULL.
    values: Vec<Option<String>>,
}

impl Row {
    /// The value of a column; `None` for NULL and for a column that is not there.
    pub(super) fn get(&self, column: &str) -> Option<&str> {
        let at = self.columns.iter().position(|name| name == column)?;
        self.values.get(at)?.as_deref()
    }
}

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
    let columns: Rc<[String]> = header.split('\t').map(one_language).collect();
    let mut found = Vec::new();
    for line in lines {
        if found.len() == MAX_ROWS {
            let limit = format!("the server's answer has more than {MAX_ROWS} rows: jumpdeck reads no more");
            return Err(unreadable(&limit));
        }
        let values: Vec<&str> = line.split('\t').collect();
        if values.len() != columns.len() {
            return Err(unreadable(&format!("{} values in {} columns: {line}", values.len(), columns.len())));
        }
        let values = values.into_iter().map(|v| (v != "NULL").then(|| unescape(v))).collect();
        found.push(Row { columns: Rc::clone(&columns), values });
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    fn part(header: &str, rows: usize) -> Answer {
        Answer::read(&format!("jd_part\nvariables\n{header}\n{}jd_part\nend\n", "x\n".repeat(rows)))
    }

    #[test]
    fn rows_share_the_names_of_their_columns() {
        let answer = part(&"A".repeat(100_000), 900);
        let rows = answer.part("variables").unwrap_or_else(|gap| panic!("{}", gap.describe()));
        assert_eq!(rows.len(), 900);
        let first = rows.first().unwrap();
        assert!(rows.iter().all(|row| Rc::ptr_eq(&row.columns, &first.columns)));
        assert_eq!(first.get(&"a".repeat(100_000)), Some("x"));
    }

    #[test]
    fn more_rows_than_are_read_are_told_as_our_own_limit() {
        assert_eq!(part("a", MAX_ROWS).part("variables").map(<[Row]>::len), Ok(MAX_ROWS));
        let Err(Gap::Unreadable(said)) = part("a", MAX_ROWS + 1).part("variables").map(<[Row]>::len) else {
            panic!("not refused")
        };
        assert!(said.as_str().contains("1000 rows") && said.as_str().contains("jumpdeck"), "{said}");
    }
}
