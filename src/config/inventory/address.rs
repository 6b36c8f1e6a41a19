//! Addresses, ports, account names: what may stand there, and what to write instead.

use std::net::IpAddr;

use crate::config::reader::{Reader, Table};

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

/// An account name: not empty, nothing that a shell or another program could take for something else.
pub(super) fn read_user(reader: &mut Reader, table: &Table<'_>) -> Option<String> {
    let text = reader.string(table, "user", "write user = \"deploy\"")?;
    if user_is_plain(text.value) {
        return Some(text.value.to_owned());
    }
    let help = "use letters, digits, '.', '_', '@' and '-', not starting with '-'";
    reader.error(text.span, format!("{:?} is not an account name", text.value), help);
    None
}

fn user_is_plain(user: &str) -> bool {
    !user.is_empty()
        && !user.starts_with('-')
        && user.chars().all(|c| c.is_ascii_alphanumeric() || "._@-".contains(c))
}

/// What is wrong with an address, told as what to do about it.
fn check(address: &str) -> Result<(), String> {
    let example = "write an IP address (10.0.0.5, ::1) or a host name (db1.example.org)";
    if address.parse::<IpAddr>().is_ok() {
        return Ok(());
    }
    if let Some(inner) = address.strip_prefix('[')
        && let Some((inner, _)) = inner.split_once(']')
        && inner.parse::<IpAddr>().is_ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for good in
            ["10.0.0.5", "::1", "fe80::1", "db1", "db1.production.wpdn", "db_1.x", "example.org.", "1db"]
        {
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
        ] {
            assert!(check(bad).is_err_and(|help| help.contains(word)), "{bad:?}: {:?}", check(bad));
        }
    }
}
