//! `df` as GNU coreutils prints it.

mod table;

use crate::posix::storage::{Mount, use_percent};
use crate::program::quick::{Ask, ask, bad_option, failure, write};
use crate::program::{BoxFuture, Call, Program, Reply};
use jumpdeck_fleet::storage::human_kb;

use table::{Column, Table};

pub(crate) struct Df;

impl Program for Df {
    fn name(&self) -> &'static str {
        "df"
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        Box::pin(async move {
            match ask(&call, answer) {
                Answer::Reply(reply) => write(reply, call.stdout, call.stderr).await,
                Answer::Never => std::future::pending().await,
            }
        })
    }
}

enum Answer {
    Reply(Reply),
    /// A dead mount is among those asked: the program hangs in the kernel.
    Never,
}

#[derive(Debug, Default)]
struct Options {
    human: bool,
    posix: bool,
    inodes: bool,
    local: bool,
    types: bool,
    all: bool,
    only: Vec<String>,
    exclude: Vec<String>,
    paths: Vec<String>,
}

fn parse(args: &[String]) -> Result<Options, Reply> {
    let mut options = Options::default();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if arg == "--" {
            options.paths.extend(args.by_ref().cloned());
        } else if let Some(long) = arg.strip_prefix("--") {
            long_option(&mut options, long, arg)?;
        } else if let Some(letters) = arg.strip_prefix('-').filter(|l| !l.is_empty()) {
            let mut rest = letters.chars();
            while let Some(letter) = rest.next() {
                match letter {
                    'h' => options.human = true,
                    'k' => options.human = false,
                    'P' => options.posix = true,
                    'i' => options.inodes = true,
                    'l' => options.local = true,
                    'T' => options.types = true,
                    'a' => options.all = true,
                    't' | 'x' => {
                        let glued: String = rest.by_ref().collect();
                        let value = if glued.is_empty() { args.next().cloned() } else { Some(glued) };
                        let Some(value) = value else {
                            let what = format!("df: option requires an argument -- '{letter}'");
                            return Err(failure(
                                1,
                                &format!("{what}\nTry 'df --help' for more information."),
                            ));
                        };
                        if letter == 't' { &mut options.only } else { &mut options.exclude }.push(value);
                    }
                    other => return Err(bad_option("df", &format!("-{other}"))),
                }
            }
        } else {
            options.paths.push(arg.clone());
        }
    }
    Ok(options)
}

fn long_option(options: &mut Options, long: &str, arg: &str) -> Result<(), Reply> {
    match long.split_once('=') {
        Some(("type", value)) => options.only.push(value.to_owned()),
        Some(("exclude-type", value)) => options.exclude.push(value.to_owned()),
        None if long == "human-readable" => options.human = true,
        None if long == "portability" => options.posix = true,
        None if long == "inodes" => options.inodes = true,
        None if long == "local" => options.local = true,
        None if long == "print-type" => options.types = true,
        None if long == "all" => options.all = true,
        _ => return Err(bad_option("df", arg)),
    }
    Ok(())
}

fn answer(ask: &Ask<'_>) -> Answer {
    let options = match parse(ask.args) {
        Ok(options) => options,
        Err(reply) => return Answer::Reply(reply),
    };
    let mounts = ask.world.filesystems(ask.host).unwrap_or_default();
    let mut reply = Reply::default();
    let shown = if options.paths.is_empty() {
        mounts.iter().filter(|m| options.all || m.size_kb > 0).collect()
    } else {
        by_path(ask, &options, &mounts, &mut reply)
    };
    let shown: Vec<&Mount> = shown.into_iter().filter(|m| options.wants(m)).collect();
    if shown.iter().any(|m| m.hanging) {
        return Answer::Never;
    }
    if shown.is_empty() {
        if reply.stderr.is_empty() {
            reply.stderr = b"df: no file systems processed\n".to_vec();
        }
        reply.status = 1;
    } else {
        reply.stdout = options.table(&shown).into_bytes();
    }
    Answer::Reply(reply)
}

/// The filesystem each path lies on; a mounted device means what is mounted from it.
fn by_path<'a>(ask: &Ask<'_>, options: &Options, mounts: &'a [Mount], reply: &mut Reply) -> Vec<&'a Mount> {
    let mut shown = Vec::new();
    for given in &options.paths {
        if let Some(mount) = mounts.iter().find(|m| given.starts_with('/') && m.device == *given) {
            shown.push(mount);
            continue;
        }
        let path = absolute(ask.cwd, given);
        let holds = |m: &&Mount| {
            m.path == "/" || path == m.path || path.strip_prefix(&m.path).is_some_and(|r| r.starts_with('/'))
        };
        let exists = mounts.iter().any(|m| m.path == path)
            || ask.world.list_dir(ask.host, &path).is_some()
            || ask.world.read_file(ask.host, &path).is_some();
        match mounts.iter().filter(holds).max_by_key(|m| m.path.len()) {
            _ if ask.world.is_out_of_reach(ask.host, &path, ask.user) => {
                reply.stderr.extend(format!("df: {given}: Permission denied\n").into_bytes());
                reply.status = 1;
            }
            Some(mount) if exists || mount.hanging => shown.push(mount),
            _ => {
                reply.stderr.extend(format!("df: {given}: No such file or directory\n").into_bytes());
                reply.status = 1;
            }
        }
    }
    shown
}

fn absolute(cwd: &str, path: &str) -> String {
    let joined = if path.starts_with('/') { path.to_owned() } else { format!("{cwd}/{path}") };
    let mut parts: Vec<&str> = Vec::new();
    for part in joined.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    format!("/{}", parts.join("/"))
}

impl Options {
    fn wants(&self, mount: &Mount) -> bool {
        !(self.local && mount.is_remote())
            && (self.only.is_empty() || self.only.contains(&mount.fstype))
            && !self.exclude.contains(&mount.fstype)
    }

    fn table(&self, mounts: &[&Mount]) -> String {
        let mut columns = vec![Column::left("Filesystem", 14)];
        if self.types {
            columns.push(Column::left("Type", 4));
        }
        let heads = match (self.inodes, self.posix, self.human) {
            (true, _, _) => ["Inodes", "IUsed", "IFree", "IUse%"],
            (false, true, false) => ["1024-blocks", "Used", "Available", "Capacity"],
            (false, true, true) => ["Size", "Used", "Avail", "Capacity"],
            (false, false, true) => ["Size", "Used", "Avail", "Use%"],
            (false, false, false) => ["1K-blocks", "Used", "Available", "Use%"],
        };
        // Every figure's column is at least 5 wide, the percentage's 4 (coreutils' `field_data`).
        for (head, width) in heads.into_iter().zip([5, 5, 5, 4]) {
            columns.push(Column::right(head, width));
        }
        columns.push(Column::left("Mounted on", 0));
        let mut table = Table::new(columns);
        for mount in mounts {
            let mut row = vec![mount.device.clone()];
            if self.types {
                row.push(mount.fstype.clone());
            }
            row.extend(self.figures(mount));
            row.push(mount.path.clone());
            table.push(row);
        }
        table.print()
    }

    fn figures(&self, mount: &Mount) -> [String; 4] {
        let (size, used, free) = if self.inodes {
            (mount.inodes, mount.inodes_used, mount.inodes.saturating_sub(mount.inodes_used))
        } else {
            (mount.size_kb, mount.used_kb, mount.available_kb)
        };
        let number = |figure: u64| match (self.human, self.inodes) {
            (true, false) => human_kb(figure),
            (true, true) => human_count(figure),
            (false, _) => figure.to_string(),
        };
        let percent = use_percent(used, free).map_or("-".to_owned(), |percent| format!("{percent}%"));
        [number(size), number(used), number(free), percent]
    }
}

/// A count as `df -ih` prints it: as a size is, in units of one.
fn human_count(figure: u64) -> String {
    if figure < 1024 { figure.to_string() } else { scaled(figure) }
}

fn scaled(figure: u64) -> String {
    // 1 K of inodes prints as 1 K of kB does, one unit letter lower.
    let text = human_kb(figure);
    let lower = |letter: char| match letter {
        'M' => 'K',
        'G' => 'M',
        'T' => 'G',
        other => other,
    };
    text.chars().map(lower).collect()
}

#[cfg(test)]
mod tests;
