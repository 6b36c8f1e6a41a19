//! Grouped answers as a JSON document, schema 1, as docs/exec-json.md has it. The command is not in it: it may hold anything.

use serde::Serialize;

use super::ExecSite;
use crate::operator::fleet_command::{AnswerGroup, CommandEnd, NotRun, Tally, kept_lines};
use crate::transport::StreamOutput;
use jumpdeck_fleet::text::Clean;

const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct ExecDocument<'a> {
    schema: u32,
    ended_at: String,
    environment: &'a str,
    simulated: bool,
    counts: ExecCounts,
    groups: Vec<ExecGroup<'a>>,
}

#[derive(Serialize)]
struct ExecCounts {
    hosts: usize,
    exit_zero: usize,
    exit_other: usize,
    unknown: usize,
    not_run: usize,
}

#[derive(Serialize)]
struct ExecGroup<'a> {
    outcome: &'static str,
    hosts: Vec<&'a str>,
    status: Option<u32>,
    signal: Option<&'a str>,
    why: Option<String>,
    stdout: Option<ExecStream>,
    stderr: Option<ExecStream>,
}

#[derive(Serialize)]
struct ExecStream {
    text: String,
    all_utf8: bool,
    bytes_beyond: u64,
}

pub(super) fn render(site: &ExecSite, groups: &[AnswerGroup], counted: Tally) -> serde_json::Result<String> {
    let Tally { zero, other, unknown, not_run } = counted;
    let document = ExecDocument {
        schema: SCHEMA,
        ended_at: jiff::Timestamp::now().to_string(),
        environment: site.env.name.as_str(),
        simulated: site.simulated,
        counts: ExecCounts { hosts: counted.all(), exit_zero: zero, exit_other: other, unknown, not_run },
        groups: groups.iter().map(group).collect(),
    };
    Ok(serde_json::to_string(&document)? + "\n")
}

fn group(AnswerGroup { hosts, end }: &AnswerGroup) -> ExecGroup<'_> {
    let (outcome, status, signal) = match end {
        CommandEnd::Exit { status, .. } => ("exit", Some(*status), None),
        CommandEnd::Signal { signal, .. } => ("signal", None, Some(signal.as_str())),
        CommandEnd::Unknown { .. } => ("unknown", None, None),
        CommandEnd::NotRun(NotRun::Failed(_) | NotRun::Interrupted) => ("not_run", None, None),
    };
    let streams = end.printed();
    ExecGroup {
        outcome,
        hosts: hosts.iter().map(|host| host.as_str()).collect(),
        status,
        signal,
        why: end.why(),
        stdout: streams.map(|[stdout, _]| stream(stdout)),
        stderr: streams.map(|[_, stderr]| stream(stderr)),
    }
}

fn stream(stream: &StreamOutput) -> ExecStream {
    let (lines, all_utf8) = kept_lines(stream);
    let lines: Vec<&str> = lines.iter().map(Clean::as_str).collect();
    ExecStream { text: lines.join("\n"), all_utf8, bytes_beyond: stream.beyond }
}
