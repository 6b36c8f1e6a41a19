//! What is wrong in a file: where, with a caret under it, and what to do about it.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use jumpdeck_fleet::text::{Clean, is_drawn};

/// One error in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    file: String,
    text: Arc<str>,
    span: Option<Range<usize>>,
    message: String,
    label: Option<String>,
    related: Option<(Range<usize>, String)>,
    help: Option<String>,
    /// How many mistakes it stands for.
    mistakes: usize,
    /// Others could have written the file.
    exposed: bool,
}

impl Diagnostic {
    /// An error at a range of bytes of a file's text. A range outside of the text is moved to its end.
    #[must_use]
    pub fn at(file: &str, text: &Arc<str>, span: Range<usize>, message: impl Into<String>) -> Self {
        let span = Some(fit(text, span));
        Self { text: Arc::clone(text), span, ..Self::of_file(file, message) }
    }

    /// An error of a file as a whole (it cannot be read).
    #[must_use]
    pub fn of_file(file: &str, message: impl Into<String>) -> Self {
        Self {
            file: Clean::new(file).to_string(),
            text: Arc::from(""),
            span: None,
            message: Clean::from(message.into()).to_string(),
            label: None,
            related: None,
            help: None,
            mistakes: 1,
            exposed: false,
        }
    }

    /// Something that others could have changed, and that is therefore not read.
    #[must_use]
    pub fn exposed(file: &str, message: impl Into<String>) -> Self {
        Self { exposed: true, ..Self::of_file(file, message) }
    }

    /// Whether others could have changed it: no mistake of a person, but perhaps the work of one.
    #[must_use]
    pub fn is_exposed(&self) -> bool {
        self.exposed
    }

    /// Stands for further mistakes of a file, which are counted only.
    #[must_use]
    pub fn more(file: &str, mistakes: usize) -> Self {
        let message = format!("and {} more", thousands(mistakes));
        Self {
            mistakes,
            ..Self::of_file(file, message).help("correct those above, then check the file again")
        }
    }

    /// How many mistakes it stands for: one, or those that were counted only.
    #[must_use]
    pub fn mistakes(&self) -> usize {
        self.mistakes
    }

    /// Adds what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(Clean::from(help.into()).to_string());
        self
    }

    /// Adds a few words beside the caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(Clean::from(label.into()).to_string());
        self
    }

    /// Adds a second place of the same file that has to do with it.
    #[must_use]
    pub fn related(mut self, span: Range<usize>, label: impl Into<String>) -> Self {
        self.related = Some((fit(&self.text, span), Clean::from(label.into()).to_string()));
        self
    }

    /// The file, as it was named; printable.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// What is wrong, one line.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it, when there is something to say.
    #[must_use]
    pub fn advice(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// The first of the mistakes of a file in one line, with what to do, and how many more there are.
    #[must_use]
    pub fn in_one_line(errors: &[Diagnostic]) -> Clean {
        let Some(first) = errors.first() else { return Clean::new("it has mistakes") };
        let advice = first.advice().map(|advice| format!("; {advice}")).unwrap_or_default();
        let mistakes: usize = errors.iter().map(Diagnostic::mistakes).sum();
        let more = match mistakes {
            0 | 1 => String::new(),
            2 => " (and 1 more mistake: `jumpdeck check`)".to_owned(),
            more => format!(" (and {} more mistakes: `jumpdeck check`)", more - 1),
        };
        Clean::new(&format!("{first}{advice}{more}"))
    }

    /// Line and column, both from 1, the column in characters; `None` for an error of the file as a whole.
    #[must_use]
    pub fn position(&self) -> Option<(usize, usize)> {
        let before = self.text.get(..self.span.as_ref()?.start)?;
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        let column = before.get(line_start..).map_or(0, |l| l.chars().count());
        Some((before.matches('\n').count() + 1, column + 1))
    }

    /// Where it starts, in bytes: the order errors of one file are told in.
    pub(crate) fn start(&self) -> usize {
        self.span.as_ref().map_or(0, |s| s.start)
    }

    /// Several lines: the message, `file:line:column`, the source line with a caret, and what to do.
    #[must_use]
    pub fn render(&self, coloured: bool) -> String {
        let mut group = Group::with_title(Level::ERROR.primary_title(self.message.as_str()));
        if let Some(span) = &self.span {
            // The lines of its own only: the renderer reads all that it is given, for each mistake anew.
            let lines = self.lines(span);
            let place = |at: usize| {
                self.text
                    .get(lines.start..at)
                    .unwrap_or_default()
                    .chars()
                    .map(|c| visible(c).len_utf8())
                    .sum()
            };
            let within = |span: &Range<usize>| -> Range<usize> { place(span.start)..place(span.end) };
            let primary = AnnotationKind::Primary.span(within(span)).label(self.label.as_deref());
            let first = self.text.get(..lines.start).map_or(0, |before| before.matches('\n').count());
            let source: String =
                self.text.get(lines.clone()).unwrap_or_default().chars().map(visible).collect();
            let mut snippet =
                Snippet::source(source).line_start(first + 1).path(self.file.as_str()).annotation(primary);
            if let Some((span, label)) = &self.related {
                snippet =
                    snippet.annotation(AnnotationKind::Context.span(within(span)).label(label.as_str()));
            }
            group = group.element(snippet);
        } else {
            group = group.element(annotate_snippets::Origin::path(self.file.as_str()));
        }
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        let renderer = if coloured { Renderer::styled() } else { Renderer::plain() };
        renderer.decor_style(DecorStyle::Ascii).render(&[group])
    }

    /// The whole lines that hold its places.
    fn lines(&self, span: &Range<usize>) -> Range<usize> {
        let related = self.related.as_ref().map_or(span, |(related, _)| related);
        let (first, last) = (span.start.min(related.start), span.end.max(related.end));
        let start = self.text.get(..first).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
        let end = self.text.get(last..).and_then(|after| after.find('\n'));
        start..end.map_or(self.text.len(), |at| last + at + 1)
    }
}

/// A character of a source line as it may be drawn. The renderer has signs of its own for the first thirty-two; others that
/// a terminal obeys (C1) or that draw nothing are one sign for each.
fn visible(c: char) -> char {
    if is_drawn(c) || c.is_ascii() { c } else { char::REPLACEMENT_CHARACTER }
}

/// A count as people read it: `89,949`.
fn thousands(count: usize) -> String {
    let digits = count.to_string();
    let grouped = digits.char_indices().flat_map(|(at, digit)| {
        let comma = (at > 0 && (digits.len() - at).is_multiple_of(3)).then_some(',');
        comma.into_iter().chain([digit])
    });
    grouped.collect()
}

/// `file:line:column: message`.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position() {
            Some((line, column)) => write!(f, "{}:{line}:{column}: {}", self.file, self.message),
            None => write!(f, "{}: {}", self.file, self.message),
        }
    }
}

impl std::error::Error for Diagnostic {}

/// Moves a range into the text and onto character boundaries, and keeps it on the line it starts on.
fn fit(text: &str, span: Range<usize>) -> Range<usize> {
    let boundary = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = boundary(span.start);
    let end = boundary(span.end).max(start);
    let line_end = text.get(start..end).and_then(|s| s.find('\n')).map_or(end, |i| start + i);
    start..line_end
}

/// The candidate nearest to what was written, when it is near enough to be a slip of the finger.
pub(crate) fn nearest<'c>(written: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    candidates
        .into_iter()
        // What differs by more in its length alone is not compared: a key may be megabytes long.
        .filter(|c| written.chars().count().abs_diff(c.chars().count()) <= 1 + c.len() / 5)
        .map(|c| (strsim::damerau_levenshtein(&written.to_lowercase(), &c.to_lowercase()), c))
        .filter(|(distance, c)| *distance <= 1 + c.len() / 5)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, c)| c)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn places_are_told_in_lines_and_characters() {
        let text: Arc<str> = Arc::from("a = 1\nü = \"é\"\n");
        let at = text.find('é').unwrap();
        let error = Diagnostic::at("f.toml", &text, at..at + 2, "bad é").help("write e");
        assert_eq!(error.to_string(), "f.toml:2:6: bad é");
        let shown = error.render(false);
        assert!(shown.contains("f.toml:2:6") && shown.contains('^') && shown.contains("help: write e"));
        assert!(error.render(true).contains('\u{1b}'));
    }

    #[test]
    fn ranges_outside_of_the_text_do_no_harm() {
        let text: Arc<str> = Arc::from("ü\n");
        for span in [0..1, 1..1, 5..9, 2..900, 0..3] {
            assert!(Diagnostic::at("f", &text, span, "m").render(false).contains("m"));
        }
        let empty: Arc<str> = Arc::from("");
        assert_eq!(Diagnostic::at("f", &empty, 3..4, "m").position(), Some((1, 1)));
    }

    #[test]
    fn nothing_of_the_source_reaches_a_terminal_as_an_escape() {
        let text: Arc<str> = Arc::from("a = \"\u{1b}[2J\u{202e}\u{9b}31m\u{9a}\u{200b}\u{7f}\u{34f}\r\t\" b");
        let at = text.find('b').unwrap_or_default();
        let shown = Diagnostic::at("\u{1b}[31m.toml", &text, at..at + 1, "m").render(false);
        assert!(shown.chars().all(|c| c == '\n' || is_drawn(c)), "{shown:?}");
        assert!(shown.contains(".toml:1:2"), "{shown}");
    }

    #[test]
    fn slips_of_the_finger_are_guessed_and_nothing_else() {
        let words = ["address", "port", "user"];
        assert_eq!(nearest("adress", words), Some("address"));
        assert_eq!(nearest("prot", words), Some("port"));
        assert_eq!(nearest("colour", words), None);
    }
}
