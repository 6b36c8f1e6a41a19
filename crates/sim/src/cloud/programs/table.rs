//! What the cloud's programs print: tables as `prettytable` draws them, and cliff's other forms (`-f json`, `value`,
//! `shell`).

use serde_json::Value;

/// Rows under heads.
pub(super) struct Listing {
    /// The heads.
    pub(super) heads: Vec<&'static str>,
    /// The rows.
    pub(super) rows: Vec<Vec<Value>>,
}

/// How a value that is not there is printed in a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// Not at all (neutron).
    Blank,
    /// `None` (openstack).
    None,
}

/// A table with these heads, everything at the left.
pub(super) fn draw(heads: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(heads.get(column).map(|head| head.chars().count())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    let rule: String = widths.iter().map(|width| format!("+{}", "-".repeat(width + 2))).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let cells: String = cells.zip(&widths).map(|(cell, width)| format!("| {cell:<width$} ")).collect();
        format!("{cells}|\n")
    };
    let mut text = format!("{rule}+\n{}{rule}+\n", line(&mut heads.iter().copied()));
    for row in rows {
        text.push_str(&line(&mut row.iter().map(String::as_str)));
    }
    if !rows.is_empty() {
        text.push_str(&format!("{rule}+\n"));
    }
    text
}

/// A value in a table's cell.
pub(super) fn cell(value: &Value, missing: Missing) -> String {
    match value {
        Value::Null if missing == Missing::Blank => String::new(),
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        // As openstackclient's formatters do: `net=a, b`, `ip_address='…', subnet_id='…'`.
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| match value {
                Value::Array(_) => format!("{key}={}", cell(value, missing)),
                other => format!("{key}='{}'", cell(other, missing)),
            })
            .collect::<Vec<_>>()
            .join("; "),
        Value::Array(values) => {
            let cells: Vec<String> = values.iter().map(|value| cell(value, missing)).collect();
            cells.join(", ")
        }
    }
}

impl Listing {
    /// In the form asked for, with the columns asked for.
    ///
    /// # Errors
    /// With cliff's words when there is no such form or column.
    pub(super) fn print(mut self, form: &str, columns: &[&str], missing: Missing) -> Result<String, String> {
        self.keep(columns)?;
        let cells = |row: &Vec<Value>| row.iter().map(|v| cell(v, missing)).collect::<Vec<_>>();
        let rows = || self.rows.iter().map(cells).collect::<Vec<_>>();
        Ok(match form {
            "table" if self.rows.is_empty() => "\n".to_owned(),
            "table" => draw(&self.heads, &rows()),
            "value" => rows().into_iter().map(|row| row.join(" ") + "\n").collect(),
            "json" => {
                let object = |row: &Vec<Value>| {
                    self.heads.iter().map(|head| (*head).to_owned()).zip(row.iter().cloned()).collect()
                };
                pretty(&Value::Array(self.rows.iter().map(|row| Value::Object(object(row))).collect()))
            }
            other => return Err(format!("argument -f/--format: invalid choice: '{other}'")),
        })
    }

    fn keep(&mut self, columns: &[&str]) -> Result<(), String> {
        if columns.is_empty() {
            return Ok(());
        }
        let same = |head: &str, column: &str| head.eq_ignore_ascii_case(column);
        let unknown = columns.iter().find(|column| !self.heads.iter().any(|head| same(head, column)));
        if let Some(unknown) = unknown {
            return Err(format!(
                "No recognized column names in {unknown:?}. Recognized columns are {:?}.",
                self.heads
            ));
        }
        let wanted: Vec<bool> =
            self.heads.iter().map(|head| columns.iter().any(|column| same(head, column))).collect();
        let mut keep = wanted.iter();
        self.heads.retain(|_| keep.next().copied().unwrap_or(false));
        for row in &mut self.rows {
            let mut keep = wanted.iter();
            row.retain(|_| keep.next().copied().unwrap_or(false));
        }
        Ok(())
    }
}

/// One thing with its fields, in the form and with the fields asked for.
///
/// # Errors
/// With cliff's words when there is no such form or field.
pub(super) fn one(
    fields: Vec<(&'static str, Value)>,
    form: &str,
    columns: &[&str],
    missing: Missing,
) -> Result<String, String> {
    let known: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    if let Some(unknown) = columns.iter().find(|column| !known.contains(column)) {
        return Err(format!("No recognized column names in {unknown:?}. Recognized columns are {known:?}."));
    }
    let fields = fields.into_iter().filter(|(name, _)| columns.is_empty() || columns.contains(name));
    Ok(match form {
        "table" => {
            let rows: Vec<_> =
                fields.map(|(name, value)| vec![name.to_owned(), cell(&value, missing)]).collect();
            draw(&["Field", "Value"], &rows)
        }
        "value" => fields.map(|(_, value)| cell(&value, missing) + "\n").collect(),
        "shell" => fields
            .map(|(name, value)| format!("{}=\"{}\"\n", name.replace([':', ' '], "_"), cell(&value, missing)))
            .collect(),
        "json" => pretty(&Value::Object(fields.map(|(name, value)| (name.to_owned(), value)).collect())),
        other => return Err(format!("argument -f/--format: invalid choice: '{other}'")),
    })
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}
