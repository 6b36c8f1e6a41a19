//! Who still means the old master, asked of every host of the real fleet: names, files, connections, and what Salt tells its
//! minions. It does not use what a runbook printed.

use std::collections::BTreeSet;
use std::path::Path;

use jumpdeck::config::files;

use crate::support::lane::lane;

/// What a host says of an address, `$1`, that nobody should use as the master's any more. Every host names the server itself,
/// `$2`, and so do the zone and its template; the databases' own files (certificates) and sshd's hold no master.
const ASKED: &str = r#"
for name in masterdb masterdb.production.wpdn; do
  getent ahostsv4 "$name" | cut -d' ' -f1 | sort -u | grep -Fx -- "$1" | sed "s/^/the name $name is /"
done
grep -srIFnw --exclude-dir=.git -- "$1" /etc /srv /opt |
  grep -v -e ":[0-9]*: *$1 $2\." -e ":[0-9]*:$2 IN A " -e '^/etc/mysql/' -e '^/etc/ssh/' -e '^/etc/jumpdeck/' | sed 's/^/the file /'
ss -Htn state established dst "$1" dport = :3306 | sed 's/^/connected: /'
if [ -e /etc/salt/master ]; then
  salt --out=json --static --timeout=30 '*' pillar.items unmask=True | grep -Fw -- "$1" | sed 's/^/in the pillar of a minion: /'
fi
true
"#;

/// Every mention of the old master.
pub(crate) fn mentions(dir: &Path, old: &str) -> BTreeSet<String> {
    let fleet = files::load_inventory(&dir.join("inventory.toml"), &files::context().unwrap()).unwrap();
    let mut hosts: Vec<(String, String)> = Vec::new();
    for host in &fleet.environments[0].hosts {
        hosts.push((host.id.host.to_string(), host.address.to_string()));
    }
    let address = hosts.iter().find(|(name, _)| name == old).unwrap().1.clone();
    let everybody = hosts.into_iter().map(|(name, _)| name).chain(["salt".to_owned()]);
    let said =
        everybody.map(|name| (lane(dir, &["exec", &name, "sh", "-c", ASKED, "sh", &address, old]), name));
    said.flat_map(|(said, name)| said.lines().map(|line| format!("{name}: {line}")).collect::<Vec<_>>())
        .collect()
}
