//! Reads TOML with its places: every mistake is noted with its range, and reading goes on to find the next.
//! May import `domain` and `diagnostic`.

use std::ops::{Range, RangeInclusive};
use std::sync::Arc;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostic::{Diagnostic, nearest};

/// A value and its place.
pub(crate) type Value<'t> = Spanned<DeValue<'t>>;

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
    pub(crate) fn entries(&self) -> Vec<(At<&'t str>, &'t Value<'t>)> {
        let mut entries: Vec<_> = self
            .inner
            .iter()
            .map(|(key, value)| (At { value: key.get_ref().as_ref(), span: key.span() }, value))
            .collect();
        entries.sort_by_key(|(key, _)| key.span.start);
        entries
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&'t Value<'t>> {
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
    errors: Vec<Diagnostic>,
}

impl Reader {
    pub(crate) fn new(file: &str, text: &str) -> Self {
        Self { file: file.to_owned(), text: Arc::from(text), errors: Vec::new() }
    }

    /// Parses the text, which the caller keeps. Where the syntax is wrong nothing else is judged.
    pub(crate) fn parse<'t>(&mut self, text: &'t str) -> Option<Spanned<DeTable<'t>>> {
        let (root, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let message = error.message().trim().replace('\n', ", ");
            let help = if message.starts_with("duplicate key") {
                "each name may be given once: rename one of the two or remove it"
            } else {
                "the file must be TOML: see https://toml.io"
            };
            self.error(error.span().unwrap_or(0..0), message, help);
        }
        errors.is_empty().then_some(root)
    }

    /// Notes a mistake and what to do about it.
    pub(crate) fn error(&mut self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.errors.push(Diagnostic::at(&self.file, &self.text, span, message).help(help));
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
        self.errors.push(error.related(first.0, first.1).help(help));
    }

    /// How many mistakes were noted.
    pub(crate) fn error_count(&self) -> usize {
        self.errors.len()
    }

    /// What was read, or all mistakes in the order of the file.
    pub(crate) fn finish<T>(mut self, value: Option<T>) -> Result<T, Vec<Diagnostic>> {
        match value {
            Some(value) if self.errors.is_empty() => Ok(value),
            _ => {
                self.errors.sort_by_key(Diagnostic::start);
                Err(self.errors)
            }
        }
    }

    /// The root table.
    pub(crate) fn root<'t>(&self, root: &'t Spanned<DeTable<'t>>) -> Table<'t> {
        Table { path: String::new(), span: 0..0, inner: root.get_ref() }
    }

    /// A value that must be a table.
    pub(crate) fn table<'t>(&mut self, path: String, value: &'t Value<'t>, hint: &str) -> Option<Table<'t>> {
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

    /// A string.
    pub(crate) fn string<'t>(&mut self, table: &Table<'t>, key: &str, hint: &str) -> Option<At<&'t str>> {
        let value = table.get(key)?;
        self.as_string(&table.name_of(key), value, hint)
    }

    /// A value that must be a string.
    pub(crate) fn as_string<'t>(
        &mut self,
        name: &str,
        value: &'t Value<'t>,
        hint: &str,
    ) -> Option<At<&'t str>> {
        match value.get_ref() {
            DeValue::String(text) => Some(At { value: text.as_ref(), span: value.span() }),
            _ => self.wrong_type(name, value, "a string", hint),
        }
    }

    /// A string that must be one of a few words.
    pub(crate) fn word<T: Copy>(&mut self, table: &Table<'_>, key: &str, words: &[(&str, T)]) -> Option<T> {
        let known = words.iter().map(|(w, _)| format!("{w:?}")).collect::<Vec<_>>().join(" or ");
        let help = format!("write {key} = {known}");
        let text = self.string(table, key, &help)?;
        let found = words.iter().find(|(w, _)| *w == text.value).map(|(_, t)| *t);
        if found.is_none() {
            let help = nearest(text.value, words.iter().map(|(w, _)| *w))
                .map_or(help, |near| format!("did you mean {near:?}?"));
            self.error(text.span, format!("{} cannot be {:?}", table.name_of(key), text.value), help);
        }
        found
    }

    /// Yes or no.
    pub(crate) fn boolean(&mut self, table: &Table<'_>, key: &str) -> Option<bool> {
        let value = table.get(key)?;
        match value.get_ref() {
            DeValue::Boolean(yes) => Some(*yes),
            _ => self.wrong_type(
                &table.name_of(key),
                value,
                "true or false",
                &format!("write {key} = true or {key} = false"),
            ),
        }
    }

    /// A whole number in a range.
    pub(crate) fn integer(
        &mut self,
        table: &Table<'_>,
        key: &str,
        range: RangeInclusive<u32>,
    ) -> Option<u32> {
        let value = table.get(key)?;
        let (low, high) = (*range.start(), *range.end());
        let help = format!("write a whole number from {low} to {high}");
        let DeValue::Integer(number) = value.get_ref() else {
            return self.wrong_type(&table.name_of(key), value, "a whole number", &help);
        };
        let read = u32::from_str_radix(number.as_str(), number.radix()).ok().filter(|n| range.contains(n));
        if read.is_none() {
            self.error(value.span(), format!("{} = {number} is out of range", table.name_of(key)), help);
        }
        read
    }

    /// A number in a range, whole or not.
    pub(crate) fn number(
        &mut self,
        table: &Table<'_>,
        key: &str,
        range: &RangeInclusive<f64>,
    ) -> Option<f64> {
        let value = table.get(key)?;
        let help = format!("write a number from {} to {}", range.start(), range.end());
        let Some(number) = plain_number(value.get_ref()) else {
            return self.wrong_type(&table.name_of(key), value, "a number", &help);
        };
        if !range.contains(&number) {
            self.error(value.span(), format!("{} = {number} is out of range", table.name_of(key)), help);
            return None;
        }
        Some(number)
    }

    /// A time: a number of seconds, or text with a unit (`"5s"`, `"500ms"`, `"2m"`, `"1h"`).
    pub(crate) fn duration(
        &mut self,
        table: &Table<'_>,
        key: &str,
        range: RangeInclusive<Duration>,
    ) -> Option<Duration> {
        let value = table.get(key)?;
        let (low, high) = (range.start().as_secs(), range.end().as_secs());
        let help = format!(
            "write {key} as seconds or with a unit (\"5s\", \"500ms\", \"2m\"), from {low} to {high} s"
        );
        let name = table.name_of(key);
        let read = match value.get_ref() {
            DeValue::String(text) => parse_duration(text),
            other => match plain_number(other) {
                Some(number) => Duration::try_from_secs_f64(number).ok(),
                None => return self.wrong_type(&name, value, "a time", &help),
            },
        };
        match read {
            Some(time) if range.contains(&time) => return read,
            Some(_) => self.error(value.span(), format!("{name} is out of range"), help),
            None => self.error(value.span(), format!("{name} is not a time"), help),
        }
        None
    }

    /// A list of values.
    pub(crate) fn list<'t>(
        &mut self,
        table: &Table<'t>,
        key: &str,
        hint: &str,
    ) -> Option<Vec<&'t Value<'t>>> {
        let value = table.get(key)?;
        match value.get_ref() {
            DeValue::Array(items) => Some(items.iter().collect()),
            _ => self.wrong_type(&table.name_of(key), value, "a list", hint),
        }
    }

    /// A list of strings.
    pub(crate) fn strings<'t>(
        &mut self,
        table: &Table<'t>,
        key: &str,
        hint: &str,
    ) -> Option<Vec<At<&'t str>>> {
        let name = table.name_of(key);
        let items = self.list(table, key, hint)?;
        Some(items.into_iter().filter_map(|item| self.as_string(&name, item, hint)).collect())
    }

    fn wrong_type<T>(&mut self, name: &str, value: &Value<'_>, wanted: &str, hint: &str) -> Option<T> {
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

fn plain_number(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Integer(n) => i64::from_str_radix(n.as_str(), n.radix()).ok().map(|n| n as f64),
        DeValue::Float(n) => n.as_str().parse().ok(),
        _ => None,
    }
}

fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits)?;
    let unit = match unit.trim() {
        "ms" => 0.001,
        "s" | "" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * unit).ok()
}
