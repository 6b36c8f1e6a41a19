//! A page of text: wrapped, indented, with labels and sections; as long as it is, its screen shows what fits.

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::view::styles::Styles;
use crate::view::text::{cut, span, wrap};

/// Columns of a label.
pub(crate) const LABEL: usize = 10;

/// Lines of a page being made.
pub(crate) struct Page<'s> {
    /// The lines so far.
    pub(crate) lines: Vec<Line<'static>>,
    /// Without empty lines: there is little room.
    pub(crate) dense: bool,
    width: usize,
    styles: &'s Styles,
}

impl<'s> Page<'s> {
    /// An empty page of that width.
    pub(crate) fn new(width: u16, styles: &'s Styles) -> Self {
        Self { lines: Vec::new(), dense: false, width: usize::from(width), styles }
    }

    /// An empty line, unless the last one is.
    pub(crate) fn gap(&mut self) {
        if !self.dense && self.lines.last().is_some_and(|l| l.width() > 0) {
            self.lines.push(Line::default());
        }
    }

    /// Whether text fits into a line of which so many columns are taken.
    pub(crate) fn fits(&self, text: &str, taken: usize) -> bool {
        text.width() + taken <= self.width
    }

    /// A section's title, and more about it.
    pub(crate) fn section(&mut self, title: &'static str, more: &str) {
        self.gap();
        let mut spans = vec![span(format!(" {title}"), self.styles.title)];
        if !more.is_empty() {
            spans.push(span(format!("  {more}"), self.styles.muted));
        }
        self.lines.push(Line::from(spans));
    }

    /// A line as it is.
    pub(crate) fn line(&mut self, spans: Vec<Span<'static>>) {
        self.lines.push(Line::from(spans));
    }

    /// Wrapped text, indented by so many columns.
    pub(crate) fn text(&mut self, indent: usize, text: &str, style: Style) {
        for line in wrap(text, self.width.saturating_sub(indent + 1)) {
            self.lines.push(Line::from(vec![Span::raw(" ".repeat(indent)), span(line, style)]));
        }
    }

    /// A sign, then wrapped text that hangs behind it.
    pub(crate) fn signed(&mut self, indent: usize, sign: &'static str, text: &str, style: Style) {
        let lines = wrap(text, self.width.saturating_sub(indent + 3));
        for (i, line) in lines.into_iter().enumerate() {
            let lead = if i == 0 { sign } else { " " };
            let lead = span(format!("{}{lead} ", " ".repeat(indent)), style);
            self.lines.push(Line::from(vec![lead, span(line, style)]));
        }
    }

    /// A label, then wrapped text that hangs behind it.
    pub(crate) fn labelled(&mut self, label: &str, text: &str, style: Style) {
        self.beside(LABEL, label, text, style);
    }

    /// Wrapped texts, each beside its label; as wide as the longest label, within reason.
    pub(crate) fn table(&mut self, rows: &[(&str, &str)], style: Style) {
        let widest = rows.iter().map(|(label, _)| label.width() + 1).max().unwrap_or(0);
        for (label, text) in rows {
            self.beside(widest.clamp(LABEL, (self.width / 2).max(LABEL)), label, text, style);
        }
    }

    fn beside(&mut self, wide: usize, label: &str, text: &str, style: Style) {
        let label = cut(label, wide.saturating_sub(1));
        for (i, line) in wrap(text, self.width.saturating_sub(wide + 2)).into_iter().enumerate() {
            let label = if i == 0 { label.as_str() } else { "" };
            let pad = " ".repeat(wide.saturating_sub(label.width()));
            self.lines
                .push(Line::from(vec![span(format!(" {label}{pad}"), self.styles.muted), span(line, style)]));
        }
    }
}
