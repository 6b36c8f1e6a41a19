"""A real Salt: the master on the jump box, minions on the apps and the databases, from PyPI's `salt` in a virtual
environment outside the repository, which hosts see as /run/fleet-rig/venv."""

import hashlib
import os
import subprocess
from pathlib import Path

from . import database, machine as machines, names, processes, salt_files as files
from .layout import DOMAIN, ENVIRONMENT, FleetError
from .machine import write
from .processes import inside, run, wait_for

VERSION = "3008.*"
# The system's own Python: hosts do not see /root and /home, and the environment's interpreter is a link to it.
PYTHON = "/usr/bin/python3"
INSIDE = "/run/fleet-rig/venv"
MASTER_PORT = 4506
ON_JUMP = ("salt", "salt-key", "salt-run", "salt-call", "salt-cp")

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
    """The hosts that Salt manages; the last one is the master's own."""
    return [*fleet.apps(), *fleet.databases(), fleet.jump]


def prepare(fleet):
    """Everything Salt needs on the hosts; nothing of it starts with them."""
    if not fleet.databases() or not fleet.has_salt or not is_installed():
        return
    jump = fleet.jump
    for machine in minions(fleet):
        prepare_host(fleet, machine, ON_JUMP if machine.is_jump else ("salt-call",))
    etc = fleet.home(jump) / "etc"
    write(etc / "salt" / "master", files.MASTER.format(address=fleet.address(jump)))
    write(etc / "jumpdeck" / "salt-master", files.DAEMON.format(venv=INSIDE, program="salt-master"), 0o755)
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
        write(home / "bin" / program, files.WRAPPER.format(venv=INSIDE, program=program), 0o755)


def is_prepared(fleet):
    """Whether this fleet came up with Salt."""
    return (fleet.home(fleet.jump) / "venv").exists()


def fingerprints(fleet, machine):
    """A minion's public key as `key.finger` of the minion and as `salt-key -f` of the master show it; none where there
    is no minion. Salt 3008's salt-key takes the whole text where the minion takes what is between its first and last
    line."""
    public = fleet.home(machine) / "etc" / "salt" / "pki" / "minion" / "minion.pub"
    if not public.exists():
        return []
    whole = public.read_bytes().rstrip()
    inner = b"".join(whole.splitlines(keepends=True)[1:-1])
    digests = [hashlib.sha256(text).hexdigest() for text in (inner, whole)]
    return [":".join(digest[at : at + 2] for at in range(0, len(digest), 2)) for digest in digests]


def prepare_minion(fleet, machine):
    """A minion's configuration and key; nothing runs yet."""
    etc = fleet.home(machine) / "etc"
    write(etc / "salt" / "minion", files.MINION.format(name=machine.name))
    write(etc / "jumpdeck" / "grains" / "roles.py", files.ROLES)
    write(etc / "jumpdeck" / "salt-minion", files.DAEMON.format(venv=INSIDE, program="salt-minion"), 0o755)
    pki = etc / "salt" / "pki" / "minion"
    pki.mkdir(parents=True)
    run("openssl", "genrsa", "-out", str(pki / "minion.pem"), "2048", quiet=True)
    (pki / "minion.pem").chmod(0o400)
    write(pki / "minion.pub", run("openssl", "rsa", "-in", str(pki / "minion.pem"), "-pubout"))


def write_srv(fleet):
    """/srv of the jump box: states, pillar, secrets; both repositories with one commit."""
    srv = fleet.home(fleet.jump) / "srv"
    passwords = database.Databases(fleet).passwords()
    # Where the master is the pillar says: it may be rebuilt somewhere else.
    hosts = [m for m in fleet.machines if not m.is_jump]
    known = [m.name for m in hosts]
    lines = "\n".join(f"        {fleet.address(m)} {m.fqdn} {m.name}" for m in hosts)
    write(srv / "salt" / "top.sls", files.SALT_TOP + (files.SALT_TOP_NAMES if fleet.has_names else ""))
    names.write_states(fleet, srv / "salt")
    write(srv / "salt" / "hosts" / "init.sls", files.HOSTS_STATE.format(known=known, lines=lines))
    ca = "\n".join(" " * 8 + line for line in fleet.path("tls", "ca.pem").read_text().splitlines())
    write(srv / "salt" / "code" / "init.sls", files.CODE_STATE.replace("CA_LINES", ca))
    write(srv / "pillar" / "top.sls", files.PILLAR_TOP.format(level=ENVIRONMENT))
    write(srv / "pillar" / "infra" / f"{ENVIRONMENT}.sls", infra(fleet))
    write(srv / "private" / "pillar" / "accounts" / f"{ENVIRONMENT}.sls", files.ACCOUNTS.format(**passwords), 0o600)
    (srv / "ops").mkdir()
    write(srv / "opsconfigs" / "userdata.txt", files.USERDATA.format(name="$NAME"))
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
    return files.INFRA.format(domain=DOMAIN, serial=names.SERIAL, masterdb=fleet.address(fleet.databases()[0]), **addresses)


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
        # A minion whose cable was cut finds its master again after some seconds.
        if not wait_for(lambda: knows_pillar(fleet), 60, step=1):
            raise FleetError("not every minion reads its pillar again")


def knows_pillar(fleet):
    """Whether every minion read its grains and its pillar again."""
    try:
        call(fleet, "salt", "*", "saltutil.refresh_grains")
        call(fleet, "salt", "*", "saltutil.refresh_pillar", "wait=True")
    except FleetError:
        return False
    return True


def is_up(fleet):
    """Whether the master listens."""
    return processes.is_listening(fleet.jump, MASTER_PORT)


def call(fleet, *command):
    """One of Salt's commands on the jump box; returns what it printed."""
    return run(*inside(fleet.jump, *command))


def up(fleet, pending=()):
    """Starts the master and the minions, and waits until all that are accepted answer."""
    if not fleet.has_salt:
        raise FleetError("this fleet has no Salt: it came up with --layout plain")
    if not is_prepared(fleet):
        raise FleetError("this fleet came up without Salt: tests/fleet salt install, then down and up")
    accept = [m for m in minions(fleet) if m.name not in pending]
    accepted = "/etc/salt/pki/master/minions"
    for machine in accept:
        public = (fleet.home(machine) / "etc" / "salt" / "pki" / "minion" / "minion.pub").read_text().rstrip()
        machines.put(fleet.jump, f"{accepted}/{machine.name}", public)
    if not is_up(fleet):
        launch(fleet.jump, "salt-master")
        if not wait_for(lambda: is_up(fleet), 60, step=0.1):
            raise FleetError("the Salt master does not listen: see the jump box's log/salt and log/salt-master.out")
    for machine in minions(fleet):
        if not pids(machine, ["salt-minion"]):
            launch(machine, "salt-minion")
    if not wait_for(lambda: not silent(fleet, accept), 90, step=0.2):
        raise FleetError(f"minions do not answer ({', '.join(silent(fleet, accept))}): see their log/salt/minion")


def silent(fleet, asked=None):
    """The names of the minions that do not answer."""
    wanted = [m.name for m in (minions(fleet) if asked is None else asked)]
    if not wanted:
        return []
    said = run(*inside(fleet.jump, "salt", "-t", "3", "-L", ",".join(wanted), "test.ping", "--out=json", "--static"),
               check=False)  # fmt: skip
    return [name for name in wanted if f'"{name}": true' not in said]


def launch(machine, program):
    """Starts one of Salt's daemons on a host."""
    subprocess.run(inside(machine, f"/etc/jumpdeck/{program}"), stdin=subprocess.DEVNULL, check=True)


def pids(machine, programs=("salt-minion", "salt-master")):
    """The processes of Salt's daemons, or of these of them, on a host."""
    here = processes.namespace(machine.pid)
    found = []
    for pid in processes.inhabitants({here}) if here else []:
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if any(f"/bin/{program}".encode() in words for program in programs):
            found.append(pid)
    return found


def down(fleet):
    """Ends Salt on every host; keys and /srv stay."""
    ended = 0
    for machine in minions(fleet):
        running = pids(machine)
        ended += bool(running)
        processes.send(running, 9)
        if not wait_for(lambda machine=machine: not pids(machine), 10):
            raise FleetError(f"{machine.name}: Salt does not end")
    return ended


def status(fleet):
    """One line a host, and whether the master is up."""
    rows = [f"{fleet.jump.name:<14} salt-master {'up' if is_up(fleet) else 'down'}"]
    rows += [f"{m.name:<14} salt-minion {'up' if pids(m, ['salt-minion']) else 'down'}" for m in minions(fleet)]
    return rows
