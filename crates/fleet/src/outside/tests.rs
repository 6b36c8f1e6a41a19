#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::fact::Gap;
use crate::problem::Severity;
use crate::time::Moment;

const DAY: i64 = 86_400;

fn url(text: &str) -> SiteUrl {
    SiteUrl::parse(text).unwrap()
}

fn site() -> PublicSite {
    PublicSite {
        url: url("https://www.example.org/"),
        status: 200,
        redirect: None,
        slow: Duration::from_secs(3),
        warning_days: 21,
        critical_days: 7,
    }
}

fn certificate(days: i64) -> SiteCertificate {
    SiteCertificate {
        host: "www.example.org".to_owned(),
        names: vec!["www.example.org".into()],
        is_for_host: true,
        issuer: "Some Authority".into(),
        chain_length: 2,
        trust: ChainTrust::Trusted,
        seconds_left: days * DAY + 3600,
        begins_in: None,
    }
}

fn answer() -> SiteAnswer {
    SiteAnswer {
        status: 200,
        took: Duration::from_millis(80),
        at: url("https://www.example.org/"),
        leads_to: None,
        certificates: vec![certificate(90)],
    }
}

fn result(target: OutsideTarget, reading: OutsideReading) -> OutsideResult {
    let check = OutsideCheck { name: "it".to_owned(), from: Viewpoint::JumpBox, target };
    let mut result = OutsideResult::pending(&Arc::new(check));
    result.fact.learn(reading, Moment(5));
    result
}

/// What is found with an answer of a site: severities and messages.
fn found(site: PublicSite, answer: SiteAnswer) -> Vec<(Severity, String)> {
    let result = result(OutsideTarget::Site(site), OutsideReading::Answered(answer));
    result.findings().into_iter().map(|finding| (finding.severity, finding.message)).collect()
}

fn one(site: PublicSite, answer: SiteAnswer) -> (Severity, String) {
    let mut all = found(site, answer);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

#[test]
fn addresses_are_read_and_written() {
    for text in ["https://www.example.org/", "http://a.b:8080/wiki/?x=1", "https://192.0.2.7/"] {
        assert_eq!(url(text).to_string(), text);
    }
    assert_eq!(url("HTTPS://WWW.Example.org").to_string(), "https://www.example.org/");
    assert_eq!(url("http://a?x#y").path, "/?x");
    let wrong = [
        "www.example.org",
        "ftp://a/",
        "https:///",
        "https://a b/",
        "https://u:p@a/",
        "https://a:0/",
        "http://-a/",
    ];
    for text in wrong {
        assert_eq!(SiteUrl::parse(text), None, "{text}");
    }
    assert_eq!(SiteUrl::parse(&format!("http://a/{}", "x".repeat(5000))), None);
    assert_eq!(SiteUrl::parse("http://a/\u{1b}[2J"), None);
}

#[test]
fn a_redirect_is_read_as_a_browser_reads_it() {
    let from = url("https://www.example.org:444/wiki/Main?x=1");
    let led = |to| from.join(to).map(|url| url.to_string());
    assert_eq!(led("/new"), Some("https://www.example.org:444/new".to_owned()));
    assert_eq!(led("other"), Some("https://www.example.org:444/wiki/other".to_owned()));
    assert_eq!(led("?y"), Some("https://www.example.org:444/wiki/Main?y".to_owned()));
    assert_eq!(led("//cdn.example.org/a"), Some("https://cdn.example.org/a".to_owned()));
    assert_eq!(led(" http://example.org "), Some("http://example.org/".to_owned()));
    assert_eq!(led("javascript://x"), None);
    let login = "/login?next=https://www.example.org/";
    assert_eq!(led(login), Some(format!("https://www.example.org:444{login}")));
}

#[test]
fn a_site_that_is_well_has_no_findings() {
    assert_eq!(found(site(), answer()), []);
}

#[test]
fn what_a_site_answers_is_judged() {
    let (severity, message) = one(site(), SiteAnswer { status: 503, ..answer() });
    assert_eq!(severity, Severity::Critical);
    assert!(
        message.contains("status 503, expected 200") && message.ends_with("(seen from the jump box)"),
        "{message}"
    );
    let slow = SiteAnswer { took: Duration::from_millis(4200), ..answer() };
    let (severity, message) = one(site(), slow);
    assert_eq!(severity, Severity::Warning);
    assert!(message.contains("4.2 s") && message.contains("limit 3.0 s"), "{message}");
}

#[test]
fn a_redirect_to_somewhere_else_is_a_warning() {
    let leads = |to: &str| {
        let to = LeadsTo { text: to.into(), url: SiteUrl::parse(to) };
        SiteAnswer { status: 302, leads_to: Some(to), ..answer() }
    };
    let (severity, message) = one(site(), leads("https://evil.example/"));
    assert_eq!(severity, Severity::Warning);
    assert!(message.contains("redirects to https://evil.example/, another host"), "{message}");
    assert!(one(site(), leads("https://www.example.org:9200/")).1.contains(", another port"));
    assert!(one(site(), leads("javascript://x")).1.contains("not the address of a site"));
    let expects = PublicSite { redirect: Some(url("https://docs.example.org/")), ..site() };
    assert_eq!(found(expects.clone(), leads("https://docs.example.org/")), []);
    assert!(
        one(expects.clone(), leads("https://evil.example/")).1.contains("expected https://docs.example.org/")
    );
    assert!(one(expects, answer()).1.contains("does not redirect"));
    // What is shown is cut, what is compared is not.
    let long = url(&format!("https://docs.example.org/{}", "x".repeat(300)));
    let to = LeadsTo { text: "https://docs.example.org/x…".into(), url: Some(long.clone()) };
    let expects = PublicSite { redirect: Some(long), ..site() };
    assert_eq!(found(expects, SiteAnswer { status: 302, leads_to: Some(to), ..answer() }), []);
    // A site that must answer with a redirect.
    let moved = PublicSite { status: 301, ..site() };
    assert_eq!(found(moved.clone(), SiteAnswer { status: 301, ..leads("https://docs.example.org/") }), []);
    assert_eq!(one(moved, leads("https://docs.example.org/")).0, Severity::Critical);
}

#[test]
fn certificates_are_judged() {
    let with = |certificate| SiteAnswer { certificates: vec![certificate], ..answer() };
    let days = |days| one(site(), with(certificate(days)));
    assert_eq!(days(20).0, Severity::Warning);
    assert_eq!(days(6).0, Severity::Critical);
    assert!(days(-3).1.contains("expired 3 days ago") || days(-3).1.contains("expired 2"), "{}", days(-3).1);
    assert_eq!(found(site(), with(certificate(21))), []);
    let other = SiteCertificate { is_for_host: false, names: vec!["b.example".into()], ..certificate(90) };
    assert!(one(site(), with(other)).1.contains("is for b.example"));
    let untrusted =
        SiteCertificate { trust: ChainTrust::NotTrusted("unknown issuer".into()), ..certificate(90) };
    let (severity, message) = one(site(), with(untrusted));
    assert!(severity == Severity::Critical && message.contains("not trusted: unknown issuer"), "{message}");
    let early = SiteCertificate { begins_in: Some(DAY), ..certificate(90) };
    assert_eq!(one(site(), with(early)).0, Severity::Critical);
    let nobody = SiteCertificate { trust: ChainTrust::Unknown("no authorities".into()), ..certificate(90) };
    assert_eq!(one(site(), with(nobody)).0, Severity::Unknown);
}

#[test]
fn ports_and_mail_hosts_are_judged() {
    let port = OutsideTarget::Closed(ClosedPort { address: "192.0.2.1".to_owned(), port: 3306 });
    let open = result(port.clone(), OutsideReading::Open);
    assert_eq!(open.health(), OutsideHealth::Critical);
    assert!(open.findings()[0].message.contains("192.0.2.1 port 3306"), "{:?}", open.findings());
    let closed = result(port.clone(), OutsideReading::Closed("refused".into()));
    assert_eq!(closed.health(), OutsideHealth::Ok);
    let mail = OutsideTarget::Relay(RelayHost { address: "mail.example.org".to_owned(), port: 25 });
    let every = |target: &OutsideTarget, every| {
        let check =
            OutsideCheck { name: "it".to_owned(), from: Viewpoint::ThisMachine, target: target.clone() };
        check.every(Duration::from_secs(every)).as_secs()
    };
    assert_eq!((every(&port, 60), every(&mail, 60), every(&mail, 7200)), (60, 3600, 7200));
    assert_eq!(
        result(mail.clone(), OutsideReading::Relays("250 ok".into())).health(),
        OutsideHealth::Critical
    );
    assert_eq!(result(mail, OutsideReading::RefusesRelay("554 no".into())).health(), OutsideHealth::Ok);
}

/// The last good answer is no verdict on now.
#[test]
fn what_was_not_seen_is_unknown() {
    let mut result = result(OutsideTarget::Site(site()), OutsideReading::Answered(answer()));
    assert_eq!(result.health(), OutsideHealth::Ok);
    result.fact.miss(Gap::Failed("the jump box is not connected".into()));
    assert_eq!((result.health(), result.findings()), (OutsideHealth::Unknown, Vec::new()));
    assert_eq!(result.detail(), "failed: the jump box is not connected");
}
