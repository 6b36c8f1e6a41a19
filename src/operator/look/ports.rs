//! Listening ports, from `ss -ltnup` (iproute2) or the kernel's own tables (`/proc/net/tcp`, proc(5)).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::answer::LookParts;
use jumpdeck_fleet::look::{ListeningPort, PortOwner, PortProtocol};
use jumpdeck_fleet::text::Clean;

/// More are not kept.
const MOST: usize = 2000;
/// Of these, processes that share one port.
const MOST_OWNERS: usize = 50;

/// Reads an answer.
pub(super) fn read(parts: &LookParts<'_>) -> (Vec<ListeningPort>, Vec<Clean>) {
    let root = parts.is_root();
    let mut ports: Vec<ListeningPort> = Vec::new();
    for line in parts.part("ss").into_iter().flat_map(|part| part.body.lines()) {
        ports.extend(of_ss(line, root));
    }
    for part in parts.all("net") {
        ports.extend(part.body.lines().filter_map(|line| of_table(line, part.value)));
    }
    let mut notes = Vec::new();
    if parts.part("no-ss").is_some() {
        notes.push("ss is not installed there: which process listens is not known".into());
    } else if ports.iter().any(|port| port.owner == PortOwner::Hidden) {
        let text = "which process listens is shown to root alone: sudo = true in the inventory asks as root";
        notes.push(text.into());
    }
    ports.sort_by_key(|port| (port.port, port.protocol));
    if ports.len() > MOST {
        notes.push(Clean::new(&format!("{} ports; the first {MOST} are listed", ports.len())));
        ports.truncate(MOST);
    }
    (ports, notes)
}

/// `tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=812,fd=3))`, in older ones `("sshd",812,3)`.
fn of_ss(line: &str, root: bool) -> Option<ListeningPort> {
    let mut rest = line;
    let mut word = || {
        rest = rest.trim_start();
        let (word, behind) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
        rest = behind;
        (!word.is_empty()).then_some(word)
    };
    let protocol = match word()? {
        "tcp" => PortProtocol::Tcp,
        "udp" => PortProtocol::Udp,
        _ => return None,
    };
    let _state = word()?;
    let (waiting, room) = (word()?.parse::<u64>().ok()?, word()?.parse::<u64>().ok()?);
    let (address, port) = address(word()?)?;
    let _peer = word()?;
    let owners = owners(rest);
    let owner = match (owners.is_empty(), root) {
        (false, _) => PortOwner::Processes(owners),
        (true, true) => PortOwner::Kernel,
        (true, false) => PortOwner::Hidden,
    };
    let queue = (protocol == PortProtocol::Tcp).then_some((waiting, Some(room)));
    Some(ListeningPort { protocol, address, port, owner, queue })
}

/// `127.0.0.1:22`, `*:22`, `[::]:22`, `:::22`, `127.0.0.53%lo:53`.
fn address(text: &str) -> Option<(Clean, u16)> {
    let (address, port) = text.rsplit_once(':')?;
    let address = match address.trim_start_matches('[').trim_end_matches(']') {
        "0.0.0.0" => "*",
        "" | "::" => "[::]",
        other => other,
    };
    Some((Clean::new(address), port.parse().ok()?))
}

/// The names and numbers in `users:(("a",pid=1,fd=3),("b",2,4))`, each once.
fn owners(text: &str) -> Vec<(Clean, u32)> {
    let Some(mut rest) = text.trim_start().strip_prefix("users:(") else { return Vec::new() };
    let mut found: Vec<(Clean, u32)> = Vec::new();
    while let Some((_, behind)) = rest.split_once("(\"") {
        let Some((name, behind)) = behind.split_once("\",") else { break };
        let digits = behind.strip_prefix("pid=").unwrap_or(behind);
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        if let Some(pid) = digits.get(..end).and_then(|digits| digits.parse().ok()) {
            let owner = (Clean::new(name), pid);
            if !found.contains(&owner) && found.len() < MOST_OWNERS {
                found.push(owner);
            }
        }
        rest = behind;
    }
    found.sort();
    found
}

/// `  0: 0100007F:0CEA 00000000:0000 0A 00000000:00000001 …`: addresses in the byte order of the machine, four bytes at a time. That is
/// little-endian on all that Debian has but s390x.
fn of_table(line: &str, table: &str) -> Option<ListeningPort> {
    let protocol = if table.starts_with("tcp") { PortProtocol::Tcp } else { PortProtocol::Udp };
    let mut words = line.split_ascii_whitespace();
    let (local, queues) = (words.nth(1)?, words.nth(2)?);
    let (address, port) = local.split_once(':')?;
    let words: Vec<u32> = (0..address.len() / 8)
        .map(|at| u32::from_str_radix(address.get(at * 8..at * 8 + 8)?, 16).ok().map(u32::swap_bytes))
        .collect::<Option<_>>()?;
    let ip = match words.as_slice() {
        [word] => IpAddr::V4(Ipv4Addr::from(*word)),
        [a, b, c, d] => {
            let bits = [a, b, c, d].iter().fold(0_u128, |bits, word| bits << 32 | u128::from(**word));
            IpAddr::V6(Ipv6Addr::from(bits))
        }
        _ => return None,
    };
    let address = match ip {
        IpAddr::V4(ip) if ip.is_unspecified() => "*".to_owned(),
        IpAddr::V6(ip) if ip.is_unspecified() => "[::]".to_owned(),
        ip => ip.to_string(),
    };
    let (_, waiting) = queues.split_once(':')?;
    let waiting = u64::from_str_radix(waiting, 16).ok()?;
    Some(ListeningPort {
        protocol,
        address: Clean::new(&address),
        port: u16::from_str_radix(port, 16).ok()?,
        owner: PortOwner::Hidden,
        queue: (protocol == PortProtocol::Tcp).then_some((waiting, None)),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn lines(text: &str) -> (Vec<String>, Vec<String>) {
        let (ports, notes) = read(&LookParts::of(text, "M").unwrap());
        let line = |port: &ListeningPort| {
            let queue = port.queue.map_or_else(String::new, |(waiting, room)| {
                format!(" {waiting}/{}", room.map_or("?".to_owned(), |room| room.to_string()))
            });
            let (protocol, address) = (port.protocol.word(), &port.address);
            format!("{protocol} {address} {}{queue} {}", port.port, port.owner.words())
        };
        (ports.iter().map(line).collect(), notes.iter().map(ToString::to_string).collect())
    }

    /// As iproute2 of Debian 7, 9 and 12 print it.
    #[test]
    fn what_ss_prints_is_read_since_2012() {
        let text = "M user 0\nM ss\n\
            Netid State      Recv-Q Send-Q     Local Address:Port       Peer Address:Port \n\
            udp   UNCONN     0      0                      *:68                    *:*      users:((\"dhclient\",1702,6))\n\
            tcp   LISTEN     0      128                   :::22                   :::*      users:((\"sshd\",2105,4))\n\
            tcp   LISTEN     0      50             127.0.0.1:3306                  *:*      users:((\"mysqld\",2300,10))\n\
            tcp   LISTEN 129    128    [::ffff:10.0.0.1]:80  [::]:*  users:((\"nginx\",pid=9,fd=6),(\"nginx\",pid=8,fd=6),(\"a \\\",b\",pid=7,fd=1))\n\
            udp   UNCONN 0      0      127.0.0.53%lo:53    0.0.0.0:*\n\
            nl    UNCONN 0 0 rtnl:kernel *\n\nM end\n";
        let (ports, notes) = lines(text);
        assert_eq!(
            ports,
            [
                "tcp [::] 22 0/128 sshd 2105",
                "udp 127.0.0.53%lo 53 (kernel)",
                "udp * 68 dhclient 1702",
                // A name with a quote in it cannot be told from its end.
                "tcp ::ffff:10.0.0.1 80 129/128 nginx 8 9",
                "tcp 127.0.0.1 3306 0/50 mysqld 2300",
            ]
        );
        assert!(notes.is_empty(), "{notes:?}");
    }

    #[test]
    fn whose_a_port_is_root_knows() {
        let (ports, notes) = lines("M user 1000\nM ss\ntcp LISTEN 0 128 *:22 *:*\n\nM end\n");
        assert_eq!(ports, ["tcp * 22 0/128 ?"]);
        assert!(notes.concat().contains("sudo = true"), "{notes:?}");
    }

    #[test]
    fn without_ss_the_tables_of_the_kernel_tell() {
        let text = "M user 0\nM no-ss\nM net tcp\n   \
            0: 0100007F:0CEA 00000000:0000 0A 00000000:00000002 00:00000000 00000000   110        0 1 1 0 100 0 0 10 0\n\nM net tcp6\n   \
            0: 00000000000000000000000000000000:0016 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 9\n   \
            1: B80D01200000000000000000010000FF:01BB 0:0 0A 00000000:00000000 00:0 0 0 0 9\n\nM net udp\n  \
            5: 00000000:0044 00000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 9 2 0 0\n\nM end\n";
        let (ports, notes) = lines(text);
        assert_eq!(
            ports,
            ["tcp [::] 22 0/? ?", "udp * 68 ?", "tcp 2001:db8::ff00:1 443 0/? ?", "tcp 127.0.0.1 3306 2/? ?",]
        );
        assert!(notes.concat().contains("ss is not installed"), "{notes:?}");
    }

    proptest::proptest! {
        #[test]
        fn no_answer_is_too_odd(text in "(M (ss|net tcp|net udp6|user 0)\n|(tcp|udp) LISTEN [0-9]{1,3} [0-9]{1,20} .{0,30}\n| *0: [0-9A-F]{0,40}:[0-9A-F]{0,5} .{0,20}\n){0,20}M end\n") {
            if let Some(parts) = LookParts::of(&text, "M") {
                let _ = read(&parts);
            }
        }
    }
}
