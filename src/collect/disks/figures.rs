//! The file of an environment's figures over a week: a line for each figure and each length of steps, plain text, written in one step.
//!
//! ```text
//! jumpdeck figures 1
//! HOST <tab> MACHINE <tab> FIGURE <tab> SECONDS OF A STEP <tab> NUMBER OF THE FIRST STEP <tab> STEP;STEP;…
//! end 1
//! ```

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::file::{DiskFileError, LONGEST_NAME, read_text};
use jumpdeck_fleet::course::{Course, CourseFigure};
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::text::Clean;

const HEAD: &str = "jumpdeck figures 1";
/// Five thousand hosts with two figures each have less.
const LONGEST: usize = 96 << 20;

/// The figures of hosts.
pub(super) type HostsFigures = HashMap<HostName, HostFigures>;

/// The figures of one host.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct HostFigures {
    /// Whose they are, as for its disks.
    pub(super) machine: String,
    /// Those that it has.
    pub(super) courses: BTreeMap<CourseFigure, Course>,
}

/// Reads a file. One that is not there holds nothing.
pub(super) fn read(path: &Path) -> Result<HostsFigures, DiskFileError> {
    let wrong = |what: String| DiskFileError::Figures { path: path.to_owned(), what };
    let text = read_text(path, LONGEST).map_err(wrong)?;
    let read =
        |text: String| parse(&text).map_err(|line| wrong(format!("line {line} is not one of this program")));
    text.map_or_else(|| Ok(HostsFigures::new()), read)
}

/// The hosts of a text; or the number of the line that is wrong.
pub(super) fn parse(text: &str) -> Result<HostsFigures, usize> {
    let mut hosts = HostsFigures::new();
    let mut lines = text.lines().enumerate().map(|(at, line)| (at + 1, line));
    if lines.next().is_none_or(|(_, head)| head != HEAD) {
        return Err(1);
    }
    for (at, line) in lines.by_ref() {
        if let Some(count) = line.strip_prefix("end ") {
            // A text that was cut has no end.
            let whole = count.parse() == Ok(at - 2) && lines.next().is_none();
            return if whole { Ok(hosts) } else { Err(at) };
        }
        take(line, &mut hosts).ok_or(at)?;
    }
    Err(text.lines().count())
}

fn take(line: &str, hosts: &mut HostsFigures) -> Option<()> {
    let (host, rest) = line.split_once('\t')?;
    let (machine, rest) = rest.split_once('\t')?;
    let (figure, rest) = rest.split_once('\t')?;
    let clean = |text: &str| text.len() <= LONGEST_NAME && Clean::new(text).as_str() == text;
    let figure = CourseFigure::ALL.into_iter().find(|known| known.word() == figure)?;
    if !clean(host) || !clean(machine) {
        return None;
    }
    let new = || HostFigures { machine: machine.to_owned(), courses: BTreeMap::new() };
    let of_host = hosts.entry(HostName::new(host).ok()?).or_insert_with(new);
    (of_host.machine == machine && of_host.courses.entry(figure).or_default().read_line(rest)).then_some(())
}

/// The text of hosts, in the order of their names. What does not fit is not in it.
pub(super) fn render(hosts: &HostsFigures) -> String {
    let mut text = format!("{HEAD}\n");
    let mut names: Vec<&HostName> = hosts.keys().collect();
    names.sort();
    let mut lines = 0;
    for name in names {
        let Some(of_host) = hosts.get(name) else { continue };
        for (figure, course) in &of_host.courses {
            for line in course.lines() {
                let line = format!("{name}\t{}\t{}\t{line}\n", of_host.machine, figure.word());
                // Room for the end.
                if text.len() + line.len() < LONGEST - 64 {
                    text.push_str(&line);
                    lines += 1;
                }
            }
        }
    }
    text.push_str(&format!("end {lines}\n"));
    text
}

/// Takes what a file has into the holes of what is here. What has no figure of the last week goes.
pub(super) fn merge(hosts: &mut HostsFigures, there: HostsFigures, now: u32) {
    for (name, other) in there {
        let of_host = hosts.entry(name).or_default();
        if of_host.courses.is_empty() {
            *of_host = other;
        } else if of_host.machine == other.machine {
            for (figure, course) in &other.courses {
                of_host.courses.entry(*figure).or_default().merge(course, now);
            }
        }
    }
    for of_host in hosts.values_mut() {
        of_host.courses.retain(|_, course| !course.is_forgotten(now));
    }
    hosts.retain(|_, of_host| !of_host.courses.is_empty());
}
