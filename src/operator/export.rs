//! Tables as CSV, JSON and Markdown, for the console and the command line; and into files.
//!
//! Text that came from elsewhere is hostile in all of them. A spreadsheet takes a cell that begins with `=`, `+`, `-`, `@`, a tab or a
//! carriage return for a formula, quoted or not: such a cell gets an apostrophe before it (CWE-1236, OWASP ASVS 1.2.10). In Markdown
//! every character with a meaning is escaped, and links are not made.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jumpdeck_fleet::table::{PlainTable, TableFormat};

/// A table as text.
///
/// # Errors
/// When the text cannot be built.
pub fn table_text(table: &PlainTable, format: TableFormat) -> io::Result<String> {
    match format {
        TableFormat::Csv => csv_text(table),
        TableFormat::Json => json_text(table),
        TableFormat::Markdown => Ok(markdown_text(table)),
    }
}

/// When it was taken, and of what, is in every line: lines are sorted, cut and pasted.
fn csv_text(table: &PlainTable) -> io::Result<String> {
    let mut out = csv::Writer::from_writer(Vec::new());
    let titles =
        ["TAKEN AT", "ENVIRONMENT", "FLEET"].into_iter().chain(table.titles.iter().map(String::as_str));
    out.write_record(titles)?;
    for row in &table.rows {
        let lead = [&table.taken_at, &table.environment, fleet(table)];
        out.write_record(lead.into_iter().chain(row.iter().map(String::as_str)).map(no_formula))?;
    }
    let bytes = out.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn json_text(table: &PlainTable) -> io::Result<String> {
    let row = |row: &Vec<String>| {
        let cells = table.titles.iter().zip(row);
        serde_json::Value::Object(cells.map(|(title, cell)| (title.clone(), cell.clone().into())).collect())
    };
    let document = serde_json::json!({
        "taken_at": table.taken_at,
        "environment": table.environment,
        "fleet": fleet(table),
        "screen": table.screen,
        "filter": table.filter,
        "paused_for": table.paused,
        "columns": table.titles,
        "rows": table.rows.iter().map(row).collect::<Vec<_>>(),
    });
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

fn markdown_text(table: &PlainTable) -> String {
    let simulated = if table.simulated { "  SIMULATED" } else { "" };
    let heading = format!("{}  {}{simulated}", table.environment.to_uppercase(), table.screen);
    let mut out = format!("## {}\n\n{}\n", literal(&heading), literal(&table.taken_at));
    if let Some(paused) = &table.paused {
        out.push_str(&format!("\nPAUSED for {}: newer reports are not in it.\n", literal(paused)));
    }
    if !table.filter.is_empty() {
        out.push_str(&format!("\nFilter: {}\n", literal(&table.filter)));
    }
    out.push('\n');
    out.push_str(&markdown_row(table.titles.iter().map(|title| literal(title))));
    out.push_str(&markdown_row(table.titles.iter().map(|_| "---".to_owned())));
    for row in &table.rows {
        out.push_str(&markdown_row(row.iter().map(|cell| literal(cell))));
    }
    out
}

fn fleet(table: &PlainTable) -> &'static str {
    if table.simulated { "simulated" } else { "real" }
}

/// A row of a table in Markdown; its cells are escaped.
pub fn markdown_row(cells: impl Iterator<Item = String>) -> String {
    format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
}

/// A cell that a spreadsheet takes for text.
#[must_use]
pub fn no_formula(cell: &str) -> String {
    // One character alone is none.
    if cell.len() > 1 && cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

/// A text that Markdown shows as it is. Text from elsewhere has no line ends (`Clean`).
#[must_use]
pub fn literal(text: &str) -> String {
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

/// The file that a name means: below the home folder with `~/`, else in the current one.
#[must_use]
pub fn export_path(name: &str, home: &Path) -> PathBuf {
    match name.strip_prefix("~/") {
        Some(below) => home.join(below),
        None => std::path::absolute(name).unwrap_or_else(|_| PathBuf::from(name)),
    }
}

/// Writes a text into a new file, for nobody else to read. A file that exists stays as it is.
///
/// # Errors
/// What the system says, or that there is such a file.
pub fn write_new(path: &Path, text: &str) -> Result<(), String> {
    let shown = path.display();
    let mut file = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(format!("{shown} exists, and is not replaced: choose another name"));
        }
        Err(error) => return Err(format!("{shown}: {error}")),
    };
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|error| {
        // Half of it would be taken for all.
        let _ = fs::remove_file(path);
        format!("{shown}: {error}")
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn table() -> PlainTable {
        PlainTable {
            taken_at: "2026-11-30T14:20:17Z".into(),
            environment: "production".into(),
            simulated: true,
            screen: "fleet".into(),
            filter: "role:db".into(),
            paused: Some("40s".into()),
            titles: vec!["HOST".into(), "WORST PROBLEM".into()],
            rows: vec![
                vec!["db2".into(), "=HYPERLINK(\"http://evil\",\"a,b\")|x".into()],
                vec!["db3".into(), String::new()],
            ],
        }
    }

    #[test]
    fn every_format_has_the_titles_the_rows_and_where_they_are_from() {
        let text = |format| table_text(&table(), format).unwrap();
        let csv = text(TableFormat::Csv);
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(csv.as_bytes());
        let records: Vec<Vec<String>> =
            reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect();
        assert_eq!(records[0], ["TAKEN AT", "ENVIRONMENT", "FLEET", "HOST", "WORST PROBLEM"]);
        assert_eq!(records[1][2..4], ["simulated", "db2"]);
        assert_eq!(records[1][4], "'=HYPERLINK(\"http://evil\",\"a,b\")|x");
        assert_eq!(records.len(), 3);
        let json: serde_json::Value = serde_json::from_str(&text(TableFormat::Json)).unwrap();
        assert_eq!(json["rows"][0]["HOST"], "db2");
        assert_eq!(json["rows"][1]["WORST PROBLEM"], "");
        assert_eq!(
            (&json["fleet"], &json["filter"], &json["paused_for"]),
            (&"simulated".into(), &"role:db".into(), &"40s".into())
        );
        let markdown = text(TableFormat::Markdown);
        assert!(markdown.starts_with("## PRODUCTION  fleet  SIMULATED\n"), "{markdown}");
        assert!(markdown.contains("PAUSED for 40s") && markdown.contains("Filter: role:db"), "{markdown}");
        assert!(markdown.contains("| HOST | WORST PROBLEM |\n| --- | --- |\n"), "{markdown}");
        assert!(markdown.contains("http\\://evil") && markdown.contains("\\|x |"), "{markdown}");
    }

    #[test]
    fn no_cell_is_a_formula() {
        for (cell, written) in [
            ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
            ("+1", "'+1"),
            ("-1+1", "'-1+1"),
            ("@SUM(1)", "'@SUM(1)"),
            ("\t=1", "'\t=1"),
            ("db=2", "db=2"),
            ("-", "-"),
            ("", ""),
        ] {
            assert_eq!(no_formula(cell), written);
        }
    }

    #[test]
    fn a_file_is_new_for_its_owner_and_no_other_is_replaced() {
        let home = tempfile::tempdir().unwrap();
        let path = export_path("~/fleet.csv", home.path());
        assert_eq!(path, home.path().join("fleet.csv"));
        assert!(export_path("fleet.csv", home.path()).is_absolute());
        write_new(&path, "one\n").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let refused = write_new(&path, "two\n").unwrap_err();
        assert!(refused.contains("exists, and is not replaced"), "{refused}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\n");
        std::os::unix::fs::symlink(home.path().join("target"), home.path().join("link")).unwrap();
        assert!(write_new(&home.path().join("link"), "x").is_err(), "nor is a link followed");
        assert!(!home.path().join("target").exists());
        assert!(write_new(&home.path().join("none/fleet.csv"), "x").unwrap_err().contains("No such file"));
    }
}
