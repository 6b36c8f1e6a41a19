//! Addresses, ports, account names: what may stand there, and what to write instead.

use std::net::{IpAddr, Ipv6Addr};

use crate::config::reader::{Reader, Table};
use jumpdeck_fleet::text::is_drawn;

/// No account's name is longer (`LOGIN_NAME_MAX`).
const LONGEST_USER: usize = 256;

/// An IP address or a host name.
pub(super) fn read_address(reader: &mut Reader, table: &Table<'_>, key: &str) -> Option<String> {
    let text = reader.string(table, key, "write address = \"10.0.0.5\" or address = \"db1.example.org\"")?;
    match check(text.value) {
        Ok(()) => Some(text.value.to_owned()),
        Err(help) => {
            reader.error(text.span, format!("{:?} is not an address", text.value), help);
            None
        }
    }
}

/// The domain that is put behind host names.
pub(super) fn read_domain(reader: &mut Reader, table: &Table<'_>) -> Option<String> {
    let hint = "write domain = \"production.wpdn\": host db1 is then reached as db1.production.wpdn";
    let text = reader.string(table, "domain", hint)?;
    if text.value.parse::<IpAddr>().is_ok() || check(text.value).is_err() {
        reader.error(text.span, format!("{:?} is not a domain", text.value), hint);
        return None;
    }
    Some(text.value.to_owned())
}

/// A TCP port.
pub(super) fn read_port(reader: &mut Reader, table: &Table<'_>) -> Option<u16> {
    reader.integer(table, "port", 1..=65_535).and_then(|port| u16::try_from(port).ok())
}

/// An account name, as the server knows it: `deploy`, `CORP\\alice`, `ops+db`, `user:target`, `me@realm`. It goes into the SSH
/// login and into no command.
pub(super) fn read_user(reader: &mut Reader, table: &Table<'_>) -> Option<String> {
    let text = reader.string(table, "user", "write user = \"deploy\"")?;
    if user_is_sound(text.value) {
        return Some(text.value.to_owned());
    }
    let help = "write the account's name, without spaces and not starting with '-': user = \"deploy\"";
    reader.error(text.span, format!("{:?} is not an account name", text.value), help);
    None
}

fn user_is_sound(user: &str) -> bool {
    !user.is_empty()
        && user.len() <= LONGEST_USER
        && !user.starts_with('-')
        && user.chars().all(|c| !c.is_whitespace() && is_drawn(c))
}

/// What is wrong with an address, told as what to do about it.
fn check(address: &str) -> Result<(), String> {
    let example = "write an IP address (10.0.0.5, ::1) or a host name (db1.example.org)";
    if address.parse::<IpAddr>().is_ok() {
        return Ok(());
    }
    if let Some((ip, zone)) = address.split_once('%')
        && let Ok(ip) = ip.parse::<Ipv6Addr>()
    {
        return check_zone(ip, zone);
    }
    if let Some(inner) = address.strip_prefix('[')
        && let Some((inner, _)) = inner.split_once(']')
        && check(inner).is_ok()
        && inner.contains(':')
    {
        return Err(format!("write {inner:?} without brackets; a port goes into port = …"));
    }
    if let Some((user, rest)) = address.split_once('@') {
        return Err(format!("write the account apart: user = {user:?}, address = {rest:?}"));
    }
    if let Some((host, port)) = address.rsplit_once(':')
        && check(host).is_ok()
        && port.parse::<u16>().is_ok()
    {
        return Err(format!("write the port apart: address = {host:?}, port = {port}"));
    }
    let labels_are_plain = address.strip_suffix('.').unwrap_or(address).split('.').all(|label| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    });
    if !labels_are_plain || address.len() > 253 {
        return Err(example.to_owned());
    }
    // `10.0.0.256` is a slip, not a name: no top-level domain is a number (RFC 3696, 2).
    let last = address.trim_end_matches('.').rsplit('.').next().unwrap_or(address);
    if last.chars().all(|c| c.is_ascii_digit()) {
        return Err(format!("{example}; each of the four numbers is 0 to 255"));
    }
    Ok(())
}

/// A zone names the interface of a link-local address: `fe80::1%eth0`.
fn check_zone(ip: Ipv6Addr, zone: &str) -> Result<(), String> {
    let is_name =
        (1..=15).contains(&zone.len()) && zone.chars().all(|c| c.is_ascii_graphic() && !"/%[]".contains(c));
    if !is_name {
        return Err("write the interface after the %: address = \"fe80::1%eth0\"".to_owned());
    }
    match ip.is_unicast_link_local() || ip.is_multicast() {
        true => Ok(()),
        false => Err(format!("only a link-local address (fe80::) has a zone: write address = \"{ip}\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for good in [
            "10.0.0.5",
            "::1",
            "fe80::1",
            "fe80::1%eth0",
            "fe80::a:1%enp0s31f6",
            "fe80::1%2",
            "FE80::1%br-0.7",
            "db1",
            "db1.production.wpdn",
            "db_1.x",
            "example.org.",
            "1db",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for (bad, word) in [
            ("", "write an IP"),
            ("host name", "write an IP"),
            ("10.0.0.256", "0 to 255"),
            ("10.0.0", "0 to 255"),
            ("[::1]", "without brackets"),
            ("[::1]:22", "without brackets"),
            ("db1:22", "port = 22"),
            ("root@db1", "user = \"root\""),
            ("-oProxyCommand=x", "write an IP"),
            ("a..b", "write an IP"),
            ("ä.de", "write an IP"),
            ("::g", "write an IP"),
            ("fe80::1%", "after the %"),
            ("fe80::1%eth0%1", "after the %"),
            ("fe80::1%eth 0", "after the %"),
            ("fe80::1%a/b", "after the %"),
            ("2001:db8::1%eth0", "only a link-local"),
            ("10.0.0.5%eth0", "write an IP"),
            ("[fe80::1%eth0]", "without brackets"),
        ] {
            assert!(check(bad).is_err_and(|help| help.contains(word)), "{bad:?}: {:?}", check(bad));
        }
    }

    /// Case 28: account names as directories and bastions have them.
    #[test]
    fn accounts() {
        let long = "x".repeat(LONGEST_USER);
        for good in [
            "deploy",
            "CORP\\alice",
            "ops+db",
            "user:target",
            "me@realm",
            "me@realm@gate",
            "a%b",
            "svc$",
            "x#y",
            "_a.b-c",
            "m\u{fc}ller",
            "cn=a,ou=b",
            "a/b",
            "o'neill",
            long.as_str(),
        ] {
            assert!(user_is_sound(good), "{good}");
        }
        let longer = "x".repeat(LONGEST_USER + 1);
        for bad in [
            "",
            "-oProxyCommand=id",
            "a b",
            "a\tb",
            "a\nb",
            "a\0",
            "a\u{202e}b",
            "a\u{200b}",
            longer.as_str(),
        ] {
            assert!(!user_is_sound(bad), "{bad:?}");
        }
    }
}
