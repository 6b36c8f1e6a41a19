//! `openssl`: `x509`, `pkey`, `verify` and `s_client`, as far as runbooks look at certificates. Its words are those of 1.0.1 on Ubuntu and
//! of 3.0 on Debian. What is not simulated says so and fails.

mod s_client;
#[cfg(test)]
mod tests;
mod words;

use std::sync::PoisonError;

use tokio::io::AsyncReadExt;

use crate::posix::programs::text::{read_file, write};
use crate::program::{BoxFuture, Call, Program, Reply};
use crate::web::certificates::{Certificate, Key};

use words::Edition;

/// The program.
#[derive(Debug)]
pub(crate) struct Openssl;

/// Bytes of standard input that are taken.
const LARGEST: u64 = 1024 * 1024;

impl Program for Openssl {
    fn name(&self) -> &'static str {
        "openssl"
    }

    fn run(&self, mut call: Call) -> BoxFuture<'static, u8> {
        Box::pin(async move {
            let edition = {
                let world = call.world.lock().unwrap_or_else(PoisonError::into_inner);
                Edition::on(&world, &call.host)
            };
            let words: Vec<String> = call.args.get(2..).unwrap_or_default().to_vec();
            let reply = match call.args.get(1).map(String::as_str) {
                Some("x509") => x509(&mut call, edition, &words).await,
                Some("pkey") => pkey(&mut call, edition, &words).await,
                Some("verify") => verify(&call, edition, &words),
                Some("s_client") => s_client::run(&call, edition, &words),
                Some("version") => said(edition.version()),
                other => not_simulated(other.unwrap_or_default()),
            };
            write(&mut call, reply).await
        })
    }
}

fn said(text: impl Into<Vec<u8>>) -> Reply {
    Reply { stdout: text.into(), ..Reply::default() }
}

fn complaint(text: &str, status: u8) -> Reply {
    Reply { stderr: format!("{text}\n").into_bytes(), status, ..Reply::default() }
}

fn not_simulated(what: &str) -> Reply {
    complaint(&format!("openssl: {what}: not simulated"), 1)
}

/// A file, or standard input; an error is the whole reply.
async fn input(call: &mut Call, file: Option<&String>) -> Result<String, &'static str> {
    match file {
        Some(file) => read_file(call, file).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        None => {
            let mut bytes = Vec::new();
            let _failed = (&mut call.stdin).take(LARGEST).read_to_end(&mut bytes).await;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        }
    }
}

/// Now, by the host's own clock.
fn now(call: &Call) -> i64 {
    let world = call.world.lock().unwrap_or_else(PoisonError::into_inner);
    #[allow(clippy::cast_possible_truncation)] // seconds since 1970
    let now = world.epoch(&call.host) as i64;
    now
}

/// The options that leave only the extensions in `-text`.
const EXTENSIONS_ALONE: &str =
    "no_header,no_version,no_serial,no_signame,no_validity,no_subject,no_issuer,no_pubkey,no_sigdump,no_aux";

async fn x509(call: &mut Call, edition: Edition, words: &[String]) -> Reply {
    let (mut file, mut silent, mut text, mut end) = (None, false, false, None);
    let mut shown: Vec<&str> = Vec::new();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        match word.as_str() {
            "-in" => file = rest.next(),
            "-noout" => silent = true,
            "-sha256" => {}
            "-checkend" => end = rest.next().and_then(|seconds| seconds.parse::<i64>().ok()),
            "-text" => text = true,
            "-certopt" if rest.next().is_some_and(|options| options == EXTENSIONS_ALONE) => {}
            "-ext" if edition == Edition::One => return complaint("unknown option -ext", 1),
            "-ext" if rest.next().is_some_and(|name| name == "subjectAltName") => shown.push("-ext"),
            "-subject" | "-issuer" | "-startdate" | "-enddate" | "-fingerprint" | "-pubkey" => {
                shown.push(word);
            }
            other => return not_simulated(&format!("x509 {other}")),
        }
    }
    let asked = |word: &str| words.iter().any(|other| other == word);
    if text != asked("-certopt") || asked("-fingerprint") != asked("-sha256") {
        return not_simulated("x509 -text without -certopt, -fingerprint without -sha256");
    }
    let content = match input(call, file).await {
        Ok(content) => content,
        Err(why) => return complaint(&edition.cannot_open("certificate", file, why), 1),
    };
    let Some(certificate) = Certificate::all(&content).into_iter().next() else {
        return complaint(&edition.no_certificate(file), 1);
    };
    let mut out = String::new();
    for what in shown {
        out.push_str(&edition.field(what, &certificate));
    }
    if text {
        out.push_str(&words::names(&certificate, 8));
    }
    let mut status = 0;
    if let Some(seconds) = end {
        let ends = certificate.not_after < now(call).saturating_add(seconds);
        out.push_str(if ends { "Certificate will expire\n" } else { "Certificate will not expire\n" });
        status = u8::from(ends);
    }
    if !silent {
        out.push_str(&certificate.pem());
    }
    Reply { status, ..said(out) }
}

async fn pkey(call: &mut Call, edition: Edition, words: &[String]) -> Reply {
    let (mut file, mut public) = (None, false);
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        match word.as_str() {
            "-in" => file = rest.next(),
            "-pubout" => public = true,
            // No passphrase, and no question for one.
            "-passin" if rest.next().is_some_and(|given| given == "pass:") => {}
            other => return not_simulated(&format!("pkey {other}")),
        }
    }
    if !public {
        return not_simulated("pkey without -pubout");
    }
    match input(call, file).await {
        Ok(content) => Key::read(&content)
            .map_or_else(|| complaint(&edition.no_key(file), 1), |key| said(key.public_pem())),
        Err(why) => complaint(&edition.cannot_open("key", file, why), 1),
    }
}

/// The certificates of a file that must be there.
fn certificates(call: &Call, file: Option<&String>) -> Result<Vec<Certificate>, String> {
    let Some(file) = file else { return Ok(Vec::new()) };
    read_file(call, file)
        .map(|bytes| Certificate::all(&String::from_utf8_lossy(&bytes)))
        .map_err(|_| format!("Error loading file {file}"))
}

fn verify(call: &Call, edition: Edition, words: &[String]) -> Reply {
    let (mut trusted, mut others, mut files) = (None, None, Vec::new());
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        match word.as_str() {
            "-CAfile" => trusted = rest.next(),
            "-untrusted" => others = rest.next(),
            option if option.starts_with('-') => return not_simulated(&format!("verify {option}")),
            _ => files.push(word),
        }
    }
    let ([file], Some(_)) = (files.as_slice(), trusted) else {
        return not_simulated("verify of other than one file, or without -CAfile");
    };
    let (trusted, others) = match (certificates(call, trusted), certificates(call, others)) {
        (Ok(trusted), Ok(others)) => (trusted, others),
        (Err(why), _) | (_, Err(why)) => return complaint(&why, 1),
    };
    let own = certificates(call, Some(file)).ok().and_then(|found| found.into_iter().next());
    let Some(own) = own else { return complaint(&edition.no_certificate(Some(file)), 2) };
    match own.verify(&others, &trusted, now(call)) {
        Ok(()) => said(format!("{file}: OK\n")),
        Err(broken) => edition.not_verified(file, &own, broken),
    }
}
