//! Text for a terminal of some width: wrapped, indented, with a little colour where colour is wanted.

use std::io::IsTerminal;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The width when nobody knows one: what is read in a file or a pager.
const WIDTH: usize = 100;
/// The columns of a label.
const LABEL: usize = 9;
/// A longer label does not move the words of others.
const LONGEST: usize = 20;
/// Narrower than this nothing is wrapped any more.
const NARROWEST: usize = 24;

/// How a line looks. Nothing is told by colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Ink {
    /// As it is.
    Plain,
    /// What may be read over.
    Dim,
    /// A heading.
    Bold,
    /// It is well.
    Good,
    /// It changes something; look twice.
    Warn,
    /// It is not well.
    Bad,
}

impl Ink {
    fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Dim => Some("2"),
            Self::Bold => Some("1"),
            Self::Good => Some("32"),
            Self::Warn => Some("33"),
            Self::Bad => Some("1;31"),
        }
    }
}

/// Collects lines for an output of some width.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Paper {
    width: usize,
    colour: bool,
    text: String,
}

impl Paper {
    /// Paper of `width` columns.
    pub(in crate::cli) fn new(width: usize, colour: bool) -> Self {
        Self { width: width.max(NARROWEST), colour, text: String::new() }
    }

    /// Paper as wide as standard output.
    pub(in crate::cli) fn of_stdout() -> Self {
        let out = std::io::stdout();
        let columns = out.is_terminal().then(|| rustix::termios::tcgetwinsize(&out).ok()).flatten();
        let width = match columns.map(|size| usize::from(size.ws_col)) {
            Some(columns) if columns > 0 => columns,
            _ => WIDTH,
        };
        Self::new(width, crate::cli::common::colour_on(&out))
    }

    /// What was written, for printing; the paper is empty then.
    pub(in crate::cli) fn take(&mut self) -> String {
        std::mem::take(&mut self.text)
    }

    /// An empty line.
    pub(in crate::cli) fn gap(&mut self) {
        self.text.push('\n');
    }

    /// Words, wrapped between words.
    pub(in crate::cli) fn words(&mut self, indent: usize, ink: Ink, text: &str) {
        self.hanging(&" ".repeat(indent), indent, ink, text);
    }

    /// A label and words; what is wrapped stands below the words.
    pub(in crate::cli) fn field(&mut self, indent: usize, label: &str, ink: Ink, text: &str) {
        self.label(indent, LABEL, label, ink, text);
    }

    /// Labels and words, all words in one column: as wide as the longest label wants it, up to `LONGEST`.
    pub(in crate::cli) fn fields(&mut self, indent: usize, rows: &[(&str, Ink, String)]) {
        let wanted = rows.iter().map(|(label, ..)| label.width()).filter(|width| *width <= LONGEST);
        let column = wanted.max().unwrap_or(LABEL).max(LABEL);
        for (label, ink, text) in rows {
            self.label(indent, column, label, *ink, text);
        }
    }

    fn label(&mut self, indent: usize, column: usize, label: &str, ink: Ink, text: &str) {
        let first = format!("{}{label:<column$} ", " ".repeat(indent));
        let rest = first.width();
        self.hanging(&first, rest, ink, text);
    }

    /// A line that must be read exactly: cut at the edge of the paper only, nothing dropped, what follows marked.
    pub(in crate::cli) fn exact(&mut self, indent: usize, ink: Ink, text: &str) {
        let room = self.width.saturating_sub(indent + 2).max(NARROWEST / 2);
        for (i, part) in fold(text, room).into_iter().enumerate() {
            let mark = if i == 0 { "" } else { "> " };
            self.push(&format!("{}{mark}", " ".repeat(indent)), ink, part);
        }
    }

    /// A command to be copied: never cut, however long; the terminal wraps it.
    pub(in crate::cli) fn command(&mut self, indent: usize, ink: Ink, before: &str, text: &str) {
        self.push(&format!("{}{before}", " ".repeat(indent)), ink, text);
    }

    /// A heading with a line to the edge.
    pub(in crate::cli) fn rule(&mut self, text: &str) {
        let text = format!("-- {text} ");
        let rest = self.width.min(WIDTH).saturating_sub(text.width());
        self.push("", Ink::Bold, &format!("{text}{}", "-".repeat(rest)));
    }

    /// Rows of cells in columns, each as wide as its widest cell. Where the paper is too narrow the last cell is wrapped in its own
    /// column, or, where that has no room for words, below the row.
    pub(in crate::cli) fn table(&mut self, indent: usize, rows: &[(Ink, Vec<String>)]) {
        let columns = rows.iter().map(|(_, cells)| cells.len()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|i| rows.iter().filter_map(|(_, cells)| cells.get(i)).map(|c| c.width()).max().unwrap_or(0))
            .collect();
        let before: usize = widths.iter().rev().skip(1).map(|width| width + 2).sum::<usize>() + indent;
        let last = widths.last().copied().unwrap_or(0);
        let fits = before + last <= self.width;
        let below = !fits && self.width.saturating_sub(before) < NARROWEST;
        for (ink, cells) in rows {
            let mut line = " ".repeat(indent);
            let Some((end, cells)) = cells.split_last() else { continue };
            for (cell, width) in cells.iter().zip(&widths) {
                line.push_str(cell);
                line.push_str(&" ".repeat(width.saturating_sub(cell.width()) + 2));
            }
            if below {
                self.push("", *ink, line.trim_end());
                self.words(indent + 4, *ink, end);
                continue;
            }
            let room = self.width.saturating_sub(before).max(NARROWEST / 2);
            for (i, part) in textwrap::wrap(end, room).iter().enumerate() {
                let lead = if i == 0 { line.clone() } else { " ".repeat(before) };
                self.push("", *ink, format!("{lead}{part}").trim_end());
            }
        }
    }

    fn hanging(&mut self, first: &str, rest: usize, ink: Ink, text: &str) {
        if text.is_empty() {
            self.push(first.trim_end(), Ink::Plain, "");
            return;
        }
        let room = self.width.saturating_sub(first.width().max(rest)).max(NARROWEST / 2);
        for (i, line) in textwrap::wrap(text, room).iter().enumerate() {
            let lead = if i == 0 { first.to_owned() } else { " ".repeat(rest) };
            self.push(&lead, ink, line);
        }
    }

    fn push(&mut self, lead: &str, ink: Ink, text: &str) {
        self.text.push_str(lead);
        match ink.code().filter(|_| self.colour) {
            Some(code) => self.text.push_str(&format!("\x1b[{code}m{text}\x1b[0m")),
            None => self.text.push_str(text),
        }
        self.text.push('\n');
    }
}

/// Cuts a text into parts of at most `room` columns, behind a space where there is one in the second half; at least one
/// part. The parts together are the text.
fn fold(text: &str, room: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut used) = (0, 0);
    // The last place behind a space, and the columns up to there.
    let mut gap: Option<(usize, usize)> = None;
    for (at, c) in text.char_indices() {
        let width = c.width().unwrap_or(0);
        if used + width > room && at > start {
            let (cut, before) = gap.filter(|(_, before)| *before > room / 2).unwrap_or((at, used));
            parts.push(text.get(start..cut).unwrap_or_default());
            (start, used, gap) = (cut, used - before, None);
        }
        used += width;
        if c == ' ' {
            gap = Some((at + c.len_utf8(), used));
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paper(width: usize, write: impl FnOnce(&mut Paper)) -> String {
        let mut paper = Paper::new(width, false);
        write(&mut paper);
        paper.take()
    }

    #[test]
    fn words_are_wrapped_below_themselves() {
        let text = paper(30, |p| p.field(2, "why", Ink::Plain, "nobody may write while it is moved"));
        assert_eq!(text, "  why       nobody may write\n            while it is moved\n");
    }

    #[test]
    fn what_must_be_read_exactly_loses_nothing() {
        let command = "SET  GLOBAL   read_only = 1 -- 東京 and a long comment";
        let text = paper(30, |p| p.exact(2, Ink::Plain, command));
        let joined: String = text.lines().map(|l| l.get(2..).unwrap_or_default()).collect();
        assert_eq!(joined.replace("> ", ""), command);
        assert!(text.lines().all(|l| l.width() <= 30), "{text}");
    }

    /// Names of ten letters and more move the words of all, so that they stay in one column; a very long one moves its own alone.
    #[test]
    fn the_words_of_several_labels_stand_in_one_column() {
        let row = |label| (label, Ink::Plain, "x".to_owned());
        let text =
            paper(60, |p| p.fields(2, &[row("hash"), row("backup_age"), row("a_name_that_is_far_too_long")]));
        assert_eq!(text, "  hash       x\n  backup_age x\n  a_name_that_is_far_too_long x\n");
        assert_eq!(paper(60, |p| p.fields(2, &[row("hash")])), "  hash      x\n");
    }

    /// Words of the last column never stand below another.
    #[test]
    fn the_last_column_of_a_table_is_wrapped_in_its_own_column_or_below_the_row() {
        let row = |first: &str, last: &str| (Ink::Plain, vec![first.to_owned(), last.to_owned()]);
        let rows =
            [row("NAME", "WHAT IT DOES"), row("freeze", "Refuse writes on the masterdb until it is undone")];
        let text = paper(36, |p| p.table(0, &rows));
        let expected =
            "NAME    WHAT IT DOES\nfreeze  Refuse writes on the\n        masterdb until it is undone\n";
        assert_eq!(text, expected);
        let long =
            [row("NAME", "WHAT IT DOES"), row("elasticsearch-rolling", "Restart one node after the other")];
        let text = paper(40, |p| p.table(0, &long));
        assert_eq!(
            text,
            "NAME\n    WHAT IT DOES\nelasticsearch-rolling\n    Restart one node after the other\n"
        );
    }

    /// Console finding 50: what must be read exactly is not cut in the middle of a word.
    #[test]
    fn what_must_be_read_exactly_is_cut_between_words() {
        let sql = "SELECT @@hostname AS hostname, @@read_only AS read_only, @@log_bin AS log_bin";
        let text = paper(40, |p| p.exact(2, Ink::Plain, sql));
        assert_eq!(
            text,
            "  SELECT @@hostname AS hostname, \n  > @@read_only AS read_only, @@log_bin \n  > AS log_bin\n"
        );
        // A word longer than the paper is cut all the same.
        assert_eq!(paper(24, |p| p.exact(0, Ink::Plain, &"x".repeat(30))).lines().count(), 2);
    }

    #[test]
    fn columns_are_counted_in_cells() {
        let rows = [
            (Ink::Plain, vec!["東京".to_owned(), "a".to_owned()]),
            (Ink::Plain, vec!["x".into(), "b".into()]),
        ];
        assert_eq!(paper(80, |p| p.table(0, &rows)), "東京  a\nx     b\n");
    }

    #[test]
    fn no_colour_unless_wanted() {
        let mut paper = Paper::new(80, true);
        paper.words(0, Ink::Bad, "failed");
        assert_eq!(paper.take(), "\x1b[1;31mfailed\x1b[0m\n");
    }

    proptest::proptest! {
        #[test]
        fn no_line_is_wider_than_the_paper(text in "\\PC{0,200}", width in 40_usize..120) {
            let clean = jumpdeck_fleet::text::Clean::new(&text);
            let out = paper(width, |p| { p.field(4, "why", Ink::Plain, clean.as_str()); p.exact(4, Ink::Plain, clean.as_str()); });
            for line in out.lines() {
                proptest::prop_assert!(line.width() <= width + 1, "{} > {width}: {line}", line.width());
            }
        }
    }
}
