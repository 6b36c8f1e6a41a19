//! Whether a mail host relays for strangers. Only sender and recipient are named, then the transaction is reset: no mail is ever sent.

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

use jumpdeck_fleet::outside::{OutsideReading, RelayHost};

use super::OpensPorts;
use super::look::{OutsideLook, STEP, StepFailure, connect, said, step};
use crate::transport::{BoxStream, NotReached};

/// Bytes of a line, and lines of an answer, at most (RFC 5321 has 512 bytes).
const LINE: u64 = 1024;
const LINES: usize = 50;

/// Looks at a mail host.
pub(super) async fn look(host: &RelayHost, opens: &dyn OpensPorts) -> OutsideLook {
    let stream = match connect(opens, &host.address, host.port, STEP).await {
        Ok(stream) => stream,
        Err(NotReached::Refused(why)) => return OutsideLook::failed(why, true),
        Err(NotReached::NoConnection(why) | NotReached::NotTried(why)) => {
            return OutsideLook::failed(why, false);
        }
    };
    match talk(BufReader::new(stream)).await {
        Ok(seen) => OutsideLook::answered(seen),
        Err(StepFailure::Broken(why)) => OutsideLook::failed(said(&why), true),
        Err(StepFailure::NotReached(
            NotReached::Refused(why) | NotReached::NoConnection(why) | NotReached::NotTried(why),
        )) => OutsideLook::failed(why, true),
    }
}

/// An answer: its code, its last line, and all its lines in small letters.
struct SmtpReply {
    code: u16,
    text: String,
    all: String,
}

/// Whether a refusal is about relaying; else it is about this client, and others may be allowed to relay. Words with a dot or an
/// `@` inside are names, as that of the recipient, and say nothing.
fn is_about_relaying(all: &str) -> bool {
    all.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric())).any(|word| {
        let says = |part: &str| word.contains(part);
        !says(".") && !says("@") && (says("relay") || says("rcpthosts") || says("authenticat"))
    })
}

async fn talk(mut stream: BufReader<BoxStream>) -> Result<OutsideReading, StepFailure> {
    expect(step("no SMTP", reply(&mut stream)).await?, "greeting")?;
    expect(say(&mut stream, "EHLO relay-check.invalid").await?, "EHLO")?;
    // The sender of bounces: a server that looks up senders takes it, too.
    expect(say(&mut stream, "MAIL FROM:<>").await?, "the sender")?;
    let answer = say(&mut stream, "RCPT TO:<relay-check@example.com>").await?;
    let seen = match answer.code {
        200..=299 => Ok(OutsideReading::Relays(said(&answer.text))),
        500..=599 if is_about_relaying(&answer.all) => Ok(OutsideReading::RefusesRelay(said(&answer.text))),
        500..=599 => Err(StepFailure::Broken(format!(
            "it refused this client, which says nothing of others: {}",
            answer.text
        ))),
        _ => Err(StepFailure::Broken(format!("it did not decide about the recipient: {}", answer.text))),
    };
    // How it takes the farewell is of no interest.
    for line in ["RSET", "QUIT"] {
        if say(&mut stream, line).await.is_err() {
            break;
        }
    }
    seen
}

fn expect(reply: SmtpReply, what: &str) -> Result<(), StepFailure> {
    match reply.code {
        200..=299 => Ok(()),
        _ => Err(StepFailure::Broken(format!("{what} was refused: {}", reply.text))),
    }
}

async fn say(stream: &mut BufReader<BoxStream>, line: &str) -> Result<SmtpReply, StepFailure> {
    let work = async {
        stream.write_all(format!("{line}\r\n").as_bytes()).await.map_err(|error| error.to_string())?;
        stream.flush().await.map_err(|error| error.to_string())?;
        reply(stream).await
    };
    step("no answer to SMTP", work).await
}

async fn reply(stream: &mut BufReader<BoxStream>) -> Result<SmtpReply, String> {
    let mut all = String::new();
    for _ in 0..LINES {
        let mut line = Vec::new();
        let mut bounded = (&mut *stream).take(LINE);
        bounded.read_until(b'\n', &mut line).await.map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        let code = text.get(..3).and_then(|code| code.parse().ok());
        let (true, Some(code)) = (line.ends_with(b"\n"), code) else {
            return Err(if line.is_empty() {
                "it closed the connection".to_owned()
            } else {
                "what came is no SMTP".to_owned()
            });
        };
        all.push_str(&text.get(4..).unwrap_or_default().to_ascii_lowercase());
        all.push(' ');
        if text.as_bytes().get(3) != Some(&b'-') {
            return Ok(SmtpReply { code, text, all });
        }
    }
    Err("its answer has no end".to_owned())
}
