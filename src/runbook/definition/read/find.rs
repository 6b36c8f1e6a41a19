//! What facts answer an input with: a question to database servers, asked before there is a plan.

use crate::config::reader::Table;

use super::{Reading, place};
use crate::runbook::definition::{Ask, Expect, Find, Finds, Input, On, Pick, Sql, Test};
use crate::runbook::template::Template;
use crate::runbook::value::ValueKind;

const FIND_HINT: &str =
    "write find = { sql = \"SELECT @@global.read_only\", expect = [{ is = \"0\" }], says = \"…\" }";
const SQL_HINT: &str = "write sql = \"SELECT @@global.read_only\"";
const SAYS_HINT: &str = "write says = \"the only writable server\": why this value is offered";
const ON_HINT: &str = "write on = \"old\": an earlier input of kind host, which is asked";
const COLUMN_HINT: &str = "write column = \"Master_User\": the part of the answer that is the value";

impl Reading<'_> {
    /// What answers `input`; `before` are the inputs that are known when it is asked.
    pub(super) fn find(&mut self, of: &Table<'_>, input: &Input, before: &[Input]) -> Option<Find> {
        let item = of.get("find")?;
        if input.sensitive {
            let help = "remove find: a value that a server shows to anyone is not a secret";
            self.reader.error(item.span(), "a secret with find", help);
            return None;
        }
        let table = self.reader.table("find".to_owned(), item, FIND_HINT)?;
        let of_host = input.kind == ValueKind::Host;
        let (own, others): (&[&str], &[&str]) =
            if of_host { (&["expect"], &["on", "column"]) } else { (&["on", "column"], &["expect"]) };
        for key in others.iter().filter(|key| table.get(key).is_some()) {
            let message = match of_host {
                true => {
                    format!("`{key}` cannot be used here: the input is a host, so every candidate is asked")
                }
                false => format!("`{key}` cannot be used here: the input is a value, not a host"),
            };
            let help = format!("write {} instead", own.join(" and "));
            self.reader.error(place(&table, key), message, help);
        }
        self.reader.only(&table, &[&["sql", "says"][..], own, others].concat());
        let sql = self.need_string(&table, "sql", SQL_HINT);
        let says = self.need_string(&table, "says", SAYS_HINT);
        let sql = sql.map(|sql| self.template(&sql, super::text::Use::Value)).and_then(|sql| {
            let plain = plain(&sql);
            if plain.is_none() {
                self.no_variables(&table, "sql");
            }
            plain
        });
        let what = match of_host {
            true => self.only_host(&table),
            false => self.value_on(&table, before),
        };
        Some(Find { sql: sql?, what: what?, says: says?.value.to_owned() })
    }

    fn no_variables(&mut self, table: &Table<'_>, key: &str) {
        let message = "no variables here: this is asked before the plan is made, when no value is known";
        self.reader.error(place(table, key), message, "ask without variables; a check step may use them");
    }

    fn only_host(&mut self, table: &Table<'_>) -> Option<Finds> {
        let ask = Ask::Sql(Sql { text: Template::default(), session: None });
        let expect = self.expects(table, Some(&ask), &On::Nowhere);
        if expect.is_empty() {
            let message = "this find has no expect, so every host would match";
            self.reader.error(table.span.clone(), message, FIND_HINT);
            return None;
        }
        if expect.iter().any(has_variables) {
            self.no_variables(table, "expect");
            return None;
        }
        Some(Finds::OnlyHost(expect))
    }

    fn value_on(&mut self, table: &Table<'_>, before: &[Input]) -> Option<Finds> {
        let on = self.need_string(table, "on", ON_HINT)?;
        let column = self.need_string(table, "column", COLUMN_HINT)?;
        let named = before.iter().any(|i| i.name == on.value && i.kind == ValueKind::Host);
        if !named {
            let message = format!("{:?} is not an earlier input of kind host", on.value);
            self.reader.error(on.span, message, ON_HINT);
            return None;
        }
        let pick = Pick::Column(column.value.to_owned());
        Some(Finds::Value { on: on.value.to_owned(), pick })
    }
}

/// The text of a template without variables.
fn plain(template: &Template) -> Option<String> {
    template.fill(|_| Err(())).ok()
}

fn has_variables(expect: &Expect) -> bool {
    let used = |template: &Template| plain(template).is_none();
    match &expect.test {
        Test::Is(t) | Test::IsNot(t) | Test::GtidCovers(t) | Test::GtidIs(t) => used(t),
        Test::OneOf(all) => all.iter().any(used),
        Test::Matches(_) | Test::AtLeast(_) | Test::AtMost(_) | Test::Empty(_) | Test::Any => false,
    }
}
