//! Mail hosts that relay for strangers, that refuse to, and that say something else.

use jumpdeck_fleet::outside::RelayHost;

use super::*;

/// First words of commands, and what is answered to each.
type SmtpAnswers = &'static [(&'static str, &'static str)];

/// A mail host that answers each command by its first word, and notes what it was sent.
fn mail(answers: SmtpAnswers, heard: Arc<Mutex<Vec<String>>>) -> Serves {
    Arc::new(move |stream: BoxStream| {
        let heard = heard.clone();
        Box::pin(async move {
            let mut stream = tokio::io::BufReader::new(stream);
            let _ = stream.write_all(b"220 mail.example.test ESMTP\r\n").await;
            let mut line = String::new();
            while tokio::io::AsyncBufReadExt::read_line(&mut stream, &mut line).await.is_ok_and(|n| n > 0) {
                let word = line.split([' ', '\r']).next().unwrap_or_default().to_owned();
                heard.lock().unwrap().push(word.clone());
                line.clear();
                let answer =
                    answers.iter().find(|(known, _)| *known == word).map_or("250 ok", |(_, answer)| answer);
                if stream.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() {
                    return;
                }
            }
        })
    })
}

#[tokio::test]
async fn a_mail_host_is_asked_for_a_relay_and_sent_no_mail() {
    let trust = Authority::new().trust().await;
    let relay = check(OutsideTarget::Relay(RelayHost { address: "mail.example.test".to_owned(), port: 25 }));
    let cases: &[(SmtpAnswers, Option<bool>)] = &[
        (&[("EHLO", "250-mail\r\n250 SIZE")], Some(true)),
        (&[("RCPT", "554 5.7.1 Relay access denied")], Some(false)),
        (&[("RCPT", "550-5.7.1 We do not relay.\r\n550 Good bye")], Some(false)),
        (&[("RCPT", "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)")], Some(false)),
        (&[("RCPT", "450 4.2.0 Greylisted")], None),
        // It refuses this client, not to relay.
        (&[("RCPT", "554 5.7.1 Client host [192.0.2.9] blocked using zen.spamhaus.org")], None),
        (&[("RCPT", "550 5.7.1 <relay-check.invalid>: Helo command rejected: Host not found")], None),
        (&[("MAIL", "550 no bounces")], None),
        (&[("EHLO", "\x1b[2J")], None),
        (&[("EHLO", "250-x\r\n250-x\r\n250-x\r\n250 x")], Some(true)),
    ];
    for (answers, relays) in cases {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let from =
            Loopback::default().to("mail.example.test", 25, server(None, mail(answers, heard.clone())).await);
        let seen = look(&relay, &from, &trust, &[]).await;
        let found = seen.seen.as_ref().ok().map(|reading| reading.relays().unwrap());
        assert_eq!(found, *relays, "{answers:?}: {seen:?}");
        let heard = heard.lock().unwrap().clone();
        assert!(!heard.iter().any(|word| word == "DATA"), "{heard:?}");
        assert!(relays.is_none() || heard.ends_with(&["RSET".to_owned(), "QUIT".to_owned()]), "{heard:?}");
    }
    let endless = without_end("220-hello\r\n", "220-hello\r\n");
    let from = Loopback::default().to("mail.example.test", 25, server(None, endless).await);
    assert!(look(&relay, &from, &trust, &[]).await.seen.is_err());
}
