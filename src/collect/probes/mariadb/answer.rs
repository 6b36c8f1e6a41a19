//! The client's batch output, taken apart: parts after rows that name them, rows after header lines, and the errors of
//! standard error, each with its part.

use std::rc::Rc;

use crate::collect::probe::unreadable;
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::text::Clean;

/// The first rows: proof that the client prints as it was asked to, whatever its option files say.
const PROOF: &str = "jumpdeck\nas\\tbatch\n";

/// What to do where it does not. The options are those that no option of the command line undoes.
const PRINTS_OTHERWISE: &str = "the client prints in another format: remove silent, verbose, tee, execute and one-database from \
    its option files (my.cnf)";

/// The columns of a row that names the next part.
const MARKER: &str = "jd_part\tjd_line";

/// The column of a statement that was not asked, as an earlier one of its kind hangs in the server.
const HANGS: &str = "jd_hangs";

/// The line before standard error.
const STDERR: &str = "\n@stderr\n";

/// The line where the host cut the answer, by our limit, and what is in place of a value that is too long.
const CUT: &str = "@cut";
const CUT_VALUE: &str = "\\jd-cut ";

/// Rows of one statement that are read. A master with more replicas than this does not exist; an answer that is longer
/// would make the console hold, judge and draw it with every report.
const MAX_ROWS: usize = 1_000;

/// At most this many characters of an error are kept.
const MAX_SAID: usize = 300;

/// One row. The rows of a statement share the names of its columns: a name that is copied into every row lets an answer
/// of 240 kB take gigabytes.
pub(super) struct ResultRow {
    columns: Rc<[String]>,
    /// One for each column.
    values: Vec<AnswerValue>,
}

enum AnswerValue {
    Null,
    Text(String),
    /// Longer than we read: its length.
    Cut(u64),
}

impl ResultRow {
    fn value(&self, column: &str) -> Option<&AnswerValue> {
        let at = self.columns.iter().position(|name| name == column)?;
        self.values.get(at)
    }

    /// The value of a column; `None` for NULL, for one that was cut and for a column that is not there.
    pub(super) fn get(&self, column: &str) -> Option<&str> {
        match self.value(column)? {
            AnswerValue::Text(text) => Some(text),
            AnswerValue::Null | AnswerValue::Cut(_) => None,
        }
    }

    /// The gap of a value that is longer than we read.
    pub(super) fn cut(&self, column: &str) -> Option<Gap> {
        match self.value(column)? {
            AnswerValue::Cut(length) => {
                Some(Gap::Cut(Clean::new(&format!("{length} bytes; jumpdeck reads 24 KiB of a value"))))
            }
            AnswerValue::Null | AnswerValue::Text(_) => None,
        }
    }
}

struct AnswerPart {
    name: String,
    line: u32,
    body: Result<Vec<ResultRow>, Gap>,
    /// Another part follows: all of this one has arrived.
    is_whole: bool,
}

struct StatementSaid {
    line: Option<u32>,
    gap: Gap,
}

/// What a run of the client printed, by statement.
pub(super) struct ClientAnswer {
    status: u8,
    parts: Vec<AnswerPart>,
    errors: Vec<StatementSaid>,
    /// What else standard error says, when the client failed.
    complaint: Option<Gap>,
    /// The client ended, and all of its standard error is here.
    is_complete: bool,
    is_cut: bool,
    prints_otherwise: bool,
}

impl ClientAnswer {
    pub(super) fn read(status: u8, text: &str) -> Self {
        let (output, stderr) = match text.rsplit_once(STDERR) {
            Some((output, stderr)) => (output, Some(stderr)),
            None => (text, None),
        };
        let output = without_tee(output.trim_start_matches('\n'));
        let proved = output.strip_prefix(PROOF);
        let said = stderr.unwrap_or_default();
        let (parts, is_cut) = parts(proved.unwrap_or_default());
        Self {
            status,
            parts,
            errors: said.lines().filter_map(error).collect(),
            complaint: match (stderr, status) {
                // Not even begun: the shell names the tool that it lacks.
                (None, 127) => Some(Gap::NoTool(Clean::first_line(text, MAX_SAID))),
                (None, 123) => Some(Gap::Stuck),
                (Some(_), _) | (None, _) => complaint(said),
            },
            is_complete: stderr.is_some() && status != 124,
            is_cut,
            prints_otherwise: proved.is_none() && !output.trim().is_empty() && stderr.is_some(),
        }
    }

    /// The rows of one statement, which have at least these columns.
    ///
    /// # Errors
    /// Why there are none to read: refused, failed, hung, cut, or not in the format that was asked for.
    pub(super) fn part(&self, name: &str, columns: &[&str]) -> Result<&[ResultRow], Gap> {
        if self.prints_otherwise {
            return Err(unreadable(PRINTS_OTHERWISE));
        }
        let Some(part) = self.parts.iter().find(|p| p.name == name) else { return Err(self.missing()) };
        if let Some(error) = self.errors.iter().find(|e| e.line == Some(part.line)) {
            return Err(error.gap.clone());
        }
        if !part.is_whole {
            return Err(self.missing());
        }
        let rows = match &part.body {
            Ok(rows) => rows,
            Err(gap) => return Err(gap.clone()),
        };
        match rows.first() {
            // A refused statement prints nothing either: only the end of standard error tells.
            None if !self.is_complete => Err(self.missing()),
            None => match self.errors.iter().find(|e| e.line.is_none()) {
                Some(error) => Err(error.gap.clone()),
                None => Ok(rows),
            },
            Some(first) if first.columns.iter().any(|c| c == HANGS) => Err(Gap::TimedOut),
            Some(first) if columns.iter().all(|c| first.columns.iter().any(|have| have == c)) => Ok(rows),
            Some(_) => Err(unreadable(PRINTS_OTHERWISE)),
        }
    }

    /// Whether a statement of this name was asked at all.
    pub(super) fn asked(&self, name: &str) -> bool {
        self.parts.iter().any(|p| p.name == name)
    }

    /// Why a part did not come: what the client said last, or its limit.
    fn missing(&self) -> Gap {
        if self.is_cut {
            return Gap::Cut(Clean::new(
                "the server's answer is longer than the 120 KiB that jumpdeck reads",
            ));
        }
        if self.status == 124 {
            return Gap::TimedOut;
        }
        if let Some(error) = self.errors.first() {
            return error.gap.clone();
        }
        match (&self.complaint, self.status) {
            (Some(gap), _) => gap.clone(),
            (None, 0) if self.parts.is_empty() => unreadable(PRINTS_OTHERWISE),
            (None, 0) => unreadable("the server's answer ended before this part"),
            (None, 126 | 127) => Gap::NoTool(Clean::new("the client could not be started")),
            (None, status) => Gap::Failed(Clean::new(&format!("the client ended with status {status}"))),
        }
    }
}

/// The client tells first that it writes to the file of the option `tee`; it does so before that can be undone.
fn without_tee(output: &str) -> &str {
    match output.split_once('\n') {
        Some((first, rest)) if first.starts_with("Logging to file '") => rest,
        Some(_) | None => output,
    }
}

fn parts(output: &str) -> (Vec<AnswerPart>, bool) {
    let mut raw: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut is_cut = false;
    let mut lines = output.lines();
    while let Some(line) = lines.next() {
        if line == MARKER {
            raw.push((lines.next().unwrap_or_default(), Vec::new()));
        } else if line == CUT {
            is_cut = true;
        } else if let Some((_, body)) = raw.last_mut() {
            body.push(line);
        }
    }
    let last = raw.len().saturating_sub(1);
    let parts = raw.into_iter().enumerate().filter_map(|(at, (row, body))| {
        let (name, line) = row.split_once('\t')?;
        let line = line.parse().ok()?;
        // The last part may have been cut short: only a row after it proves that it is whole.
        let is_whole = at != last;
        let body = if is_whole { rows(&body) } else { Ok(Vec::new()) };
        Some(AnswerPart { name: name.to_owned(), line, body, is_whole })
    });
    (parts.collect(), is_cut)
}

fn rows(body: &[&str]) -> Result<Vec<ResultRow>, Gap> {
    let mut lines = body.iter().filter(|l| !l.is_empty());
    let Some(header) = lines.next() else { return Ok(Vec::new()) };
    let columns: Rc<[String]> = header.split('\t').map(one_language).collect();
    let mut found = Vec::new();
    for line in lines {
        if found.len() == MAX_ROWS {
            let limit = format!("the server's answer has more than {MAX_ROWS} rows: jumpdeck reads no more");
            return Err(Gap::Cut(Clean::new(&limit)));
        }
        let values: Vec<AnswerValue> = line.split('\t').map(value).collect();
        if values.len() != columns.len() {
            return Err(unreadable(&format!("{} values in {} columns: {line}", values.len(), columns.len())));
        }
        found.push(ResultRow { columns: Rc::clone(&columns), values });
    }
    if found.is_empty() {
        // A statement without rows prints no header.
        return Err(unreadable(PRINTS_OTHERWISE));
    }
    Ok(found)
}

fn value(printed: &str) -> AnswerValue {
    if printed == "NULL" {
        return AnswerValue::Null;
    }
    // The client doubles every backslash of a value, so this is ours.
    match printed.strip_prefix(CUT_VALUE).and_then(|length| length.parse().ok()) {
        Some(length) => AnswerValue::Cut(length),
        None => AnswerValue::Text(unescape(printed)),
    }
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

/// A line `ERROR 1227 (42000) at line 5: Access denied; …`.
///
/// Refusals, by the servers' lists of error codes: access denied to the server (1045, 1698), the database (1044), the
/// host (1130), a command or column (1142, 1143), for want of a privilege (1227), an expired password (1820, 1862).
/// Limits: `max_statement_time` (1969), `max_execution_time` (3024).
fn error(line: &str) -> Option<StatementSaid> {
    let rest = line.strip_prefix("ERROR ")?;
    let number: u32 = rest.split([' ', ':']).next()?.parse().ok()?;
    let said = Clean::first_line(line, MAX_SAID);
    let at = rest.split_once(':').map_or(rest, |(head, _)| head).split_once(" at line ");
    let gap = match number {
        1044 | 1045 | 1130 | 1142 | 1143 | 1227 | 1698 | 1820 | 1862 => Gap::NotPermitted(said),
        1969 | 3024 => Gap::TimedOut,
        _ => Gap::Failed(said),
    };
    Some(StatementSaid { line: at.and_then(|(_, line)| line.trim().parse().ok()), gap })
}

/// What a client that failed without an error of the server complains of: its own line before sudo's, and no warning.
fn complaint(stderr: &str) -> Option<Gap> {
    let lines: Vec<&str> =
        stderr.lines().map(str::trim).filter(|l| !l.is_empty() && !is_warning(l)).collect();
    let (sudo, others): (Vec<&str>, Vec<&str>) = lines.into_iter().partition(|l| l.starts_with("sudo:"));
    if let Some(line) = others.first() {
        return Some(Gap::Failed(Clean::first_line(line, MAX_SAID)));
    }
    sudo.first().map(|line| Gap::NotPermitted(Clean::first_line(line, MAX_SAID)))
}

/// Lines that say nothing of the server: of sudo, the shell, the loader and the client.
fn is_warning(line: &str) -> bool {
    let lower = line.to_ascii_lowercase();
    [
        "unable to resolve host",
        "[warning]",
        "warning:",
        "using a password on the command line",
        "setlocale",
        "cannot change locale",
        "ld.so:",
        "deprecated",
        "insecure",
    ]
    .iter()
    .any(|word| lower.contains(word))
}

#[cfg(test)]
mod tests;
