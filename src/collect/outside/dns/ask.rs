//! One server is asked: over UDP with one repetition and over TCP where its answer does not fit (RFC 1035), or over TCP alone
//! (RFC 7766).

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UdpSocket;

use jumpdeck_fleet::outside::{DnsAnswers, DnsSaid, DnsType};
use jumpdeck_fleet::text::Clean;

use super::message::{DnsContent, DnsQuestion, DnsRead, Unusable};
use crate::collect::outside::OpensPorts;
use crate::collect::outside::look::connect;
use crate::listening::within;
use crate::transport::{BoxStream, NotReached};

const PORT: u16 = 53;
/// What each sending of a question over UDP is waited for.
const TRIES: [Duration; 2] = [Duration::from_millis(1500), Duration::from_millis(2500)];
/// A connection, and then an answer over it.
const TCP: Duration = Duration::from_secs(5);
/// Bytes of a message at most.
const LARGEST: usize = 65_535;
/// Datagrams that are no answer and are waited past.
const STRAY: usize = 50;
/// Questions for names that a server's answers lead to.
const ALIASES: usize = 8;

/// Why a server gave nothing that can be used.
#[derive(Debug)]
pub(super) enum AskFailure {
    /// It was not asked.
    NotAsked(Clean),
    /// Nothing came back.
    Silent(Clean),
    /// Something is there, and what came is no answer.
    Broken(Clean),
}

impl AskFailure {
    /// Whether something is there.
    pub(super) fn is_there(&self) -> bool {
        match self {
            Self::Broken(_) => true,
            Self::NotAsked(_) | Self::Silent(_) => false,
        }
    }
}

impl From<NotReached> for AskFailure {
    fn from(why: NotReached) -> Self {
        match why {
            NotReached::Refused(why) => Self::Broken(why),
            NotReached::NoConnection(why) => Self::Silent(why),
            NotReached::NotTried(why) => Self::NotAsked(why),
        }
    }
}

/// What a server says of a name. Where its answer ends with an alias, it is asked for that, too: a server does not look up what it
/// was not asked for unless it is a resolver.
pub(super) async fn ask(
    opens: &dyn OpensPorts,
    server: &str,
    name: &str,
    kind: DnsType,
) -> Result<DnsSaid, AskFailure> {
    let (mut at, mut followed, mut least) = (name.to_owned(), None::<Clean>, u32::MAX);
    // Of the name itself: an alias may lead into a zone of others.
    let mut has_zone = None;
    for _ in 0..ALIASES {
        match once(opens, server, &at, kind).await? {
            DnsContent::Values { values, alias, ttl, authoritative } => {
                let alias = alias.map(Clean::from).or(followed);
                let authoritative = has_zone.unwrap_or(authoritative);
                return Ok(DnsSaid::Answers(DnsAnswers {
                    values,
                    alias,
                    ttl: least.min(ttl),
                    authoritative,
                }));
            }
            DnsContent::NoSuchName(alias) => {
                return Ok(DnsSaid::NoSuchName(alias.map(Clean::from).or(followed)));
            }
            DnsContent::NoRecord => return Ok(DnsSaid::NoRecord(followed)),
            DnsContent::Alias { name, ttl, authoritative } => {
                has_zone = has_zone.or(Some(authoritative));
                followed = Some(name.as_str().into());
                (at, least) = (name, least.min(ttl));
            }
            DnsContent::Failed(why) => {
                return Ok(followed.map_or_else(|| DnsSaid::Failed(why.into()), DnsSaid::Elsewhere));
            }
        }
    }
    Ok(DnsSaid::Failed(format!("it has more than {ALIASES} aliases in a row").into()))
}

async fn once(
    opens: &dyn OpensPorts,
    server: &str,
    name: &str,
    kind: DnsType,
) -> Result<DnsContent, AskFailure> {
    let question = DnsQuestion { name, kind, id: rand::random() };
    let bytes = question.bytes().map_err(|why| AskFailure::NotAsked(why.into()))?;
    let socket = within(TCP, opens.datagrams(server, PORT)).await.unwrap_or_else(|| {
        Err(NotReached::NotTried(format!("no socket for it within {} s", TCP.as_secs()).into()))
    });
    let mut is_truncated = false;
    if let Some(socket) = socket? {
        match over_udp(&socket, &question, &bytes).await? {
            DnsRead::Whole(said) => return Ok(said),
            DnsRead::Truncated => is_truncated = true,
        }
    }
    let stream = connect(opens, server, PORT, TCP).await.map_err(|why| match AskFailure::from(why) {
        // It answers: what keeps the rest from us may keep nobody else from it.
        AskFailure::Broken(why) | AskFailure::Silent(why) if is_truncated => AskFailure::NotAsked(
            format!(
                "its answer over UDP is truncated, and over TCP: {why}. TCP port 53 must be open (RFC 7766)"
            )
            .into(),
        ),
        other => other,
    })?;
    match over_tcp(stream, &question, &bytes).await? {
        DnsRead::Whole(said) => Ok(said),
        DnsRead::Truncated => Err(AskFailure::Broken("its answer is truncated, over TCP as well".into())),
    }
}

/// Anybody can send a datagram that looks as if it came from the server, so what is no answer to the question is waited past.
async fn over_udp(
    socket: &UdpSocket,
    question: &DnsQuestion<'_>,
    bytes: &[u8],
) -> Result<DnsRead, AskFailure> {
    let mut buffer = vec![0; LARGEST];
    let mut stray = None;
    for limit in TRIES {
        socket.send(bytes).await.map_err(|error| failed_socket(&error))?;
        let receive = async {
            for _ in 0..STRAY {
                let length = socket.recv(&mut buffer).await?;
                match question.read(buffer.get(..length).unwrap_or_default()) {
                    Ok(taken) => return Ok(Some(taken)),
                    Err(Unusable(why)) => stray = Some(why),
                }
            }
            Ok(None)
        };
        match within(limit, receive).await {
            Some(Ok(Some(taken))) => return Ok(taken),
            Some(Ok(None)) => break,
            Some(Err(error)) => return Err(failed_socket(&error)),
            None => {}
        }
    }
    let waited = TRIES.iter().sum::<Duration>().as_secs();
    Err(match stray {
        Some(why) => {
            AskFailure::Broken(format!("no answer within {waited} s, only what is none: {why}").into())
        }
        None => AskFailure::Silent(format!("no answer within {waited} s, asked twice over UDP").into()),
    })
}

fn failed_socket(error: &io::Error) -> AskFailure {
    let why = Clean::from(error.to_string());
    match error.kind() {
        io::ErrorKind::ConnectionRefused => AskFailure::Broken("nothing listens on its port 53".into()),
        io::ErrorKind::HostUnreachable | io::ErrorKind::TimedOut => AskFailure::Silent(why),
        _ => AskFailure::NotAsked(why),
    }
}

async fn over_tcp(
    mut stream: BoxStream,
    question: &DnsQuestion<'_>,
    bytes: &[u8],
) -> Result<DnsRead, AskFailure> {
    let work = async {
        let length = u16::try_from(bytes.len()).map_err(io::Error::other)?;
        stream.write_all(&[length.to_be_bytes().as_slice(), bytes].concat()).await?;
        stream.flush().await?;
        let mut message = vec![0; usize::from(stream.read_u16().await?)];
        stream.read_exact(&mut message).await?;
        io::Result::Ok(message)
    };
    let message = match within(TCP, work).await {
        Some(Ok(message)) => Ok(message),
        Some(Err(error)) => Err(match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                "it closed the connection without an answer".to_owned()
            }
            _ => error.to_string(),
        }),
        None => Err(format!("no answer within {} s over TCP", TCP.as_secs())),
    };
    let taken = message.and_then(|message| question.read(&message).map_err(|Unusable(why)| why));
    taken.map_err(|why| AskFailure::Broken(why.into()))
}
