//! Expansion of words (POSIX 2.6): tilde, parameters, substitutions, arithmetic, field splitting, file names.

use std::sync::Arc;

use super::exec::roomy;
use super::fields::{Segment, replace, slice, split, trim};
use super::pattern;
use super::pipe::pipe;
use super::state::{Fd, Flow, LARGEST, LARGEST_COMMAND, Shell};
use super::syntax::{List, Operation, Parameter, Piece, Word};
use crate::program::BoxFuture;

/// `Err` carries the way out of the shell; the message is already written.
pub(crate) type Expanded<T> = Result<T, Flow>;

impl Shell {
    /// Words as the fields of a command.
    pub(crate) async fn all_fields(&mut self, words: &[Word]) -> Expanded<Vec<String>> {
        let mut out = Vec::new();
        self.expanded = 0;
        for word in words {
            let before = out.len();
            self.fields(word, &mut out).await?;
            let new = out.get(before..).unwrap_or_default();
            self.expanded += new.iter().map(|field| field.len() + size_of::<String>()).sum::<usize>();
            if self.expanded > LARGEST_COMMAND {
                self.complain("Argument list too long").await;
                self.status = 126;
                return Err(Flow::Exit);
            }
        }
        Ok(out)
    }

    /// A word as the fields of a command.
    async fn fields(&mut self, word: &Word, out: &mut Vec<String>) -> Expanded<()> {
        match word.0.as_slice() {
            [Piece::Quoted(text)] => {
                out.push(text.clone());
                return Ok(());
            }
            [Piece::Text(text)] if !pattern::is_pattern(text) => {
                out.push(text.clone());
                return Ok(());
            }
            _ => {}
        }
        let mut segments = Vec::new();
        self.segments(word, &mut segments).await?;
        let separators = self.get("IFS").unwrap_or(" \t\n").to_owned();
        for field in split(segments, &separators) {
            if !self.options.noglob && pattern::is_pattern(&field.pattern) {
                let names = self.glob(&field.pattern);
                if !names.is_empty() {
                    out.extend(names);
                    continue;
                }
            }
            out.push(field.text);
        }
        Ok(())
    }

    /// A word as one text: what is assigned, matched, or named in a redirection.
    pub(crate) async fn text(&mut self, word: &Word) -> Expanded<String> {
        if let [Piece::Quoted(text) | Piece::Text(text)] = word.0.as_slice() {
            return Ok(text.clone());
        }
        let mut segments = Vec::new();
        self.segments(word, &mut segments).await?;
        let mut text = String::new();
        for segment in segments {
            match segment {
                Segment::Quoted(part) | Segment::Plain(part) | Segment::Split(part) => text.push_str(&part),
                Segment::Break => text.push(' '),
            }
        }
        Ok(text)
    }

    /// A word as a pattern, what was quoted in it escaped.
    pub(crate) async fn pattern(&mut self, word: &Word) -> Expanded<String> {
        let mut segments = Vec::new();
        self.segments(word, &mut segments).await?;
        let mut text = String::new();
        for segment in segments {
            match segment {
                Segment::Quoted(part) => pattern::escape(&part, &mut text),
                Segment::Plain(part) | Segment::Split(part) => text.push_str(&part),
                Segment::Break => text.push(' '),
            }
        }
        Ok(text)
    }

    fn segments<'a>(&'a mut self, word: &'a Word, out: &'a mut Vec<Segment>) -> BoxFuture<'a, Expanded<()>> {
        roomy(async move {
            let mut bytes = 0_usize;
            let mut counted = out.len();
            for piece in &word.0 {
                match piece {
                    Piece::Text(text) => out.push(Segment::Plain(text.clone())),
                    Piece::Quoted(text) => out.push(Segment::Quoted(text.clone())),
                    Piece::Tilde(user) => out.push(Segment::Quoted(self.home_of(user))),
                    Piece::Parameter(parameter, quoted) => self.parameter(parameter, *quoted, out).await?,
                    Piece::Substitution(list, quoted) => {
                        let text = self.substitute(list).await?;
                        out.push(result(text, *quoted));
                    }
                    Piece::Arithmetic(expression, quoted) => {
                        let value = self.arithmetic(expression).await?;
                        out.push(result(value.to_string(), *quoted));
                    }
                }
                bytes += out.get(counted..).unwrap_or_default().iter().map(Segment::size).sum::<usize>();
                counted = out.len();
                if bytes > LARGEST_COMMAND {
                    return Err(self.no_room().await);
                }
            }
            Ok(())
        })
    }

    fn home_of(&self, user: &str) -> String {
        match user {
            "" => self.get("HOME").unwrap_or("/").to_owned(),
            "root" => "/root".to_owned(),
            other => format!("/home/{other}"),
        }
    }

    /// Runs `$(…)` and returns what it wrote, trailing newlines dropped.
    async fn substitute(&mut self, list: &Arc<List>) -> Expanded<String> {
        let (writer, reader) = pipe();
        let mut sub = self.subshell();
        sub.set_fd(1, Fd::Write(writer));
        let run = async move { sub.run_and_leave(list).await };
        let take = async move { reader.take_all(LARGEST).await };
        let (status, mut bytes) = tokio::join!(run, take);
        self.substituted = Some(status);
        self.status = status;
        bytes.retain(|&byte| byte != 0);
        let mut text =
            String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned());
        text.truncate(text.trim_end_matches('\n').len());
        Ok(text)
    }

    /// The value of a parameter other than `$@` and `$*`.
    pub(crate) fn value(&self, name: &str) -> Option<String> {
        match name {
            "?" => Some(self.status.to_string()),
            "#" => Some(self.arguments.len().to_string()),
            "$" => Some(self.pid.to_string()),
            "!" => self.last_background.map(|pid| pid.to_string()),
            "-" => Some(self.flags()),
            "0" => Some(self.name.clone()),
            "@" | "*" => (!self.arguments.is_empty()).then(|| self.arguments.join(" ")),
            "LINENO" => Some(self.line.to_string()),
            _ => match name.parse::<usize>() {
                Ok(number) => self.arguments.get(number.checked_sub(1)?).cloned(),
                Err(_) => self.get(name).map(str::to_owned),
            },
        }
    }

    fn flags(&self) -> String {
        let options = &self.options;
        [(options.errexit, 'e'), (options.noglob, 'f'), (options.nounset, 'u'), (options.xtrace, 'x')]
            .into_iter()
            .filter_map(|(on, letter)| on.then_some(letter))
            .collect()
    }

    async fn no_room(&mut self) -> Flow {
        self.complain("Out of space").await;
        self.status = 2;
        Flow::Exit
    }

    async fn unset(&mut self, name: &str) -> Flow {
        self.complain(&format!("{name}: parameter not set")).await;
        self.status = 2;
        Flow::Exit
    }

    async fn parameter(
        &mut self,
        parameter: &Parameter,
        quoted: bool,
        out: &mut Vec<Segment>,
    ) -> Expanded<()> {
        let name = parameter.name.as_str();
        if let Operation::Default { sign, colon, word } = &parameter.operation {
            return self.defaulted(name, (*sign, *colon), word, quoted, out).await;
        }
        if matches!(name, "@" | "*") && matches!(parameter.operation, Operation::Get) {
            self.all_arguments(name == "@", quoted, out);
            return Ok(());
        }
        let Some(value) = self.value(name) else {
            if self.options.nounset && !matches!(name, "@" | "*") {
                return Err(self.unset(name).await);
            }
            let empty = if matches!(parameter.operation, Operation::Length) { "0" } else { "" };
            out.push(result(empty.to_owned(), quoted));
            return Ok(());
        };
        let value = match &parameter.operation {
            Operation::Get | Operation::Default { .. } => value,
            Operation::Length => value.chars().count().to_string(),
            Operation::Trim { suffix, longest, pattern } => {
                let pattern = self.pattern(pattern).await?;
                trim(&value, &pattern, *suffix, *longest)
            }
            Operation::Slice { offset, length } => {
                let offset = self.arithmetic(offset).await?;
                let length = match length {
                    Some(length) => Some(self.arithmetic(length).await?),
                    None => None,
                };
                slice(&value, offset, length)
            }
            Operation::Replace { all, pattern, with } => {
                let pattern = self.pattern(pattern).await?;
                let with = self.text(with).await?;
                match replace(&value, &pattern, &with, *all) {
                    Some(replaced) => replaced,
                    None => return Err(self.no_room().await),
                }
            }
        };
        out.push(result(value, quoted));
        Ok(())
    }

    fn all_arguments(&self, separate: bool, quoted: bool, out: &mut Vec<Segment>) {
        if quoted && !separate {
            let separator = self.get("IFS").map_or(Some(' '), |ifs| ifs.chars().next());
            let joined = self.arguments.join(&separator.map(String::from).unwrap_or_default());
            out.push(Segment::Quoted(joined));
            return;
        }
        for (at, argument) in self.arguments.iter().enumerate() {
            if at > 0 {
                out.push(Segment::Break);
            }
            out.push(result(argument.clone(), quoted));
        }
    }

    /// `${name-word}` and its kin.
    async fn defaulted(
        &mut self,
        name: &str,
        (sign, colon): (char, bool),
        word: &Word,
        quoted: bool,
        out: &mut Vec<Segment>,
    ) -> Expanded<()> {
        let value = self.value(name).filter(|value| !colon || !value.is_empty());
        match (sign, value) {
            ('+', None) => out.extend(quoted.then(|| Segment::Quoted(String::new()))),
            ('+', Some(_)) | ('-', None) => {
                let mut inner = Vec::new();
                self.segments(word, &mut inner).await?;
                if quoted && inner.is_empty() {
                    out.push(Segment::Quoted(String::new()));
                }
                out.extend(inner.into_iter().map(|segment| match segment {
                    Segment::Plain(text) if !quoted => Segment::Split(text),
                    other => other,
                }));
            }
            ('=', None) => {
                let text = self.text(word).await?;
                if let Err(message) = self.set(name, text.clone()) {
                    self.complain(&message).await;
                    self.status = 2;
                    return Err(Flow::Exit);
                }
                out.push(result(text, quoted));
            }
            ('?', None) => {
                let text = self.text(word).await?;
                let text = if text.is_empty() { "parameter not set or null".to_owned() } else { text };
                self.complain(&format!("{name}: {text}")).await;
                self.status = 2;
                return Err(Flow::Exit);
            }
            (_, Some(_)) if matches!(name, "@" | "*") => self.all_arguments(name == "@", quoted, out),
            (_, Some(value)) => out.push(result(value, quoted)),
            (_, None) => {}
        }
        Ok(())
    }

    /// The files of the world that match, sorted.
    fn glob(&self, pattern: &str) -> Vec<String> {
        let absolute = pattern.starts_with('/');
        let mut found = vec![String::new()];
        let world = self.machine.world();
        for part in pattern.split('/').filter(|part| !part.is_empty()) {
            let mut next = Vec::new();
            for base in &found {
                let joined = |name: &str| match (base.as_str(), absolute) {
                    ("", false) => name.to_owned(),
                    _ => format!("{base}/{name}"),
                };
                if !pattern::is_pattern(part) {
                    next.push(joined(&pattern::unescape(part)));
                    continue;
                }
                let directory = self.absolute(if base.is_empty() && absolute { "/" } else { base });
                if world.is_closed(&self.machine.host, &directory, &self.user) {
                    continue;
                }
                let mut names = world.list_dir(&self.machine.host, &directory).unwrap_or_default();
                names.retain(|name| {
                    pattern::matches(part, name) && (part.starts_with('.') || !name.starts_with('.'))
                });
                names.sort();
                next.extend(names.iter().map(|name| joined(name)));
            }
            found = next;
        }
        found.retain(|path| {
            let path = self.absolute(path);
            world.list_dir(&self.machine.host, &path).is_some()
                || world.read_file(&self.machine.host, &path).is_some()
        });
        found
    }
}

fn result(text: String, quoted: bool) -> Segment {
    if quoted { Segment::Quoted(text) } else { Segment::Split(text) }
}
