//! `read`: one line of standard input, and not a byte more.

use crate::shell::state::{Fd, Flow, LARGEST, Shell};

impl Shell {
    pub(crate) async fn read(&mut self, arguments: &[String]) -> Flow {
        let mut raw = false;
        let mut limit = None;
        let mut names = Vec::new();
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            match argument.as_str() {
                "-r" => raw = true,
                "-s" | "--" => {}
                "-p" => {
                    let prompt = rest.next().cloned().unwrap_or_default();
                    self.put(2, prompt.as_bytes()).await;
                }
                "-t" => limit = rest.next().and_then(|text| text.parse::<f64>().ok()),
                name => names.push(name.to_owned()),
            }
        }
        if names.is_empty() {
            names.push("REPLY".to_owned());
        }
        let line = match limit {
            None => self.logical_line(raw).await,
            Some(seconds) => {
                let limit = std::time::Duration::try_from_secs_f64(seconds).unwrap_or_default();
                match tokio::time::timeout(limit, self.logical_line(raw)).await {
                    Ok(line) => line,
                    Err(_) => {
                        self.status = 142;
                        return Flow::Next;
                    }
                }
            }
        };
        let (characters, complete) = line;
        let separators = self.get("IFS").unwrap_or(" \t\n").to_owned();
        for (name, value) in names.iter().zip(assign(&characters, &separators, names.len())) {
            if let Err(message) = self.set(name, value) {
                self.complain(&format!("read: {message}")).await;
                self.status = 2;
                return Flow::Next;
            }
        }
        self.status = u8::from(!complete);
        Flow::Next
    }

    /// A line as characters, each with whether it was escaped; and whether its newline was there.
    async fn logical_line(&self, raw: bool) -> (Vec<(char, bool)>, bool) {
        let Fd::Read(reader) = self.fd(0) else { return (Vec::new(), false) };
        let mut out = Vec::new();
        loop {
            let bytes = reader.take_line(LARGEST).await;
            let text = String::from_utf8_lossy(&bytes);
            let (text, complete) =
                text.strip_suffix('\n').map_or((text.as_ref(), false), |text| (text, true));
            let mut chars = text.chars().filter(|&c| c != '\0');
            let mut continued = false;
            while let Some(c) = chars.next() {
                match c {
                    '\\' if !raw => match chars.next() {
                        Some(escaped) => out.push((escaped, true)),
                        None => continued = complete,
                    },
                    c => out.push((c, false)),
                }
            }
            if !continued {
                return (out, complete);
            }
        }
    }
}

/// Splits a line over `count` names: the last one takes the rest.
fn assign(line: &[(char, bool)], separators: &str, count: usize) -> Vec<String> {
    let separator = |&(c, escaped): &(char, bool)| !escaped && separators.contains(c);
    let blank = |pair: &(char, bool)| separator(pair) && pair.0.is_ascii_whitespace();
    let skip = |line: &mut &[(char, bool)]| {
        while let [first, rest @ ..] = *line
            && blank(first)
        {
            *line = rest;
        }
    };
    let mut rest = line;
    let mut out = Vec::with_capacity(count);
    skip(&mut rest);
    while out.len() + 1 < count {
        let end = rest.iter().position(separator).unwrap_or(rest.len());
        let (value, after) = rest.split_at(end);
        out.push(value.iter().map(|(c, _)| c).collect());
        rest = after;
        skip(&mut rest);
        if let [first, after @ ..] = rest
            && separator(first)
            && !value.is_empty() | (end == 0)
        {
            rest = after;
            skip(&mut rest);
        }
    }
    while let [before @ .., last] = rest
        && blank(last)
    {
        rest = before;
    }
    // "a:b:" into two names: a separator that only ends the last field goes too.
    if let [before @ .., last] = rest
        && separator(last)
        && !before.iter().any(separator)
    {
        rest = before;
    }
    out.push(rest.iter().map(|(c, _)| c).collect());
    out
}
