//! Processes, from `/proc/PID/stat` and `/proc/PID/status` (proc(5)).

use std::collections::{HashMap, HashSet};

use super::answer::LookParts;
use jumpdeck_fleet::look::{ProcessTable, RunningProcess};
use jumpdeck_fleet::text::Clean;

/// Processes that are kept: this number of those that use most CPU, and the same number of those that use most memory.
const MOST: usize = 200;
/// Clock ticks a second: what the kernel tells programs on every architecture that Debian has.
const TICKS: f64 = 100.0;

/// The times of an answer, for the next one.
#[derive(Debug, Default)]
pub(super) struct LastTimes {
    /// Seconds since the machine started.
    uptime: f64,
    /// By number and start.
    ticks: HashMap<(u32, u64), u64>,
}

/// Reads an answer. `before` is the one before it, and becomes this one.
pub(super) fn read(parts: &LookParts<'_>, before: &mut Option<LastTimes>) -> (ProcessTable, Vec<Clean>) {
    let mut notes = Vec::new();
    let number = |text: &str| text.split(' ').next().and_then(|word| word.parse::<f64>().ok());
    let uptime = parts.part("uptime").and_then(|part| number(part.value));
    let status = parts.part("status").map(|part| of_status(part.body)).unwrap_or_default();
    let accounts = parts.part("accounts").map(|part| of_accounts(part.body)).unwrap_or_default();
    let mut rows = Vec::new();
    let mut seen = HashSet::new();
    for line in parts.part("stat").into_iter().flat_map(|part| part.body.lines()) {
        let Some(mut row) = of_stat(line, uptime).filter(|row| seen.insert(row.pid)) else { continue };
        if let Some(more) = status.get(&row.pid) {
            row.user = more.uid.map(|uid| match accounts.get(uid) {
                Some(name) => Clean::new(name),
                None => Clean::new(uid),
            });
            row.memory_kb = more.memory_kb;
        }
        rows.push(row);
    }
    if let Some(now) = uptime {
        let times = LastTimes {
            uptime: now,
            ticks: rows.iter().map(|row| ((row.pid, row.started), row.ticks)).collect(),
        };
        if let Some(last) = before.replace(times) {
            rows.iter_mut().for_each(|row| row.cpu = last.share(row, now));
        }
    } else {
        notes.push("its /proc/uptime cannot be read: CPU use and running times are not known".into());
    }
    if parts.part("hidden").is_some() {
        let text = "/proc shows this account its own processes alone (hidepid): there are more";
        notes.push(text.into());
    }
    let count = parts.part("count").and_then(|part| part.value.parse().ok()).unwrap_or(rows.len());
    let unread = count.saturating_sub(rows.len());
    // One or two end while they are read.
    if unread > 10 + count / 20 {
        notes.push(Clean::new(&format!("{unread} of {count} processes could not be read")));
    }
    (ProcessTable { count, rows: most(rows) }, notes)
}

impl LastTimes {
    /// Percent of one CPU since then.
    fn share(&self, row: &RunningProcess, now: f64) -> Option<f32> {
        let passed = now - self.uptime;
        if passed <= 0.0 {
            return None;
        }
        // One that is new began with nothing.
        let before = self.ticks.get(&(row.pid, row.started)).copied().unwrap_or(0);
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)] // percent, for people
        let share = (row.ticks.saturating_sub(before) as f64 / TICKS / passed * 100.0) as f32;
        Some(share)
    }
}

/// Those that use most of the CPU, now or since they began, and those that use most memory.
fn most(mut rows: Vec<RunningProcess>) -> Vec<RunningProcess> {
    if rows.len() <= MOST {
        return rows;
    }
    let by_cpu = |a: &RunningProcess, b: &RunningProcess| {
        let cpu = |row: &RunningProcess| row.cpu.unwrap_or(-1.0);
        cpu(b).total_cmp(&cpu(a)).then(b.ticks.cmp(&a.ticks))
    };
    rows.sort_by(by_cpu);
    let mut kept: Vec<RunningProcess> = rows.drain(..MOST).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.memory_kb));
    // Of those with most memory some are among the first already.
    let least = {
        let all = kept.iter().chain(&rows);
        let mut memory: Vec<u64> = all.filter_map(|row| row.memory_kb).collect();
        memory.sort_unstable_by(|a, b| b.cmp(a));
        memory.get(MOST - 1).copied().unwrap_or(0)
    };
    kept.extend(rows.into_iter().take(MOST).filter(|row| row.memory_kb.is_some_and(|kb| kb >= least)));
    kept
}

/// `812 (mysqld) S 1 812 …`. The name may hold spaces and brackets.
fn of_stat(line: &str, uptime: Option<f64>) -> Option<RunningProcess> {
    let (pid, rest) = line.split_once(" (")?;
    let (name, rest) = rest.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    // proc(5) counts from 1, with the state as the third.
    let field = |at: usize| fields.get(at - 3).copied();
    let figure = |at: usize| field(at)?.parse::<u64>().ok();
    let started = figure(22)?;
    #[allow(clippy::cast_precision_loss)] // seconds
    let since = uptime.map(|now| now - started as f64 / TICKS).unwrap_or(0.0);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // not below zero
    let seconds = since.max(0.0) as u64;
    Some(RunningProcess {
        pid: pid.parse().ok()?,
        parent: field(4)?.parse().ok()?,
        started,
        name: Clean::new(name),
        user: None,
        state: field(3)?.chars().next()?,
        cpu: None,
        ticks: figure(14)?.saturating_add(figure(15)?),
        memory_kb: None,
        seconds,
    })
}

/// What `status` says of a process.
#[derive(Debug, Default)]
struct StatusLines<'a> {
    uid: Option<&'a str>,
    memory_kb: Option<u64>,
}

/// `/proc/812/status:Uid: 110 110 110 110` and `/proc/812/status:VmRSS: 1234 kB`, with tabs between the words.
fn of_status(body: &str) -> HashMap<u32, StatusLines<'_>> {
    let mut all: HashMap<u32, StatusLines<'_>> = HashMap::new();
    for line in body.lines() {
        let Some((pid, rest)) = line
            .strip_prefix("/proc/")
            .and_then(|rest| rest.split_once("/status:"))
            .and_then(|(pid, rest)| Some((pid.parse().ok()?, rest)))
        else {
            continue;
        };
        let of = all.entry(pid).or_default();
        let mut words = rest.split_ascii_whitespace();
        match (words.next(), words.next()) {
            (Some("Uid:"), uid) => of.uid = uid.filter(|uid| uid.bytes().all(|byte| byte.is_ascii_digit())),
            (Some("VmRSS:"), size) => of.memory_kb = size.and_then(|size| size.parse().ok()),
            (_, _) => {}
        }
    }
    all
}

/// `mysql:110`; the first name of a number is the one that `ls` shows.
fn of_accounts(body: &str) -> HashMap<&str, &str> {
    let mut all = HashMap::new();
    for (name, uid) in body.lines().filter_map(|line| line.split_once(':')) {
        all.entry(uid).or_insert(name);
    }
    all
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;

    fn answer(uptime: &str, ticks: u64) -> String {
        format!(
            "M user 1000\nM count 4\nM uptime {uptime} 9\nM stat\n\
             1 (systemd) S 0 1 1 0 -1 4194560 9 9 9 9 30 20 0 0 20 0 1 0 2 1 1\n\
             7 (kworker/0:1) I 2 0 0 0 -1 69238880 0 0 0 0 0 3 0 0 20 0 1 0 30 0 0\n\
             812 (my) sql (d) D 1 812 812 0 -1 4194304 9 9 9 9 {ticks} 100 0 0 20 0 30 0 5000 9 9\n\
             900 (gone\n\nM status\n/proc/1/status:Uid:\t0\t0\t0\t0\n/proc/1/status:VmRSS:\t    9000 kB\n\
             /proc/812/status:Uid:\t110\t110\t110\t110\n/proc/812/status:VmRSS:\t 1234567 kB\n\
             /proc/7/status:Uid:\t0\t0\t0\t0\n\nM accounts\nroot:0\ntoor:0\n\nM end\n"
        )
    }

    #[test]
    fn two_answers_tell_what_each_uses_now() {
        let mut times = None;
        let first = answer("100.00", 400);
        let (table, notes) = read(&LookParts::of(&first, "M").unwrap(), &mut times);
        assert!(notes.is_empty() && table.rows.iter().all(|row| row.cpu.is_none()), "no look before");
        assert_eq!((table.count, table.rows.len()), (4, 3));
        let second = answer("104.00", 600);
        let (table, _) = read(&LookParts::of(&second, "M").unwrap(), &mut times);
        let row = |pid: u32| table.rows.iter().find(|row| row.pid == pid).unwrap();
        let sql = row(812);
        assert_eq!((sql.name.as_str(), sql.state, sql.cpu), ("my) sql (d", 'D', Some(50.0)));
        assert_eq!((sql.memory_kb, sql.seconds), (Some(1_234_567), 54));
        assert_eq!(sql.user.as_ref().unwrap().as_str(), "110", "no account has it");
        assert_eq!((row(1).user.as_ref().unwrap().as_str(), row(1).cpu), ("root", Some(0.0)));
        assert_eq!(row(7).memory_kb, None, "a thread of the kernel");
    }

    #[test]
    fn the_busiest_and_the_largest_of_many_are_kept() {
        let line = |pid: u64| {
            // The busiest are the first, the largest the last.
            let ticks = 10_000 - pid;
            format!("{pid} (p) S 1 1 1 0 -1 0 0 0 0 0 {ticks} 0 0 0 20 0 1 0 {pid} 0 0\n")
        };
        let size = |pid: u64| format!("/proc/{pid}/status:VmRSS:\t{pid} kB\n");
        let stat: String = (1..=1000).map(line).collect();
        let status: String = (1..=1000).map(size).collect();
        let text = format!(
            "M count 1000\nM uptime 1000.0 1\nM stat\n{stat}\nM status\n{status}\nM accounts\n\nM end\n"
        );
        let (table, notes) = read(&LookParts::of(&text, "M").unwrap(), &mut None);
        assert_eq!((table.count, table.rows.len(), notes.len()), (1000, 400, 0));
        let has = |pid: u32| table.rows.iter().any(|row| row.pid == pid);
        assert!(has(1) && has(200) && !has(201) && !has(800) && has(801) && has(1000));
    }

    #[test]
    fn what_is_hidden_or_not_read_is_said() {
        let text =
            "M hidden\nM count 100\nM stat\n1 (a) S 0 1 1 0 -1 0 0 0 0 0 1 1 0 0 20 0 1 0 2 1 1\n\nM end\n";
        let (table, notes) = read(&LookParts::of(text, "M").unwrap(), &mut None);
        let notes: Vec<&str> = notes.iter().map(Clean::as_str).collect();
        assert_eq!(notes.len(), 3, "{notes:?}");
        assert!(
            notes[0].contains("uptime") && notes[1].contains("hidepid") && notes[2].starts_with("99 of 100")
        );
        assert_eq!(table.rows[0].cpu, None);
    }

    proptest::proptest! {
        #[test]
        fn no_answer_is_too_odd(text in "(M (stat|status|count|uptime|accounts|end)( [0-9.]{1,9})?\n|[0-9]{1,9} \\(.{0,9}\\) S( [0-9]{1,20}){0,30}\n|.{0,9}\n){0,20}M end\n") {
            let mut times = None;
            for _ in 0..2 {
                if let Some(parts) = LookParts::of(&text, "M") {
                    let _ = read(&parts, &mut times);
                }
            }
        }
    }
}
