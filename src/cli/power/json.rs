//! What the cloud says as a JSON document, schema 1, as docs/power-json.md has it.

use serde::Serialize;

use super::PowerSite;
use jumpdeck_fleet::power::{
    CloudServerFacts, CloudTask, ConsoleLines, ConsoleTail, PowerReport, ServerReply,
};
use jumpdeck_fleet::text::Clean;

const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct PowerDocument<'a> {
    schema: u32,
    asked_at: String,
    environment: &'a str,
    simulated: bool,
    host: &'a str,
    answer: &'static str,
    asked_on: Option<&'a str>,
    client: Option<&'static str>,
    server: Option<PowerServer<'a>>,
    servers: Option<Vec<&'a str>>,
    console_log: Option<PowerConsole<'a>>,
    console_log_unknown: Option<&'a str>,
    without_answer: Vec<PowerWithout<'a>>,
    next: String,
}

#[derive(Serialize)]
struct PowerServer<'a> {
    id: Option<&'a str>,
    status: Option<&'a str>,
    power: Option<&'a str>,
    task: Option<&'a str>,
    task_known: bool,
    addresses: Vec<&'a str>,
    has_address: Option<bool>,
    launched: Option<&'a str>,
    updated: Option<&'a str>,
    fault: Option<&'a str>,
    host_status: Option<&'a str>,
}

#[derive(Serialize)]
struct PowerConsole<'a> {
    asked: u16,
    lines: Vec<&'a str>,
    lines_dropped: usize,
    lines_shortened: usize,
    bytes_beyond: u64,
}

#[derive(Serialize)]
struct PowerWithout<'a> {
    on: &'a str,
    reason: &'static str,
    why: String,
}

pub(super) fn render(site: &PowerSite, report: &PowerReport) -> serde_json::Result<String> {
    let reply = report.answer.as_ref();
    let (answer, facts, servers, console) = match reply.map(|reply| &reply.says) {
        None => ("unknown", None, None, &ConsoleTail::NotAsked),
        Some(ServerReply::NoServer) => ("no_server", None, None, &ConsoleTail::NotAsked),
        Some(ServerReply::Several(servers)) => ("several", None, Some(servers), &ConsoleTail::NotAsked),
        Some(ServerReply::Server(facts, console)) => ("server", Some(facts), None, console),
    };
    let (console_log, console_log_unknown) = match console {
        ConsoleTail::NotAsked => (None, None),
        ConsoleTail::Unknown(why) => (None, Some(why.as_str())),
        ConsoleTail::Lines(lines) => (Some(log(lines)), None),
    };
    let document = PowerDocument {
        schema: SCHEMA,
        asked_at: jiff::Timestamp::now().to_string(),
        environment: site.env.name.as_str(),
        simulated: site.simulated,
        host: site.host.id.host.as_str(),
        answer,
        asked_on: reply.map(|reply| reply.by.as_str()),
        client: reply.map(|reply| reply.client.program()),
        server: facts.map(|facts| server(facts)),
        servers: servers.map(|servers| texts(servers)),
        console_log,
        console_log_unknown,
        without_answer: report
            .without
            .iter()
            .map(|miss| PowerWithout {
                on: miss.at.as_str(),
                reason: miss.why.word(),
                why: miss.why.describe(),
            })
            .collect(),
        next: report.next(),
    };
    Ok(serde_json::to_string(&document)? + "\n")
}

fn server(facts: &CloudServerFacts) -> PowerServer<'_> {
    let (task, task_known) = match &facts.task {
        CloudTask::Unknown => (None, false),
        CloudTask::Idle => (None, true),
        CloudTask::Doing(task) => (Some(task.as_str()), true),
    };
    PowerServer {
        id: facts.id.as_ref().map(Clean::as_str),
        status: facts.status.as_ref().map(Clean::as_str),
        power: facts.power.as_ref().map(Clean::as_str),
        task,
        task_known,
        addresses: texts(&facts.addresses),
        has_address: facts.has_address,
        launched: facts.launched.as_ref().map(Clean::as_str),
        updated: facts.updated.as_ref().map(Clean::as_str),
        fault: facts.fault.as_ref().map(Clean::as_str),
        host_status: facts.under.as_ref().map(Clean::as_str),
    }
}

fn log(log: &ConsoleLines) -> PowerConsole<'_> {
    PowerConsole {
        asked: log.asked,
        lines: texts(&log.lines),
        lines_dropped: log.dropped,
        lines_shortened: log.shortened,
        bytes_beyond: log.beyond,
    }
}

fn texts(lines: &[Clean]) -> Vec<&str> {
    lines.iter().map(Clean::as_str).collect()
}
