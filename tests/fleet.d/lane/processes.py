"""Processes: started, recognised again by pid and start time, looked up by namespace, ended."""

import os
import signal
import subprocess
import time
from pathlib import Path

from .layout import FleetError


def run(*args, text=None, check=True, quiet=False):
    """Runs a command to its end and returns its standard output."""
    done = subprocess.run(args, input=text, capture_output=True, text=True, check=False)
    if check and done.returncode != 0:
        raise FleetError(f"{' '.join(map(str, args))}: {(done.stderr or done.stdout).strip()} (exit {done.returncode})")
    if done.stderr and not quiet and not check:
        return done.stdout + done.stderr
    return done.stdout


def start_time(pid):
    """When a process started, in clock ticks since boot; 0 when it is gone or a zombie. With the pid it names
    one process for ever, so that a recycled pid is never signalled."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    except (OSError, IndexError):
        return 0
    return 0 if fields[0] in "ZX" else int(fields[19])


def is_alive(pid, started):
    """Whether the recorded process is still the one that was started."""
    return bool(pid) and bool(started) and start_time(pid) == started


def namespace(pid, kind="pid"):
    """The identity of a process's namespace, or None."""
    try:
        return os.readlink(f"/proc/{pid}/ns/{kind}")
    except OSError:
        return None


def inhabitants(namespaces):
    """Every live process in one of these pid namespaces."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit() and namespace(entry) in namespaces and start_time(int(entry)):
            found.append(int(entry))
    return found


def of_program(pids, program):
    """Those of the processes whose executable has this name, or with a part behind a dash: newer OpenSSH runs
    sessions as sshd-session and sshd-auth."""
    kept = []
    for pid in pids:
        try:
            name = os.path.basename(os.readlink(f"/proc/{pid}/exe").removesuffix(" (deleted)"))
            if name == program or name.startswith(f"{program}-"):
                kept.append(pid)
        except OSError:
            continue
    return kept


def send(pids, sig):
    """Signals processes; one that is already gone is no error."""
    for pid in pids:
        try:
            os.kill(pid, sig)
        except ProcessLookupError:
            continue


def end(pid, started, seconds=5.0):
    """Ends one recorded process and waits until it is gone. True when it is."""
    if is_alive(pid, started):
        send([pid], signal.SIGKILL)
    return wait_for(lambda: not is_alive(pid, started), seconds)


def wait_for(condition, seconds, step=0.01):
    """Waits until the condition holds; False when it does not within the time."""
    limit = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > limit:
            return False
        time.sleep(step)
    return True


def inside(machine, *command, net_only=False):
    """The command line that runs a command inside a host."""
    kinds = ["--net"] if net_only else ["--net", "--mount", "--uts", "--pid"]
    place = [] if net_only else ["--root", "--wd=/"]
    return ["nsenter", "--target", str(machine.pid), *kinds, *place, "--", *command]


def is_listening(machine, port):
    """Whether something listens on this TCP port inside a host, without connecting to it."""
    wanted = f":{port:04X}"
    for table in ("tcp", "tcp6"):
        try:
            lines = Path(f"/proc/{machine.pid}/net/{table}").read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == "0A" and fields[1].endswith(wanted):
                return True
    return False
