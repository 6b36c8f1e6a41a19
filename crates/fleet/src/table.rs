//! A table that is handed over as data: what a screen shows, as text.

/// The rows of a table with their titles.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlainTable {
    /// When it was taken, in UTC: `2026-11-30T17:02:03Z`.
    pub taken_at: String,
    /// The environment.
    pub environment: String,
    /// The hosts exist in a simulated fleet only.
    pub simulated: bool,
    /// The screen, in a word or two.
    pub screen: String,
    /// The filter in force; empty without one.
    pub filter: String,
    /// How long the screen had been paused; `None` while it was not: newer reports are not in the rows.
    pub paused: Option<String>,
    /// The titles, from left to right.
    pub titles: Vec<String>,
    /// The rows from the top, each with a text for every title.
    pub rows: Vec<Vec<String>>,
}

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableFormat {
    /// For a spreadsheet.
    Csv,
    /// One document, a row an object.
    Json,
    /// For a note or a ticket.
    Markdown,
}

impl TableFormat {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Csv, Self::Json, Self::Markdown];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "CSV",
            Self::Json => "JSON",
            Self::Markdown => "Markdown",
        }
    }

    /// The end of the name of such a file.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Markdown => "md",
        }
    }
}
