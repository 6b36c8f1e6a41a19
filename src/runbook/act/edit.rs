//! A change of a file in a git tree on the jump box: read, changed here, shown as a diff, written if it is
//! still what was shown, committed.

use std::fmt::Write as _;
use std::time::Duration;

use super::manner::For;
use super::site::Site;
use super::trouble::{PlaceAnswers, Trouble, on_hosts};
use super::{script, ticket};
use crate::runbook::definition::{Change, Edit};
use crate::runbook::event::{HostOutcome, Outcomes, Verdict};
use crate::runbook::judge::HostAnswer;
use crate::runbook::machine::StepRef;
use crate::runbook::place::Places;
use crate::runbook::scope::{Scope, ScopeError, quoted};
use crate::runbook::template::{Part, Template};
use crate::runbook::value::Value;
use jumpdeck_fleet::names::HostName;

mod yaml;

/// Reading a file, or asking git, takes no longer.
const READ_LIMIT: Duration = Duration::from_secs(15);

/// A change with its variables filled in.
enum Filled {
    Key(String, String),
    Bump(String),
    Line(regex::Regex, String),
}

struct PreparedEdit {
    path: String,
    before: String,
    after: String,
    message: String,
}

/// What it will do, before the file is known.
pub(in crate::runbook) fn shown(scope: &Scope<'_>, edit: &Edit) -> String {
    let mut text = format!("edit {}", scope.shown(&edit.file));
    for change in &edit.changes {
        let line = match change {
            Change::Key { path, value } => format!("{}: {}", scope.shown(path), scope.shown(value)),
            Change::Bump { path } => format!("{path}: one higher"),
            Change::Line { find, put } => format!("the line {find} becomes {}", scope.shown(put)),
        };
        let _ = write!(text, "\n  {line}");
    }
    if edit.commit {
        let _ = write!(text, "\ngit commit -m {:?}", scope.shown(&edit.message));
    }
    text
}

/// The diff it would make now.
pub(in crate::runbook) async fn diff(
    site: &Site,
    at: StepRef<'_>,
    edit: &Edit,
    host: &HostName,
) -> Result<String, String> {
    let prepared = prepare(site, at, edit, host).await.map_err(|t| t.words().to_owned())?;
    let mut text = similar::TextDiff::from_lines(&prepared.before, &prepared.after)
        .unified_diff()
        .context_radius(2)
        .header(&prepared.path, &prepared.path)
        .to_string();
    if edit.commit {
        let _ = write!(text, "git commit -m {:?}", prepared.message);
    }
    Ok(text)
}

async fn prepare(
    site: &Site,
    at: StepRef<'_>,
    edit: &Edit,
    host: &HostName,
) -> Result<PreparedEdit, Trouble> {
    let filled = at.at(Some(host), |scope| {
        let changes = edit.changes.iter().map(|change| {
            Ok(match change {
                Change::Key { path, value } => Filled::Key(scope.text(path)?, scope.text(value)?),
                Change::Bump { path } => Filled::Bump(path.clone()),
                Change::Line { find, put } => Filled::Line(find.clone(), line(&scope, put)?),
            })
        });
        let changes: Result<Vec<Filled>, ScopeError> = changes.collect();
        Ok::<_, ScopeError>((scope.text(&edit.file)?, changes?, scope.text(&edit.message)?))
    });
    let (path, changes, message) = filled.map_err(|e| Trouble::Failed(e.to_string()))?;
    let before = read(site, host, &path).await?;
    let mut after = before.clone();
    for change in &changes {
        after = apply(&after, change).map_err(|why| Trouble::Failed(format!("{path}: {why}")))?;
    }
    Ok(PreparedEdit { path, before, after, message })
}

/// The file's text. A link is refused: writing would put a file in its place.
async fn read(site: &Site, host: &HostName, path: &str) -> Result<String, Trouble> {
    let file = quoted(path);
    let text = format!(
        "[ ! -L {file} ] || {{ echo 'it is a symbolic link: let the runbook name the file it leads to' >&2; exit 1; }}\n\
         cat -- {file}"
    );
    let text = script::text_on(site, host, &text, true, READ_LIMIT, true, None).await?.text;
    match text.contains(['\0', char::REPLACEMENT_CHARACTER]) {
        true => Err(Trouble::Failed(format!("{path} is not UTF-8 text; edit it by hand"))),
        false => Ok(text),
    }
}

fn apply(text: &str, change: &Filled) -> Result<String, String> {
    match change {
        Filled::Key(path, value) => yaml::set(text, path, |_| Ok(value.clone())),
        Filled::Bump(path) => yaml::set(text, path, |old| {
            let number: u64 = old.parse().map_err(|_| format!("{path} is {old:?}, not a number"))?;
            Ok((number + 1).to_string())
        }),
        Filled::Line(find, put) => {
            let found: Vec<usize> =
                text.lines().enumerate().filter(|(_, l)| find.is_match(l)).map(|(i, _)| i).collect();
            let [at] = found.as_slice() else {
                return Err(format!("{find} matches {} lines, expected 1", found.len()));
            };
            let lines = text.split_inclusive('\n').enumerate().map(|(i, line)| match i == *at {
                true => format!(
                    "{put}{}",
                    line.get(line.trim_end_matches(['\n', '\r']).len()..).unwrap_or_default()
                ),
                false => line.to_owned(),
            });
            Ok(lines.collect())
        }
    }
}

/// A line to put.
fn line(scope: &Scope<'_>, put: &Template) -> Result<String, ScopeError> {
    let text = scope.text(put)?;
    let values = put.variables().map(|variable| Ok((variable.to_string(), scope.value(variable)?)));
    let values: Vec<(String, Value)> = values.collect::<Result<_, ScopeError>>()?;
    match beyond_a_line(put, &values, &text) {
        Some(variable) => Err(ScopeError::NotALine(variable.to_owned())),
        None => Ok(text),
    }
}

/// What Jinja begins and ends with.
const OPENS: [&str; 3] = ["{{", "{%", "{#"];
const CLOSES: [&str; 3] = ["}}", "%}", "#}"];

/// The variable that would be more than a text in one line. What the runbook's author wrote may be Jinja; what a variable
/// holds is neither that nor a second line, and within Jinja of the author's it is a plain word.
fn beyond_a_line<'v>(put: &Template, values: &'v [(String, Value)], text: &str) -> Option<&'v str> {
    let mut values_in_order = values.iter();
    let mut written = String::new();
    for part in &put.parts {
        match part {
            Part::Text(plain) => written.push_str(plain),
            Part::Variable(_) => {
                let (name, value) = values_in_order.next()?;
                let value = value.text();
                let runs = OPENS.iter().any(|mark| value.contains(mark));
                let last = |marks: &[&str]| marks.iter().filter_map(|mark| written.rfind(mark)).max();
                let is_within = last(&OPENS) > last(&CLOSES);
                let is_word = value.chars().all(|c| c.is_alphanumeric() || "_-.:/".contains(c));
                if runs || value.contains(char::is_control) || is_within && !is_word {
                    return Some(name);
                }
            }
        }
    }
    // A brace of the author's and one of a value's are Jinja together.
    let marks = |text: &str| OPENS.iter().map(|mark| text.matches(mark).count()).sum::<usize>();
    values.first().filter(|_| marks(text) != marks(&written)).map(|(name, _)| name.as_str())
}

/// Makes the change.
pub(in crate::runbook) async fn on(
    site: &Site,
    at: StepRef<'_>,
    edit: &Edit,
    places: &Places,
    what: For,
) -> PlaceAnswers {
    on_hosts(places, |host| change(site, at, edit, host, at.step().timeout, what)).await
}

async fn change(
    site: &Site,
    at: StepRef<'_>,
    edit: &Edit,
    host: &HostName,
    limit: Duration,
    what: For,
) -> Result<HostAnswer, Trouble> {
    let PreparedEdit { path, before, after, message } = prepare(site, at, edit, host).await?;
    let (file, folder) = (quoted(&path), quoted(path.rsplit_once('/').map_or(".", |(folder, _)| folder)));
    let mut text = String::new();
    if before != after {
        // Written only over what was read; the new file takes the place of the old one in one step.
        let _ = write!(
            text,
            "was=$(cat -- {file}; echo x)\n[ \"$was\" = {}x ] || {{ echo 'the file changed meanwhile' >&2; exit 76; }}\n\
             rm -f -- {file}.jumpdeck && cp -p -- {file} {file}.jumpdeck && printf %s {} >{file}.jumpdeck &&\n\
             mv -- {file}.jumpdeck {file} || {{ rm -f -- {file}.jumpdeck; exit 1; }}\n",
            quoted(&before),
            quoted(&after)
        );
    }
    if edit.commit {
        let _ = write!(
            text,
            "cd -- {folder} && git add -- {file} && if [ -n \"$(git status --porcelain -- {file})\" ]; then \
             git commit -q -m {} -- {file}; fi && git log -1 --format=%h",
            quoted(&message)
        );
    }
    let ticket = ticket::of(at, host, what);
    script::text_on(site, host, &text, true, limit, false, ticket.as_deref()).await
}

/// Whether the change is there already, and committed.
pub(in crate::runbook) async fn find(site: &Site, at: StepRef<'_>, edit: &Edit, places: &Places) -> Outcomes {
    // A number that was raised does not tell whether it was; the rest does.
    let lasting = &Edit {
        changes: edit.changes.iter().filter(|c| !matches!(c, Change::Bump { .. })).cloned().collect(),
        ..edit.clone()
    };
    let found = places.each_at_once(|place| async move {
        let found = match place.host() {
            Some(host) => state(site, at, lasting, host).await,
            None => Err(Trouble::nowhere()),
        };
        HostOutcome::of(match found {
            Ok(true) => Verdict::Done,
            Ok(false) => Verdict::NotDone,
            Err(trouble) => {
                Verdict::Unknown(format!("cannot check whether it was done: {}", trouble.words()))
            }
        })
    });
    found.await
}

async fn state(site: &Site, at: StepRef<'_>, edit: &Edit, host: &HostName) -> Result<bool, Trouble> {
    let prepared = prepare(site, at, edit, host).await?;
    if prepared.before != prepared.after {
        return Ok(false);
    }
    if !edit.commit {
        return Ok(true);
    }
    let folder = quoted(prepared.path.rsplit_once('/').map_or(".", |(folder, _)| folder));
    let text = format!("cd -- {folder} && git status --porcelain -- {}", quoted(&prepared.path));
    let said = script::text_on(site, host, &text, true, READ_LIMIT, true, None).await?;
    Ok(said.text.trim().is_empty())
}

/// The text with another value under a key, for the fuzz target.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn set_yaml(text: &str, key: &str, new: &str) -> Result<String, String> {
    yaml::set(text, key, |_| Ok(new.to_owned()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_line_is_put_in_place_of_one_and_every_line_keeps_its_end() {
        let change = |find: &str, put: &str| Filled::Line(regex::Regex::new(find).unwrap(), put.to_owned());
        let text = "a 1\r\nb 2\nc 3\r\nd";
        assert_eq!(apply(text, &change("^a", "x")).unwrap(), "x\r\nb 2\nc 3\r\nd");
        assert_eq!(apply(text, &change("^c 3$", "x")).unwrap(), "a 1\r\nb 2\nx\r\nd");
        assert_eq!(apply(text, &change("^d$", "x")).unwrap(), "a 1\r\nb 2\nc 3\r\nx");
        assert!(apply(text, &change("[12]", "x")).unwrap_err().contains("matches 2 lines"));
    }

    /// A line as a runbook writes it, what its one variable holds, and whether it may be put there.
    #[test]
    fn a_line_holds_jinja_of_the_author_only() {
        for (put, value, may) in [
            ("host = {v}", "db2", true),
            ("host = {v}", "a b, \"c\" # {d} 100%", true),
            ("{{{{ pillar['x'] }}}} {v}", "it's", true),
            ("host = {v}", "{{ salt['cmd.run']('id') }}", false),
            ("host = {v}", "{% raw", false),
            ("host = {v}", "{# x", false),
            ("host = {v}", "{\"a\": {\"b\": 1}}", true),
            ("host = {v}", "db2\nevil: 1", false),
            ("host = {v}", "db2\tx", false),
            ("host = {{{v}", "{ x", false),
            ("host = {{{v}", "% x", false),
            ("host = {{{v}", "# x", false),
            ("host = {{{v}}}", "db2", true),
            ("{{{{ pillar['{v}'] }}}}", "infra:db", true),
            ("{{{{ pillar['{v}'] }}}}", "x'] ~ salt['cmd.run']('id') ~ pillar['x", false),
            ("{{% set x = {v} %}}", "salt['cmd.run']('id')", false),
            ("{{# {v} #}}", "a b", false),
        ] {
            let template = Template::parse(put).unwrap();
            let held = Value::new(crate::runbook::value::ValueKind::Lines, value).unwrap();
            let text = template.fill(|_| Ok::<_, ()>(held.text().to_owned())).unwrap();
            let values = [("v".to_owned(), held)];
            let refused = beyond_a_line(&template, &values, &text);
            assert_eq!(refused.is_none(), may, "{put:?} {value:?}");
        }
    }
}
