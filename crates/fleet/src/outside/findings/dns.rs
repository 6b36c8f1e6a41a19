//! What is wrong with DNS answers, and with the names that a mail host's addresses lead to.

use std::collections::BTreeSet;
use std::fmt::Display;

use super::Findings;
use crate::outside::{DnsAnswers, DnsName, DnsReply, DnsSaid, MailAddress, MailName, ReverseState};
use crate::problem::Severity;
use crate::text::Clean;

/// Values of an answer that are shown, and characters of each.
const SHOWN: usize = 4;
const LONGEST: usize = 80;

/// What servers said alike, and which.
struct Group<'a> {
    said: &'a DnsSaid,
    servers: Vec<&'a str>,
}

impl Group<'_> {
    /// The servers with what they are.
    fn who(&self, name: &DnsName) -> String {
        let what = match (name.servers.as_slice(), self.servers.as_slice()) {
            ([], _) => "resolver",
            (_, [_]) => "name server",
            _ => "name servers",
        };
        let servers = match self.servers.as_slice() {
            [before @ .., last] if !before.is_empty() => format!("{} and {last}", before.join(", ")),
            all => all.join(", "),
        };
        format!("{what} {servers}")
    }

    /// `name servers ns1 and ns2 say`: the same with the verb.
    fn speak(&self, name: &DnsName, one: &str, more: &str) -> String {
        format!("{} {}", self.who(name), if self.servers.len() == 1 { one } else { more })
    }
}

fn groups(replies: &[DnsReply]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for reply in replies {
        match groups.iter_mut().find(|group| group.said.agrees(&reply.said)) {
            Some(group) => group.servers.push(reply.server.as_str()),
            None => groups.push(Group { said: &reply.said, servers: vec![reply.server.as_str()] }),
        }
    }
    groups
}

/// One line about what the servers said.
pub(super) fn said_by(replies: &[DnsReply]) -> String {
    let groups = groups(replies);
    let several = groups.len() > 1;
    let one = |group: &Group<'_>| {
        let said = said(group.said);
        if several { format!("{}: {said}", group.servers.join(", ")) } else { said }
    };
    groups.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn said(said: &DnsSaid) -> String {
    let (text, alias) = match said {
        DnsSaid::Answers(answers) => {
            (format!("{} (TTL {} s)", values(&answers.values), answers.ttl), answers.alias.as_ref())
        }
        DnsSaid::NoSuchName(alias) => ("no such name (NXDOMAIN)".to_owned(), alias.as_ref()),
        DnsSaid::NoRecord(alias) => ("no record of this type".to_owned(), alias.as_ref()),
        DnsSaid::Elsewhere(alias) => ("not known to this server".to_owned(), Some(alias)),
        DnsSaid::Failed(why) | DnsSaid::NotAsked(why) => (why.to_string(), None),
    };
    alias.map(|alias| format!("alias of {}: {text}", cut(alias.as_str()))).unwrap_or(text)
}

/// One line about a mail host's addresses.
pub(super) fn led_to(addresses: &[MailAddress]) -> String {
    let one = |seen: &MailAddress| {
        let what = match &seen.state {
            ReverseState::Confirmed => format!("is {} and back", values(&seen.names)),
            ReverseState::Missing => "has no PTR record".to_owned(),
            ReverseState::OtherName => format!("is {}", values(&seen.names)),
            ReverseState::NotBack => format!("is {}, which does not lead back", values(&seen.names)),
            ReverseState::Unknown(why) => format!("unknown: {why}"),
        };
        format!("{} {what}", seen.address)
    };
    match addresses {
        [] => "no address".to_owned(),
        _ => addresses.iter().map(one).collect::<Vec<_>>().join("; "),
    }
}

impl Findings {
    pub(super) fn dns(&mut self, name: &DnsName, replies: &[DnsReply]) {
        let groups = groups(replies);
        let what = format!("{} ({})", name.name, name.kind.word());
        let silent = |reply: &DnsReply| matches!(reply.said, DnsSaid::Failed(_) | DnsSaid::NotAsked(_));
        let all_silent = replies.iter().all(silent);
        for group in &groups {
            match group.said {
                DnsSaid::Answers(answers) => self.answers(name, &what, group, answers),
                DnsSaid::NoSuchName(alias) => {
                    let which = alias.as_ref().map(|alias| format!("its alias {}", cut(alias.as_str())));
                    self.critical(format!(
                        "{what}: {} that {} does not exist (NXDOMAIN); add it to its zone, or check the delegation of its domain",
                        group.speak(name, "says", "say"),
                        which.as_deref().unwrap_or("the name")
                    ));
                }
                DnsSaid::NoRecord(alias) => {
                    let which = alias.as_ref().map(|alias| format!(" at its alias {}", cut(alias.as_str())));
                    self.critical(format!(
                        "{what}: {} no such record{}; add it to its zone",
                        group.speak(name, "has", "have"),
                        which.unwrap_or_default()
                    ));
                }
                DnsSaid::Elsewhere(alias) => self.add(
                    Severity::Unknown,
                    format!(
                        "{what} is an alias of {}, which {} not know; write type = \"CNAME\" in the inventory, or ask a resolver",
                        cut(alias.as_str()),
                        group.speak(name, "does", "do")
                    ),
                ),
                DnsSaid::Failed(why) if all_silent => self.critical(format!(
                    "{what} has no answer: {}: {why}; check that it runs and has the zone",
                    group.who(name)
                )),
                DnsSaid::Failed(why) => self.warning(format!(
                    "{what}: no answer from {}: {why}; check that it runs and has the zone",
                    group.who(name)
                )),
                DnsSaid::NotAsked(why) => self.add(
                    Severity::Unknown,
                    format!("{what}: {} could not be asked: {why}", group.who(name)),
                ),
            }
        }
        self.lost_zone(name, &what, replies);
        let answers = groups.iter().filter(|group| matches!(group.said, DnsSaid::Answers(_)));
        if name.expected.is_none() && answers.clone().count() > 1 {
            let each = |group: &Group<'_>| {
                format!("{} {}", group.speak(name, "answers", "answer"), said(group.said))
            };
            self.warning(format!(
                "the name servers of {what} disagree: {}; compare the serial numbers of their zones",
                answers.map(each).collect::<Vec<_>>().join("; ")
            ));
        }
    }

    /// A name server that lost a zone may still look names of it up for its own network, at those that have it.
    fn lost_zone(&mut self, name: &DnsName, what: &str, replies: &[DnsReply]) {
        let of = |authoritative: bool| {
            let is_one = move |reply: &&DnsReply| matches!(&reply.said, DnsSaid::Answers(a) if a.authoritative == authoritative);
            replies.iter().filter(is_one).collect::<Vec<_>>()
        };
        let (own, looked_up) = (of(true), of(false));
        let Some(first) = looked_up.first().filter(|_| !own.is_empty() && !name.servers.is_empty()) else {
            return;
        };
        let servers = looked_up.iter().map(|reply| reply.server.as_str()).collect();
        let who = Group { said: &first.said, servers };
        self.warning(format!(
            "{what}: {} not have the zone, and answered as a resolver; check its configuration and that the zone was loaded",
            who.speak(name, "does", "do")
        ));
    }

    fn answers(&mut self, name: &DnsName, what: &str, group: &Group<'_>, answers: &DnsAnswers) {
        let Some(expected) = &name.expected else { return };
        let is_expected = |value: &&Clean| expected.contains(value.as_str());
        let other = answers.values.iter().any(|value| !is_expected(&value));
        let all = answers.values.iter().filter(is_expected).count() == expected.len();
        if !other && all {
            return;
        }
        let expected = values(expected);
        let kept = if name.servers.is_empty() && answers.ttl > 0 {
            format!(" (kept for up to {} s)", answers.ttl)
        } else {
            String::new()
        };
        let message = format!(
            "{what}: {} {}{kept}, expected {expected}; correct the zone, or dns in the inventory",
            group.speak(name, "answers", "answer"),
            values(&answers.values)
        );
        // Some of what is right still leads users to the right place.
        if other { self.critical(message) } else { self.warning(message) }
    }

    pub(super) fn reverse(&mut self, mail: &MailName, addresses: &[MailAddress]) {
        let host = &mail.host;
        if addresses.is_empty() {
            self.critical(format!("mail host {host} has no address in the DNS; add it to its zone"));
        }
        for seen in addresses {
            let address = seen.address;
            let set = "let the owner of the address (cloud or provider) set it";
            match &seen.state {
                ReverseState::Confirmed => {}
                ReverseState::Missing => self.warning(format!(
                    "mail host {host}: {address} has no PTR record, so receivers may refuse its mail; {set}"
                )),
                ReverseState::OtherName => {
                    let expected = mail.name.as_deref().unwrap_or(host);
                    self.warning(format!(
                        "mail host {host}: the PTR record of {address} says {}, expected {expected}, so receivers may refuse its mail; \
                         {set}, or write reverse in the inventory",
                        values(&seen.names)
                    ));
                }
                ReverseState::NotBack => self.warning(format!(
                    "mail host {host}: {address} is {}, which does not lead back to {address}, so receivers may refuse its mail; \
                     correct the zone of that name, or {set}",
                    values(&seen.names)
                )),
                ReverseState::Unknown(why) => self.add(
                    Severity::Unknown,
                    format!("mail host {host}: whether {address} leads back to its name is unknown: {why}"),
                ),
            }
        }
    }
}

/// The first values, each as far as it is shown.
fn values<T: Display>(values: &BTreeSet<T>) -> String {
    let mut shown: Vec<String> = values.iter().take(SHOWN).map(|value| cut(&value.to_string())).collect();
    if let Some(more) = values.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        shown.push(format!("{more} more"));
    }
    shown.join(", ")
}

/// Values are printable ASCII.
fn cut(text: &str) -> String {
    match text.get(..LONGEST) {
        Some(start) if text.len() > LONGEST => format!("{start}…"),
        Some(_) | None => text.to_owned(),
    }
}
