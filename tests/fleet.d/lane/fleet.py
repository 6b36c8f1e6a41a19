"""Up, down, status: the life of a fleet. Everything it makes is recorded before it can matter, so that `down` finds it
even when `up` was killed."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from . import access, agent, apps, cloud, daemons, database, delay, machine as machines, names, processes, salt, wires
from .layout import MARKER, Fleet, FleetError, plain_machines, standard_machines
from .state import removed

PROGRAMS = {
    "sshd": "openssh-server",
    "ssh-keygen": "openssh-client",
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "ip": "iproute2",
}
DATABASE_PROGRAMS = {"mariadbd": "mariadb-server", "mariadb-install-db": "mariadb-server", "openssl": "openssl"}

# What a host needs of the kernel, tried once where it leaves no trace.
TRIAL = "mount -t proc proc /proc && ip link add trial0 type veth peer name trial1 && ip link add trial2 type bridge"


def missing_for(only_plain, layout="salt"):
    """What this machine lacks to run a fleet, in words; empty when nothing."""
    if os.geteuid() != 0:
        return ["root (namespaces, mounts and links)"]
    wanted = PROGRAMS if only_plain else {**PROGRAMS, **DATABASE_PROGRAMS, "sudo": "sudo"}
    if layout == "proxy":
        wanted = {**wanted, "haproxy": "haproxy"}
    lacking = [f"{program} (apt install {package})" for program, package in wanted.items() if not shutil.which(program)]
    if not lacking:
        tried = subprocess.run(["unshare", "--net", "--mount", "--uts", "--pid", "--fork", "sh", "-c", TRIAL],
                               capture_output=True, text=True, check=False)  # fmt: skip
        if tried.returncode != 0:
            lacking.append(f"namespaces with links and mounts (a privileged container?): {tried.stderr.strip()}")
    return lacking


def up(name, directory, hosts=0, only_plain=False, rtt_ms=0.0, replication=None, layout="salt"):
    """Brings a fleet up, or leaves it when the same one is up already, in whatever mode unless one is named. Returns it
    and whether it was there."""
    lacking = missing_for(only_plain, layout)
    if lacking:
        raise FleetError("cannot run the real fleet; missing: " + ", ".join(lacking))
    there = Fleet.load(directory)
    if there is not None:
        same = (there.hosts, there.only_plain, there.rtt_ms, there.layout) == (hosts, only_plain, rtt_ms, layout)
        same = same and replication in (None, there.replication)
        if same and there.machines and not ailing(there):
            return there, True
        down(directory)
    if directory.exists():
        raise FleetError(f"{directory} is there and is no fleet: remove it or choose another --dir")
    directory.mkdir(mode=0o700, parents=True)
    directory.joinpath(MARKER).touch()
    fleet = Fleet(name, directory, hosts, only_plain, layout, rtt_ms, replication or "gtid")
    fleet.machines = [m for m in standard_machines() if m.is_jump or not only_plain] + plain_machines(hosts)

    def interrupted(signum, _frame):
        raise FleetError(f"interrupted ({signal.Signals(signum).name})")

    before = {sig: signal.signal(sig, interrupted) for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        build(fleet)
    except BaseException as error:
        kept = ""
        if os.environ.get("JUMPDECK_FLEET_KEEP_LOGS"):
            kept = keep_logs(fleet)
        down(directory)
        if isinstance(error, FleetError):
            raise FleetError(f"{error}{kept}") from error
        raise
    finally:
        for sig, handler in before.items():
            signal.signal(sig, handler)
    return fleet, False


def build(fleet):
    """Everything from an empty directory to a fleet that answers."""
    begun = time.monotonic()
    fleet.save()
    wires.take_slot(fleet)
    fleet.save()
    access.make_key(fleet)
    databases = database.Databases(fleet)
    for machine in fleet.machines:
        machines.prepare(fleet, machine)
    # The databases start last and are waited for last: they take longest.
    databases.prepare()
    apps.prepare(fleet)
    salt.prepare(fleet)
    names.prepare(fleet)
    cloud.prepare(fleet)
    daemons.prepare(fleet)
    for machine in fleet.machines:
        machines.start(fleet, machine)
    for machine in fleet.machines:
        machines.record(fleet, machine)
        fleet.save()
    wires.plug_in(fleet)
    delay.start(fleet)
    fleet.save()
    access.write_all(fleet)
    for machine in fleet.machines:
        machines.wait_ready(machine)
    databases.replicate()
    daemons.wait_ready(fleet)
    fleet.up_seconds = round(time.monotonic() - begun, 1)
    fleet.save()


def reset_databases(fleet, mode):
    """The databases as new, and with them what the apps know, what their writers recorded, and where the role masterdb is."""
    apps.stop(fleet)
    apps.forget(fleet)
    database.Databases(fleet).reset(mode)
    apps.point_at(fleet, fleet.databases()[0])
    if fleet.has_salt:
        for machine in fleet.databases():
            machines.put(machine, "/etc/salt/grains", machines.grains(machine))
    access.write_all(fleet)
    salt.restore_pillar(fleet)
    names.reset(fleet)


def keep_logs(fleet):
    """Copies the hosts' logs aside before the fleet goes, and says where to."""
    target = Path(f"{fleet.directory}-logs")
    shutil.rmtree(target, ignore_errors=True)
    for machine in fleet.machines:
        log = fleet.home(machine) / "log"
        if log.exists():
            shutil.copytree(log, target / machine.name)
    return f" (logs: {target})"


def pids_started(fleet):
    """Every host's first process: the recorded ones, and those that told their pid but were not recorded yet."""
    found = {m.pid for m in fleet.machines if processes.is_alive(m.pid, m.started)}
    for told in fleet.path("hosts").glob("*/pid"):
        pid = int(told.read_text())
        if runs_from(pid, told.parent):
            found.add(pid)
    return found


def runs_from(pid, home):
    """Whether this process is the init of the host in this directory (and not a stranger with a recycled pid)."""
    try:
        return str(home).encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False


def down(directory):
    """Ends everything and removes everything. Returns what is left over, which should be nothing."""
    fleet = Fleet.load(directory)
    if fleet is None:
        return []
    delay.stop(fleet)
    agent.stop(fleet)
    # A host that was killed before it told its pid has no first process yet: its `unshare` waits to be found by name.
    for pid in unborn(fleet):
        processes.send([pid], signal.SIGKILL)
    inits = pids_started(fleet)
    namespaces = {processes.namespace(pid) for pid in inits} - {None, processes.namespace("self")}
    # The first process of a pid namespace takes all others in it along; stopped ones too.
    processes.send(inits, signal.SIGKILL)
    processes.wait_for(lambda: not processes.inhabitants(namespaces), 10)
    if not processes.wait_for(lambda: not wires.link_exists(fleet), 2):
        wires.unplug(fleet)
    # Again while something that an interrupted `up` had begun still writes there.
    processes.wait_for(lambda: removed(directory), 10, step=0.2)
    return leftovers(fleet, namespaces)


def unborn(fleet):
    """The `unshare` processes of hosts that did not get as far as telling their pid."""
    waiting = {str(fleet.home(m)).encode() for m in fleet.machines if not (fleet.home(m) / "pid").exists()}
    found = []
    for entry in os.listdir("/proc") if waiting else []:
        if entry.isdigit():
            try:
                words = Path(f"/proc/{entry}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if waiting.intersection(words) and int(entry) != os.getpid():
                found.append(int(entry))
    return found


def leftovers(fleet, namespaces):
    """What is still there of a fleet that was taken down: processes, links, mounts, files."""
    left = [f"process {pid}" for pid in processes.inhabitants(namespaces)]
    if fleet.slot >= 0 and wires.link_exists(fleet):
        left.append(f"link {fleet.link}")
    mounts = Path("/proc/self/mountinfo").read_text()
    left += [f"mount {line.split()[4]}" for line in mounts.splitlines() if str(fleet.directory) in line.split()[4]]
    if fleet.directory.exists():
        left.append(f"directory {fleet.directory}")
    if fleet.proxy and processes.is_alive(fleet.proxy["pid"], fleet.proxy["started"]):
        left.append(f"delay proxy {fleet.proxy['pid']}")
    if fleet.agent and processes.is_alive(fleet.agent["pid"], fleet.agent["started"]):
        left.append(f"the cloud's agent {fleet.agent['pid']}")
    return left


def ailing(fleet):
    """What of a fleet that should be up is not: one line each."""
    wrong = []
    for machine in fleet.machines:
        if not processes.is_alive(machine.pid, machine.started):
            wrong.append(f"{machine.name}: gone")
        elif not processes.is_listening(machine, 22):
            wrong.append(f"{machine.name}: sshd does not listen")
    if fleet.proxy and not processes.is_alive(fleet.proxy["pid"], fleet.proxy["started"]):
        wrong.append("the delay proxy is gone")
    if not wires.link_exists(fleet):
        wrong.append(f"the link {fleet.link} is gone")
    return wrong
