//! An environment as its users see it: public sites, DNS names, ports that must be closed, mail hosts that must not relay. The
//! inventory names them; each is looked at from somewhere, and what was seen says from where.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::fact::Fact;
use crate::names::EnvName;
use crate::text::Clean;

mod dns;
mod findings;
#[cfg(test)]
mod tests;
mod url;

pub use dns::{
    DnsAnswers, DnsName, DnsReply, DnsSaid, DnsType, MailAddress, MailName, ReverseState, dns_labels,
    dns_name, dns_text, reverse_dns_name,
};
pub use findings::{OutsideFinding, OutsideHealth};
pub use url::SiteUrl;

/// A mail host that is asked for a relay more often may ban who asks.
const RELAY_EVERY: Duration = Duration::from_secs(3600);

/// What is looked at from outside, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutsideSettings {
    /// Time from one look to the next.
    pub every: Duration,
    /// Who may sign certificates.
    pub authorities: TrustedAuthorities,
    /// Each check, once for each place that it is looked at from.
    pub checks: Vec<Arc<OutsideCheck>>,
}

impl Default for OutsideSettings {
    fn default() -> Self {
        Self { every: Duration::from_secs(60), authorities: TrustedAuthorities::System, checks: Vec::new() }
    }
}

/// Who may sign certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrustedAuthorities {
    /// Those that this machine trusts.
    System,
    /// Those in these PEM files.
    Files(Vec<PathBuf>),
    /// Those in this PEM text.
    Text(String),
}

/// Where something is looked at from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Viewpoint {
    /// The machine that jumpdeck runs on.
    ThisMachine,
    /// The jump box, through its SSH connection.
    JumpBox,
}

impl Viewpoint {
    /// The word of inventories and of the status JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::ThisMachine => "here",
            Self::JumpBox => "jump",
        }
    }

    /// The same in a sentence, after "from".
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::ThisMachine => "this machine",
            Self::JumpBox => "the jump box",
        }
    }
}

/// One look: at what, from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutsideCheck {
    /// What the inventory calls it: `www.webplatform.org`, `203.0.113.10:3306`.
    pub name: String,
    /// Where it is looked at from.
    pub from: Viewpoint,
    /// What is looked at.
    pub target: OutsideTarget,
}

/// What is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutsideTarget {
    /// A site that must answer.
    Site(PublicSite),
    /// A port that must not answer.
    Closed(ClosedPort),
    /// A mail host that must not relay for strangers.
    Relay(RelayHost),
    /// A name that must have the right answers in the DNS.
    Dns(DnsName),
    /// A mail host whose addresses must lead back to a name.
    Reverse(MailName),
}

impl OutsideTarget {
    /// The word of the status JSON.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Site(_) => "site",
            Self::Closed(_) => "closed_port",
            Self::Relay(_) => "relay",
            Self::Dns(_) => "dns",
            Self::Reverse(_) => "reverse",
        }
    }
}

/// A site that must answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicSite {
    /// What is asked for.
    pub url: SiteUrl,
    /// The status that the last answer must have.
    pub status: u16,
    /// Where it must lead to; `None`: it may lead to another path, or to HTTPS, and to no other host.
    pub redirect: Option<SiteUrl>,
    /// An answer that takes longer is slow.
    pub slow: Duration,
    /// A certificate with fewer days left is a warning.
    pub warning_days: u32,
    /// A certificate with fewer days left is critical.
    pub critical_days: u32,
}

/// A port that must not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedPort {
    /// The address, or a name of it.
    pub address: String,
    /// The TCP port.
    pub port: u16,
}

/// A mail host that must not relay for strangers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayHost {
    /// Its name or address.
    pub address: String,
    /// Its SMTP port.
    pub port: u16,
}

impl PublicSite {
    /// Whether the first answer must be a redirect: then none is followed.
    #[must_use]
    pub fn expects_redirect_status(&self) -> bool {
        (300..400).contains(&self.status)
    }
}

impl OutsideCheck {
    /// What tells it from every other of its environment: `www.webplatform.org from jump`.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{} from {}", self.name, self.from.word())
    }

    /// Its key in the inventory: `203.0.113.10` of each of that address's ports.
    #[must_use]
    pub fn key(&self) -> &str {
        match &self.target {
            OutsideTarget::Site(_) => &self.name,
            OutsideTarget::Closed(port) => &port.address,
            OutsideTarget::Relay(host) => &host.address,
            // What is asked of it is put behind the key.
            OutsideTarget::Dns(_) | OutsideTarget::Reverse(_) => {
                self.name.rsplit_once(' ').map_or(&self.name, |(key, _)| key)
            }
        }
    }

    /// Time from one look to the next, where the environment's is `every`.
    #[must_use]
    pub fn every(&self, every: Duration) -> Duration {
        match self.target {
            OutsideTarget::Relay(_) => every.max(RELAY_EVERY),
            OutsideTarget::Site(_)
            | OutsideTarget::Closed(_)
            | OutsideTarget::Dns(_)
            | OutsideTarget::Reverse(_) => every,
        }
    }
}

/// What was seen.
#[derive(Debug, Clone, PartialEq)]
pub enum OutsideReading {
    /// A site answered.
    Answered(SiteAnswer),
    /// A site did not: what happened, and the certificates that were seen before.
    NoAnswer {
        /// What happened.
        why: Clean,
        /// What was seen before.
        certificates: Vec<SiteCertificate>,
    },
    /// A port took a connection.
    Open,
    /// A port did not.
    Closed(Clean),
    /// A mail host accepted a stranger's mail for a stranger.
    Relays(Clean),
    /// It refused.
    RefusesRelay(Clean),
    /// What each name server said of a name.
    Dns(Vec<DnsReply>),
    /// The addresses of a mail host.
    Reverse(Vec<MailAddress>),
}

impl OutsideReading {
    /// What a site answered.
    #[must_use]
    pub fn answer(&self) -> Option<&SiteAnswer> {
        if let Self::Answered(answer) = self { Some(answer) } else { None }
    }

    /// The certificates of a site's hosts.
    #[must_use]
    pub fn certificates(&self) -> Option<&[SiteCertificate]> {
        let (Self::Answered(SiteAnswer { certificates, .. }) | Self::NoAnswer { certificates, .. }) = self
        else {
            return None;
        };
        Some(certificates)
    }

    /// Whether a port takes connections.
    #[must_use]
    pub fn is_open(&self) -> Option<bool> {
        let is_open = matches!(self, Self::Open);
        (is_open || matches!(self, Self::Closed(_))).then_some(is_open)
    }

    /// Whether a mail host relays for strangers.
    #[must_use]
    pub fn relays(&self) -> Option<bool> {
        let relays = matches!(self, Self::Relays(_));
        (relays || matches!(self, Self::RefusesRelay(_))).then_some(relays)
    }

    /// What the name servers said of a name.
    #[must_use]
    pub fn replies(&self) -> Option<&[DnsReply]> {
        if let Self::Dns(replies) = self { Some(replies) } else { None }
    }

    /// The addresses of a mail host.
    #[must_use]
    pub fn addresses(&self) -> Option<&[MailAddress]> {
        if let Self::Reverse(addresses) = self { Some(addresses) } else { None }
    }
}

/// What a site answered.
#[derive(Debug, Clone, PartialEq)]
pub struct SiteAnswer {
    /// The HTTP status of the last answer.
    pub status: u16,
    /// From the first packet to the head of the last answer.
    pub took: Duration,
    /// What gave the last answer.
    pub at: SiteUrl,
    /// Where the last answer leads to, when that was not followed.
    pub leads_to: Option<LeadsTo>,
    /// The certificates of the hosts that were asked over TLS, in order.
    pub certificates: Vec<SiteCertificate>,
}

/// Where a redirect leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeadsTo {
    /// As it is shown: it may be cut.
    pub text: Clean,
    /// All of it; `None` when it is not the address of a site.
    pub url: Option<SiteUrl>,
}

/// A host's certificate, as its server sent it.
#[derive(Debug, Clone, PartialEq)]
pub struct SiteCertificate {
    /// The host that was asked.
    pub host: String,
    /// The names that it is for, the first ones.
    pub names: Vec<Clean>,
    /// Whether it is for the host.
    pub is_for_host: bool,
    /// Who signed it.
    pub issuer: Clean,
    /// How many certificates the server sent.
    pub chain_length: usize,
    /// Whether it leads to an authority that is trusted.
    pub trust: ChainTrust,
    /// Seconds until it ends; negative when it has.
    pub seconds_left: i64,
    /// Seconds until it begins, when it has not.
    pub begins_in: Option<i64>,
}

/// Whether a chain of certificates leads to an authority that is trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChainTrust {
    /// It does.
    Trusted,
    /// It does not, and why.
    NotTrusted(Clean),
    /// No authorities are known, and why.
    Unknown(Clean),
}

/// A check, and what the newest look brought.
#[derive(Debug, Clone, PartialEq)]
pub struct OutsideResult {
    /// The check.
    pub check: Arc<OutsideCheck>,
    /// Its id, as [`OutsideCheck::id`] says it.
    pub id: String,
    /// What was seen.
    pub fact: Fact<OutsideReading>,
}

impl OutsideResult {
    /// A check that nobody has looked at yet.
    #[must_use]
    pub fn pending(check: &Arc<OutsideCheck>) -> Self {
        Self { check: check.clone(), id: check.id(), fact: Fact::default() }
    }
}

/// What is known of an environment from outside.
#[derive(Debug, Clone, PartialEq)]
pub struct OutsideSnapshot {
    /// The environment.
    pub env: EnvName,
    /// Every check, in the order of the inventory.
    pub results: Vec<OutsideResult>,
}

impl OutsideSnapshot {
    /// An environment that nobody has looked at from outside yet.
    #[must_use]
    pub fn pending(env: &EnvName, settings: &OutsideSettings) -> Self {
        Self { env: env.clone(), results: settings.checks.iter().map(OutsideResult::pending).collect() }
    }

    /// The same for an inventory that says something else: what is known of a check that is still there stays.
    #[must_use]
    pub fn follow(&self, settings: &OutsideSettings) -> Self {
        let known =
            |check: &Arc<OutsideCheck>| self.results.iter().find(|result| result.check == *check).cloned();
        let checks = settings.checks.iter();
        Self {
            env: self.env.clone(),
            results: checks
                .map(|check| known(check).unwrap_or_else(|| OutsideResult::pending(check)))
                .collect(),
        }
    }
}
