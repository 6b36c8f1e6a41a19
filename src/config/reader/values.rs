//! Reads single values: strings, words, numbers, times, lists.

use std::ops::RangeInclusive;
use std::time::Duration;

use toml::de::DeValue;

use super::{At, Reader, Table, TomlValue};
use crate::config::diagnostic::nearest;

impl Reader {
    /// A string.
    pub(crate) fn string<'t>(&mut self, table: &Table<'t>, key: &str, hint: &str) -> Option<At<&'t str>> {
        let value = table.get(key)?;
        self.as_string(&table.name_of(key), value, hint)
    }

    /// A value that must be a string.
    pub(crate) fn as_string<'t>(
        &mut self,
        name: &str,
        value: &'t TomlValue<'t>,
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
        let help = match (*range.start() > f64::MIN, *range.end() < f64::MAX) {
            (true, true) => format!("write a number from {} to {}", range.start(), range.end()),
            (true, false) => format!("write a number, {} or more", range.start()),
            (false, true) => format!("write a number, {} or less", range.end()),
            (false, false) => "write a number".to_owned(),
        };
        let Some(number) = plain_number(value.get_ref()) else {
            return self.wrong_type(&table.name_of(key), value, "a number", &help);
        };
        if !range.contains(&number) {
            self.error(value.span(), format!("{} = {number} is out of range", table.name_of(key)), help);
            return None;
        }
        Some(number)
    }

    /// A time: a number of seconds, or text with a unit (`"5s"`, `"500ms"`, `"2m"`, `"1h"`, `"7d"`).
    pub(crate) fn duration(
        &mut self,
        table: &Table<'_>,
        key: &str,
        range: RangeInclusive<Duration>,
    ) -> Option<Duration> {
        let value = table.get(key)?;
        let (low, high) = (range.start().as_secs(), range.end().as_secs());
        let help = if low < 3600 {
            format!(
                "write {key} as seconds or with a unit (\"5s\", \"500ms\", \"2m\"), from {low} to {high} s"
            )
        } else {
            let (low, high) = (low / 3600, high / 86_400);
            format!("write {key} with a unit (\"12h\", \"1d\", \"7d\"), from {low}h to {high}d")
        };
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
    ) -> Option<Vec<&'t TomlValue<'t>>> {
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
        "d" => 86_400.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * unit).ok()
}
