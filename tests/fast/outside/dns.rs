//! DNS answers of a real gdnsd over UDP and TCP.

mod hostile;

use std::net::IpAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use jumpdeck_fleet::outside::{
    DnsName, DnsReply, DnsSaid, DnsType, MailAddress, MailName, OutsideHealth, OutsideResult, ReverseState,
};
use jumpdeck_fleet::time::Moment;
use tempfile::TempDir;

use super::*;

const NS1: &str = "ns1.example.test";
const NS2: &str = "ns2.example.test";

const ZONE: &str = "\
$TTL 300
@ IN SOA ns1 hostmaster ( 1 7200 1800 1209600 300 )
@ IN NS ns1
@ IN MX 10 mail
@ IN TXT \"v=spf1 \" \"mx -all\"
ns1 IN A 192.0.2.53
www IN A 192.0.2.1
www IN A 192.0.2.2
six IN AAAA 2001:db8::1
alias 60 IN CNAME www
cdn IN CNAME edge.example.net.
mail IN A 192.0.2.25
bare IN A 192.0.2.26
other IN A 192.0.2.27
lost IN A 192.0.2.28
";
const REVERSE: &str = "\
$TTL 300
@ IN SOA ns1.example.test. hostmaster.example.test. ( 1 7200 1800 1209600 300 )
@ IN NS ns1.example.test.
25 IN PTR Mail.example.test.
27 IN PTR host27.cloud.example.net.
28 IN PTR www.example.test.
";

/// Debian's name server, on a port of its own.
struct Gdnsd {
    address: SocketAddr,
    server: Child,
    _folder: TempDir,
}

impl Drop for Gdnsd {
    fn drop(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }
}

impl Gdnsd {
    /// With that zone; `None` where it is not installed.
    async fn start(zone: &str) -> Option<Self> {
        let program = Path::new("/usr/sbin/gdnsd");
        if !program.exists() {
            eprintln!("skipped: gdnsd is not installed");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["zones", "run", "state"] {
            std::fs::create_dir(at(name)).unwrap();
        }
        std::fs::write(at("zones/example.test"), zone).unwrap();
        std::fs::write(at("zones/2.0.192.in-addr.arpa"), REVERSE).unwrap();
        // A port that is free for TCP and UDP.
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = free.local_addr().unwrap();
        UdpSocket::bind(address).await.unwrap();
        drop(free);
        let config = format!(
            "options => {{ listen => [ {address} ], run_dir => \"{0}/run\", state_dir => \"{0}/state\" }}\n",
            folder.path().display()
        );
        std::fs::write(at("config"), config).unwrap();
        let log = std::fs::File::create(at("log")).unwrap();
        let mut server = Command::new(program)
            .arg("-c")
            .arg(folder.path())
            .arg("start")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(address).await.is_err() {
            let log = std::fs::read_to_string(at("log")).unwrap();
            assert!(server.try_wait().unwrap().is_none() && Instant::now() < deadline, "gdnsd: {log}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Some(Self { address, server, _folder: folder })
    }

    fn as_ns1(&self, udp: bool) -> Loopback {
        Loopback { udp, resolvers: vec![NS1.to_owned()], ..Loopback::default() }.to(NS1, 53, self.address)
    }
}

fn name(name: &str, kind: DnsType, expected: &[&str], servers: &[&str]) -> OutsideCheck {
    fn strings<T: FromIterator<String>>(texts: &[&str]) -> T {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }
    let (expected, servers) = ((!expected.is_empty()).then(|| strings(expected)), strings(servers));
    check(OutsideTarget::Dns(DnsName { name: name.to_owned(), kind, expected, servers }))
}

async fn seen(check: &OutsideCheck, from: &Loopback) -> OutsideLook {
    look(check, from, &Trust::load(&TrustedAuthorities::Text(String::new())).await, &[]).await
}

fn replies(look: &OutsideLook) -> &[DnsReply] {
    look.seen.as_ref().unwrap_or_else(|why| panic!("{why:?}")).replies().unwrap()
}

/// What the only server said.
async fn said(check: &OutsideCheck, from: &Loopback) -> DnsSaid {
    let look = seen(check, from).await;
    let [reply] = replies(&look) else { panic!("{look:?}") };
    assert_eq!(reply.server.as_str(), NS1);
    reply.said.clone()
}

/// How a look is judged: its state, and each message.
fn judged(check: &OutsideCheck, look: OutsideLook) -> (OutsideHealth, Vec<String>) {
    let mut result = OutsideResult::pending(&Arc::new(check.clone()));
    result.fact.take(look.seen, Moment(1));
    (result.health(), result.findings().into_iter().map(|finding| finding.message).collect())
}

/// Tested with gdnsd 3.8.1 of Debian 13, which gives an alias without its address, as it does since 3.4.
#[tokio::test]
async fn a_real_name_server_is_asked_over_udp_and_tcp() {
    let Some(gdnsd) = Gdnsd::start(ZONE).await else { return };
    for udp in [true, false] {
        let from = gdnsd.as_ns1(udp);
        for (what, kind, values, ttl, alias) in [
            ("www.example.test", DnsType::A, vec!["192.0.2.1", "192.0.2.2"], 300, None),
            ("alias.example.test", DnsType::A, vec!["192.0.2.1", "192.0.2.2"], 60, Some("www.example.test")),
            ("alias.example.test", DnsType::Cname, vec!["www.example.test"], 60, None),
            ("six.example.test", DnsType::Aaaa, vec!["2001:db8::1"], 300, None),
            ("example.test", DnsType::Mx, vec!["10 mail.example.test"], 300, None),
            ("example.test", DnsType::Txt, vec!["v=spf1 mx -all"], 300, None),
            ("example.test", DnsType::Ns, vec!["ns1.example.test"], 300, None),
            ("25.2.0.192.in-addr.arpa", DnsType::Ptr, vec!["mail.example.test"], 300, None),
        ] {
            let DnsSaid::Answers(answers) = said(&name(what, kind, &[], &[NS1]), &from).await else {
                panic!("{what} {kind:?}")
            };
            let found: Vec<&str> = answers.values.iter().map(Clean::as_str).collect();
            let own = answers.alias.as_ref().map(Clean::as_str);
            assert_eq!((found, answers.ttl, own), (values, ttl, alias), "{what} {kind:?}");
        }
        let ask = |what: &str, kind| name(what, kind, &[], &[NS1]);
        assert_eq!(said(&ask("none.example.test", DnsType::A), &from).await, DnsSaid::NoSuchName(None));
        assert_eq!(said(&ask("www.example.test", DnsType::Aaaa), &from).await, DnsSaid::NoRecord(None));
        let missing = DnsSaid::NoRecord(Some("www.example.test".into()));
        assert_eq!(said(&ask("alias.example.test", DnsType::Aaaa), &from).await, missing);
        let elsewhere = DnsSaid::Elsewhere("edge.example.net".into());
        assert_eq!(said(&ask("cdn.example.test", DnsType::A), &from).await, elsewhere);
        let refused = DnsSaid::Failed("it refuses to answer for this name (REFUSED)".into());
        assert_eq!(said(&ask("www.example.com", DnsType::A), &from).await, refused);
        // TCP was not asked where UDP leads there.
        assert_eq!(from.asked.lock().unwrap().is_empty(), udp);
    }
}

#[tokio::test]
async fn answers_are_compared_with_what_is_expected() {
    let Some(gdnsd) = Gdnsd::start(ZONE).await else { return };
    let from = gdnsd.as_ns1(true);
    let with = async |expected: &[&str]| {
        let check = name("www.example.test", DnsType::A, expected, &[]);
        let look = seen(&check, &from).await;
        judged(&check, look)
    };
    assert_eq!(with(&["192.0.2.1", "192.0.2.2"]).await, (OutsideHealth::Ok, Vec::new()));
    let (health, messages) = with(&["192.0.2.1"]).await;
    assert_eq!(health, OutsideHealth::Critical);
    let says = "www.example.test (A): resolver ns1.example.test answers 192.0.2.1, 192.0.2.2 (kept for up to 300 s), expected 192.0.2.1;";
    assert!(
        messages[0].starts_with(says) && messages[0].ends_with("(seen from this machine)"),
        "{messages:?}"
    );
    let (health, messages) = with(&["192.0.2.1", "192.0.2.2", "192.0.2.3"]).await;
    assert_eq!((health, messages.len()), (OutsideHealth::Warning, 1), "{messages:?}");
}

#[tokio::test]
async fn name_servers_must_agree() {
    let Some(old) = Gdnsd::start(ZONE).await else { return };
    let Some(new) = Gdnsd::start(&ZONE.replace("www IN A 192.0.2.2\n", "")).await else { return };
    let from = old.as_ns1(true).to(NS2, 53, new.address);
    let check = name("www.example.test", DnsType::A, &[], &[NS1, NS2]);
    let look = seen(&check, &from).await;
    assert!(look.proven && look.reached);
    let (health, messages) = judged(&check, look);
    assert_eq!((health, messages.len()), (OutsideHealth::Warning, 1), "{messages:?}");
    for part in [
        "disagree",
        "name server ns1.example.test answers 192.0.2.1, 192.0.2.2",
        "ns2.example.test answers 192.0.2.1 (",
    ] {
        assert!(messages[0].contains(part), "{part}: {messages:?}");
    }
    let expects = name("www.example.test", DnsType::A, &["192.0.2.1"], &[NS1, NS2]);
    let look = seen(&expects, &from).await;
    let (health, messages) = judged(&expects, look);
    assert_eq!((health, messages.len()), (OutsideHealth::Critical, 1), "{messages:?}");
    // One that is not there is a fault of its own; the other one still answers.
    let check = name("www.example.test", DnsType::A, &["192.0.2.1"], &[NS2, "ns3.example.test"]);
    let look = seen(&check, &from).await;
    let (health, messages) = judged(&check, look);
    assert_eq!((health, messages.len()), (OutsideHealth::Warning, 1), "{messages:?}");
    assert!(
        messages[0].contains("no answer from name server ns3.example.test: connection refused"),
        "{messages:?}"
    );
    let check = name("www.example.test", DnsType::A, &["192.0.2.1"], &["ns3.example.test"]);
    let look = seen(&check, &from).await;
    assert_eq!(judged(&check, look).0, OutsideHealth::Critical);
}

#[tokio::test]
async fn a_mail_host_s_addresses_must_lead_back_to_its_name() {
    let Some(gdnsd) = Gdnsd::start(ZONE).await else { return };
    let from = gdnsd.as_ns1(true);
    let look_at = async |host: &str, name: Option<&str>| {
        let mail = MailName { host: host.to_owned(), name: name.map(str::to_owned) };
        let check = check(OutsideTarget::Reverse(mail));
        let look = seen(&check, &from).await;
        let addresses = look.seen.as_ref().unwrap().addresses().unwrap().to_vec();
        (addresses, judged(&check, look))
    };
    let own = async |host: &str| look_at(host, Some(host)).await;
    let state = |addresses: &[MailAddress]| addresses[0].state.clone();
    let (addresses, judged) = own("mail.example.test").await;
    let address: IpAddr = "192.0.2.25".parse().unwrap();
    assert_eq!((addresses[0].address, state(&addresses)), (address, ReverseState::Confirmed));
    assert_eq!(judged, (OutsideHealth::Ok, Vec::new()));
    for (host, is, says) in [
        ("bare.example.test", ReverseState::Missing, "192.0.2.26 has no PTR record"),
        (
            "other.example.test",
            ReverseState::OtherName,
            "the PTR record of 192.0.2.27 says host27.cloud.example.net, expected other.example.test",
        ),
    ] {
        let (addresses, (health, messages)) = own(host).await;
        assert_eq!((state(&addresses), health), (is, OutsideHealth::Warning), "{messages:?}");
        assert!(messages[0].contains(says), "{messages:?}");
    }
    // The name is the one that is wanted, and has other addresses.
    let (addresses, (health, _)) = look_at("lost.example.test", Some("www.example.test")).await;
    assert_eq!((state(&addresses), health), (ReverseState::NotBack, OutsideHealth::Warning));
    // An address may have any name that leads back.
    assert_eq!(state(&look_at("192.0.2.25", None).await.0), ReverseState::Confirmed);
    assert_eq!(state(&look_at("192.0.2.28", None).await.0), ReverseState::NotBack);
    // The server of that zone is not asked, so nobody knows.
    let (addresses, (health, _)) = look_at("192.0.2.27", None).await;
    assert!(matches!(state(&addresses), ReverseState::Unknown(_)), "{addresses:?}");
    assert_eq!(health, OutsideHealth::Unknown);
    let (addresses, (health, _)) = own("none.example.test").await;
    assert_eq!((addresses, health), (Vec::new(), OutsideHealth::Critical));
}
