//! The status table for spreadsheets (CSV) and for notes and tickets (Markdown): the cells are those of the table.
//!
//! Text that came from elsewhere is hostile in both. A spreadsheet takes a cell that begins with `=`, `+`, `-`, `@`, a tab or a carriage
//! return for a formula, quoted or not: such a cell gets an apostrophe before it (CWE-1236, OWASP ASVS 1.2.10). In Markdown every
//! character with a meaning is escaped, and links are not made.

use super::gather::Picture;
use super::table;
use jumpdeck_fleet::problem::Problem;

/// The columns of both, the table's.
const COLUMNS: [&str; 11] = [
    "STATE",
    "HOST",
    "ROLES",
    "LOAD 1",
    "LOAD 5",
    "LOAD 15",
    "MEMORY",
    "DISK",
    "REPLICATION",
    "AGE",
    "WORST PROBLEM",
];

/// A line for each host, and one for each problem of an environment that is about no single host. When it was taken, and whether the
/// fleet is a simulated one, is in every line: lines are sorted, cut and pasted.
///
/// # Errors
/// When the text cannot be built.
pub(super) fn csv(pictures: &[Picture], taken_at: &str) -> std::io::Result<String> {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(["TAKEN AT", "ENVIRONMENT", "FLEET"].iter().chain(&COLUMNS))?;
    for picture in pictures {
        let fleet = if picture.simulated { "simulated" } else { "real" };
        let lead = [taken_at.to_owned(), picture.env.name.to_string(), fleet.to_owned()];
        for row in rows(picture) {
            out.write_record(lead.iter().cloned().chain(row).map(|cell| no_formula(&cell)))?;
        }
    }
    let bytes = out.into_inner().map_err(|error| std::io::Error::other(error.to_string()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A heading, a table and the problems of each environment.
pub(super) fn markdown(pictures: &[Picture], taken_at: &str) -> String {
    let mut out = String::new();
    for (at, picture) in pictures.iter().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        let heading = table::heading(picture, false);
        out.push_str(&format!("## {}\n\n{}\n\n", literal(heading.trim_end()), literal(taken_at)));
        out.push_str(&line(COLUMNS.map(str::to_owned)));
        out.push_str(&line(COLUMNS.map(|_| "---".to_owned())));
        for row in host_rows(picture) {
            out.push_str(&line(row.map(|cell| literal(&cell))));
        }
        if !picture.problems.is_empty() {
            out.push('\n');
        }
        for problem in &picture.problems {
            let host = problem.host.as_ref().map_or(picture.env.name.as_str(), |host| host.as_str());
            let word = problem.severity.word();
            out.push_str(&format!("- {word}: {}: {}\n", literal(host), literal(&problem.message)));
        }
    }
    out
}

fn line(cells: [String; COLUMNS.len()]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

/// The hosts, then what concerns no single one.
fn rows(picture: &Picture) -> impl Iterator<Item = [String; COLUMNS.len()]> {
    let all = picture.problems.iter().filter(|problem| problem.host.is_none()).map(|problem| {
        let mut row: [String; COLUMNS.len()] = Default::default();
        let [state, .., message] = &mut row;
        (*state, *message) = (table::sign(problem.severity).to_owned(), problem.message.clone());
        row
    });
    host_rows(picture).chain(all)
}

fn host_rows(picture: &Picture) -> impl Iterator<Item = [String; COLUMNS.len()]> {
    picture.hosts.iter().map(|host| {
        let concerns = |problem: &&Problem| problem.concerns(&host.id.host);
        let worst = picture.problems.iter().filter(concerns).max_by_key(|problem| problem.severity);
        let message = worst.map_or(String::new(), |problem| problem.message.clone());
        let mut cells = table::row(picture, host).into_iter().chain([message]);
        std::array::from_fn(|_| cells.next().unwrap_or_default().trim().to_owned())
    })
}

/// A cell that a spreadsheet takes for text.
pub(in crate::cli) fn no_formula(cell: &str) -> String {
    // One character alone is none.
    if cell.len() > 1 && cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

/// A text that Markdown shows as it is. Text from elsewhere has no line ends (`Clean`).
fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for (at, c) in text.char_indices() {
        let after = text.get(at + 1..).unwrap_or_default();
        // What makes an address into a link.
        let links = (c == ':' && after.starts_with('/')) || (c == '.' && out.to_lowercase().ends_with("www"));
        if links || "\\`*_[]<>|~&$^#@".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests;
