"""A real Salt: the master on the jump box, minions on the apps and the databases, from PyPI's `salt` in a virtual
environment outside the repository, which hosts see as /run/jumpdeck/venv."""

import hashlib
import os
import subprocess
from pathlib import Path

from . import database, machine as machines, processes
from .layout import DOMAIN, ENVIRONMENT, FleetError
from .machine import write
from .processes import inside, run, wait_for

VERSION = "3008.*"
# The system's own Python: hosts do not see /root and /home, and the environment's interpreter is a link to it.
PYTHON = "/usr/bin/python3"
INSIDE = "/run/jumpdeck/venv"
MASTER_PORT = 4506
ON_JUMP = ("salt", "salt-key", "salt-run", "salt-call", "salt-cp")

MASTER = """\
interface: {address}
user: root
# Everybody is in one machine: a few workers do, and the keys need not outlive the afternoon.
worker_threads: 3
keysize: 2048
cachedir: /run/salt/cache/master
file_roots: {{base: [/srv/salt]}}
pillar_roots: {{base: [/srv/pillar, /srv/private/pillar]}}
fileserver_backend: [roots]
fileserver_update_interval: 3600
hash_type: sha256
timeout: 15
gather_job_timeout: 5
show_timeout: true
log_level: error
log_level_logfile: warning
enable_ssh_minions: false
"""

MINION = """\
master: salt
id: {name}
cachedir: /run/salt/cache/minion
keysize: 2048
hash_type: sha256
# Threads start at once; a process would import Salt again for every job.
multiprocessing: false
acceptance_wait_time: 2
random_reauth_delay: 2
recon_default: 200
recon_max: 2000
mine_enabled: false
enable_fqdns_grains: false
enable_gpu_grains: false
enable_lspci: false
disable_modules: [boto3_sns, boto_sns]
grains_dirs: [/etc/jumpdeck/grains]
log_level: error
log_level_logfile: warning
"""

# What the host name tells, where /etc/salt/grains does not say otherwise.
ROLES = '''\
"""Roles from the minion's id: digits dropped, split on dashes. A list in /etc/salt/grains wins."""

import pathlib
import re


def roles():
    try:
        if re.search(r"^roles:", pathlib.Path("/etc/salt/grains").read_text(), re.M):
            return {}
    except OSError:
        pass
    name = re.sub(r"[0-9]", "", __opts__["id"])
    return {"roles": [part for part in name.split("-") if part]}
'''

WRAPPER = """\
#!/bin/sh
exec {venv}/bin/python {venv}/bin/{program} "$@"
"""

DAEMON = """\
#!/bin/sh
exec </dev/null >>/var/log/{program}.out 2>&1
mkdir -p /run/salt/cache /var/log/salt
setsid {venv}/bin/python {venv}/bin/{program} &
"""

INFRA = """\
# Addresses of this level. On a change raise gdnsd_timestamp.
infra:
  current:
    tld: {domain}
  gdnsd_timestamp: 2026010101
  hosts_entries:
    salt: {salt}
    mail: {mail}
    backup: {backup}
    masterdb: {masterdb}
  db_servers:
    mysql:
      writes: {masterdb}
      masterdb: {masterdb}
  elasticsearch:
    private: {elastic}
    port: 9200
    nodes:
      - {elastic}
  sessions_redis:
    - {sessions1}:6379
  sessions_memcache:
    - {memcache1}:11211
  alpha_redis:
    - {sessions1}:6379
  alpha_memcache:
    - {memcache1}:11211
    - {memcache2}:11211
"""

ACCOUNTS = """\
accounts:
  mysql:
    wiki: {wiki}
    repl: {repl}
"""

PILLAR_TOP = """\
base:
  '*':
    - infra.{level}
  'P@roles:(app|db)':
    - match: compound
    - accounts.{level}
"""

SALT_TOP = """\
base:
  '*':
    - hosts
  'roles:app':
    - match: grain
    - code
"""

HOSTS_STATE = """\
/etc/hosts:
  file.managed:
    - mode: '0644'
    - contents: |
        127.0.0.1 localhost
        {{%- for name, address in pillar['infra']['hosts_entries'].items() if name not in {known} %}}
        {{{{ address }}}} {{{{ name }}}}.{{{{ pillar['infra']['current']['tld'] }}}} {{{{ name }}}}
        {{%- endfor %}}
{lines}
"""

CODE_STATE = """\
/etc/webplatform/db.ini:
  file.managed:
    - mode: '0644'
    - makedirs: true
    - contents: |
        ; written by Salt from pillar infra:db_servers:mysql
        [database]
        host = {{ pillar['infra']['db_servers']['mysql']['writes'] }}
        port = 3306
        user = wiki
        password_file = /etc/webplatform/db.password

/etc/webplatform/db.password:
  file.managed:
    - mode: '0600'
    - makedirs: true
    - show_changes: false
    - contents_pillar: accounts:mysql:wiki

/etc/webplatform/ca.pem:
  file.managed:
    - mode: '0644'
    - makedirs: true
    - contents: |
CA_LINES
"""

USERDATA = """\
#cloud-config
hostname: {name}
packages: [salt-minion]
"""


def environment():
    """Where the virtual environment is, whether it is there or not."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base, "jumpdeck-tests", "salt-venv")


def is_installed():
    """Whether the environment was made to its end."""
    return environment().joinpath("made").exists()


def install():
    """Makes the virtual environment unless it is there."""
    target = environment()
    if is_installed():
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    run(PYTHON, "-m", "venv", "--clear", str(target))
    run(str(target / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", f"salt=={VERSION}")
    target.joinpath("made").touch()
    return True


def minions(fleet):
    """The hosts that Salt manages."""
    return fleet.apps() + fleet.databases()


def prepare(fleet):
    """Everything Salt needs on the hosts; nothing of it starts with them."""
    if not fleet.databases() or not is_installed():
        return
    jump = fleet.jump
    for machine in [jump, *minions(fleet)]:
        prepare_host(fleet, machine, ON_JUMP if machine.is_jump else ("salt-call",))
    etc = fleet.home(jump) / "etc"
    write(etc / "salt" / "master", MASTER.format(address=fleet.address(jump)))
    write(etc / "jumpdeck" / "salt-master", DAEMON.format(venv=INSIDE, program="salt-master"), 0o755)
    for machine in minions(fleet):
        prepare_minion(fleet, machine)
    write_srv(fleet)


def prepare_host(fleet, machine, programs):
    """The environment and the commands on a host's PATH."""
    home = fleet.home(machine)
    write(home / "venv", str(environment()))
    stand_in = (Path(__file__).parent.parent / "service-stand-in").read_text()
    for program in ("systemctl", "service"):
        write(home / "bin" / program, stand_in, 0o755)
    for program in programs:
        write(home / "bin" / program, WRAPPER.format(venv=INSIDE, program=program), 0o755)


def is_prepared(fleet):
    """Whether this fleet came up with Salt."""
    return (fleet.home(fleet.jump) / "venv").exists()


def fingerprint(fleet, machine):
    """A minion's public key as `salt-key -f` shows it; None where there is no minion."""
    public = fleet.home(machine) / "etc" / "salt" / "pki" / "minion" / "minion.pub"
    if not public.exists():
        return None
    lines = [line for line in public.read_bytes().splitlines(keepends=True) if line.strip()]
    digest = hashlib.sha256(b"".join(lines[1:-1])).hexdigest()
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))


def prepare_minion(fleet, machine):
    """A minion's configuration and key; nothing runs yet."""
    etc = fleet.home(machine) / "etc"
    write(etc / "salt" / "minion", MINION.format(name=machine.name))
    write(etc / "jumpdeck" / "grains" / "roles.py", ROLES)
    write(etc / "jumpdeck" / "salt-minion", DAEMON.format(venv=INSIDE, program="salt-minion"), 0o755)
    pki = etc / "salt" / "pki" / "minion"
    pki.mkdir(parents=True)
    run("openssl", "genrsa", "-out", str(pki / "minion.pem"), "2048", quiet=True)
    (pki / "minion.pem").chmod(0o400)
    write(pki / "minion.pub", run("openssl", "rsa", "-in", str(pki / "minion.pem"), "-pubout"))


def write_srv(fleet):
    """/srv of the jump box: states, pillar, secrets; both repositories with one commit."""
    srv = fleet.home(fleet.jump) / "srv"
    passwords = database.Databases(fleet).passwords()
    names = [m.name for m in fleet.machines]
    lines = "\n".join(f"        {fleet.address(m)} {m.fqdn} {m.name}" for m in fleet.machines)
    write(srv / "salt" / "top.sls", SALT_TOP)
    write(srv / "salt" / "hosts" / "init.sls", HOSTS_STATE.format(known=names, lines=lines))
    ca = "\n".join(" " * 8 + line for line in fleet.path("tls", "ca.pem").read_text().splitlines())
    write(srv / "salt" / "code" / "init.sls", CODE_STATE.replace("CA_LINES", ca))
    write(srv / "pillar" / "top.sls", PILLAR_TOP.format(level=ENVIRONMENT))
    write(srv / "pillar" / "infra" / f"{ENVIRONMENT}.sls", infra(fleet))
    write(srv / "private" / "pillar" / "accounts" / f"{ENVIRONMENT}.sls", ACCOUNTS.format(**passwords), 0o600)
    (srv / "ops").mkdir()
    write(srv / "opsconfigs" / "userdata.txt", USERDATA.format(name="$NAME"))
    for repository in ("salt", "pillar"):
        git = ["git", "-C", str(srv / repository)]
        run(*git, "init", "--quiet", "--initial-branch=main")
        run(*git, "config", "user.name", "Operations")
        run(*git, "config", "user.email", "operations@" + fleet.jump.fqdn)
        run(*git, "add", "--all")
        run(*git, "commit", "--quiet", "--message", "As the fleet came up")


def infra(fleet):
    """The pillar of a fresh fleet."""
    addresses = {m.name: fleet.address(m) for m in fleet.machines}
    return INFRA.format(domain=DOMAIN, masterdb=fleet.address(fleet.databases()[0]), **addresses)


def restore_pillar(fleet):
    """The addresses as a fresh fleet has them, committed when that changes them."""
    pillar = fleet.home(fleet.jump) / "srv" / "pillar"
    if not pillar.exists():
        return
    write(pillar / "infra" / f"{ENVIRONMENT}.sls", infra(fleet))
    git = ["git", "-C", str(pillar)]
    if run(*git, "status", "--porcelain").strip():
        run(*git, "commit", "--quiet", "--all", "--message", "Databases as new")
    if is_up(fleet):
        call(fleet, "salt", "*", "saltutil.refresh_pillar", "wait=True")


def is_up(fleet):
    """Whether the master listens."""
    return processes.is_listening(fleet.jump, MASTER_PORT)


def call(fleet, *command):
    """One of Salt's commands on the jump box; returns what it printed."""
    return run(*inside(fleet.jump, *command))


def up(fleet, pending=()):
    """Starts the master and the minions, and waits until all that are accepted answer."""
    if not is_prepared(fleet):
        raise FleetError("this fleet came up without Salt: tests/fleet salt install, then down and up")
    accept = [m for m in minions(fleet) if m.name not in pending]
    accepted = "/etc/salt/pki/master/minions"
    for machine in accept:
        public = (fleet.home(machine) / "etc" / "salt" / "pki" / "minion" / "minion.pub").read_text()
        machines.put(fleet.jump, f"{accepted}/{machine.name}", public)
    if not is_up(fleet):
        launch(fleet.jump, "salt-master")
        if not wait_for(lambda: is_up(fleet), 60, step=0.1):
            raise FleetError("the Salt master does not listen: see the jump box's log/salt and log/salt-master.out")
    for machine in minions(fleet):
        if not pids(machine):
            launch(machine, "salt-minion")
    waited = ",".join(m.name for m in accept)

    def answering():
        said = run(*inside(fleet.jump, "salt", "-t", "3", "-L", waited, "test.ping", "--out=json", "--static"), check=False)
        return said.count(": true") == len(accept)

    if accept and not wait_for(answering, 90, step=0.2):
        raise FleetError(f"not all minions answer ({waited}): see their log/salt/minion")


def launch(machine, program):
    """Starts one of Salt's daemons on a host."""
    subprocess.run(inside(machine, f"/etc/jumpdeck/{program}"), stdin=subprocess.DEVNULL, check=True)


def pids(machine):
    """The processes of Salt's daemons on a host."""
    here = processes.namespace(machine.pid)
    found = []
    for pid in processes.inhabitants({here}) if here else []:
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if b"/bin/salt-master" in words or b"/bin/salt-minion" in words:
            found.append(pid)
    return found


def down(fleet):
    """Ends Salt on every host; keys and /srv stay."""
    ended = 0
    for machine in [*minions(fleet), fleet.jump]:
        running = pids(machine)
        ended += bool(running)
        processes.send(running, 9)
        if not wait_for(lambda machine=machine: not pids(machine), 10):
            raise FleetError(f"{machine.name}: Salt does not end")
    return ended


def status(fleet):
    """One line a host, and whether the master is up."""
    rows = [f"{fleet.jump.name:<14} salt-master {'up' if is_up(fleet) else 'down'}"]
    rows += [f"{m.name:<14} salt-minion {'up' if pids(m) else 'down'}" for m in minions(fleet)]
    return rows
