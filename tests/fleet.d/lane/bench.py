"""`tests/fleet bench`: the same poll by jumpdeck and by what people use today, on the same fleet in the same run.

For every number of hosts and round trip a fleet of plain hosts comes up; cold polls are measured first, then warm ones
in blocks that go round all rivals, so that a noisy moment of the machine hits everybody."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from . import faults, fleet as life, peers, report, state
from .layout import ENVIRONMENT, FleetError
from .machine import write
from .processes import run

ROOT = Path(__file__).resolve().parents[3]


def arguments(parser):
    """The options of `bench`."""
    numbers = {"type": lambda text: [int(n) for n in text.split(",")], "metavar": "N,N"}
    parser.add_argument("--hosts", default=[30, 50], help="numbers of hosts (default 30,50)", **numbers)
    parser.add_argument("--rtt", default=[0, 40], help="round trips in ms (default 0,40)", **numbers)
    parser.add_argument("--rounds", type=int, default=15, help="warm polls of each rival (default 15)")
    parser.add_argument("--cold", type=int, default=3, help="cold polls of each rival (default 3)")
    parser.add_argument("--json", type=Path, help="write every measurement here")
    parser.add_argument("--poll-bench", type=Path, help="jumpdeck's side (default: built from examples/, release)")
    parser.add_argument("--without-jumpdeck", action="store_true", help="the rivals only")


def run_all(options, directory):
    """Every combination; prints the tables, returns the exit code."""
    lacking = life.missing_for(True)
    lacking += [f"{p} (apt install {a})" for p, a in (("clush", "clustershell"), ("parallel-ssh", "pssh"), ("xargs", "findutils"))
                if not shutil.which(p)]  # fmt: skip
    if lacking:
        print("cannot run the bench; missing: " + ", ".join(lacking), file=sys.stderr)
        return 3
    program = None if options.without_jumpdeck else options.poll_bench or build_poll_bench()
    place = Path(tempfile.mkdtemp(prefix="jumpdeck-bench."))
    peers.adopt_orphans()
    result = {"machine": machine_facts(), "command": peers.COMMAND, "runs": []}
    try:
        python = make_venv(place)
        for rtt in options.rtt:
            for hosts in options.hosts:
                result["runs"].append(one_run(options, directory, place, python, program, hosts, rtt))
    finally:
        shutil.rmtree(place, ignore_errors=True)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    print(report.markdown(result))
    return 0


def build_poll_bench():
    """jumpdeck's side of the bench, in release."""
    say("building poll_bench (release)")
    built = subprocess.run(["cargo", "build", "--release", "--locked", "--example", "poll_bench"], cwd=ROOT, check=False)
    if built.returncode != 0:
        raise FleetError("poll_bench does not build (--without-jumpdeck measures the rivals only)")
    target = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
    return target / "release" / "examples" / "poll_bench"


def make_venv(place):
    """A Python with asyncssh."""
    say("installing asyncssh")
    run("python3", "-m", "venv", str(place / "venv"))
    run(str(place / "venv" / "bin" / "pip"), "install", "--quiet", "asyncssh")
    return place / "venv" / "bin" / "python"


def machine_facts():
    """What the figures were taken on."""
    processor = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                      if line.startswith("model name")), "unknown processor")  # fmt: skip
    openssh = subprocess.run(["ssh", "-V"], capture_output=True, text=True, check=False).stderr.split(",")[0].strip()
    return {"processor": processor, "cores": len(os.sched_getaffinity(0)), "kernel": os.uname().release,
            "openssh": openssh, "taken": time.strftime("%Y-%m-%d %H:%M", time.gmtime()) + " UTC",
            "load_before": os.getloadavg()[0]}  # fmt: skip


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def one_run(options, directory, place, python, program, hosts, rtt):
    """One fleet: cold, warm, memory."""
    directory = Path(f"{directory}-bench")
    say(f"{hosts} hosts, {rtt} ms")
    with state.held(directory):
        fleet, _ = life.up("bench", directory, hosts, True, float(rtt))
        try:
            run_ = Run(options, fleet, place, python, program)
            run_.cold()
            run_.warm()
            run_.memory()
            return {"hosts": hosts, "rtt_ms": rtt, **run_.results}
        finally:
            left = life.down(directory)
            if left:
                say("left over: " + ", ".join(left))


class Run:
    """The measurements on one fleet."""

    def __init__(self, options, fleet, place, python, program):
        self.options, self.fleet, self.python = options, fleet, python
        self.names = [m.name for m in fleet.machines if m.plain]
        self.settings = place / "settings.json"
        address, port = fleet.jump_endpoint()
        hosts = [{"address": fleet.address(m), "user": m.user} for m in fleet.machines if m.plain]
        write(self.settings, json.dumps({
            "jump": {"address": address, "port": port, "user": "root"}, "key": str(fleet.key),
            "known_hosts": str(fleet.path("known_hosts")), "command": peers.COMMAND, "marks": peers.MARKS,
            "hosts": hosts}))  # fmt: skip
        self.masters = peers.Masters(fleet, place, self.names)
        self.jumpdeck = peers.JumpDeck(program, fleet, ENVIRONMENT) if program else None
        self.results = {"cold": {}, "warm": {}, "memory": {}}

    def note(self, kind, rival, said):
        self.results[kind].setdefault(rival, []).append(said)

    def cold(self):
        """First polls from nothing, at sshd's default limits but for the rival that cannot live with them."""
        for _ in range(self.options.cold):
            self.note("cold", "OpenSSH ControlMaster, first poll, 10 at a time", self.masters.first_poll())
            self.masters.close()
            rival = peers.AsyncSsh(self.python, self.settings, "loop")
            rival.close()
            self.note("cold", "asyncssh, one jump connection", rival.cold)
            if self.jumpdeck:
                self.note("cold", "jumpdeck", jumpdeck_cold(self.jumpdeck.rounds(0)))
            faults.limits(self.fleet, True)
            said = peers.jump_all_at_once(self.fleet, self.names)
            self.note("cold", "ssh -J, all at once, curve25519 (limits raised)", said)
            faults.limits(self.fleet, False)

    def warm(self):
        """Polls over what stands, in blocks round all rivals."""
        self.masters.first_poll()
        self.masters.complete()
        standing = {name: peers.AsyncSsh(self.python, self.settings, mode) for name, mode in (
            ("asyncssh, exec a poll", "exec"), ("asyncssh, loop on an open channel", "loop"),
            ("asyncssh, echo, no probe", "echo"))}  # fmt: skip
        rivals = {**peers.shared_peers(self.masters), **standing}
        per_block = max(1, -(-self.options.rounds // 3))
        try:
            for rival in rivals.values():
                rival.warm()
            for _ in range(3):
                for name, rival in rivals.items():
                    for _ in range(per_block):
                        self.note("warm", name, rival.warm())
                if self.jumpdeck:
                    self._jumpdeck_block(per_block)
            for name, rival in rivals.items():
                self.results["memory"][name] = rival.memory()
        finally:
            for rival in standing.values():
                rival.close()
            self.masters.close()

    def _jumpdeck_block(self, rounds):
        # The first round after connecting is left out, as it is for the others.
        said = self.jumpdeck.rounds(rounds + 1)
        for took in said["warm_ms"][1:]:
            self.note("warm", "jumpdeck", {"ms": took, "cpu_s": said["warm_cpu_s"], "answered": said["hosts"]})

    def memory(self):
        if self.jumpdeck:
            self.results["memory"]["jumpdeck"] = self.jumpdeck.memory(max(5, self.options.rounds))


def jumpdeck_cold(said):
    """jumpdeck's first report as a measurement."""
    return {"ms": said["cold_ms"], "cpu_s": said["cold_cpu_s"], "answered": said["hosts"]}
