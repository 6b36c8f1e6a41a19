//! Looks from outside at real servers on loopback: good ones, wrong certificates, and servers that answer with anything but what was
//! asked.

mod dns;
mod relay;

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jumpdeck::collect::outside::OpensPorts;
use jumpdeck::collect::outside::look::{OutsideLook, look};
use jumpdeck::collect::outside::trust::Trust;
use jumpdeck::transport::{BoxFuture, BoxStream, NotReached};
use jumpdeck_fleet::outside::{
    ChainTrust, ClosedPort, OutsideCheck, OutsideReading, OutsideTarget, PublicSite, SiteAnswer, SiteUrl,
    TrustedAuthorities, Viewpoint,
};
use jumpdeck_fleet::text::Clean;
use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio_rustls::TlsAcceptor;

const WWW: &str = "www.example.test";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Leads each host and port to a server on loopback; anything else is refused. It notes what was asked for.
#[derive(Default)]
struct Loopback {
    servers: HashMap<(String, u16), SocketAddr>,
    asked: Mutex<Vec<String>>,
    /// Whether UDP leads there, too.
    udp: bool,
    resolvers: Vec<String>,
}

impl OpensPorts for Loopback {
    fn open<'a>(&'a self, address: &'a str, port: u16) -> BoxFuture<'a, Result<BoxStream, NotReached>> {
        Box::pin(async move {
            self.asked.lock().unwrap().push(format!("{address}:{port}"));
            let Some(server) = self.servers.get(&(address.to_owned(), port)) else {
                return Err(NotReached::Refused("connection refused".into()));
            };
            Ok(Box::new(TcpStream::connect(server).await.unwrap()) as BoxStream)
        })
    }

    fn datagrams<'a>(
        &'a self,
        address: &'a str,
        port: u16,
    ) -> BoxFuture<'a, Result<Option<UdpSocket>, NotReached>> {
        Box::pin(async move {
            let server = self.servers.get(&(address.to_owned(), port)).filter(|_| self.udp);
            let Some(server) = server else { return Ok(None) };
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            socket.connect(server).await.unwrap();
            Ok(Some(socket))
        })
    }

    fn resolvers(&self) -> Result<Vec<String>, Clean> {
        Ok(self.resolvers.clone())
    }
}

impl Loopback {
    fn to(mut self, host: &str, port: u16, server: SocketAddr) -> Self {
        self.servers.insert((host.to_owned(), port), server);
        self
    }
}

/// What a server does with a connection, after TLS if it has any.
type Serves = Arc<dyn Fn(BoxStream) -> BoxFuture<'static, ()> + Send + Sync>;

/// Reads a request's head, says that, and closes.
fn says(answer: impl Into<Vec<u8>>) -> Serves {
    let answer: Arc<[u8]> = answer.into().into();
    Arc::new(move |mut stream: BoxStream| {
        let answer = answer.clone();
        Box::pin(async move {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                match stream.read_u8().await {
                    Ok(byte) => head.push(byte),
                    Err(_) => return,
                }
            }
            let _ = stream.write_all(&answer).await;
            let _ = stream.shutdown().await;
        })
    })
}

/// Says one thing, then another without end.
fn without_end(first: &'static str, then: &'static str) -> Serves {
    Arc::new(move |mut stream: BoxStream| {
        Box::pin(async move {
            let mut next = first.as_bytes();
            while stream.write_all(next).await.is_ok() {
                next = then.as_bytes();
            }
        })
    })
}

async fn server(tls: Option<Arc<ServerConfig>>, serves: Serves) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (tls, serves) = (tls.clone(), serves.clone());
            tokio::spawn(async move {
                match tls {
                    None => serves(Box::new(stream)).await,
                    Some(config) => {
                        let Ok(stream) = TlsAcceptor::from(config).accept(stream).await else { return };
                        serves(Box::new(stream)).await;
                    }
                }
            });
        }
    });
    address
}

/// An authority of the test.
struct Authority {
    params: CertificateParams,
    key: KeyPair,
    own: Certificate,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let own = params.self_signed(&key).unwrap();
        Self { params, key, own }
    }

    async fn trust(&self) -> Trust {
        Trust::load(&TrustedAuthorities::Text(self.own.pem())).await
    }

    /// A server with a certificate for that name, until then.
    fn server(&self, name: &str, until: (i32, u8, u8)) -> Arc<ServerConfig> {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(until.0, until.1, until.2);
        let key = KeyPair::generate().unwrap();
        let issuer = Issuer::from_params(&self.params, &self.key);
        let certificate = params.signed_by(&key, &issuer).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        Arc::new(config.with_single_cert(vec![certificate.der().clone()], key).unwrap())
    }
}

fn check(target: OutsideTarget) -> OutsideCheck {
    OutsideCheck { name: "it".to_owned(), from: Viewpoint::ThisMachine, target }
}

fn site(url: &str) -> OutsideCheck {
    check(OutsideTarget::Site(PublicSite {
        url: SiteUrl::parse(url).unwrap(),
        status: 200,
        redirect: None,
        slow: Duration::from_secs(3),
        warning_days: 21,
        critical_days: 7,
    }))
}

async fn look_at(url: &str, from: &Loopback, trust: &Trust) -> OutsideLook {
    look(&site(url), from, trust, &[]).await
}

fn answer(look: &OutsideLook) -> &SiteAnswer {
    look.seen.as_ref().unwrap().answer().unwrap_or_else(|| panic!("{look:?}"))
}

/// Why a site gave no answer. It counts as one that was reached.
fn no_answer(look: &OutsideLook) -> String {
    let Ok(OutsideReading::NoAnswer { why, .. }) = &look.seen else { panic!("{look:?}") };
    assert!(look.reached && look.proven, "{look:?}");
    why.to_string()
}

/// Looks at `https://www.example.test/` with that certificate there.
async fn with_certificate(
    authority: &Authority,
    config: Arc<ServerConfig>,
) -> jumpdeck_fleet::outside::SiteCertificate {
    let from = Loopback::default().to(WWW, 443, server(Some(config), says(OK)).await);
    let seen = look_at("https://www.example.test/", &from, &authority.trust().await).await;
    let answer = answer(&seen);
    assert_eq!((answer.status, answer.certificates.len()), (200, 1));
    answer.certificates[0].clone()
}

#[tokio::test]
async fn certificates_are_read_whatever_is_wrong_with_them() {
    let authority = Authority::new();
    let good = with_certificate(&authority, authority.server(WWW, (2100, 1, 1))).await;
    assert!(
        good.is_for_host && good.trust == ChainTrust::Trusted && good.seconds_left > 1_000_000,
        "{good:?}"
    );
    assert_eq!((good.names, good.chain_length, good.begins_in), (vec![WWW.into()], 1, None));

    let expired = with_certificate(&authority, authority.server(WWW, (2020, 1, 1))).await;
    assert!(expired.seconds_left < 0 && expired.is_for_host, "{expired:?}");
    assert_eq!(expired.trust, ChainTrust::Trusted, "that it has expired is said once");

    let other = with_certificate(&authority, authority.server("other.example.test", (2100, 1, 1))).await;
    assert!(!other.is_for_host && other.trust == ChainTrust::Trusted, "{other:?}");
    assert_eq!(other.names, ["other.example.test".into()]);

    let stranger = Authority::new();
    let untrusted = with_certificate(&authority, stranger.server(WWW, (2100, 1, 1))).await;
    assert!(matches!(untrusted.trust, ChainTrust::NotTrusted(_)), "{untrusted:?}");
    assert!(untrusted.is_for_host);
}

#[tokio::test]
async fn without_authorities_trust_is_unknown() {
    let authority = Authority::new();
    let config = authority.server(WWW, (2100, 1, 1));
    let from = Loopback::default().to(WWW, 443, server(Some(config), says(OK)).await);
    let missing = TrustedAuthorities::Files(vec!["/nonexistent/ca.pem".into()]);
    let seen = look_at("https://www.example.test/", &from, &Trust::load(&missing).await).await;
    let ChainTrust::Unknown(why) = &answer(&seen).certificates[0].trust else { panic!("{seen:?}") };
    assert!(why.as_str().contains("/nonexistent/ca.pem"), "{why}");
}

#[tokio::test]
async fn redirects_are_followed_as_far_as_they_stay_at_home() {
    let authority = Authority::new();
    let trust = authority.trust().await;
    let to = |location: &str| says(format!("HTTP/1.1 301 Moved\r\nLocation: {location}\r\n\r\n"));
    let secure = server(Some(authority.server(WWW, (2100, 1, 1))), says(OK)).await;

    let plain = server(None, to("https://www.example.test/")).await;
    let from = Loopback::default().to(WWW, 80, plain).to(WWW, 443, secure);
    let seen = look_at("http://www.example.test/", &from, &trust).await;
    assert_eq!(
        (answer(&seen).status, answer(&seen).at.to_string()),
        (200, "https://www.example.test/".to_owned())
    );
    assert_eq!((answer(&seen).leads_to.clone(), answer(&seen).certificates.len()), (None, 1));

    // Another host, an address inside, another port of the same host: they are named, and not asked.
    for elsewhere in
        ["https://evil.test/", "http://169.254.169.254/latest/", "http://www.example.test:9200/_shutdown"]
    {
        let from = Loopback::default().to(WWW, 80, server(None, to(elsewhere)).await);
        let seen = look_at("http://www.example.test/", &from, &trust).await;
        let to = answer(&seen).leads_to.clone().unwrap();
        assert_eq!((to.text.as_str(), to.url), (elsewhere, SiteUrl::parse(elsewhere)));
        assert_eq!(*from.asked.lock().unwrap(), ["www.example.test:80"], "{elsewhere}");
    }

    let from = Loopback::default().to(WWW, 80, server(None, to("/again")).await);
    let seen = look_at("http://www.example.test/", &from, &trust).await;
    assert!(no_answer(&seen).contains("redirects more than 5 times"), "{seen:?}");
}

#[tokio::test]
async fn what_is_no_http_is_no_answer_and_costs_little() {
    let authority = Authority::new();
    let trust = authority.trust().await;
    let long = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(200_000));
    let serves: Vec<(&str, Serves)> = vec![
        ("garbage", says("\x1b[2J\x07 this is no HTTP\r\n\r\n")),
        ("nothing", says("")),
        ("half a head", says("HTTP/1.1 200 OK\r\nX-A: ")),
        ("a long header", says(long)),
        ("headers without end", without_end("HTTP/1.1 200 OK\r\n", "X-Endless: yes\r\n")),
    ];
    for (what, serves) in serves {
        let from = Loopback::default().to(WWW, 80, server(None, serves).await);
        let begun = Instant::now();
        let why = no_answer(&look_at("http://www.example.test/", &from, &trust).await);
        assert!(why.starts_with("no HTTP from www.example.test") && !why.contains('\x1b'), "{what}: {why}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{what}: {:?}", begun.elapsed());
    }
    // A body without end is none of our business.
    let endless = without_end("HTTP/1.1 200 OK\r\n\r\n", "all work and no play\n");
    let from = Loopback::default().to(WWW, 80, server(None, endless).await);
    assert_eq!(answer(&look_at("http://www.example.test/", &from, &trust).await).status, 200);
    // No TLS where there must be some.
    let from = Loopback::default().to(WWW, 443, server(None, says(OK)).await);
    let seen =
        tokio::time::timeout(Duration::from_secs(20), look_at("https://www.example.test/", &from, &trust));
    assert!(no_answer(&seen.await.unwrap()).starts_with("TLS with www.example.test failed"));
}

/// Opens connections on which nothing is ever said, or none at all.
struct Silent {
    connects: bool,
}

impl OpensPorts for Silent {
    fn open<'a>(&'a self, _: &'a str, _: u16) -> BoxFuture<'a, Result<BoxStream, NotReached>> {
        Box::pin(async move {
            if !self.connects {
                std::future::pending::<()>().await;
            }
            let (ours, theirs) = tokio::io::duplex(64 * 1024);
            // Kept open for as long as the test runs.
            tokio::spawn(async move {
                let _theirs = theirs;
                std::future::pending::<()>().await;
            });
            Ok(Box::new(ours) as BoxStream)
        })
    }
}

#[tokio::test(start_paused = true)]
async fn silence_is_waited_for_a_bounded_time() {
    let trust = Authority::new().trust().await;
    for (url, says) in [("http://www.example.test/", "no HTTP"), ("https://www.example.test/", "TLS with")] {
        let seen = look(&site(url), &Silent { connects: true }, &trust, &[]).await;
        let why = no_answer(&seen);
        assert!(why.starts_with(says) && why.ends_with("no answer within 10 s"), "{why}");
    }
    // Where no connection came about, nobody knows whose fault that is.
    let seen = look(&site("http://www.example.test/"), &Silent { connects: false }, &trust, &[]).await;
    assert!(
        matches!(seen.seen, Ok(OutsideReading::NoAnswer { .. })) && !seen.proven && !seen.reached,
        "{seen:?}"
    );
    let port = check(OutsideTarget::Closed(ClosedPort { address: "192.0.2.1".to_owned(), port: 3306 }));
    let seen = look(&port, &Silent { connects: false }, &trust, &[]).await;
    assert!(matches!(seen.seen, Ok(OutsideReading::Closed(_))) && !seen.proven, "{seen:?}");
}

#[tokio::test]
async fn a_port_is_open_or_refuses() {
    let trust = Authority::new().trust().await;
    let port = |port| check(OutsideTarget::Closed(ClosedPort { address: "192.0.2.1".to_owned(), port }));
    let from = Loopback::default().to("192.0.2.1", 3306, server(None, says("")).await);
    assert_eq!(look(&port(3306), &from, &trust, &[]).await.seen, Ok(OutsideReading::Open));
    let closed = look(&port(6379), &from, &trust, &[]).await;
    assert!(matches!(closed.seen, Ok(OutsideReading::Closed(_))) && closed.proven, "{closed:?}");
}
