//! The status as a monitoring plugin says it (Monitoring Plugins Development Guidelines): one line for a list of services,
//! figures behind a `|`, then a line a problem. Exit codes are those of every format.

use std::fmt::Write as _;

use super::gather::Picture;
use jumpdeck_fleet::judge::worst;
use jumpdeck_fleet::problem::{Problem, Severity};
use jumpdeck_fleet::summary::HostsUp;
use jumpdeck_fleet::text::Clean;

/// Nagios reads 8 KiB of a plugin; what comes after that is dropped without a word.
const LONGEST: usize = 8000;
/// Of the first line, which is shown in lists.
const FIRST_LINE: usize = 400;

/// All environments as one answer.
pub(super) fn render(pictures: &[Picture]) -> String {
    let state = word(pictures.iter().filter_map(|p| worst(&p.problems)).max());
    let simulated = if pictures.iter().any(|p| p.simulated) { " SIMULATED" } else { "" };
    let heads: Vec<String> = pictures.iter().map(head).collect();
    let first = Clean::first_line(&format!("JUMPDECK {state}{simulated}: {}", heads.join("; ")), FIRST_LINE);
    let figures: Vec<String> = pictures.iter().map(figures).collect();
    let mut out = format!("{} | {}\n", plain(first.as_str()), figures.join(" "));
    let of = |picture| move |problem| (picture, problem);
    let mut all: Vec<(&Picture, &Problem)> =
        pictures.iter().flat_map(|picture| picture.problems.iter().map(of(picture))).collect();
    all.sort_by_key(|(_, problem)| std::cmp::Reverse(problem.severity));
    for (at, (picture, problem)) in all.iter().enumerate() {
        let line = line(picture, problem);
        let left = all.len() - at;
        // Room for this line and for saying how many are left.
        if out.len() + line.len() > LONGEST - 80 {
            let _ = writeln!(out, "{left} more problems: jumpdeck status");
            break;
        }
        out.push_str(&line);
    }
    out
}

/// What a plugin says when it could not look at all.
pub(super) fn could_not_look(why: &str) -> String {
    format!("JUMPDECK UNKNOWN: {}\n", plain(why.lines().next().unwrap_or("jumpdeck could not look")))
}

fn word(severity: Option<Severity>) -> &'static str {
    match severity {
        None => "OK",
        Some(Severity::Warning) => "WARNING",
        Some(Severity::Critical) => "CRITICAL",
        Some(Severity::Unknown) => "UNKNOWN",
    }
}

/// `production 24 of 25 hosts up, 2 critical, 1 unknown: mail: postfix is stopped`, with the worst problem.
fn head(picture: &Picture) -> String {
    let mut text = format!("{} {}", picture.env.name, up(picture));
    for severity in [Severity::Critical, Severity::Unknown, Severity::Warning] {
        let count = count(picture, severity);
        if count > 0 {
            let _ = write!(text, ", {count} {}", severity.word());
        }
    }
    if let Some(problem) = picture.problems.first() {
        let host = problem.host.as_ref().map(|host| format!("{host}: ")).unwrap_or_default();
        let _ = write!(text, ": {host}{}", problem.message);
    }
    text
}

/// A link that is up has just answered: this command asks once.
fn up(picture: &Picture) -> HostsUp {
    HostsUp::of(&picture.jump, picture.hosts.iter().map(AsRef::as_ref), |_| true)
}

fn count(picture: &Picture, severity: Severity) -> usize {
    picture.problems.iter().filter(|problem| problem.severity == severity).count()
}

/// `'production hosts up'=24;;;0;25 'production critical'=2 …`
fn figures(picture: &Picture) -> String {
    let env = &picture.env.name;
    let up = up(picture);
    // `U`: the figure could not be determined.
    let known = up.known().map_or("U".to_owned(), |up| up.to_string());
    let mut figures = vec![format!("'{env} hosts up'={known};;;0;{}", up.all())];
    for severity in [Severity::Critical, Severity::Unknown, Severity::Warning] {
        figures.push(format!("'{env} {}'={};;;0;", severity.word(), count(picture, severity)));
    }
    figures.join(" ")
}

/// The problem and whom it is for, in one line.
fn line(picture: &Picture, problem: &Problem) -> String {
    let host = problem.host.as_ref().map(|host| format!(" {host}")).unwrap_or_default();
    let contact = picture.env.contact(problem);
    let contact: String = contact.parts().iter().map(|(key, text)| format!("; {key}: {text}")).collect();
    let message = plain(&format!("{}{contact}", problem.message));
    format!("{} {}{host}: {message}\n", problem.severity.word(), problem.env)
}

/// A `|` begins figures wherever it is.
fn plain(text: &str) -> String {
    text.replace('|', "/")
}
