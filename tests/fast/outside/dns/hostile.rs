//! Name servers that answer with anything but an answer, with several, late, or not at all.

use jumpdeck_fleet::outside::DnsAnswers;

use super::*;

/// A server on loopback that answers each datagram with those of a list, made from the question.
async fn datagrams(answers: fn(&[u8]) -> Vec<Vec<u8>>) -> SocketAddr {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = vec![0; 65_535];
        while let Ok((length, client)) = socket.recv_from(&mut buffer).await {
            for answer in answers(&buffer[..length]) {
                socket.send_to(&answer, client).await.unwrap();
            }
        }
    });
    address
}

/// An authoritative answer to a question: that `www.example.test` has 192.0.2.9.
fn answer(question: &[u8]) -> Vec<u8> {
    let mut bytes = question.to_vec();
    (bytes[2], bytes[3], bytes[7]) = (0x84, 0, 1);
    bytes.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 9]);
    bytes
}

fn changed(question: &[u8], at: usize, byte: u8) -> Vec<u8> {
    let mut bytes = answer(question);
    bytes[at] = byte;
    bytes
}

fn address() -> DnsSaid {
    DnsSaid::Answers(DnsAnswers {
        values: ["192.0.2.9".into()].into(),
        alias: None,
        ttl: 60,
        authoritative: true,
    })
}

#[tokio::test]
async fn stray_datagrams_are_waited_past_and_what_is_truncated_is_asked_over_tcp() {
    let www = name("www.example.test", DnsType::A, &[], &[NS1]);
    // Another id, another question, garbage, the question itself: then the answer.
    let server = datagrams(|question| {
        let other_id = changed(question, 0, !question[0]);
        vec![other_id, changed(question, 13, b'x'), b"\x1b[2J".to_vec(), question.to_vec(), answer(question)]
    });
    let from = Loopback { udp: true, ..Loopback::default() }.to(NS1, 53, server.await);
    assert_eq!(said(&www, &from).await, address());
    let truncated = datagrams(|question| vec![changed(question, 2, 0x86)[..20].to_vec()]).await;
    let tcp = framed(|question| (answer(question), false)).await;
    // TCP leads elsewhere, as one address has both here.
    let from = Split { udp: truncated, tcp };
    let look = look(&www, &from, &Authority::new().trust().await, &[]).await;
    assert_eq!(replies(&look)[0].said, address());
}

#[tokio::test]
async fn a_truncated_answer_without_tcp_is_unknown() {
    let www = name("www.example.test", DnsType::A, &[], &[NS1]);
    let udp = datagrams(|question| vec![changed(question, 2, 0x86)[..20].to_vec()]).await;
    let from = Split { udp, tcp: (Ipv4Addr::LOCALHOST, 1).into() };
    let look = look(&www, &from, &Authority::new().trust().await, &[]).await;
    let why = format!("{:?}", look.seen);
    assert!(why.contains("its answer over UDP is truncated, and over TCP: "), "{why}");
    let (state, messages) = judged(&www, look);
    assert_eq!(state, OutsideHealth::Unknown, "{messages:?}");
}

/// It looks the name up at the other one, so both say the same.
#[tokio::test]
async fn a_name_server_that_lost_the_zone_is_named() {
    let www = name("www.example.test", DnsType::A, &["192.0.2.9"], &[NS1, NS2]);
    let has_it = datagrams(|question| vec![answer(question)]).await;
    let looks_up = datagrams(|question| {
        let mut bytes = answer(question);
        (bytes[2], bytes[3]) = (0x81, 0x80);
        vec![bytes]
    });
    let looks_up = looks_up.await;
    let from = |ns1| Loopback { udp: true, ..Loopback::default() }.to(NS1, 53, ns1).to(NS2, 53, looks_up);
    let both = from(has_it);
    let (state, messages) = judged(&www, seen(&www, &both).await);
    assert_eq!((state, messages.len()), (OutsideHealth::Warning, 1), "{messages:?}");
    assert!(messages[0].contains("name server ns2.example.test does not have the zone"), "{messages:?}");
    // Resolvers alone are what somebody wants to ask.
    let (state, messages) = judged(&www, seen(&www, &from(looks_up)).await);
    assert_eq!(state, OutsideHealth::Ok, "{messages:?}");
}

/// UDP leads to one address, TCP to another.
struct Split {
    udp: SocketAddr,
    tcp: SocketAddr,
}

impl OpensPorts for Split {
    fn open<'a>(&'a self, _: &'a str, _: u16) -> BoxFuture<'a, Result<BoxStream, NotReached>> {
        Box::pin(async move {
            let stream = TcpStream::connect(self.tcp).await;
            let refused = |error: std::io::Error| NotReached::Refused(error.to_string().into());
            Ok(Box::new(stream.map_err(refused)?) as BoxStream)
        })
    }

    fn datagrams<'a>(&'a self, _: &'a str, _: u16) -> BoxFuture<'a, Result<Option<UdpSocket>, NotReached>> {
        Box::pin(async move {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            socket.connect(self.udp).await.unwrap();
            Ok(Some(socket))
        })
    }
}

/// A server that answers one question over TCP, and then goes on with zeros without end if it is told to.
async fn framed(answer: fn(&[u8]) -> (Vec<u8>, bool)) -> SocketAddr {
    let serves: Serves = Arc::new(move |mut stream: BoxStream| {
        Box::pin(async move {
            let Ok(length) = stream.read_u16().await else { return };
            let mut question = vec![0; usize::from(length)];
            stream.read_exact(&mut question).await.unwrap();
            let (answer, endless) = answer(&question);
            let length = u16::try_from(answer.len()).unwrap().to_be_bytes();
            let mut next = [length.to_vec(), answer].concat();
            while stream.write_all(&next).await.is_ok() && endless {
                next = vec![0; 4096];
            }
        })
    });
    server(None, serves).await
}

#[tokio::test]
async fn what_is_no_answer_is_told_as_the_server_s_fault_and_costs_little() {
    let www = name("www.example.test", DnsType::A, &[], &[NS1]);
    let cases: Vec<(SocketAddr, &str)> = vec![
        (framed(|_| (b"\x1b[2J".to_vec(), false)).await, "what came is no DNS message"),
        (framed(|_| (Vec::new(), true)).await, "what came is no DNS message"),
        (
            framed(|question| (changed(question, 0, !question[0]), true)).await,
            "it has the id of another question",
        ),
        (framed(|question| (changed(question, 13, b'x'), false)).await, "it answers another question"),
        (
            framed(|question| (changed(question, 2, 0x86), false)).await,
            "its answer is truncated, over TCP as well",
        ),
        // A count of records that are not there; a name that is a pointer to itself.
        (framed(|question| (changed(question, 6, 0xff), false)).await, "what came is no DNS message"),
        (
            framed(|question| (changed(question, question.len() + 1, 0xff), false)).await,
            "what came is no DNS message",
        ),
        (server(None, Arc::new(|_| Box::pin(async {}))).await, "it closed the connection without an answer"),
        (
            server(
                None,
                Arc::new(|mut stream: BoxStream| {
                    Box::pin(async move {
                        let _ = stream.write_all(b"\xff\xffshort").await;
                    })
                }),
            )
            .await,
            "it closed the connection without an answer",
        ),
    ];
    for (server, says) in cases {
        let from = Loopback::default().to(NS1, 53, server);
        let begun = Instant::now();
        let look = seen(&www, &from).await;
        assert!(look.proven && look.reached, "{look:?}");
        let [DnsReply { said: DnsSaid::Failed(why), .. }] = replies(&look) else { panic!("{look:?}") };
        assert!(why.as_str().starts_with(says), "{says}: {why}");
        assert!(begun.elapsed() < Duration::from_secs(4), "{says}: {:?}", begun.elapsed());
        assert_eq!(judged(&www, look).0, OutsideHealth::Critical);
    }
    // Without a name server in the inventory it may be the fault of the resolver here.
    let resolver = framed(|_| (b"\x1b[2J".to_vec(), false)).await;
    let from = Loopback { resolvers: vec![NS1.to_owned()], ..Loopback::default() }.to(NS1, 53, resolver);
    let www = name("www.example.test", DnsType::A, &[], &[]);
    let look = seen(&www, &from).await;
    assert_eq!(judged(&www, look).0, OutsideHealth::Unknown);
    let none = seen(&www, &Loopback::default()).await;
    let why = none.seen.unwrap_err().describe();
    assert!(why.contains("/etc/resolv.conf names no name server"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_is_waited_for_a_bounded_time() {
    let trust = Authority::new().trust().await;
    let www = name("www.example.test", DnsType::A, &[], &[NS1]);
    let begun = tokio::time::Instant::now();
    let look_from = async |connects| look(&www, &Silent { connects }, &trust, &[]).await;
    let silent = look_from(true).await;
    let [DnsReply { said: DnsSaid::Failed(why), .. }] = replies(&silent) else { panic!("{silent:?}") };
    assert_eq!(why.as_str(), "no answer within 5 s over TCP");
    // Where no connection came about, nobody knows whose fault that is.
    let nothing = look_from(false).await;
    assert!(!nothing.proven && !nothing.reached, "{nothing:?}");
    assert!(begun.elapsed() < Duration::from_secs(12), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_server_that_does_not_answer_over_udp_is_asked_twice() {
    static ASKED: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());
    let server = datagrams(|question| {
        let mut asked = ASKED.lock().unwrap();
        asked.push(question.to_vec());
        // The answer to the second one comes late for the first: it is an answer all the same.
        if asked.len() == 2 { vec![answer(question)] } else { Vec::new() }
    });
    let from = Loopback { udp: true, ..Loopback::default() }.to(NS1, 53, server.await);
    assert_eq!(said(&name("www.example.test", DnsType::A, &[], &[NS1]), &from).await, address());
    let asked = ASKED.lock().unwrap().clone();
    assert!(asked.len() == 2 && asked[0] == asked[1], "{asked:?}");
}
