//! A site: a connection, TLS where its address says so, one GET, and redirects as far as they stay with hosts that the inventory
//! names. Bodies are never read.

use std::pin::pin;

use http_body_util::Empty;
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONNECTION, HOST, LOCATION, USER_AGENT};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

use jumpdeck_fleet::outside::{LeadsTo, OutsideReading, PublicSite, SiteAnswer, SiteCertificate, SiteUrl};
use jumpdeck_fleet::text::Clean;

use super::OpensPorts;
use super::look::{OutsideLook, STEP, StepFailure, connect, said, step};
use super::trust::Trust;
use crate::transport::{BoxStream, NotReached, Stream};

/// Redirects that are followed.
const REDIRECTS: usize = 5;
/// Bytes of an answer's head at most.
const HEAD: usize = 32 * 1024;
const AGENT: &str = concat!("jumpdeck/", env!("CARGO_PKG_VERSION"), " (checks that this site answers)");

/// Looks at a site.
pub(super) async fn look(
    site: &PublicSite,
    opens: &dyn OpensPorts,
    trust: &Trust,
    known: &[String],
) -> OutsideLook {
    let mut visit = Visit { opens, trust, certificates: Vec::new(), reached: false };
    match visit.follow(site, known).await {
        Ok(mut answer) => {
            answer.certificates = visit.certificates;
            OutsideLook::answered(OutsideReading::Answered(answer))
        }
        Err(StepFailure::NotReached(NotReached::NotTried(why))) => OutsideLook::failed(why, visit.reached),
        Err(StepFailure::NotReached(NotReached::Refused(why))) => visit.no_answer(why, true),
        Err(StepFailure::NotReached(NotReached::NoConnection(why))) => visit.no_answer(why, false),
        Err(StepFailure::Broken(why)) => visit.no_answer(said(&why), true),
    }
}

struct Visit<'a> {
    opens: &'a dyn OpensPorts,
    trust: &'a Trust,
    certificates: Vec<SiteCertificate>,
    reached: bool,
}

/// The head of an answer.
struct AnswerHead {
    status: u16,
    location: Option<String>,
}

impl Visit<'_> {
    fn no_answer(self, why: Clean, proven: bool) -> OutsideLook {
        let reached = self.reached || proven;
        let seen = Ok(OutsideReading::NoAnswer { why, certificates: self.certificates });
        OutsideLook { seen, reached, proven: reached }
    }

    async fn follow(&mut self, site: &PublicSite, known: &[String]) -> Result<SiteAnswer, StepFailure> {
        let begun = Instant::now();
        let mut at = site.url.clone();
        for followed in 0.. {
            let head = self.ask(&at).await?;
            let leads_to = head.location.as_deref().filter(|_| (300..400).contains(&head.status));
            let to = leads_to.and_then(|to| at.join(to));
            let may = |to: &SiteUrl| is_asked(site, to, known) && !site.expects_redirect_status();
            match to.filter(may) {
                Some(to) if followed < REDIRECTS => at = to,
                Some(_) => {
                    return Err(StepFailure::Broken(format!(
                        "it redirects more than {REDIRECTS} times, at last at {at}"
                    )));
                }
                None => {
                    let to = leads_to.map(|to| {
                        let url = at.join(to);
                        let text = url.as_ref().map_or_else(|| said(to), |url| said(&url.to_string()));
                        LeadsTo { text, url }
                    });
                    let (took, status) = (begun.elapsed(), head.status);
                    return Ok(SiteAnswer { status, took, at, leads_to: to, certificates: Vec::new() });
                }
            }
        }
        Err(StepFailure::Broken("it redirects without end".to_owned()))
    }

    async fn ask(&mut self, url: &SiteUrl) -> Result<AnswerHead, StepFailure> {
        let stream = connect(self.opens, &url.host, url.port, STEP).await;
        let stream = stream.map_err(StepFailure::NotReached)?;
        self.reached = true;
        if url.tls {
            let stream = self.handshake(url, stream).await?;
            step(&format!("no HTTP from {}", url.host), get(url, stream)).await
        } else {
            step(&format!("no HTTP from {}", url.host), get(url, stream)).await
        }
    }

    async fn handshake(
        &mut self,
        url: &SiteUrl,
        stream: BoxStream,
    ) -> Result<impl Stream + use<>, StepFailure> {
        let what = format!("TLS with {} failed", url.host);
        let trust = self.trust;
        let work = async {
            let name = ServerName::try_from(url.host.clone()).map_err(|error| error.to_string())?;
            let connector = TlsConnector::from(trust.config()?);
            let stream = connector.connect(name, stream).await.map_err(|error| error.to_string())?;
            let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
            let certificate = trust.judge(&url.host, chain)?;
            Ok((stream, certificate))
        };
        let (stream, certificate) = step(&what, work).await?;
        if self.certificates.iter().all(|seen| seen.host != certificate.host) {
            self.certificates.push(certificate);
        }
        Ok(stream)
    }
}

/// Whether a redirect is followed: to the site's own host or another one of the inventory, on a port for the web. What a site says
/// must not make us ask other servers behind the jump box.
fn is_asked(site: &PublicSite, to: &SiteUrl, known: &[String]) -> bool {
    let port = matches!(to.port, 80 | 443) || to.port == site.url.port;
    port && (to.host == site.url.host || known.contains(&to.host))
}

async fn get(url: &SiteUrl, stream: impl Stream) -> Result<AnswerHead, String> {
    let broken = |error: hyper::Error| error.to_string();
    let mut builder = http1::Builder::new();
    builder.max_buf_size(HEAD);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let request = Request::get(url.path.as_str())
        .header(HOST, url.authority())
        .header(USER_AGENT, AGENT)
        .header(ACCEPT, "*/*")
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| error.to_string())?;
    let mut answer = pin!(sender.send_request(request));
    let mut connection = Box::pin(connection);
    let answer = tokio::select! {
        biased;
        answer = &mut answer => answer,
        // A server that closes at once ends the connection before its answer is taken up here.
        ended = &mut connection => {
            drop(connection);
            answer.await.map_err(|error| ended.err().unwrap_or(error))
        }
    };
    let answer = answer.map_err(broken)?;
    let location =
        answer.headers().get(LOCATION).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    Ok(AnswerHead { status: answer.status().as_u16(), location })
}
