//! The status table for spreadsheets (CSV) and for notes and tickets (Markdown): the cells are those of the table.
//! What keeps text from elsewhere harmless in both: `operator::export`.

use super::gather::Picture;
use super::table;
use crate::operator::export::{literal, markdown_row, no_formula};

/// The titles of a row's columns: the state, then those that may be chosen.
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
pub(super) fn csv(
    pictures: &[Picture],
    taken_at: &str,
    chosen: Option<&[&'static str]>,
) -> std::io::Result<String> {
    let mut out = csv::Writer::from_writer(Vec::new());
    let places = table::places(chosen, COLUMNS.len());
    out.write_record(["TAKEN AT", "ENVIRONMENT", "FLEET"].iter().chain(&titles(&places)))?;
    for picture in pictures {
        let fleet = if picture.simulated { "simulated" } else { "real" };
        let lead = [taken_at.to_owned(), picture.env.name.to_string(), fleet.to_owned()];
        for row in rows(picture, &places) {
            out.write_record(lead.iter().cloned().chain(row).map(|cell| no_formula(&cell)))?;
        }
    }
    let bytes = out.into_inner().map_err(|error| std::io::Error::other(error.to_string()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A heading, a table and the problems of each environment.
pub(super) fn markdown(pictures: &[Picture], taken_at: &str, chosen: Option<&[&'static str]>) -> String {
    let mut out = String::new();
    let places = table::places(chosen, COLUMNS.len());
    for (at, picture) in pictures.iter().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        let heading = table::heading(picture, false);
        out.push_str(&format!("## {}\n\n{}\n\n", literal(heading.trim_end()), literal(taken_at)));
        out.push_str(&markdown_row(titles(&places).into_iter().map(str::to_owned)));
        out.push_str(&markdown_row(places.iter().map(|_| "---".to_owned())));
        for row in host_rows(picture, &places) {
            out.push_str(&markdown_row(row.iter().map(|cell| literal(cell))));
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

/// The titles at those places.
fn titles(places: &[usize]) -> Vec<&'static str> {
    places.iter().filter_map(|at| COLUMNS.get(*at).copied()).collect()
}

/// The hosts, then what concerns no single one.
fn rows(picture: &Picture, places: &[usize]) -> impl Iterator<Item = Vec<String>> {
    let all = picture.problems.iter().filter(|problem| problem.host.is_none()).map(|problem| {
        let cell = |at: &usize| match *at {
            0 => table::sign(problem.severity).to_owned(),
            at if at + 1 == COLUMNS.len() => problem.message.clone(),
            _ => String::new(),
        };
        places.iter().map(cell).collect()
    });
    host_rows(picture, places).chain(all)
}

fn host_rows(picture: &Picture, places: &[usize]) -> impl Iterator<Item = Vec<String>> {
    picture.hosts.iter().map(|host| {
        let cells = table::whole_row(picture, host);
        places.iter().filter_map(|at| cells.get(*at)).map(|cell| cell.trim().to_owned()).collect()
    })
}

#[cfg(test)]
mod tests;
