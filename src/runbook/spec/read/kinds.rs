//! The kinds of steps, and the keys of each.

use super::ask::{SALT_KEYS, SCRIPT_KEYS};

/// Every kind of step.
pub(super) const KINDS: [&str; 20] = [
    "note",
    "input",
    "check",
    "wait_until",
    "run",
    "sql",
    "salt",
    "edit",
    "host_key",
    "manual",
    "confirm",
    "challenge",
    "approve",
    "hold",
    "fence",
    "elect",
    "for_each",
    "branch",
    "include",
    "report",
];

/// What a kind of step is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// It asks machines, and changes nothing.
    Asks,
    /// It may change machines.
    Does,
    /// It is between the program and people.
    Talks,
    /// It holds other steps.
    Holds,
}

/// What a kind is like.
pub(super) fn sort(kind: &str) -> Sort {
    match kind {
        "check" | "wait_until" => Sort::Asks,
        "run" | "sql" | "salt" | "edit" | "host_key" | "hold" | "fence" => Sort::Does,
        "for_each" | "branch" | "include" => Sort::Holds,
        _ => Sort::Talks,
    }
}

/// The keys of a kind alone.
pub(super) fn own_keys(kind: &str) -> Vec<&'static str> {
    match kind {
        "note" | "approve" => vec!["text"],
        "input" => {
            vec!["name", "label", "value_kind", "role", "not", "choices", "default", "sensitive", "help"]
        }
        "check" => [&["sql", "value"][..], &SCRIPT_KEYS, &["salt", "arguments", "states"]].concat(),
        "wait_until" => {
            [&["sql", "value", "every"][..], &SCRIPT_KEYS, &["salt", "arguments", "states"]].concat()
        }
        "run" | "fence" => [&["detached"][..], &SCRIPT_KEYS].concat(),
        "sql" => vec!["sql"],
        "salt" => SALT_KEYS.to_vec(),
        "edit" => vec!["file", "changes", "message", "commit"],
        "host_key" => vec!["key", "fingerprint", "address"],
        "manual" => {
            vec!["text", "state", "effect", "read_back", "done_if", "undo", "point_of_no_return"]
        }
        "confirm" => vec!["text", "covers"],
        "challenge" => vec!["value", "covers"],
        "hold" => vec!["heartbeat", "until", "sql"],
        "elect" => vec!["by", "into"],
        "for_each" => vec!["over", "item", "batch", "max_failures", "step"],
        "branch" => vec!["step", "otherwise"],
        "include" => vec!["runbook"],
        _ => Vec::new(),
    }
}

/// The keys that a kind has in common with others.
pub(super) fn common_keys(kind: &str) -> Vec<&'static str> {
    let all = ["id", "kind", "title", "why", "when"];
    let most = ["on", "pre", "impact", "writes", "safe_point", "max_dwell", "on_fail", "always"];
    let asks = ["expect", "capture", "effect", "timeout", "retries", "sensitive"];
    let does = ["read_back", "done_if", "undo", "point_of_no_return"];
    match (kind, sort(kind)) {
        (_, Sort::Holds) => all.to_vec(),
        (_, Sort::Talks) => [&all[..], &most].concat(),
        (_, Sort::Asks) => [&all[..], &most, &asks].concat(),
        ("edit" | "host_key", Sort::Does) => [&all[..], &most, &["effect", "timeout"], &does].concat(),
        (_, Sort::Does) => [&all[..], &most, &asks, &does].concat(),
    }
}
