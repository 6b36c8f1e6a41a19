//! Columns as `df` aligns them: as wide as their widest cell, at least as wide as their kind is.

/// A column.
pub(super) struct Column {
    head: &'static str,
    least: usize,
    right: bool,
}

impl Column {
    pub(super) fn left(head: &'static str, least: usize) -> Self {
        Self { head, least, right: false }
    }

    pub(super) fn right(head: &'static str, least: usize) -> Self {
        Self { head, least, right: true }
    }
}

/// Rows under their heads.
pub(super) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(columns: Vec<Column>) -> Self {
        let heads = columns.iter().map(|c| c.head.to_owned()).collect();
        Self { columns, rows: vec![heads] }
    }

    pub(super) fn push(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    /// The last column is not padded.
    pub(super) fn print(&self) -> String {
        let mut text = String::new();
        let width = |index: usize, least: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(index));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0).max(least)
        };
        let widths: Vec<usize> = self.columns.iter().enumerate().map(|(i, c)| width(i, c.least)).collect();
        for row in &self.rows {
            let last = row.len().saturating_sub(1);
            for (index, (cell, (column, width))) in
                row.iter().zip(self.columns.iter().zip(&widths)).enumerate()
            {
                if index > 0 {
                    text.push(' ');
                }
                if column.right {
                    text.push_str(&format!("{cell:>width$}"));
                } else if index == last {
                    text.push_str(cell);
                } else {
                    text.push_str(&format!("{cell:<width$}"));
                }
            }
            text.push('\n');
        }
        text
    }
}
