#!/usr/bin/env python3
"""What a full-screen program costs while somebody watches it: bytes to the terminal and processor time, jumpdeck beside btop, htop and
glances, in turns on one machine; and how long a key waits for its answer with a thousand hosts and a log that floods.

    benches/terminal.py JUMPDECK [--rounds N] [--seconds N] [--only watch|keys] [--flood DIR]

JUMPDECK is a release build. Its fleet is `jumpdeck sim` in a process of its own, over loopback; the peers show this machine alone. Needs
python3, ssh, ssh-keygen; a peer that is not installed is named and skipped. Nothing outside loopback is reached.

With --flood DIR, only this: the logs of every host of a real fleet (`tests/fleet --dir DIR up --hosts 5`) are followed while each grows by
10,000 lines a second."""

import argparse
import fcntl
import os
import pty
import re
import select
import shutil
import signal
import statistics
import struct
import subprocess
import tempfile
import termios
import threading
import time
from pathlib import Path

ROWS, COLUMNS = 40, 120
# The row that is selected.
MARKER = "▸".encode()
# A log that every simulated application server has.
LOG = "/var/log/apache2/error.log"
PEERS = {"btop": ["btop", "--utf-force"], "htop": ["htop"], "glances": ["glances"]}


class Screen:
    """A program in a terminal of its own."""

    def __init__(self, command, environment):
        self.started = time.monotonic()
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], command, environment)
        self.size(ROWS)
        self.bytes = 0
        self.text = b""

    def size(self, rows):
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, COLUMNS, 0, 0))

    def read(self, seconds, until=None):
        """Reads for so long, or until the text has come; whether it came."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if not select.select([self.terminal], [], [], left)[0]:
                break
            try:
                piece = os.read(self.terminal, 1 << 16)
            except OSError:
                raise SystemExit(f"it ended: {self.text[-2000:].decode(errors='replace')}") from None
            self.bytes += len(piece)
            self.text = (self.text + piece)[-200_000:]
            if until and until in self.text:
                return True
        return False

    def read_for(self, seconds):
        """Reads for so long, whatever comes."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.read(left)

    def answer(self, keys, until, limit=5.0):
        """Milliseconds from a key to the text that answers it."""
        self.read(0.05)
        self.text = b""
        began = time.monotonic()
        os.write(self.terminal, keys)
        if not self.read(limit, until):
            raise SystemExit(f"no answer to {keys!r} within {limit} s: {self.text[-2000:].decode(errors='replace')}")
        return (time.monotonic() - began) * 1000

    def processor(self):
        """Seconds of processor time so far, of it and of what it started."""
        return sum(nanoseconds(pid) for pid in family(self.pid)) / 1e9

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for pid in reversed(family(self.pid)):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)


def nanoseconds(pid):
    """Of processor time that the threads of a process have had (the kernel's documentation, scheduler/sched-stats)."""
    try:
        return sum(int(Path(task, "schedstat").read_text().split()[0]) for task in Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return 0


def family(pid):
    """A process and all below it."""
    try:
        below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid] + [one for child in below for one in family(int(child))]


class Fleet:
    """A simulated fleet in a process of its own, and an inventory of its hosts."""

    def __init__(self, program, world, folder):
        self.folder = folder
        self.program = program
        key, known, inventory = folder / "id", folder / "known_hosts", folder / "inventory.toml"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        command = [program, "sim", world, "--listen", "127.0.0.1:0", "--known-hosts", known]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        printed = ""
        while "try " not in printed:
            line = self.process.stdout.readline()
            if not line:
                raise SystemExit(f"the simulated fleet did not start: {printed}")
            printed += line
        self.port = re.search(r"port (\d+);", printed).group(1)
        self.key, self.known, self.inventory = key, known, inventory
        hosts = [line.split(" ")[0].split(",") for line in known.read_text().splitlines() if not line.startswith("[")]
        self.hosts = [(names[0], names[-1]) for names in hosts if names[0] != "salt"]
        lines = [f'user = "root"\nkeys = ["{key}"]\nknown_hosts = ["{known}"]\n[environments.production]']
        lines.append(f'jump = {{ name = "salt", address = "127.0.0.1", port = {self.port} }}\nhosts.salt = {{}}')
        lines += [f'hosts.{name} = {{ address = "{address}" }}' for name, address in self.hosts]
        inventory.write_text("\n".join(lines) + "\n")

    def console(self, *more):
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        return Screen([self.program, "--inventory", str(self.inventory), *more], environment(home))

    def on(self, host, script):
        """A command on a simulated host, by the ssh of this machine."""
        options = ["-F", "none", "-i", self.key, "-o", f"UserKnownHostsFile={self.known}", "-o", "LogLevel=ERROR"]
        through = " ".join(map(str, ["ssh", *options, "-p", self.port, "-W", "[%h]:%p", "root@127.0.0.1"]))
        address = dict(self.hosts)[host]
        command = ["ssh", *options, "-o", f"ProxyCommand={through}", f"root@{address}", script]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def environment(home):
    """Of a plain terminal, with a home of its own: nobody's settings count, and none are changed."""
    return {"PATH": os.environ["PATH"], "HOME": str(home), "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}


def see(screen, text, limit):
    """Waits for a text on the screen, or ends with what is there. Each look has the whole screen drawn anew, as a program sends only
    the cells that change."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        for rows in (ROWS - 1, ROWS):
            screen.size(rows)
            screen.text = b""
            screen.read_for(0.7)
        if text in screen.text:
            return
        screen.read_for(2)
    raise SystemExit(f"{text.decode()} was not seen within {limit} s: {screen.text[-3000:].decode(errors='replace')}")


def watch(program, folder, rounds, seconds):
    """Bytes and processor time a second of each program that nobody touches."""
    rivals = {"jumpdeck": None}
    for name, command in PEERS.items():
        if shutil.which(name):
            rivals[name] = command
        else:
            print(f"{name} is not installed: skipped")
    found = {name: [] for name in rivals}
    with Fleet(program, "big-30", folder) as fleet:
        for _ in range(rounds):
            for name, command in rivals.items():
                with Screen(command, environment(folder)) if command else fleet.console() as screen:
                    if command is None:
                        see(screen, b"30 of 30 hosts up", 60)
                    screen.read(10)
                    sent, used, began = screen.bytes, screen.processor(), time.monotonic()
                    screen.read_for(seconds)
                    took = time.monotonic() - began
                    found[name].append(((screen.bytes - sent) / took, (screen.processor() - used) / took * 100))
    base = [statistics.median(column) for column in zip(*found["btop"])] if found.get("btop") else None
    print(f"\n{rounds} rounds of {seconds} s in turns, {COLUMNS} x {ROWS}; medians (smallest to largest)\n")
    print("| program | bytes a second | of btop's | processor, % of a core | of btop's |\n| --- | --: | --: | --: | --: |")
    for name, rows in found.items():
        cells = [name]
        for at, values in enumerate(zip(*rows)):
            middle = statistics.median(values)
            cells.append(f"{middle:,.{at * 2}f} ({min(values):,.{at * 2}f}–{max(values):,.{at * 2}f})")
            cells.append(f"{middle / base[at]:.2f}" if base else "")
        print("| " + " | ".join(cells) + " |")


def pause_and_go_on(screen, rounds):
    """Milliseconds of each of two keys, on the page of logs."""
    return [screen.answer(b" ", text) for _ in range(rounds) for text in (b"PAUSED", b"FOLLOWING")]


def flood(program, folder, directory, rounds, seconds):
    """The logs of a whole fleet, each of which grows by 10,000 lines a second."""
    logs = [log / "syslog" for log in sorted(directory.glob("hosts/*/log"))]
    home = folder / "home"
    home.mkdir()
    with Screen([program, "--inventory", str(directory / "inventory.toml")], environment(home)) as screen:
        see(screen, f"{len(logs)} of {len(logs)} hosts up".encode(), 60)
        screen.answer(b"*", b"marked")
        for log in logs:
            log.touch()
        screen.answer(b"L", b"FOLLOWING", 30)
        stop = threading.Event()
        written = [0]
        writer = threading.Thread(target=grow, args=(logs, stop, written))
        writer.start()
        try:
            screen.read_for(5)
            size, used, lines, began = screen.bytes, screen.processor(), written[0], time.monotonic()
            pauses = pause_and_go_on(screen, rounds)
            screen.read_for(seconds)
            took, lines = time.monotonic() - began, written[0] - lines
        finally:
            stop.set()
            writer.join()
        print(f"\n{len(logs)} hosts, {lines / took / len(logs):,.0f} lines a second each, {took:.0f} s")
        print(f"pause and go on: {len(pauses)} keys, median {statistics.median(pauses):.1f} ms, worst {max(pauses):.1f} ms")
        share = (screen.processor() - used) / took * 100
        print(f"{(screen.bytes - size) / took:,.0f} bytes a second to the terminal, {share:.0f} % of a core")
        screen.size(ROWS - 1)
        screen.text = b""
        screen.read_for(2)
        words = re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b" ", screen.text).decode(errors="replace")
        print("on screen then: " + "; ".join(sorted(set(re.findall(r"[0-9][0-9 ,.kMG]* (?:lines?|more)[^│]{0,60}", words)))[:6]))


def grow(logs, stop, written):
    """Appends a tenth of a second's lines to each log, ten times a second. What it cannot keep up with shows in the rate that is printed."""
    block = "".join(f"Dec  1 00:00:00 host program[1]: {n:06d} {'x' * 60}\n" for n in range(1000))
    files = [log.open("a") for log in logs]
    due = time.monotonic()
    while not stop.is_set():
        for file in files:
            file.write(block)
            file.flush()
        written[0] += 1000 * len(files)
        due += 0.1
        time.sleep(max(0.0, due - time.monotonic()))
    for file in files:
        file.close()


def keys(program, folder, rounds):
    """Milliseconds from a key to its answer: a thousand hosts, and on one of them a log that grows as fast as it can."""
    with Fleet(program, "big-1000", folder) as fleet, fleet.console() as screen:
        see(screen, b"1000 of 1000 hosts up", 120)
        screen.read_for(10)
        moves = [screen.answer(key, MARKER) for _ in range(rounds) for key in (b"j", b"k")]
        # The third row: an application server.
        for _ in range(2):
            screen.answer(b"j", MARKER)
        host = fleet.hosts[1][0]
        flood = fleet.on(host, f"while :; do echo '{'x' * 100}'; done >> {LOG}")
        try:
            screen.answer(b"L", b"FOLLOWING", 30)
            screen.read_for(5)
            size, used, began = screen.bytes, screen.processor(), time.monotonic()
            pauses = pause_and_go_on(screen, rounds)
            took = time.monotonic() - began
        finally:
            flood.terminate()
            flood.wait()
        print(f"\n{len(moves)} keys each, while a thousand hosts are asked; milliseconds\n")
        print("| key | median | worst |\n| --- | --: | --: |")
        for name, values in (("the selection moves", moves), (f"pause and go on, while the log of {host} floods", pauses)):
            print(f"| {name} | {statistics.median(values):.1f} | {max(values):.1f} |")
        rate = (screen.bytes - size) / took
        print(f"\nwhile it flooded: {rate:,.0f} bytes a second, {(screen.processor() - used) / took * 100:.0f} % of a core")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("jumpdeck", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--only", choices=["watch", "keys"])
    parser.add_argument("--flood", type=Path, metavar="DIR")
    options = parser.parse_args()
    program = str(options.jumpdeck.resolve())
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores, {subprocess.run([program, '--version'], capture_output=True, text=True).stdout.strip()}")
    if options.flood:
        with tempfile.TemporaryDirectory(prefix="jumpdeck-bench.") as folder:
            flood(program, Path(folder), options.flood, 4 * options.rounds, options.seconds)
        return
    for part in ("watch", "keys"):
        if options.only in (None, part):
            with tempfile.TemporaryDirectory(prefix="jumpdeck-bench.") as folder:
                if part == "watch":
                    watch(program, Path(folder), options.rounds, options.seconds)
                else:
                    keys(program, Path(folder), 20 * options.rounds)


if __name__ == "__main__":
    main()
