"""The name server: Debian's gdnsd on the jump box of a fleet with Salt, which renders its zone. Hosts ask it for what their /etc/hosts
does not say."""

import shutil

from . import machine as machines
from .layout import DOMAIN
from .machine import write
from .processes import inside, run

SERIAL = 2026010101

CONFIG = """\
options => {{
  listen => [ {address}, 127.0.0.1 ]
  # An alias comes with its address: what asks on the hosts does not ask again. Since gdnsd 3.4 it does not, unless told to.
  experimental_no_chain => false
}}
"""

# As Debian's unit: as its own user, which may listen on port 53. It is ready when it answers its control socket.
DAEMON = """\
#!/bin/sh
exec </dev/null >>/var/log/gdnsd.out 2>&1
install -d -o gdnsd -g gdnsd -m 0700 /run/gdnsd
setsid setpriv --reuid gdnsd --regid gdnsd --clear-groups --bounding-set -all,+net_bind_service \\
    --inh-caps -all,+net_bind_service --ambient-caps -all,+net_bind_service /usr/sbin/gdnsd start &
while ! gdnsdctl status; do
    kill -0 $! || exit 1
    sleep 0.05
done
"""

# Salt sees a service by its script where no systemd runs.
SCRIPT = """\
#!/bin/sh
exec /usr/local/bin/service gdnsd "$@"
"""

STATE = """\
zone:
  file.managed:
    - name: /etc/gdnsd/zones/{domain}
    - source: salt://gdnsd/files/zone.jinja
    - template: jinja
gdnsd:
  service.running:
    - reload: True
    - watch:
      - file: zone
"""

# A minion says its own address; where it does not, and of hosts without one, the address is the one that is written here.
ZONE = """\
; Managed by Salt
$ORIGIN {domain}.
$TTL 3600
@ IN SOA salt hostmaster ( {serial} 7200 1800 1209600 300 )
@ IN NS salt
salt IN A {salt}
{hosts}
masterdb 60 IN A {masterdb}
mysql 60 IN CNAME masterdb
"""
PILLAR = "{{{{ pillar['infra']{keys} }}}}"
MINION = "{{{{ told.get('{name}', [])|sort|first|default('{address}', true) }}}}"
ASKED = "{%- set told = salt['publish.publish']('app* or db*', 'network.ip_addrs', 'eth0', 'compound') or {} -%}\n"


def prepare(fleet):
    """The name server of a fresh fleet, its zone as Salt renders it; it starts with the jump box."""
    if not fleet.has_names:
        return
    prepare_program(fleet)
    etc = fleet.home(fleet.jump) / "etc"
    write(etc / "gdnsd" / "config", CONFIG.format(address=fleet.address(fleet.jump)))
    write(etc / "gdnsd" / "zones" / DOMAIN, zone(fleet, {m.name: fleet.address(m) for m in fleet.present()}))
    shutil.copy(etc / "jumpdeck" / "gdnsd", etc / "jumpdeck" / "start-gdnsd")


def prepare_program(fleet):
    """The program as its package leaves it: not configured, not started."""
    if fleet.has_names:
        etc = fleet.home(fleet.jump) / "etc"
        write(etc / "jumpdeck" / "gdnsd", DAEMON, 0o755)
        write(etc / "init.d" / "gdnsd", SCRIPT, 0o755)


def reset(fleet):
    """The zone as a fresh fleet has it, and served: where a name server runs, which a box that was lost has not yet."""
    if fleet.has_names and machines.daemons(fleet.jump, "gdnsd"):
        addresses = {m.name: fleet.address(m) for m in fleet.present()}
        machines.put(fleet.jump, f"/etc/gdnsd/zones/{DOMAIN}", zone(fleet, addresses))
        run(*inside(fleet.jump, "gdnsdctl", "reload-zones"))


def zone(fleet, addresses, serial=SERIAL, masterdb=None):
    """The zone with these addresses, by name."""
    hosts = "\n".join(f"{m.name} IN A {addresses[m.name]}" for m in fleet.present() if not m.is_jump)
    masterdb = masterdb or fleet.address(fleet.databases()[0])
    return ZONE.format(domain=DOMAIN, serial=serial, salt=addresses[fleet.jump.name], hosts=hosts, masterdb=masterdb)


def write_states(fleet, salt):
    """The state `gdnsd` in Salt's files."""
    if not fleet.has_names:
        return
    minions = {m.name for m in fleet.apps() + fleet.databases()}
    addresses = {m.name: fleet.address(m) for m in fleet.present()}
    said = {name: MINION.format(name=name, address=addresses[name]) for name in minions}
    entry = "['hosts_entries']['{}']".format
    said[fleet.jump.name] = PILLAR.format(keys=entry("salt"))
    template = zone(fleet, {**addresses, **said}, PILLAR.format(keys="['gdnsd_timestamp']"), PILLAR.format(keys=entry("masterdb")))
    write(salt / "gdnsd" / "init.sls", STATE.format(domain=DOMAIN))
    write(salt / "gdnsd" / "files" / "zone.jinja", ASKED + template)
