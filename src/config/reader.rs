//! Reads TOML with its places: every mistake is noted with its range, and reading goes on to find the next.

use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostic::{Diagnostic, nearest};

mod values;

/// A value and its place.
pub(crate) type TomlValue<'t> = Spanned<DeValue<'t>>;

/// Something read, and its place.
#[derive(Debug, Clone)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) span: Range<usize>,
}

/// A table, the name it has in the file, and its place.
#[derive(Clone)]
pub(crate) struct Table<'t> {
    pub(crate) path: String,
    pub(crate) span: Range<usize>,
    inner: &'t DeTable<'t>,
}

impl<'t> Table<'t> {
    /// Keys and values in the order of the file.
    pub(crate) fn entries(&self) -> Vec<(At<&'t str>, &'t TomlValue<'t>)> {
        let mut entries: Vec<_> = self
            .inner
            .iter()
            .map(|(key, value)| (At { value: key.get_ref().as_ref(), span: key.span() }, value))
            .collect();
        entries.sort_by_key(|(key, _)| key.span.start);
        entries
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&'t TomlValue<'t>> {
        self.inner.get(key)
    }

    /// The name of a key of this table in the whole file.
    pub(crate) fn name_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

/// One file being read, and what was found wrong with it so far.
pub(crate) struct Reader {
    file: String,
    text: Arc<str>,
    /// At most twice [`MOST`] of them.
    errors: Vec<Diagnostic>,
    /// Mistakes that are counted only.
    more: usize,
}

/// Mistakes of a file that are shown: nobody reads on, and each is drawn with its lines.
const MOST: usize = 50;

/// The parser makes an error for nearly each byte of a text that is no TOML. In a text longer than this only the first is
/// wanted.
const LONGEST_READ_ON: usize = 64 * 1024;
const ONLY_FIRST: &str =
    "; only the first mistake of such a long file is shown: correct it, then check again";

impl Reader {
    pub(crate) fn new(file: &str, text: &str) -> Self {
        Self { file: file.to_owned(), text: Arc::from(text), errors: Vec::new(), more: 0 }
    }

    /// Parses the text, which the caller keeps. Where the syntax is wrong nothing else is judged.
    pub(crate) fn parse<'t>(&mut self, text: &'t str) -> Option<Spanned<DeTable<'t>>> {
        if text.len() > LONGEST_READ_ON {
            return DeTable::parse(text).map_err(|error| self.syntax(text, &error, ONLY_FIRST)).ok();
        }
        let (root, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            self.syntax(text, error, "");
        }
        errors.is_empty().then_some(root)
    }

    fn syntax(&mut self, text: &str, error: &toml::de::Error, then: &str) {
        let span = error.span().unwrap_or(0..0);
        let mut message = error.message().trim().replace('\n', ", ");
        let mut help = "the file must be TOML: see https://toml.io";
        if message == "duplicate key" {
            let key = text.get(span.clone()).unwrap_or_default();
            message = format!("{key} appears twice");
            help = "a table has each name once: rename one of the two or remove it";
        }
        self.error(span, message, format!("{help}{then}"));
    }

    /// Notes a mistake and what to do about it.
    pub(crate) fn error(&mut self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.note(Diagnostic::at(&self.file, &self.text, span, message).help(help));
    }

    /// Notes a mistake that has to do with two places.
    pub(crate) fn conflict(
        &mut self,
        span: Range<usize>,
        message: impl Into<String>,
        first: (Range<usize>, &str),
        help: impl Into<String>,
    ) {
        let error = Diagnostic::at(&self.file, &self.text, span, message);
        self.note(error.related(first.0, first.1).help(help));
    }

    fn note(&mut self, error: Diagnostic) {
        self.errors.push(error);
        if self.errors.len() > MOST * 2 {
            self.keep_first();
        }
    }

    /// Keeps the first ones in the order of the file, and counts the rest.
    fn keep_first(&mut self) {
        self.errors.sort_by_key(Diagnostic::start);
        self.more += self.errors.len().saturating_sub(MOST);
        self.errors.truncate(MOST);
    }

    /// How many mistakes were noted.
    pub(crate) fn error_count(&self) -> usize {
        self.errors.len() + self.more
    }

    /// What was read, or the first mistakes in the order of the file and how many more there are.
    pub(crate) fn finish<T>(mut self, value: Option<T>) -> Result<T, Vec<Diagnostic>> {
        match value {
            Some(value) if self.errors.is_empty() => Ok(value),
            _ => {
                self.keep_first();
                if self.more > 0 {
                    self.errors.push(Diagnostic::more(&self.file, self.more));
                }
                Err(self.errors)
            }
        }
    }

    /// The root table.
    pub(crate) fn root<'t>(&self, root: &'t Spanned<DeTable<'t>>) -> Table<'t> {
        Table { path: String::new(), span: 0..0, inner: root.get_ref() }
    }

    /// A value that must be a table.
    pub(crate) fn table<'t>(
        &mut self,
        path: String,
        value: &'t TomlValue<'t>,
        hint: &str,
    ) -> Option<Table<'t>> {
        match value.get_ref() {
            DeValue::Table(inner) => Some(Table { path, span: value.span(), inner }),
            _ => self.wrong_type(&path, value, "a table", hint),
        }
    }

    /// The table under a key, when there is one.
    pub(crate) fn subtable<'t>(&mut self, table: &Table<'t>, key: &str, hint: &str) -> Option<Table<'t>> {
        let value = table.get(key)?;
        self.table(table.name_of(key), value, hint)
    }

    /// Notes every key that is not one of these.
    pub(crate) fn only(&mut self, table: &Table<'_>, allowed: &[&str]) {
        for (key, _) in table.entries() {
            if allowed.contains(&key.value) {
                continue;
            }
            let place = if table.path.is_empty() { String::new() } else { format!(" in {:?}", table.path) };
            let help = match nearest(key.value, allowed.iter().copied()) {
                Some(near) => format!("did you mean {near:?}?"),
                None => format!("remove it; known keys here: {}", allowed.join(", ")),
            };
            self.error(key.span, format!("unknown key {:?}{place}", key.value), help);
        }
    }

    /// Notes that a value is of another type than wanted.
    fn wrong_type<T>(&mut self, name: &str, value: &TomlValue<'_>, wanted: &str, hint: &str) -> Option<T> {
        let found = match value.get_ref() {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a number with a point",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.error(value.span(), format!("{name} must be {wanted}, not {found}"), hint);
        None
    }
}

/// What can be read of a text, whatever is wrong with it: of a long one that is no TOML, its beginning.
pub(crate) fn readable(text: &str) -> DeTable<'_> {
    let root = DeTable::parse(text).unwrap_or_else(|_| {
        let mut ends = (0..=text.len().min(LONGEST_READ_ON)).rev();
        let beginning = ends.find_map(|end| text.get(..end)).unwrap_or_default();
        DeTable::parse_recoverable(beginning).0
    });
    root.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is wrong with a text that is no TOML.
    fn wrong(text: &str) -> Vec<Diagnostic> {
        let mut reader = Reader::new("f.toml", text);
        let read = reader.parse(text).map(|_| ());
        reader.finish(read).err().unwrap_or_default()
    }

    #[test]
    fn the_first_mistakes_are_shown_and_the_rest_counted() {
        let few = wrong(&"=\n".repeat(3));
        assert!(few.len() > 1 && few.iter().all(|e| e.mistakes() == 1));
        let text = "=\n".repeat(30_000);
        let many = wrong(&text);
        assert_eq!(many.len(), MOST + 1);
        let all: usize = many.iter().map(Diagnostic::mistakes).sum();
        assert!(all >= 30_000, "{all}");
        let last = many.last().map(|e| e.render(false)).unwrap_or_default();
        assert!(last.contains("more") && last.contains(','), "{last}");
        let starts: Vec<usize> = many.iter().take(MOST).map(Diagnostic::start).collect();
        assert!(starts.is_sorted() && starts.last() < Some(&200), "{starts:?}");
    }

    #[test]
    fn a_long_file_is_read_to_its_first_mistake() {
        let good = "a_key_of_some_length = 1\n".replace("key", "{}");
        let good: String = (0..5_000).map(|n| good.replace("{}", &n.to_string())).collect();
        assert!(good.len() > LONGEST_READ_ON && wrong(&good).is_empty());
        for (bad, place) in
            [("=\n".repeat(400_000), (5001, 1)), ("a_0_of_some_length = 2\n".to_owned(), (5001, 1))]
        {
            let wrong = wrong(&(good.clone() + &bad));
            assert_eq!(wrong.len(), 1, "{wrong:?}");
            assert!(
                wrong
                    .iter()
                    .all(|e| e.position() == Some(place) && e.render(false).contains("only the first"))
            );
        }
    }

    #[test]
    fn a_mistake_is_drawn_with_its_own_lines_and_their_numbers() {
        let text = format!("{}[a]\nb = 1\nb = 2\n{}", "# x\n".repeat(5_000), "# y\n".repeat(5_000));
        let shown = wrong(&text).first().map(|e| e.render(false)).unwrap_or_default();
        assert!(shown.contains("f.toml:5003:1") && shown.contains("5003 | b = 2"), "{shown}");
    }
}
