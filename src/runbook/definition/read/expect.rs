//! What an answer must say, what is kept of it, and conditions.

use toml::de::DeValue;

use crate::config::reader::Table;

use super::names::Meaning;
use super::text::Use;
use super::{Reading, place};
use crate::runbook::definition::{Across, Ask, Capture, Condition, Expect, On, Pick, Test};
use crate::runbook::template::Template;

const PICKS: [&str; 4] = ["column", "rows", "match", "json"];
const TESTS: [&str; 9] =
    ["is", "not", "one_of", "matches", "at_least", "at_most", "empty", "gtid_covers", "gtid_is"];
const TESTS_HELP: &str =
    "write one of is, not, one_of, matches, at_least, at_most, empty, gtid_covers, gtid_is";
const EXPECT_HINT: &str = "write expect = [{ column = \"Slave_IO_Running\", is = \"Yes\" }]";
const CAPTURE_HINT: &str = "write capture = [{ name = \"g\", kind = \"gtid\", column = \"pos\" }]";
const WHEN_HINT: &str = "write when = [{ value = \"{mode}\", is = \"gtid\" }]";

impl Reading<'_> {
    /// What the answer to a question must say.
    pub(super) fn expects(&mut self, table: &Table<'_>, ask: Option<&Ask>, on: &On) -> Vec<Expect> {
        let mut expects = Vec::new();
        for item in self.reader.list(table, "expect", EXPECT_HINT).unwrap_or_default() {
            let Some(one) = self.reader.table("expect".to_owned(), item, EXPECT_HINT) else { continue };
            self.reader.only(&one, &[&PICKS[..], &TESTS[..], &["across"]].concat());
            let pick = self.pick(&one, ask);
            let across = self.across(&one, on);
            let test = self.expect_test(&one, across);
            if let (Some(pick), Some(test)) = (pick, test) {
                expects.push(Expect { pick, test, across });
            }
        }
        expects
    }

    fn expect_test(&mut self, table: &Table<'_>, across: Option<Across>) -> Option<Test> {
        let compares = matches!(across, Some(Across::Unique | Across::Same));
        let given = TESTS.into_iter().find(|key| table.get(key).is_some());
        match (compares, given) {
            (true, None) => Some(Test::Any),
            (true, Some(key)) => {
                let message = format!(
                    "`{key}` cannot be used with across = \"unique\" or \"same\": they are two different tests"
                );
                self.reader.error(place(table, key), message, "write them as two entries of expect");
                None
            }
            _ => self.test(table),
        }
    }

    fn across(&mut self, table: &Table<'_>, on: &On) -> Option<Across> {
        let value = table.get("across")?;
        let help = "write across = \"unique\", across = \"same\", or the number of hosts it must hold on";
        let one = match on {
            On::Named(name) => self.is_one(name),
            On::Jump | On::Nowhere => true,
        };
        if one {
            let message = "across compares hosts, but this asks only one host";
            self.reader.error(value.span(), message, "remove across, or ask several hosts");
            return None;
        }
        match value.get_ref() {
            DeValue::String(word) if word == "unique" => Some(Across::Unique),
            DeValue::String(word) if word == "same" => Some(Across::Same),
            DeValue::Integer(_) => {
                let count = self.reader.integer(table, "across", 0..=10_000)?;
                Some(Across::Exactly(count as usize))
            }
            _ => {
                self.reader.error(value.span(), "across has no valid value", help);
                None
            }
        }
    }

    /// Which part of an answer; all of it when nothing is said.
    fn pick(&mut self, table: &Table<'_>, ask: Option<&Ask>) -> Option<Pick> {
        let there: Vec<&str> = PICKS.into_iter().filter(|key| table.get(key).is_some()).collect();
        let key = match there.as_slice() {
            [] => return Some(Pick::Whole),
            [key] => *key,
            [first, second, ..] => {
                let message = format!("two parts of the answer at once: {first} and {second}");
                self.reader.error(place(table, second), message, "make two entries of it");
                return None;
            }
        };
        let (impossible, has) = match (key, ask) {
            ("column", Some(Ask::Run(_) | Ask::Salt(_) | Ask::Value(_))) => {
                (true, "has no columns: only an answer of SQL has them")
            }
            ("json", Some(Ask::Sql(_))) => (true, "comes from SQL: it has columns, not JSON"),
            ("rows", Some(Ask::Value(_) | Ask::Salt(_))) => {
                (true, "has no rows: only answers of SQL and of scripts have them")
            }
            _ => (false, ""),
        };
        if impossible {
            let help = "remove it, and the whole answer is used; see docs/runbooks.md";
            self.reader.error(place(table, key), format!("the answer {has}"), help);
            return None;
        }
        match key {
            "column" => self
                .need_string(table, key, "write column = \"Slave_IO_Running\"")
                .map(|c| Pick::Column(c.value.to_owned())),
            "match" => self.regex(table, key).map(Pick::Match),
            "json" => {
                self.need_string(table, key, "write json = \"a.b.0\"").map(|p| Pick::Json(p.value.to_owned()))
            }
            _ => match self.reader.boolean(table, key)? {
                true => Some(Pick::Rows),
                false => {
                    self.reader.error(place(table, key), "rows = false has no meaning", "remove it");
                    None
                }
            },
        }
    }

    /// What must hold; exactly one test.
    fn test(&mut self, table: &Table<'_>) -> Option<Test> {
        let there: Vec<&str> = TESTS.into_iter().filter(|key| table.get(key).is_some()).collect();
        let key = match there.as_slice() {
            [key] => *key,
            [] => {
                self.reader.error(table.span.clone(), "this entry of expect has no test", TESTS_HELP);
                return None;
            }
            [first, second, ..] => {
                let message = format!("two tests at once: {first} and {second}");
                self.reader.error(place(table, second), message, "make two entries of it");
                return None;
            }
        };
        match key {
            "is" => self.compared(table, key).map(Test::Is),
            "not" => self.compared(table, key).map(Test::IsNot),
            "one_of" => {
                let hint = "write one_of = [\"ROW\", \"MIXED\"]";
                let texts = self.reader.strings(table, key, hint)?;
                if texts.is_empty() {
                    self.reader.error(place(table, key), "one_of is empty: no answer can match it", hint);
                }
                Some(Test::OneOf(texts.iter().map(|t| self.template(t, Use::Value)).collect()))
            }
            "matches" => self.regex(table, key).map(Test::Matches),
            "at_least" => self.reader.number(table, key, &(f64::MIN..=f64::MAX)).map(Test::AtLeast),
            "at_most" => self.reader.number(table, key, &(f64::MIN..=f64::MAX)).map(Test::AtMost),
            "empty" => self.reader.boolean(table, key).map(Test::Empty),
            "gtid_covers" => self.compared(table, key).map(Test::GtidCovers),
            _ => self.compared(table, key).map(Test::GtidIs),
        }
    }

    /// A text to compare with; it may be empty. A whole number is the text of it.
    fn compared(&mut self, table: &Table<'_>, key: &str) -> Option<Template> {
        let value = table.get(key)?;
        if let DeValue::Integer(number) = value.get_ref() {
            return Some(Template::plain(number.as_str()));
        }
        let help =
            format!("write {key} = \"…\": an answer is a text, so the value needs quotes: \"1\", \"ON\"");
        let text = self.reader.string(table, key, &help)?;
        Some(self.template(&text, Use::Value))
    }

    /// What is kept of an answer; its variables are known when the step is over: see [`Reading::bring`].
    pub(super) fn captures(
        &mut self,
        table: &Table<'_>,
        ask: Option<&Ask>,
    ) -> Vec<(Capture, std::ops::Range<usize>)> {
        let mut captures: Vec<(Capture, std::ops::Range<usize>)> = Vec::new();
        for item in self.reader.list(table, "capture", CAPTURE_HINT).unwrap_or_default() {
            let Some(one) = self.reader.table("capture".to_owned(), item, CAPTURE_HINT) else { continue };
            self.reader.only(&one, &[&PICKS[..], &["name", "kind", "sensitive"]].concat());
            let name = self.need_string(&one, "name", "write name = \"g\"");
            let name = name.filter(|name| self.variable_name(name));
            let kind = self.kind(&one, "kind");
            let sensitive = self.reader.boolean(&one, "sensitive").unwrap_or(false);
            let pick = self.pick(&one, ask);
            let Some(name) = name else { continue };
            if captures.iter().any(|(c, _)| c.name == name.value) {
                let message = format!("{:?} is captured twice", name.value);
                self.reader.error(name.span, message, "rename one of the two or remove it");
                continue;
            }
            match (kind, pick) {
                (Some(kind), Some(pick)) => {
                    captures
                        .push((Capture { name: name.value.to_owned(), kind, pick, sensitive }, name.span));
                }
                // Its kind is not known; that it is there is.
                _ => self.names.anything(name.value),
            }
        }
        captures
    }

    /// A variable that a step brings.
    pub(super) fn bring(&mut self, name: &str, meaning: Meaning, step: &str, span: std::ops::Range<usize>) {
        let Some((_, other)) = self.names.bring(name, meaning, step) else { return };
        let message = match other.is_empty() {
            true => format!("the name {name:?} appears twice"),
            false => format!("{name:?} means something else already: step {other:?} captures it"),
        };
        self.reader.error(
            span,
            message,
            "rename one of the two; a value that is captured again must have the same kind",
        );
    }

    /// Conditions, all of which must hold.
    pub(super) fn when(&mut self, table: &Table<'_>) -> Vec<Condition> {
        let mut conditions = Vec::new();
        for item in self.reader.list(table, "when", WHEN_HINT).unwrap_or_default() {
            let Some(one) = self.reader.table("when".to_owned(), item, WHEN_HINT) else { continue };
            self.reader.only(&one, &[&["value"][..], &TESTS[..]].concat());
            let value = self.need_text(&one, "value", Use::Value, "write value = \"{mode}\"");
            let test = self.test(&one);
            if let (Some(value), Some(test)) = (value, test) {
                conditions.push(Condition { value, test });
            }
        }
        conditions
    }
}
