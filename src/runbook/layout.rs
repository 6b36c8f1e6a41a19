//! Output of SQL as people read it: rows in columns, or one field a line where a row is too wide. Pure.

use unicode_width::UnicodeWidthStr;

/// Wider rows are told one field a line.
const WIDEST: usize = 100;

/// An output as it is shown. One whose lines all have the same number of cells, parted by tabs, is a table; everything
/// else stays as it is.
#[must_use]
pub(super) fn shown(text: &str) -> String {
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
    let Some((names, values)) = rows.split_first() else { return text.to_owned() };
    if names.len() < 2 || values.is_empty() || values.iter().any(|row| row.len() != names.len()) {
        return text.to_owned();
    }
    let widths: Vec<usize> = (0..names.len())
        .map(|at| rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.width()).max().unwrap_or(0))
        .collect();
    let wide = widths.iter().sum::<usize>() + 2 * (names.len() - 1) > WIDEST;
    if wide { fields(names, values) } else { columns(&rows, &widths) }
}

fn columns(rows: &[Vec<&str>], widths: &[usize]) -> String {
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            line.push_str(cell);
            line.push_str(&" ".repeat(width.saturating_sub(cell.width()) + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn fields(names: &[&str], rows: &[Vec<&str>]) -> String {
    let widest = names.iter().map(|name| name.width()).max().unwrap_or(0);
    let mut text = String::new();
    for (at, row) in rows.iter().enumerate() {
        if rows.len() > 1 {
            text.push_str(&format!("row {} of {}\n", at + 1, rows.len()));
        }
        for (name, value) in names.iter().zip(row) {
            let pad = " ".repeat(widest.saturating_sub(name.width()));
            text.push_str(format!("{pad}{name}: {value}").trim_end());
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Console finding 48.
    #[test]
    fn rows_stand_in_columns_and_wide_ones_one_field_a_line() {
        let hosts = "Server_id\tHost\tPort\n2\tdb2\t3306\n1021\tdb1.secondary.wpdn\t3306\n";
        let wanted = "Server_id  Host                Port\n2          db2                 3306\n1021       db1.secondary.wpdn  3306\n";
        assert_eq!(shown(hosts), wanted);
        let names: Vec<String> = (0..60).map(|i| format!("Replicate_Field_{i}")).collect();
        let values: Vec<String> =
            (0..60).map(|i| if i == 3 { String::new() } else { i.to_string() }).collect();
        let wide = format!("{}\n{}\n", names.join("\t"), values.join("\t"));
        let lines: Vec<String> = shown(&wide).lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), 60);
        assert_eq!(lines.first().map(String::as_str), Some(" Replicate_Field_0: 0"));
        assert_eq!(lines.get(3).map(String::as_str), Some(" Replicate_Field_3:"));
        let two = format!("{wide}{}\n", values.join("\t"));
        assert_eq!(shown(&two).lines().filter(|line| line.starts_with("row ")).count(), 2);
    }

    #[test]
    fn what_is_no_table_stays_as_it_is() {
        for text in ["", "one line", "a\tb", "a\tb\n1\t2\t3\n", "File\nx\n", "say\n\tindented\n", "a\tb\n\n"]
        {
            assert_eq!(shown(text), text);
        }
        assert_eq!(shown("東京\tb\nx\ty\n"), "東京  b\nx     y\n");
    }
}
