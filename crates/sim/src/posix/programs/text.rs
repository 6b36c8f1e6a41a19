//! Everyday programs about text and files, and what they share: options, and reading the files they are given.
//! Each knows the options people use; another one is refused with the program's own words, never ignored.

pub mod basename;
pub mod cat;
pub mod cut;
pub mod date;
pub mod dirname;
pub mod grep;
pub mod head;
pub mod id;
pub mod ls;
pub mod sed;
pub mod seq;
pub mod sort;
pub mod tail;
pub mod tee;
pub mod tr;
pub mod uniq;
pub mod wc;
pub mod whoami;

use std::sync::PoisonError;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

pub(crate) use crate::options::{Arguments, Options};
use crate::posix::files::Wish;
use crate::program::{BoxFuture, Call, Reply};
use crate::shell::path;

/// Bytes a filter takes in before it gives up on the rest.
const LARGEST: u64 = 8 * 1024 * 1024;
/// The status of a program that wrote to a closed pipe: 128 and SIGPIPE.
const BROKEN_PIPE: u8 = 141;

/// A failure in the program's own words.
pub(crate) fn failure(name: &str, what: &str, status: u8) -> Reply {
    Reply { stderr: format!("{name}: {what}\n").into_bytes(), status, ..Reply::default() }
}

/// A success with this output.
pub(crate) fn output(text: impl Into<Vec<u8>>) -> Reply {
    Reply { stdout: text.into(), ..Reply::default() }
}

/// Writes a reply and returns its status.
pub(crate) async fn write(call: &mut Call, reply: Reply) -> u8 {
    let _nobody_reads = call.stderr.write_all(&reply.stderr).await;
    match call.stdout.write_all(&reply.stdout).await {
        Ok(()) => reply.status,
        Err(_) => BROKEN_PIPE,
    }
}

/// A program that answers at once.
pub(crate) fn answer(mut call: Call, reply: Reply) -> BoxFuture<'static, u8> {
    Box::pin(async move { write(&mut call, reply).await })
}

/// A file of the world, or why not.
pub(crate) fn read_file(call: &Call, name: &str) -> Result<Vec<u8>, &'static str> {
    let path = path::absolute(&call.cwd, name);
    if path == "/dev/null" {
        return Ok(Vec::new());
    }
    let world = call.world.lock().unwrap_or_else(PoisonError::into_inner);
    if !world.may(&call.host, &path, &call.user, Wish::Read) {
        return Err("Permission denied");
    }
    match world.read_file(&call.host, &path) {
        Some(bytes) => Ok(bytes),
        None if world.list_dir(&call.host, &path).is_some() => Err("Is a directory"),
        None => Err("No such file or directory"),
    }
}

/// An input of a filter: its name (`None`: standard input, not named) and its bytes.
pub(crate) type Named = (Option<String>, Vec<u8>);

/// Reads the files named, or standard input, and answers with what `work` makes of them.
pub(crate) fn filter(
    mut call: Call,
    files: Vec<String>,
    work: impl FnOnce(&[Named]) -> Reply + Send + 'static,
) -> BoxFuture<'static, u8> {
    Box::pin(async move {
        let mut inputs = Vec::new();
        let mut missing = Vec::new();
        let files = if files.is_empty() { vec!["-".to_owned()] } else { files };
        for file in files {
            if file == "-" {
                let mut bytes = Vec::new();
                let _failed = (&mut call.stdin).take(LARGEST).read_to_end(&mut bytes).await;
                inputs.push((None, bytes));
                continue;
            }
            match read_file(&call, &file) {
                Ok(bytes) => inputs.push((Some(file), bytes)),
                Err(why) => {
                    let name = call.args.first().map(String::as_str).unwrap_or_default();
                    missing.extend(format!("{name}: {file}: {why}\n").into_bytes());
                }
            }
        }
        let mut reply = work(&inputs);
        if !missing.is_empty() {
            reply.status =
                reply.status.max(if call.args.first().is_some_and(|n| n == "grep") { 2 } else { 1 });
            missing.append(&mut reply.stderr);
            reply.stderr = missing;
        }
        write(&mut call, reply).await
    })
}

/// Lines with their newlines; a last one without it gets none.
pub(crate) fn lines(bytes: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    bytes.split_inclusive(|&byte| byte == b'\n')
}

/// A line without its newline.
pub(crate) fn chomp(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

/// All inputs as one.
pub(crate) fn concatenated(inputs: &[Named]) -> Vec<u8> {
    inputs.iter().flat_map(|(_, bytes)| bytes.iter().copied()).collect()
}
