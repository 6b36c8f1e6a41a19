//! What is written for the name server, as gdnsd reads it: a zone file is taken whole or not at all, and the
//! configuration says where it listens.

use std::net::Ipv4Addr;

use super::Record;

/// A zone file that was read to its end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Zone {
    /// Its addresses and aliases.
    pub(super) records: Vec<Record>,
    /// Its SOA, as `dig +short` prints it.
    pub(super) soa: String,
}

/// Where a line of a zone file leaves the reader.
struct Reader<'a> {
    /// The zone's name, which is the file's.
    name: &'a str,
    origin: String,
    owner: String,
    ttl: u32,
    zone: Zone,
}

/// Reads a zone file; an error is what gdnsd says of it. Types other than `A`, `CNAME` and `SOA` are passed over.
pub(super) fn read(path: &str, text: &str, ttl: u32) -> Result<Zone, String> {
    let name = path.rsplit('/').next().unwrap_or_default();
    let (origin, owner) = (name.to_owned(), name.to_owned());
    let mut reader = Reader { name, origin, owner, ttl, zone: Zone::default() };
    let mut open = String::new();
    for (line, number) in text.lines().zip(1_u32..) {
        open.push_str(line.split(';').next().unwrap_or_default());
        if open.matches('(').count() > open.matches(')').count() {
            open.push(' ');
            continue;
        }
        reader.line(&open.replace(['(', ')'], " ")).map_err(|why| {
            format!("rfc1035: Zone {name}.: Zonefile parse error at file {path} line {number}: {why}")
        })?;
        open.clear();
    }
    match reader.zone {
        zone if zone.soa.is_empty() => Err(format!("Zone '{name}.' has no SOA record")),
        zone => Ok(zone),
    }
}

impl Reader<'_> {
    /// A name in full, without the dot at its end.
    fn full(&self, name: &str) -> String {
        match (name, name.strip_suffix('.')) {
            ("@", _) => self.origin.clone(),
            (_, Some(whole)) => whole.to_ascii_lowercase(),
            _ => format!("{name}.{}", self.origin).to_ascii_lowercase(),
        }
    }

    fn line(&mut self, line: &str) -> Result<(), String> {
        let mut words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [] => return Ok(()),
            ["$ORIGIN", origin] => return self.moves_to(origin),
            ["$TTL", seconds] => {
                self.ttl = seconds.parse().map_err(|_| "General parse error")?;
                return Ok(());
            }
            _ => {}
        }
        // Without a name at its beginning a line is about the name of the one before it.
        if !line.starts_with([' ', '\t']) {
            self.owner = self.full(words.remove(0));
        }
        let mut ttl = self.ttl;
        while let Some(word) = words.first() {
            match word.parse() {
                Ok(seconds) => ttl = seconds,
                Err(_) if word.eq_ignore_ascii_case("IN") => {}
                Err(_) => break,
            }
            words.remove(0);
        }
        self.record(ttl, &words)
    }

    fn moves_to(&mut self, origin: &str) -> Result<(), String> {
        let origin = origin.trim_end_matches('.').to_ascii_lowercase();
        let name = self.name;
        if origin != name && !origin.ends_with(&format!(".{name}")) {
            return Err(format!("Origin '{origin}.' is not within this zonefile's zone ({name}.)"));
        }
        self.origin = origin;
        Ok(())
    }

    fn record(&mut self, ttl: u32, words: &[&str]) -> Result<(), String> {
        let data = match words {
            ["A", address] => match address.parse::<Ipv4Addr>() {
                Ok(address) => address.to_string(),
                Err(_) => return Err(format!("IPv4 address '{address}' invalid")),
            },
            ["CNAME", name] => self.full(name),
            ["SOA", server, mail, numbers @ ..] if numbers.len() == 5 => {
                let (server, mail) = (self.full(server), self.full(mail));
                self.zone.soa = format!("{server}. {mail}. {}", numbers.join(" "));
                return Ok(());
            }
            ["AAAA" | "CAA" | "MX" | "NAPTR" | "NS" | "PTR" | "SRV" | "TXT", _, ..] => return Ok(()),
            _ => return Err("General parse error".to_owned()),
        };
        let kind = words.first().copied().unwrap_or_default().to_owned();
        self.zone.records.push(Record { name: self.owner.clone(), ttl, kind, data });
        Ok(())
    }
}

/// The addresses that a configuration has the server listen at; `None`: at every address of its machine.
pub(super) fn listens(config: &str) -> Option<Vec<String>> {
    let text: String = config.lines().map(|line| line.split('#').next().unwrap_or_default()).collect();
    let told = text.split_once("listen")?.1.trim_start_matches([' ', '\t', '=', '>']);
    let told = match told.strip_prefix('[') {
        Some(list) => list.split(']').next()?,
        None => told.split([' ', '\t', '}']).next()?,
    };
    let found: Vec<String> =
        told.split([' ', '\t', ',']).filter(|word| !word.is_empty()).map(str::to_owned).collect();
    (found != ["any"]).then_some(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{listens, read};

    const HEAD: &str = "$ORIGIN x.y.\n$TTL 3600\n@ IN SOA salt hostmaster (\n 7 ; serial\n 7200 1800 1209600 300 )\n@ IN NS salt\n";

    #[test]
    fn a_zone_is_read_whole_or_not_at_all() {
        let zone = read("/z/x.y", &format!("{HEAD}salt IN A 10.0.0.1\ndb 60 IN CNAME salt\n"), 1).unwrap();
        assert_eq!(zone.soa, "salt.x.y. hostmaster.x.y. 7 7200 1800 1209600 300");
        let said: Vec<_> = zone.records.iter().map(|r| (r.name.as_str(), r.ttl, r.data.as_str())).collect();
        assert_eq!(said, [("salt.x.y", 3600, "10.0.0.1"), ("db.x.y", 60, "salt.x.y")]);
        // As gdnsd 3.8 says it.
        for (line, why) in [
            ("salt IN A 10.0.0", "line 7: IPv4 address '10.0.0' invalid"),
            ("bad", "line 7: General parse error"),
            ("salt IN WHAT 1", "line 7: General parse error"),
            ("$ORIGIN b.", "line 7: Origin 'b.' is not within this zonefile's zone (x.y.)"),
        ] {
            let said = read("/z/x.y", &format!("{HEAD}{line}\n"), 1).unwrap_err();
            assert!(said.ends_with(why), "{said}");
        }
        assert_eq!(read("/z/x.y", "salt IN A 10.0.0.1\n", 1).unwrap_err(), "Zone 'x.y.' has no SOA record");
    }

    #[test]
    fn a_configuration_says_where_it_listens() {
        let list = "options => {\n  # inside\n  listen => [ 10.0.0.1, 127.0.0.1 ]\n}\n";
        assert_eq!(listens(list).unwrap(), ["10.0.0.1", "127.0.0.1"]);
        assert_eq!(listens("options => { listen => 10.0.0.1 }").unwrap(), ["10.0.0.1"]);
        assert_eq!(listens("options => { listen => any }"), None);
        assert_eq!(listens(""), None);
    }
}
