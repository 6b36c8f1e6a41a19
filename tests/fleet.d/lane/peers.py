"""The rivals of the bench, each behind the same four calls: `cold`, `warm`, `memory`, `close`.

Every one of them makes every host do the same work, COMMAND, and has to bring back its whole output.
A measurement is a dict: ms, cpu_s (client side: its own, its children's, its standing processes'), answered."""

import ctypes
import json
import os
import resource
import select
import signal
import subprocess
import time
from pathlib import Path

from .layout import FleetError
from .machine import write
from .processes import send, start_time, wait_for

COMMAND = "cat /proc/loadavg /proc/meminfo /proc/uptime; df -P -k; df -P -i"
MARKS = ["MemTotal:", "1024-blocks", "IFree"]
DEADLINE = 120


PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans():
    """Makes this process the parent of what its children leave behind: ssh does not wait for the ssh that its
    ProxyJump runs, and that one's CPU time would be nobody's."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap_orphans(keep, seconds=0.5):
    """Waits for orphans of the last command; `keep` are those that stay."""
    limit = time.monotonic() + seconds
    while set(descendants(os.getpid())[1:]) - set(keep) and time.monotonic() < limit:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.005)
        except ChildProcessError:
            return


def children_cpu():
    """CPU seconds of every child waited for so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def cpu_of(pids):
    """CPU seconds of these (single-threaded) processes, to the nanosecond."""
    total = 0
    for pid in pids:
        try:
            total += int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])
        except OSError:
            continue
    return total / 1e9


def pss_kb(pids):
    """Memory of these processes, shared pages divided among those that share them."""
    total = 0
    for pid in pids:
        try:
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        except OSError:
            continue
    return total


def descendants(pid):
    """A process and everything below it."""
    found, queue = [], [pid]
    while queue:
        pid = queue.pop()
        found.append(pid)
        try:
            queue += [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        except OSError:
            continue
    return found


def whole(text, hosts):
    """How many hosts' reports are in this output, by the mark that is rarest in it."""
    return min(hosts, *(text.count(mark) for mark in MARKS))


class Timed:
    """Runs one command to its end and measures it."""

    def __init__(self, standing=(), orphans=False):
        self.standing, self.orphans = list(standing), orphans

    def run(self, argv, hosts, text=None, sample=None):
        cpu, begun = children_cpu() + cpu_of(self.standing), time.perf_counter()
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                   text=True, start_new_session=True)  # fmt: skip
        if sample:
            sample(process.pid)
        try:
            out, _ = process.communicate(text, timeout=DEADLINE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, _ = process.communicate()
        took = (time.perf_counter() - begun) * 1000
        if self.orphans:
            reap_orphans(self.standing)
        used = children_cpu() + cpu_of(self.standing) - cpu
        return {"ms": took, "cpu_s": used, "answered": whole(out, hosts)}


class Masters:
    """OpenSSH's connection sharing: one master a host, kept, each with its own way through the jump box."""

    def __init__(self, fleet, place, hosts):
        self.fleet, self.hosts = fleet, hosts
        self.directory = place / "mux"
        self.directory.mkdir(mode=0o700, exist_ok=True)
        self.config = place / "mux_config"
        write(self.config, "Host plain*\n  ControlMaster auto\n  ControlPersist 3600\n"
              f"  ControlPath {self.directory}/%n\n\n" + fleet.path("ssh_config").read_text(), 0o600)  # fmt: skip
        self.pids = []

    def first_poll(self):
        """Nobody connected yet: ten at a time, as sshd's defaults allow; then all masters stand."""
        self.close()
        sharing = Timed()
        said = sharing.run(["xargs", "-P", "10", "-I{}", "ssh", "-F", str(self.config), "{}", COMMAND],
                           len(self.hosts), "\n".join(self.hosts))  # fmt: skip
        self.find()
        # The masters went to the background: their CPU so far belongs to this poll.
        said["cpu_s"] += cpu_of(self.pids)
        return said

    def complete(self):
        """Connects the hosts the first poll lost, one after the other, so that warm polls are about all hosts."""
        for host in self.hosts:
            for _ in range(5):
                if (self.directory / host).exists():
                    break
                subprocess.run(["ssh", "-F", str(self.config), host, "true"], capture_output=True, check=False)
        self.find()

    def find(self):
        """The standing processes: masters and their ways through the jump box."""
        self.pids = []
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    words = Path(f"/proc/{entry}/cmdline").read_bytes()
                except OSError:
                    continue
                if words.startswith(b"ssh") and (bytes(self.config) in words or bytes(self.directory) in words):
                    self.pids.append(int(entry))

    def close(self):
        """Ends the masters; their ways through the jump box end with them."""
        self.find()
        known = [(pid, start_time(pid)) for pid in self.pids]
        send(self.pids, signal.SIGTERM)
        wait_for(lambda: not any(s and start_time(p) == s for p, s in known), 10, step=0.05)
        for socket in self.directory.iterdir():
            socket.unlink()


class Shared:
    """A tool that polls through the standing masters."""

    def __init__(self, masters, argv, text=None):
        self.masters, self.argv, self.text = masters, argv, text

    def warm(self, sample=None):
        return Timed(self.masters.pids).run(self.argv, len(self.masters.hosts), self.text, sample)

    def memory(self):
        """Peak PSS and number of processes in one poll, standing masters included."""
        peak = {"pss_kb": 0, "processes": 0}

        def watch(pid):
            limit = time.monotonic() + 0.5
            while start_time(pid) and time.monotonic() < limit:
                pids = set(self.masters.pids) | set(descendants(pid))
                peak["processes"] = max(peak["processes"], len(pids))
                peak["pss_kb"] = max(peak["pss_kb"], pss_kb(pids))

        self.warm(watch)
        return peak


def shared_peers(masters):
    """clush, pssh and xargs over the same masters, all hosts at once."""
    config, names = str(masters.config), ",".join(masters.hosts)
    many = str(max(len(masters.hosts), 1))
    host_flags = [word for host in masters.hosts for word in ("-H", host)]
    return {
        "clush + ControlMaster": Shared(masters, ["clush", "-q", "-f", many, "-o", f"-F {config}", "-w", names, COMMAND]),
        "pssh + ControlMaster": Shared(
            masters, ["parallel-ssh", "-i", "-p", many, "-t", "0", "-x", f"-F {config}", *host_flags, COMMAND]),
        "OpenSSH ControlMaster + xargs -P": Shared(
            masters, ["xargs", "-P", many, "-I{}", "ssh", "-F", config, "{}", COMMAND], "\n".join(masters.hosts)),
    }  # fmt: skip


def jump_all_at_once(fleet, hosts):
    """A cold rival: `ssh -J` to every host at the same time with the cheap key exchange (wants raised limits)."""
    options = ["-o", "KexAlgorithms=curve25519-sha256"]
    # ProxyJump's inner ssh takes its options from the configuration file only.
    config = fleet.path("kex_config")
    write(config, "Host *\n  KexAlgorithms curve25519-sha256\n\n" + fleet.path("ssh_config").read_text(), 0o600)
    argv = ["xargs", "-P", str(len(hosts)), "-I{}", "ssh", "-F", str(config), *options, "{}", COMMAND]
    return Timed(orphans=True).run(argv, len(hosts), "\n".join(hosts))


class AsyncSsh:
    """The asyncssh rival in one of its modes: one process that stays."""

    def __init__(self, python, settings, mode):
        script = Path(__file__).parent.parent / "asyncssh_peer.py"
        self.process = subprocess.Popen([str(python), str(script), str(settings), mode], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, bufsize=1)  # fmt: skip
        self.cold = self._answer()

    def _answer(self):
        ready, _, _ = select.select([self.process.stdout], [], [], DEADLINE)
        line = self.process.stdout.readline() if ready else ""
        if not line:
            raise FleetError("the asyncssh rival said nothing")
        return json.loads(line)

    def warm(self):
        self.process.stdin.write("poll\n")
        return self._answer()

    def memory(self):
        return {"pss_kb": pss_kb([self.process.pid]), "processes": 1}

    def close(self):
        self.process.kill()
        self.process.wait()


class JumpDeck:
    """jumpdeck's own polling, by `poll_bench INVENTORY ENVIRONMENT ROUNDS`: it connects, polls once, then ROUNDS times,
    and prints one JSON line as it measured itself: hosts (that answered in every round), cold_ms, cold_cpu_s,
    warm_ms [..], warm_cpu_s (of one round, on average)."""

    def __init__(self, program, fleet, environment):
        self.argv = [str(program), str(fleet.path("inventory.toml")), environment]

    def rounds(self, count, sample=None):
        process = subprocess.Popen([*self.argv, str(count)], stdout=subprocess.PIPE, text=True)
        if sample:
            sample(process.pid)
        try:
            out, _ = process.communicate(timeout=DEADLINE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise FleetError("poll_bench did not end") from None
        if process.returncode != 0 or not out.strip():
            raise FleetError(f"poll_bench ended with {process.returncode}")
        return json.loads(out.strip().splitlines()[-1])

    def memory(self, rounds):
        peak = {"pss_kb": 0, "processes": 1}

        def watch(pid):
            while start_time(pid):
                peak["pss_kb"] = max(peak["pss_kb"], pss_kb([pid]))
                time.sleep(0.02)

        self.rounds(rounds, watch)
        return peak
