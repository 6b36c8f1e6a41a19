//! `gzip`, `gunzip`, `zcat` and `tar`, as far as backups are packed, looked into and verified with them.

use std::sync::PoisonError;

use tokio::io::AsyncReadExt;

use crate::backups::archives::Archive;
use crate::backups::{Packed, pack, unpack};
use crate::posix::files::FULL;
use crate::program::quick::{failure, output, write};
use crate::program::{BoxFuture, Call, Program, Reply};
use crate::shell::path::absolute;

/// One of them, by its name.
pub(crate) struct Pack(pub(crate) &'static str);

/// Bytes of standard input that are taken.
const LARGEST: u64 = 8 * 1024 * 1024;

impl Program for Pack {
    fn name(&self) -> &'static str {
        self.0
    }

    fn run(&self, mut call: Call) -> BoxFuture<'static, u8> {
        let name = self.0;
        Box::pin(async move {
            let args = call.args.get(1..).unwrap_or_default().to_vec();
            let reply = if name == "base64" {
                base64(&mut call, &args).await
            } else if name == "tar" {
                tar(&call, &args)
            } else {
                let (letters, files): (Vec<_>, Vec<_>) =
                    args.iter().partition(|arg| arg.starts_with('-') && arg.len() > 1);
                let letters: String = letters.iter().map(|option| option.trim_start_matches('-')).collect();
                if files.is_empty() || files.iter().all(|file| *file == "-") {
                    let mut bytes = Vec::new();
                    let _failed = (&mut call.stdin).take(LARGEST).read_to_end(&mut bytes).await;
                    stream(name, &letters, &bytes)
                } else {
                    zip(&call, name, &letters, &files)
                }
            };
            write(reply, call.stdout, call.stderr).await
        })
    }
}

fn trouble(name: &str, file: &str, packed: &Packed) -> Option<String> {
    match packed {
        Packed::Whole(_) => None,
        Packed::Truncated => Some(format!("\n{name}: {file}: unexpected end of file\n")),
        Packed::Other => Some(format!("\n{name}: {file}: not in gzip format\n")),
    }
}

fn stream(name: &str, letters: &str, bytes: &[u8]) -> Reply {
    if name == "gzip" && !letters.contains(['d', 't']) {
        return output(pack(bytes));
    }
    let packed = unpack(bytes);
    match (trouble(name, "stdin", &packed), packed) {
        (Some(what), _) => Reply { stderr: what.into_bytes(), status: 1, ..Reply::default() },
        (None, Packed::Whole(inside)) if !letters.contains('t') => output(inside),
        _ => Reply::default(),
    }
}

fn zip(call: &Call, name: &str, letters: &str, files: &[&String]) -> Reply {
    let mut reply = Reply::default();
    let mut world = call.world.lock().unwrap_or_else(PoisonError::into_inner);
    let to_stdout = name == "zcat" || letters.contains('c');
    let unpacks = name != "gzip" || letters.contains('d');
    for file in files {
        let path = absolute(&call.cwd, file);
        let found = world.read_file(&call.host, &path).zip(world.metadata(&call.host, &path));
        let Some((bytes, found)) = found else {
            reply.stderr.extend(format!("{name}: {file}: No such file or directory\n").into_bytes());
            reply.status = 1;
            continue;
        };
        if !unpacks && !letters.contains('t') {
            let packed = pack(&bytes);
            if to_stdout {
                reply.stdout.extend(packed);
            } else {
                if !world.has_room(&call.host, &format!("{path}.gz"), packed.len()) {
                    reply.stderr.extend(format!("{name}: {file}.gz: {FULL}\n").into_bytes());
                    reply.status = 1;
                    continue;
                }
                // Dumps become about a quarter of what they were.
                world.store_file(&call.host, &format!("{path}.gz"), packed, found.size / 4, found.attributes);
                world.remove_file(&call.host, &path);
            }
            continue;
        }
        let packed = unpack(&bytes);
        if let Some(what) = trouble(name, file, &packed) {
            reply.stderr.extend(what.into_bytes());
            reply.status = 1;
        } else if let Packed::Whole(inside) = packed
            && !letters.contains('t')
        {
            match path.strip_suffix(".gz") {
                _ if to_stdout => reply.stdout.extend(inside),
                Some(plain) if !world.has_room(&call.host, plain, inside.len()) => {
                    reply.stderr.extend(format!("{name}: {plain}: {FULL}\n").into_bytes());
                    reply.status = 1;
                }
                Some(plain) => {
                    world.store_file(
                        &call.host,
                        plain,
                        inside,
                        found.size.saturating_mul(4),
                        found.attributes,
                    );
                    world.remove_file(&call.host, &path);
                }
                None => {
                    reply.stderr.extend(format!("{name}: {file}: unknown suffix -- ignored\n").into_bytes());
                    reply.status = 2;
                }
            }
        }
    }
    reply
}

/// `base64`, of a file or of what comes in; lines have 76 letters.
async fn base64(call: &mut Call, args: &[String]) -> Reply {
    use base64::Engine as _;
    let engine = base64::engine::general_purpose::STANDARD;
    let (options, files): (Vec<_>, Vec<_>) =
        args.iter().partition(|arg| arg.starts_with('-') && arg.len() > 1);
    let mut bytes = Vec::new();
    match files.first().filter(|file| *file != &"-") {
        None => drop((&mut call.stdin).take(LARGEST).read_to_end(&mut bytes).await),
        Some(file) => {
            let world = call.world.lock().unwrap_or_else(PoisonError::into_inner);
            match world.read_file(&call.host, &absolute(&call.cwd, file)) {
                Some(found) => bytes = found,
                None => return failure(1, &format!("base64: {file}: No such file or directory")),
            }
        }
    }
    if options.iter().any(|option| matches!(option.as_str(), "-d" | "--decode")) {
        bytes.retain(|byte| !byte.is_ascii_whitespace());
        return engine.decode(&bytes).map_or_else(|_| failure(1, "base64: invalid input"), output);
    }
    let text = engine.encode(&bytes);
    if options.iter().any(|option| matches!(option.as_str(), "-w0" | "--wrap=0")) {
        return output(text);
    }
    let lines = text.as_bytes().chunks(76).map(|line| format!("{}\n", String::from_utf8_lossy(line)));
    output(lines.collect::<String>())
}

/// `tar -x` and `tar -d`: an archive's files put below a directory, or compared with those there.
fn unpacked(
    call: &Call,
    world: &mut crate::world::World,
    letters: &str,
    bytes: &[u8],
    place: (&str, &[String]),
) -> Reply {
    let (cwd, members) = place;
    let Some(archive) = Archive::read(bytes) else {
        return failure(2, "tar: of this archive the simulated fleet keeps the names only");
    };
    let archive = match archive.only(members) {
        Ok(archive) => archive,
        Err(missing) => {
            return failure(
                2,
                &format!(
                    "tar: {missing}: Not found in archive\ntar: Exiting with failure status due to previous errors"
                ),
            );
        }
    };
    if letters.contains('x') {
        world.unpack_archive(&call.host, cwd, archive);
        return Reply::default();
    }
    let differs = world.differs_from(&call.host, cwd, &archive);
    let text: String = differs.iter().map(|path| format!("{path}: Contents differ\n")).collect();
    Reply { status: u8::from(!text.is_empty()), ..output(text) }
}

/// `tar -t` lists and verifies, `tar -c` packs names, `-x` and `-d` are for archives of which more was kept.
fn tar(call: &Call, args: &[String]) -> Reply {
    let mut letters = String::new();
    let mut operands: Vec<&String> = Vec::new();
    let mut cwd = call.cwd.clone();
    let mut rest = args.iter().enumerate();
    while let Some((at, arg)) = rest.next() {
        match arg.strip_prefix('-') {
            Some("C") => cwd = absolute(&cwd, rest.next().map_or("", |(_, to)| to)),
            Some(more) => letters.push_str(more),
            None if at == 0 => letters.push_str(arg),
            None => operands.push(arg),
        }
    }
    let Some((file, members)) = operands.split_first().filter(|_| letters.contains('f')) else {
        return failure(
            2,
            "tar: Refusing to read archive contents from terminal (missing -f option?)\ntar: Error is not recoverable: exiting now",
        );
    };
    let path = absolute(&cwd, file);
    let mut world = call.world.lock().unwrap_or_else(PoisonError::into_inner);
    if letters.contains('c') {
        let mut names = String::new();
        let mut size = 0;
        for member in members {
            let member = absolute(&cwd, member);
            if world.metadata(&call.host, &member).is_none() {
                return failure(
                    2,
                    &format!(
                        "tar: {member}: Cannot stat: No such file or directory\ntar: Exiting with failure status due to previous errors"
                    ),
                );
            }
            size += world.written_below(&call.host, &member)
                + world.metadata(&call.host, &member).map_or(0, |m| m.size);
            names.push_str(&format!("{}\n", member.trim_start_matches('/')));
        }
        if !world.has_room(&call.host, &path, pack(names.as_bytes()).len()) {
            return failure(2, &format!("tar: {file}: Cannot write: {FULL}"));
        }
        world.write_file(&call.host, &path, pack(names.as_bytes()));
        if let Some(found) = world.metadata(&call.host, &path) {
            world.store_file(&call.host, &path, pack(names.as_bytes()), size / 3 + 512, found.attributes);
        }
        return Reply::default();
    }
    let Some(bytes) = world.read_file(&call.host, &path) else {
        return failure(
            2,
            &format!(
                "tar: {file}: Cannot open: No such file or directory\ntar: Error is not recoverable: exiting now"
            ),
        );
    };
    match unpack(&bytes) {
        Packed::Whole(_) if !letters.contains('t') => {
            let members: Vec<String> = members.iter().map(|member| (*member).clone()).collect();
            unpacked(call, &mut world, &letters, &bytes, (&cwd, &members))
        }
        Packed::Whole(names) => output(Archive::names(&names).to_vec()),
        Packed::Truncated => failure(
            2,
            "gzip: stdin: unexpected end of file\ntar: Child returned status 1\ntar: Error is not recoverable: exiting now",
        ),
        Packed::Other => failure(
            2,
            "gzip: stdin: not in gzip format\ntar: Child returned status 1\ntar: Error is not recoverable: exiting now",
        ),
    }
}
