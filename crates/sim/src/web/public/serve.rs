//! Serves one connection from outside.

use std::sync::PoisonError;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::{PublicPort, authority};
use crate::program::SharedWorld;
use crate::sshd::stream::Stream;
use crate::web::exchange::Response;
use jumpdeck_fleet::names::HostName;

/// A client that says nothing is let go.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes of a request, or of a mail client's line.
const LONGEST: u64 = 8 * 1024;

/// Serves a connection to its end. How it ends concerns its client only.
pub(crate) async fn serve(world: SharedWorld, port: PublicPort, stream: impl Stream) {
    let served = async {
        match port {
            PublicPort::Web { host, name, tls: false } => plain(stream, &world, &host, &name).await,
            PublicPort::Web { host, name, tls: true } => secure(stream, &world, &host, &name).await,
            PublicPort::Mail { relays } => mail(stream, relays).await,
            PublicPort::Silent => silent(stream).await,
        }
    };
    let _ended = timeout(PATIENCE, served).await;
}

/// Port 80 leads to port 443.
async fn plain(stream: impl Stream, _: &SharedWorld, _: &HostName, name: &str) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let path = request(&mut stream).await?;
    let head = format!(
        "HTTP/1.1 301 Moved Permanently\r\nLocation: https://{name}{path}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.ok()?;
    stream.shutdown().await.ok()
}

async fn secure(stream: impl Stream, world: &SharedWorld, host: &HostName, name: &str) -> Option<()> {
    let config = {
        let world = world.lock().unwrap_or_else(PoisonError::into_inner);
        authority::server(world.seed(), world.public_certificate(host)?)?
    };
    let mut stream = BufReader::new(TlsAcceptor::from(config).accept(stream).await.ok()?);
    request(&mut stream).await?;
    let page = world.lock().unwrap_or_else(PoisonError::into_inner).web_page(host, name)?;
    let response = Response::page(page, "");
    let (status, reason, kind, body) =
        (response.status, response.reason(), response.content_type, &response.body);
    let length = body.len();
    let text = format!(
        "HTTP/1.1 {status} {reason}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    stream.write_all(text.as_bytes()).await.ok()?;
    stream.shutdown().await.ok()
}

/// Reads a request's head; its path.
async fn request(stream: &mut BufReader<impl Stream>) -> Option<String> {
    let mut bounded = stream.take(LONGEST);
    let mut path = None;
    loop {
        let mut line = String::new();
        bounded.read_line(&mut line).await.ok()?;
        match line.trim_end() {
            "" => return path.filter(|_| line.ends_with('\n')),
            first if path.is_none() => path = Some(first.split(' ').nth(1)?.to_owned()),
            _ => {}
        }
    }
}

/// Postfix, as a stranger sees it.
async fn mail(stream: impl Stream, relays: bool) -> Option<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 mail ESMTP Postfix\r\n").await.ok()?;
    loop {
        stream.flush().await.ok()?;
        let mut line = String::new();
        (&mut stream).take(LONGEST).read_line(&mut line).await.ok()?;
        let word: String = line.chars().take(4).collect::<String>().to_ascii_uppercase();
        let answer = match word.as_str() {
            "EHLO" => "250-mail\r\n250 8BITMIME",
            "RCPT" if !relays => "554 5.7.1 <relay-check@example.com>: Relay access denied",
            "MAIL" | "RCPT" => "250 2.1.0 Ok",
            "RSET" => "250 2.0.0 Ok",
            "QUIT" => "221 2.0.0 Bye",
            "" => return None,
            _ => "502 5.5.2 Error: command not recognized",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
        if word == "QUIT" {
            return stream.shutdown().await.ok();
        }
    }
}

async fn silent(mut stream: impl Stream) -> Option<()> {
    let mut bytes = [0; 64];
    while stream.read(&mut bytes).await.ok()? > 0 {}
    Some(())
}
