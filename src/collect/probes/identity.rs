//! Who answers: hostname and machine-id. With the report's nonce it proves which machine a figure is from.

use crate::collect::probe::{Probe, ProbeCadence, Raw, unreadable};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::snapshot::{HostFacts, Identity as Who};
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::time::Moment;

pub(super) struct IdentityProbe;

impl Probe for IdentityProbe {
    fn name(&self) -> &'static str {
        "identity"
    }

    fn script(&self) -> &'static str {
        // The kernel's own word first: no process. A machine-id is not everywhere (not before systemd or dbus).
        r#"
        probe_identity() {
            slurp /proc/sys/kernel/hostname || {
                identity_name=$(uname -n) || identity_name=$(hostname) || { say 'uname or hostname'; return 127; }
                say "$identity_name"
            }
            say @machine-id
            slurp /etc/machine-id || slurp /var/lib/dbus/machine-id || :
        }
        "#
    }

    fn cadence(&self) -> ProbeCadence {
        ProbeCadence::Every
    }

    fn ingest(&self, raw: Result<&Raw, Gap>, at: Moment, facts: &mut HostFacts) {
        facts.identity.take(raw.and_then(|raw| parse(raw.ok()?)), at);
    }
}

fn parse(text: &str) -> Result<Who, Gap> {
    let mut lines = text.lines().map(str::trim);
    let hostname = lines.next().filter(|l| !l.is_empty() && *l != "@machine-id");
    let hostname = Clean::new(hostname.ok_or_else(|| unreadable("no hostname"))?);
    let machine_id = lines.skip_while(|l| *l != "@machine-id").nth(1);
    let is_id = |l: &&str| l.len() == 32 && l.bytes().all(|b| b.is_ascii_hexdigit());
    Ok(Who { hostname, machine_id: machine_id.filter(is_id).map(Clean::new) })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn hostname_and_machine_id() {
        let who = parse("db1-masterdb\n@machine-id\n0123456789abcdef0123456789abcdef\n").unwrap();
        assert_eq!(who.hostname.as_str(), "db1-masterdb");
        assert_eq!(who.machine_id.unwrap().as_str(), "0123456789abcdef0123456789abcdef");
        assert_eq!(parse("app1\n@machine-id\n").unwrap().machine_id, None);
        assert_eq!(parse("app1\n@machine-id\nuninitialized\n").unwrap().machine_id, None);
        assert_eq!(parse("a\x1b[2Jb\n").unwrap().hostname.as_str(), "a^[[2Jb");
        for none in ["", "\n", "@machine-id\n0123456789abcdef0123456789abcdef\n"] {
            assert!(matches!(parse(none), Err(Gap::Unreadable(_))), "{none:?}");
        }
    }
}
