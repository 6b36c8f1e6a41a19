//! What is wrong with what was seen.

use std::time::Duration;

use super::{
    ChainTrust, ClosedPort, OutsideCheck, OutsideReading, OutsideResult, OutsideTarget, PublicSite,
    RelayHost, SiteAnswer, SiteCertificate, SiteUrl,
};
use crate::backup::in_words;
use crate::problem::Severity;
use crate::text::Clean;

mod dns;

const DAY: i64 = 86_400;

/// Something wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutsideFinding {
    /// How bad.
    pub severity: Severity,
    /// What is wrong, seen from where, and what to do next.
    pub message: String,
}

/// How what was looked at is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutsideHealth {
    /// Nothing is wrong.
    Ok,
    /// Something may be wrong.
    Warning,
    /// Something is wrong.
    Critical,
    /// Nobody can tell.
    Unknown,
}

impl OutsideHealth {
    /// The word of the status JSON and of the screen.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Critical => "critical",
            Self::Unknown => "unknown",
        }
    }

    /// As a severity; `None` when nothing is wrong.
    #[must_use]
    pub fn severity(self) -> Option<Severity> {
        match self {
            Self::Ok => None,
            Self::Warning => Some(Severity::Warning),
            Self::Critical => Some(Severity::Critical),
            Self::Unknown => Some(Severity::Unknown),
        }
    }
}

impl OutsideResult {
    /// What is wrong with what the newest look brought; nothing when it brought nothing.
    #[must_use]
    pub fn findings(&self) -> Vec<OutsideFinding> {
        self.fact.current().map(|reading| findings(&self.check, reading)).unwrap_or_default()
    }

    /// How it is, by the newest look.
    #[must_use]
    pub fn health(&self) -> OutsideHealth {
        if self.fact.current().is_none() {
            return OutsideHealth::Unknown;
        }
        match self.findings().iter().map(|finding| finding.severity).max() {
            None => OutsideHealth::Ok,
            Some(Severity::Warning) => OutsideHealth::Warning,
            Some(Severity::Critical) => OutsideHealth::Critical,
            Some(Severity::Unknown) => OutsideHealth::Unknown,
        }
    }

    /// One line about what was seen, or why nothing was.
    #[must_use]
    pub fn detail(&self) -> String {
        match self.fact.current() {
            Some(reading) => reading.detail(),
            None => self.fact.gap.as_ref().map(crate::fact::Gap::describe).unwrap_or_default(),
        }
    }
}

impl OutsideReading {
    /// One line about it.
    #[must_use]
    pub fn detail(&self) -> String {
        match self {
            Self::Answered(answer) => {
                let mut text = format!("status {} after {} ms", answer.status, answer.took.as_millis());
                if let Some(certificate) = answer.certificates.last() {
                    let days = certificate.seconds_left.div_euclid(DAY);
                    text.push_str(&format!(", certificate for {days} more days"));
                }
                text
            }
            Self::NoAnswer { why, .. } => why.to_string(),
            Self::Open => "open".to_owned(),
            Self::Closed(why) => format!("closed: {why}"),
            Self::Relays(said) => format!("it accepts mail for elsewhere: {said}"),
            Self::RefusesRelay(said) => format!("refuses to relay: {said}"),
            Self::Dns(replies) => dns::said_by(replies),
            Self::Reverse(addresses) => dns::led_to(addresses),
        }
    }
}

fn findings(check: &OutsideCheck, reading: &OutsideReading) -> Vec<OutsideFinding> {
    let mut out = Findings { from: check.from.label(), all: Vec::new() };
    match &check.target {
        OutsideTarget::Site(site) => match reading.answer() {
            Some(answer) => out.answer(site, answer),
            None => out.no_answer(site, reading),
        },
        OutsideTarget::Closed(port) if reading.is_open() == Some(true) => out.open(port),
        OutsideTarget::Relay(host) if reading.relays() == Some(true) => out.relays(host, &reading.detail()),
        OutsideTarget::Dns(name) => out.dns(name, reading.replies().unwrap_or_default()),
        OutsideTarget::Reverse(mail) => out.reverse(mail, reading.addresses().unwrap_or_default()),
        OutsideTarget::Closed(_) | OutsideTarget::Relay(_) => {}
    }
    out.all
}

struct Findings {
    from: &'static str,
    all: Vec<OutsideFinding>,
}

impl Findings {
    fn add(&mut self, severity: Severity, message: String) {
        self.all.push(OutsideFinding { severity, message: format!("{message} (seen from {})", self.from) });
    }

    fn critical(&mut self, message: String) {
        self.add(Severity::Critical, message);
    }

    fn warning(&mut self, message: String) {
        self.add(Severity::Warning, message);
    }

    fn answer(&mut self, site: &PublicSite, answer: &SiteAnswer) {
        // Where a redirect was not followed, its status is no verdict on the site.
        if answer.leads_to.is_none() || site.expects_redirect_status() {
            self.status(site, answer);
        }
        self.redirect(site, answer);
        self.certificates(site, &answer.certificates);
        if answer.took > site.slow {
            self.warning(format!(
                "{} is slow: {} s until it answered, limit {} s; look at the load of its host and at its database",
                site.url,
                seconds(answer.took),
                seconds(site.slow)
            ));
        }
    }

    fn no_answer(&mut self, site: &PublicSite, reading: &OutsideReading) {
        self.critical(format!(
            "{} does not answer: {}; check its web server, its firewall and its DNS name",
            site.url,
            reading.detail()
        ));
        self.certificates(site, reading.certificates().unwrap_or_default());
    }

    fn status(&mut self, site: &PublicSite, answer: &SiteAnswer) {
        if answer.status != site.status {
            self.critical(format!(
                "{} answers with status {}, expected {}; look at the error log of its web server",
                answer.at, answer.status, site.status
            ));
        }
    }

    fn redirect(&mut self, site: &PublicSite, answer: &SiteAnswer) {
        let check = "check the redirect of its web server or CDN";
        match (&site.redirect, &answer.leads_to) {
            (Some(expected), Some(to)) if to.url.as_ref() != Some(expected) => {
                self.warning(format!("{} redirects to {}, expected {expected}; {check}", site.url, to.text));
            }
            (Some(expected), None) if answer.at != *expected => self.warning(format!(
                "{} does not redirect to {expected}, as expected: {} answers; {check}",
                site.url, answer.at
            )),
            (None, Some(to)) if !site.expects_redirect_status() => {
                let own = |url: &SiteUrl| url.host == site.url.host || url.host == answer.at.host;
                let right = "which was not asked; if that is right, write it as redirect in the inventory";
                let what = match &to.url {
                    Some(url) if own(url) => format!("another port, {right}"),
                    Some(_) => format!("another host, {right}"),
                    None => format!("which is not the address of a site; {check}"),
                };
                self.warning(format!("{} redirects to {}, {what}", site.url, to.text));
            }
            (Some(_) | None, Some(_) | None) => {}
        }
    }

    fn certificates(&mut self, site: &PublicSite, certificates: &[SiteCertificate]) {
        for certificate in certificates {
            self.certificate(site, certificate);
        }
    }

    fn certificate(&mut self, site: &PublicSite, seen: &SiteCertificate) {
        let host = &seen.host;
        if !seen.is_for_host {
            let names: Vec<&str> = seen.names.iter().take(4).map(Clean::as_str).collect();
            let names = if names.is_empty() { "no name".to_owned() } else { names.join(", ") };
            self.critical(format!(
                "the certificate of {host} is for {names}; install one for {host}, or correct the virtual host"
            ));
        }
        if let Some(begins_in) = seen.begins_in {
            self.critical(format!(
                "the certificate of {host} is valid in {} only; check the clocks, or install the one before it",
                span(begins_in)
            ));
        }
        let left = seen.seconds_left;
        let renew = "renew it and reload the web server";
        if left < 0 {
            self.critical(format!("the certificate of {host} expired {} ago; {renew}", span(-left)));
        } else if left < i64::from(site.critical_days) * DAY {
            self.critical(format!("the certificate of {host} expires in {}; {renew}", span(left)));
        } else if left < i64::from(site.warning_days) * DAY {
            self.warning(format!("the certificate of {host} expires in {}; {renew}", span(left)));
        }
        match &seen.trust {
            ChainTrust::Trusted => {}
            ChainTrust::NotTrusted(why) => self.critical(format!(
                "the certificate of {host}, signed by {}, is not trusted: {why}; the server must send the whole chain, up to an \
                 authority that browsers know",
                seen.issuer
            )),
            ChainTrust::Unknown(why) => self.add(
                Severity::Unknown,
                format!("whether the certificate of {host} is trusted is unknown: {why}"),
            ),
        }
    }

    fn open(&mut self, port: &ClosedPort) {
        self.critical(format!(
            "{} port {}, which must be closed, takes connections; close it in the firewall now, then look who \
             connected",
            port.address, port.port
        ));
    }

    fn relays(&mut self, host: &RelayHost, said: &str) {
        self.critical(format!(
            "mail host {} relays for strangers ({said}); restrict relaying to your own networks",
            host.address
        ));
    }
}

fn span(seconds: i64) -> String {
    in_words(seconds.unsigned_abs())
}

fn seconds(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64())
}
