//! `openssl s_client`: what a web server of the world serves.

use std::sync::PoisonError;

use crate::program::{Call, Reply};
use crate::web::certificates::Certificate;

use super::words::{Edition, date};
use super::{certificates, complaint, not_simulated, now};

/// What is asked.
#[derive(Default)]
struct Asked<'a> {
    host: &'a str,
    port: u16,
    trusted: Option<&'a String>,
    shows_all: bool,
}

fn read(words: &[String]) -> Result<Asked<'_>, Reply> {
    let mut asked = Asked::default();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        match word.as_str() {
            "-connect" => {
                let (host, port) =
                    rest.next().and_then(|to| to.rsplit_once(':')).unwrap_or(("localhost", "4433"));
                (asked.host, asked.port) = (host, port.parse().unwrap_or(0));
            }
            // Each server here has one certificate, whatever it is asked for.
            "-servername" => drop(rest.next()),
            "-CAfile" => asked.trusted = rest.next(),
            "-showcerts" => asked.shows_all = true,
            other => return Err(not_simulated(&format!("s_client {other}"))),
        }
    }
    if asked.host.is_empty() || asked.trusted.is_none() {
        return Err(not_simulated("s_client without -connect or -CAfile"));
    }
    Ok(asked)
}

pub(super) fn run(call: &Call, edition: Edition, words: &[String]) -> Reply {
    let asked = match read(words) {
        Ok(asked) => asked,
        Err(reply) => return reply,
    };
    let trusted = match certificates(call, asked.trusted) {
        Ok(trusted) => trusted,
        Err(why) => return complaint(&why, 1),
    };
    let served = {
        let world = call.world.lock().unwrap_or_else(PoisonError::into_inner);
        let to = match asked.host {
            "localhost" | "127.0.0.1" => Some(call.host.clone()),
            other => world.resolve(other),
        };
        let up = to.filter(|host| world.is_up(host));
        let Some(host) = up else { return complaint("connect: No route to host\nconnect:errno=113", 1) };
        world.served_certificates(&host).filter(|_| asked.port == 443)
    };
    let Some(served) = served else {
        return complaint("connect: Connection refused\nconnect:errno=111", 1);
    };
    Reply {
        stdout: conversation(edition, &served, &trusted, (now(call), asked.shows_all)).into_bytes(),
        ..Reply::default()
    }
}

/// What is printed, up to the end of the handshake.
pub(super) fn conversation(
    edition: Edition,
    served: &[Certificate],
    trusted: &[Certificate],
    (now, shows_all): (i64, bool),
) -> String {
    let Some((own, others)) = served.split_first() else { return String::new() };
    let mut text = "CONNECTED(00000003)\n---\nCertificate chain\n".to_owned();
    for (number, one) in served.iter().enumerate() {
        text.push_str(&format!(
            " {number} s:{}\n   i:{}\n",
            edition.name(&one.subject),
            edition.name(&one.issuer)
        ));
        if edition == Edition::Three {
            text.push_str(&format!(
                "   a:PKEY: rsaEncryption, 2048 (bit); sigalg: RSA-SHA256\n   v:NotBefore: {}; NotAfter: {}\n",
                date(one.not_before),
                date(one.not_after)
            ));
        }
        if shows_all {
            text.push_str(&one.pem());
        }
    }
    text.push_str("---\nServer certificate\n");
    if !shows_all {
        text.push_str(&own.pem());
    }
    // The client goes on after the first error, and remembers the last: of a certificate alone that is another one.
    let code = match own.verify(others, trusted, now) {
        Ok(()) => 0,
        Err(broken) if broken.code == 20 && others.is_empty() => 21,
        Err(broken) => broken.code,
    };
    let means = edition.meaning(code);
    text.push_str(&format!(
        "subject={}\nissuer={}\n---\n",
        edition.name(&own.subject),
        edition.name(&own.issuer)
    ));
    text.push_str(
        "No client certificate CA names sent\n---\nSSL handshake has read 3257 bytes and written 402 bytes\n",
    );
    if edition == Edition::Three {
        text.push_str(&match code {
            0 => "Verification: OK\n".to_owned(),
            _ => format!("Verification error: {means}\n"),
        });
    }
    text.push_str(
        "---\nNew, TLSv1.2, Cipher is ECDHE-RSA-AES128-GCM-SHA256\nServer public key is 2048 bit\n",
    );
    text.push_str(&format!("    Verify return code: {code} ({means})\n---\n"));
    text
}
