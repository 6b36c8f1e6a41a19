//! Questions: scripts, SQL, Salt, known values; and checks made of them.

use std::time::Duration;

use crate::config::reader::{At, Table};
use jumpdeck_fleet::run::Effect;

use super::text::Use;
use super::{Reading, place, script, sql};
use crate::runbook::definition::{Ask, Check, On, SaltCall, Script, Sql};
use crate::runbook::template::Variable;

/// The keys that say what is asked or done.
const VERBS: &[(&str, ReadsQuestion)] = &[
    ("sql", |reading, table| reading.sql(table, "sql", Effect::Read).map(Ask::Sql)),
    ("run", |reading, table| reading.script(table).map(Ask::Run)),
    ("salt", |reading, table| reading.salt(table, Effect::Read).map(Ask::Salt)),
    ("value", |reading, table| reading.text(table, "value", Use::Value).map(Ask::Value)),
];

/// Reads a question from the table that holds its key.
type ReadsQuestion = fn(&mut Reading<'_>, &Table<'_>) -> Option<Ask>;

const CHECK_HINT: &str =
    "write { says = \"what it proves\", sql = \"SELECT @@read_only\", expect = [{ is = \"1\" }] }";

impl Reading<'_> {
    /// A list of checks. They are read where their step stands; `{host}` is the host that is asked.
    pub(in crate::runbook) fn checks(&mut self, table: &Table<'_>, key: &str, on: &On) -> Vec<Check> {
        let mut checks = Vec::new();
        for item in self.reader.list(table, key, CHECK_HINT).unwrap_or_default() {
            let Some(check) = self.reader.table(table.name_of(key), item, CHECK_HINT) else { continue };
            let keys = [
                "says",
                "on",
                "sql",
                "in",
                "run",
                "with",
                "secrets",
                "sudo",
                "salt",
                "arguments",
                "states",
                "value",
                "expect",
                "timeout",
            ];
            self.reader.only(&check, &keys);
            if let Some(check) = self.check(&check, on) {
                checks.push(check);
            }
        }
        if let Some(value) = table.get(key)
            && value.get_ref().as_array().is_some_and(|a| a.is_empty())
        {
            self.reader.error(value.span(), format!("{key:?} proves nothing: it is empty"), CHECK_HINT);
        }
        checks
    }

    fn check(&mut self, table: &Table<'_>, step_on: &On) -> Option<Check> {
        let own = self.on(table);
        let on = own.as_ref().unwrap_or(step_on);
        let before = std::mem::replace(&mut self.names.host, *on != On::Nowhere);
        let step_place = std::mem::replace(&mut self.place, on.clone());
        let says = self.need_text(table, "says", Use::Shown, "write says = \"what it proves\"");
        let ask = self.ask(table, on);
        let expect = self.expects(table, ask.as_ref(), on);
        self.names.host = before;
        self.place = step_place;
        if expect.is_empty() && table.get("expect").is_none() && !matches!(ask, None | Some(Ask::Run(_))) {
            let message = "this check proves nothing: without expect any answer passes";
            self.reader.error(table.span.clone(), message, "add expect = [{ is = \"…\" }]");
        }
        let limits = Duration::from_secs(1)..=Duration::from_secs(3600);
        let timeout = self.reader.duration(table, "timeout", limits);
        if matches!(ask, Some(Ask::Value(_))) && table.get("timeout").is_some() {
            let help = "remove timeout: a value is known already, no host is asked for it";
            self.reader.error(place(table, "timeout"), "`timeout` cannot be used with `value`", help);
        }
        Some(Check { says: says?, on: own, ask: ask?, expect, timeout })
    }

    /// What is asked; it must change nothing.
    pub(in crate::runbook) fn ask(&mut self, table: &Table<'_>, on: &On) -> Option<Ask> {
        let there: Vec<&str> =
            VERBS.iter().map(|(verb, _)| *verb).filter(|verb| table.get(verb).is_some()).collect();
        let help = "write one of sql = \"…\", run = \"…\", salt = \"…\", value = \"…\"";
        match there.as_slice() {
            [] => {
                self.reader.error(table.span.clone(), "the question is missing", help);
                return None;
            }
            [_] => {}
            [first, second, ..] => {
                let message = format!("two questions at once: {first} and {second}");
                self.reader.error(place(table, second), message, "make two checks or steps of them");
                return None;
            }
        }
        let verb = there.first()?;
        if *on == On::Nowhere && *verb != "value" {
            let help = "write on = \"…\": a target, a host input, or \"jump\"";
            self.reader.error(place(table, verb), format!("{verb} needs a host to run on"), help);
        }
        let (_, read) = VERBS.iter().find(|(word, _)| word == verb)?;
        let ask = read(self, table);
        if ask.as_ref().is_some_and(|ask| !matches!(ask, Ask::Sql(_))) && table.get("in").is_some() {
            let help = "remove it, or ask by sql: only SQL runs in the session of a hold";
            self.reader.error(place(table, "in"), format!("`in` cannot be used with `{verb}`"), help);
        }
        ask
    }

    /// Where something runs, when it is said.
    pub(super) fn on(&mut self, table: &Table<'_>) -> Option<On> {
        let help = "write on = the name of a target, of a host input, of an elected host, or \"jump\"";
        let name = self.reader.string(table, "on", help)?;
        if name.value == "jump" {
            return Some(On::Jump);
        }
        self.place_named(&name, help);
        Some(On::Named(name.value.to_owned()))
    }

    /// SQL that must be there, and the session it runs in.
    pub(in crate::runbook) fn sql(&mut self, table: &Table<'_>, key: &str, effect: Effect) -> Option<Sql> {
        let session = self.session(table, key);
        Some(Sql { session, ..self.statements(table, key, effect)? })
    }

    /// SQL that must be there.
    pub(in crate::runbook) fn statements(
        &mut self,
        table: &Table<'_>,
        key: &str,
        effect: Effect,
    ) -> Option<Sql> {
        let text = self.need_string(table, key, &format!("write {key} = \"SELECT …\""))?;
        if effect == Effect::Read
            && let Some(word) = sql::first_change(text.value)
        {
            let span = self.find_in(text.span.clone(), &word).unwrap_or_else(|| text.span.clone());
            let message = format!("{word} changes something, but this must only read");
            let help = "make it a step of kind \"sql\" with effect = \"mutate\"";
            self.reader.error(span, message, help);
        }
        Some(Sql { text: self.template(&text, Use::Sql), session: None })
    }

    /// A script that must be there, and what it gets.
    pub(in crate::runbook) fn script(&mut self, table: &Table<'_>) -> Option<Script> {
        let with = self.handed(table, "with", Use::With);
        let secrets = self.handed(table, "secrets", Use::Secret);
        let sudo = self.reader.boolean(table, "sudo").unwrap_or(false);
        let text = self.need_string(table, "run", "write run = '''…''', what /bin/sh reads")?;
        self.apart(&text, &with, &secrets);
        self.judge_script(&text, &with, &secrets);
        Some(Script { text: text.value.to_owned(), with, secrets, sudo })
    }

    fn handed(&mut self, table: &Table<'_>, key: &str, usage: Use) -> Vec<Variable> {
        let hint = format!("write {key} = [\"candidate.address\"]");
        let mut variables: Vec<Variable> = Vec::new();
        for name in self.reader.strings(table, key, &hint).unwrap_or_default() {
            let Some(variable) = Variable::parse(name.value) else {
                self.reader.error(name.span, format!("{:?} is not a variable", name.value), hint.clone());
                continue;
            };
            if variables.contains(&variable) {
                self.reader.error(name.span.clone(), format!("{:?} appears twice", name.value), "remove one");
            }
            self.variable(&variable, name.span, usage);
            variables.push(variable);
        }
        variables
    }

    /// `db.address` and `db_address` are one name to a shell: the later value would win.
    fn apart(&mut self, text: &At<&str>, with: &[Variable], secrets: &[Variable]) {
        let all: Vec<&Variable> = with.iter().chain(secrets).collect();
        for (at, variable) in all.iter().enumerate() {
            let name = variable.shell_name();
            let earlier = all.iter().take(at).find(|other| other.shell_name() == name);
            if let Some(other) = earlier.filter(|other| other != &variable || at >= with.len()) {
                let message = format!("{{{other}}} and {{{variable}}} are both ${name} to the script");
                let help = "rename the input or the captured value, or pass only one of them to the script";
                self.reader.error(text.span.clone(), message, help);
            }
        }
    }

    fn judge_script(&mut self, text: &At<&str>, with: &[Variable], secrets: &[Variable]) {
        let start = self.find_in(text.span.clone(), text.value).map(|s| s.start);
        let known = self.names.usable();
        let handed: Vec<String> = with.iter().chain(secrets).map(Variable::shell_name).collect();
        let secrets: Vec<String> = secrets.iter().map(Variable::shell_name).collect();
        for finding in script::judge(text.value, &known, &handed, &secrets) {
            let span =
                start.map_or_else(|| text.span.clone(), |s| s + finding.span.start..s + finding.span.end);
            self.reader.error(span, finding.message, finding.help);
        }
    }

    /// A Salt call that must be there.
    pub(in crate::runbook) fn salt(&mut self, table: &Table<'_>, effect: Effect) -> Option<SaltCall> {
        let function = self.need_string(table, "salt", "write salt = \"state.sls\"");
        let mut arguments = Vec::new();
        let hint = "write arguments = [\"code\"]";
        for text in self.reader.strings(table, "arguments", hint).unwrap_or_default() {
            arguments.push(self.template(&text, Use::Argument));
        }
        let job = self.reader.boolean(table, "job").unwrap_or(false);
        let states = self.reader.boolean(table, "states");
        let function = function?;
        let is_function = function.value.split_once('.').is_some_and(|(module, name)| {
            let word = |s: &str| !s.is_empty() && s.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            word(module) && word(name)
        });
        if !is_function {
            let message = format!("{:?} is not a Salt function", function.value);
            self.reader.error(function.span, message, "write module.function, as in \"state.sls\"");
            return None;
        }
        let tests = arguments.iter().any(|a| a.to_string().eq_ignore_ascii_case("test=true"));
        let applies = function.value.starts_with("state.")
            && ["apply", "sls", "highstate", "sls_id", "single", "template", "top"]
                .contains(&function.value.trim_start_matches("state."));
        if effect == Effect::Read && applies && !tests {
            let message = format!("{} changes something, but this must only read", function.value);
            let help = "add \"test=True\" to its arguments, or make it a step of kind \"salt\" with effect = \"mutate\"";
            self.reader.error(function.span, message, help);
        }
        let states = states.unwrap_or(applies && !tests);
        Some(SaltCall { function: function.value.to_owned(), arguments, states, job })
    }
}
