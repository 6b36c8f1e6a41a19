//! How the client prints rows: tab-separated, vertical, or as a table.

use super::options::Options;

/// A form of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Tabs between columns: what is printed when the output is no terminal.
    Batch,
    /// A line a column.
    Vertical,
    /// With frames.
    Table,
}

/// A result: `None` is NULL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Rows {
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Vec<Option<String>>>,
}

impl Rows {
    pub(super) fn new(columns: &[&str]) -> Self {
        Self { columns: columns.iter().map(|c| (*c).to_owned()).collect(), rows: Vec::new() }
    }
}

pub(super) fn print(result: &Rows, style: Style, options: &Options) -> String {
    // The client prints nothing of a result without rows.
    if result.rows.is_empty() {
        return String::new();
    }
    match style {
        Style::Batch => batch(result, options),
        Style::Vertical => vertical(result, options.names),
        Style::Table => table(result, options.names),
    }
}

fn batch(result: &Rows, options: &Options) -> String {
    let escape = |text: &str| {
        if options.raw {
            text.to_owned()
        } else {
            text.replace('\\', "\\\\").replace('\n', "\\n").replace('\t', "\\t").replace('\0', "\\0")
        }
    };
    let mut text = String::new();
    if options.names {
        text.push_str(&result.columns.join("\t"));
        text.push('\n');
    }
    for row in &result.rows {
        let cells: Vec<String> =
            row.iter().map(|cell| cell.as_deref().map_or("NULL".to_owned(), escape)).collect();
        text.push_str(&cells.join("\t"));
        text.push('\n');
    }
    text
}

fn vertical(result: &Rows, names: bool) -> String {
    let width = result.columns.iter().map(|c| c.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    let stars = "*".repeat(27);
    for (number, row) in result.rows.iter().enumerate() {
        text.push_str(&format!("{stars} {}. row {stars}\n", number + 1));
        for (column, cell) in result.columns.iter().zip(row) {
            if names {
                text.push_str(&format!("{column:>width$}: "));
            }
            text.push_str(cell.as_deref().unwrap_or("NULL"));
            text.push('\n');
        }
    }
    text
}

fn table(result: &Rows, names: bool) -> String {
    let shown = |cell: &Option<String>| cell.clone().unwrap_or_else(|| "NULL".to_owned());
    let widths: Vec<usize> = (0..result.columns.len())
        .map(|index| {
            let head = result.columns.get(index).map_or(0, |c| if names { c.chars().count() } else { 0 });
            let cells = result.rows.iter().filter_map(|row| row.get(index)).map(|c| shown(c).chars().count());
            cells.max().unwrap_or(0).max(head)
        })
        .collect();
    let line: String = widths.iter().map(|w| format!("+{}", "-".repeat(w + 2))).collect::<String>() + "+\n";
    let mut text = line.clone();
    if names {
        for (column, width) in result.columns.iter().zip(&widths) {
            text.push_str(&format!("| {column:<width$} "));
        }
        text.push_str("|\n");
        text.push_str(&line);
    }
    for row in &result.rows {
        for (cell, width) in row.iter().zip(&widths) {
            let cell_text = shown(cell);
            // Numbers stand to the right. The client goes by the column's type, which here is told by the value.
            let right = cell.as_ref().is_some_and(|c| !c.is_empty() && c.parse::<f64>().is_ok());
            text.push_str(&if right {
                format!("| {cell_text:>width$} ")
            } else {
                format!("| {cell_text:<width$} ")
            });
        }
        text.push_str("|\n");
    }
    text.push_str(&line);
    text
}
