//! Whether a mail host's addresses lead to a name that leads back to them, as receivers of its mail check it.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use jumpdeck_fleet::outside::{
    DnsReply, DnsSaid, DnsType, MailAddress, MailName, OutsideReading, ReverseState, dns_name,
    reverse_dns_name,
};
use jumpdeck_fleet::text::Clean;

use super::Resolver;
use crate::collect::outside::OpensPorts;
use crate::collect::outside::look::OutsideLook;
use crate::listening::within;

/// All questions for a mail host.
const WHOLE: Duration = Duration::from_secs(30);
/// Addresses of a mail host, and names of an address, that are looked at.
const ADDRESSES: usize = 16;
const NAMES: usize = 4;

/// Looks at a mail host.
pub(in crate::collect::outside) async fn look(mail: &MailName, opens: &dyn OpensPorts) -> OutsideLook {
    let mut resolver = match Resolver::of(opens) {
        Ok(resolver) => resolver,
        Err(why) => return OutsideLook::failed(why, false),
    };
    match within(WHOLE, addresses(mail, &mut resolver)).await {
        Some(Ok(addresses)) => OutsideLook {
            seen: Ok(OutsideReading::Reverse(addresses)),
            reached: resolver.reached,
            proven: true,
        },
        Some(Err(why)) => OutsideLook::failed(why, resolver.reached),
        None => OutsideLook::failed(
            format!("its resolver did not answer everything within {} s", WHOLE.as_secs()),
            resolver.reached,
        ),
    }
}

async fn addresses(mail: &MailName, resolver: &mut Resolver<'_>) -> Result<Vec<MailAddress>, Clean> {
    let found = match mail.host.parse::<IpAddr>() {
        Ok(address) => BTreeSet::from([address]),
        Err(_) => forward(&mail.host, resolver).await?,
    };
    let mut seen = Vec::new();
    for address in found {
        let (names, state) = if seen.len() < ADDRESSES {
            back(mail, address, resolver).await
        } else {
            let why = format!("only its first {ADDRESSES} addresses are looked at");
            (BTreeSet::new(), ReverseState::Unknown(why.into()))
        };
        seen.push(MailAddress { address, names, state });
        if seen.len() > ADDRESSES {
            break;
        }
    }
    Ok(seen)
}

/// The names of an address, and whether they are right.
async fn back(
    mail: &MailName,
    address: IpAddr,
    resolver: &mut Resolver<'_>,
) -> (BTreeSet<Clean>, ReverseState) {
    let names = match resolver.ask(&reverse_dns_name(address), DnsType::Ptr).await.and_then(records) {
        Ok(names) if names.is_empty() => return (names, ReverseState::Missing),
        Ok(names) => names,
        Err(why) => return (BTreeSet::new(), ReverseState::Unknown(why)),
    };
    let right = |name: &&Clean| mail.name.as_deref().is_none_or(|expected| name.as_str() == expected);
    let candidates: Vec<String> =
        names.iter().filter(right).take(NAMES).map(|name| name.as_str().to_owned()).collect();
    let state = if candidates.is_empty() {
        ReverseState::OtherName
    } else {
        leads_back(mail, &candidates, address, resolver).await
    };
    (names, state)
}

async fn leads_back(
    mail: &MailName,
    names: &[String],
    address: IpAddr,
    resolver: &mut Resolver<'_>,
) -> ReverseState {
    let mut unknown = None;
    for name in names {
        // The address is one of that name's.
        if *name == mail.host {
            return ReverseState::Confirmed;
        }
        // What is no host name leads nowhere.
        if dns_name(name).is_none() {
            continue;
        }
        match forward(name, resolver).await {
            Ok(addresses) if addresses.contains(&address) => return ReverseState::Confirmed,
            Ok(_) => {}
            Err(why) => unknown = Some(why),
        }
    }
    unknown.map_or(ReverseState::NotBack, ReverseState::Unknown)
}

/// The addresses of a name, of both kinds.
async fn forward(name: &str, resolver: &mut Resolver<'_>) -> Result<BTreeSet<IpAddr>, Clean> {
    let mut found = BTreeSet::new();
    for kind in [DnsType::A, DnsType::Aaaa] {
        let values = records(resolver.ask(name, kind).await?)?;
        found.extend(values.iter().filter_map(|value| value.as_str().parse::<IpAddr>().ok()));
    }
    Ok(found)
}

/// The records that there are, or why that is not known.
fn records(reply: DnsReply) -> Result<BTreeSet<Clean>, Clean> {
    match reply.said {
        DnsSaid::Answers(answers) => Ok(answers.values),
        DnsSaid::NoSuchName(_) | DnsSaid::NoRecord(_) => Ok(BTreeSet::new()),
        DnsSaid::Elsewhere(alias) => Err(format!("resolver {} does not know {alias}", reply.server).into()),
        DnsSaid::Failed(why) | DnsSaid::NotAsked(why) => Err(why),
    }
}
