//! The names of columns that an operator chooses: in `config.toml`, in saved views, on the command line. A column has its title, in
//! any case, `-` for a space; some have a shorter name, too.

use super::diagnostic::nearest;
use super::reader::{Reader, Table};

/// Shorter names of columns, and the titles that they have in one table or another.
const SHORT: &[(&str, &[&str])] = &[
    ("name", &["HOST"]),
    ("role", &["ROLES"]),
    ("load", &["1m", "LOAD 1"]),
    ("1m", &["LOAD 1"]),
    ("5m", &["LOAD 5"]),
    ("15m", &["LOAD 15"]),
    ("cpu", &["LOAD/CPU"]),
    ("mem", &["MEMORY"]),
    ("mount", &["FULLEST MOUNT"]),
    ("lag", &["REPLICATION"]),
    ("uptime", &["UP"]),
    ("problem", &["WORST PROBLEM"]),
];

/// Why columns cannot be chosen so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnError {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// The word for a column on the command line: `worst-problem`.
#[must_use]
pub fn column_word(title: &str) -> String {
    title.to_lowercase().replace(' ', "-")
}

/// The column of that name, among titles.
#[must_use]
pub fn column_named(name: &str, known: &[&'static str]) -> Option<&'static str> {
    let word = column_word(name.trim());
    let by_title = known.iter().find(|title| column_word(title) == word);
    let short = || SHORT.iter().find(|(short, _)| *short == word).map(|(_, titles)| *titles);
    let found = by_title.or_else(|| known.iter().find(|title| short().is_some_and(|of| of.contains(title))));
    found.copied()
}

/// Adds the column of that name to those that are chosen, each once.
///
/// # Errors
/// That there is none of that name, or that it is chosen already.
pub fn choose(name: &str, known: &[&'static str], chosen: &mut Vec<&'static str>) -> Result<(), ColumnError> {
    match column_named(name, known) {
        Some(title) if chosen.contains(&title) => Err(ColumnError {
            message: format!("{title} is already in columns"),
            help: "remove one of the two".to_owned(),
        }),
        Some(title) => {
            chosen.push(title);
            Ok(())
        }
        None => {
            let help = nearest(name, known.iter().copied()).map_or_else(
                || format!("these columns exist: {}", known.join(", ")),
                |near| format!("did you mean {near:?}?"),
            );
            Err(ColumnError { message: format!("there is no column {name:?}"), help })
        }
    }
}

/// The columns that are chosen, each once and by a title that there is.
pub(super) fn chosen_columns(
    reader: &mut Reader,
    table: &Table<'_>,
    known: &[&'static str],
) -> Option<Vec<&'static str>> {
    let hint = "write columns = [\"HOST\", \"1m\", \"DISK\", \"WORST PROBLEM\", \"AGE\"]";
    let listed = reader.strings(table, "columns", hint)?;
    let mut chosen = Vec::new();
    for name in listed {
        if let Err(error) = choose(name.value, known, &mut chosen) {
            reader.error(name.span, error.message, error.help);
        }
    }
    if let (Some(needed), Some(value)) = (known.first(), table.get("columns"))
        && !chosen.contains(needed)
    {
        let message = format!("columns has no {needed:?}: without it the rows could not be told apart");
        reader.error(value.span(), message, format!("add {needed:?} to columns"));
    }
    Some(chosen)
}

/// Columns that are named with commas between them, as on the command line. The first of `known` says which host a row is of: it must
/// be one of them.
///
/// # Errors
/// The first name that is wrong, with all names that there are; or that the first column is missing.
pub fn columns_of(text: &str, known: &[&'static str]) -> Result<Vec<&'static str>, String> {
    let mut chosen = Vec::new();
    let words = || known.iter().map(|title| column_word(title)).collect::<Vec<_>>().join(", ");
    for name in text.split(',') {
        choose(name, known, &mut chosen)
            .map_err(|error| format!("--columns: {}; columns are: {}", error.message, words()))?;
    }
    match known.first() {
        Some(needed) if !chosen.contains(needed) => Err(format!(
            "--columns has no {:?}: without it the rows could not be told apart; columns are: {}",
            column_word(needed),
            words()
        )),
        Some(_) | None => Ok(chosen),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["HOST", "ROLES", "1m", "FULLEST MOUNT", "WORST PROBLEM"];

    #[test]
    fn columns_are_named_by_title_word_or_short_name() {
        assert_eq!(columns_of("name,role,load", KNOWN), Ok(vec!["HOST", "ROLES", "1m"]));
        assert_eq!(
            columns_of("Worst-Problem, host ,mount", KNOWN),
            Ok(vec!["WORST PROBLEM", "HOST", "FULLEST MOUNT"])
        );
        for (text, says) in [
            (
                "host,lod",
                "--columns: there is no column \"lod\"; columns are: host, roles, 1m, fullest-mount, worst-problem",
            ),
            ("host,lag", "there is no column \"lag\""),
            ("host,name", "HOST is already in columns"),
            ("host,", "there is no column \"\""),
            ("", "there is no column \"\""),
            ("1m", "has no \"host\""),
        ] {
            let error = columns_of(text, KNOWN).err().unwrap_or_default();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
