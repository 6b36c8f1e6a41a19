"""What the applications write: db.ini on the app hosts, the writers there, and the score of what became of their rows."""

import json
import shutil
import signal
import subprocess
from collections import Counter, defaultdict
from pathlib import Path

from . import database, machine as machines, processes, proxy, wires
from .layout import DOMAIN, FleetError
from .machine import write
from .processes import inside

DB_INI = """\
; written by Salt from pillar infra:db_servers:mysql
[database]
host = {host}
port = 3306
user = wiki
password_file = /etc/webplatform/db.password
"""

# Without Salt: db.ini is a link into a folder that outlives deployments, and an application reads it again when it is told to.
PLAIN_DB_INI = """\
; kept by hand
[database]
port = 3306
user = wiki
password_file = /etc/webplatform/db.password
host = {host}
"""
SHARED = "/etc/webplatform/shared/db.ini"
RELOAD = """\
#!/bin/sh
# Lets the application read its configuration again; it may not run.
pkill -HUP -f '^/usr/bin/python3 -BI /etc/jumpdeck/writer.py ' || [ $? = 1 ]
"""
# What the inventory says of it.
DATABASE_FILES = [
    '{ role = "app", file = "/etc/webplatform/db.ini", line = "host = {address}", reload = "/etc/jumpdeck/reload-webplatform" }',
]

RATE = 120
RECORD = "/var/log/writer.log"
PROGRAM = "/etc/jumpdeck/writer.py"
LONG_GAP_MS = 200


def prepare(fleet):
    """The application's configuration on every app host, and its writer; nothing writes yet."""
    if not fleet.databases():
        return
    password = database.Databases(fleet).passwords()["wiki"]
    for app in fleet.apps():
        etc = fleet.home(app) / "etc"
        write(fleet.home(app) / db_ini_path(fleet).lstrip("/"), db_ini(fleet, fleet.databases()[0]))
        if fleet.has_proxies:
            proxy.prepare(fleet, app, fleet.databases()[0])
        if not fleet.has_salt:
            (etc / "webplatform" / "db.ini").symlink_to("shared/db.ini")
            write(etc / "jumpdeck" / "reload-webplatform", RELOAD, 0o755)
        write(etc / "webplatform" / "db.password", password + "\n", 0o600)
        shutil.copy(fleet.path("tls", "ca.pem"), etc / "webplatform" / "ca.pem")
        prepare_program(fleet, app)


def prepare_program(fleet, app):
    """The application itself, without its configuration."""
    text = (Path(__file__).parent.parent / "writer.py").read_text()
    write(fleet.home(app) / "etc" / "jumpdeck" / "writer.py", text, 0o755)


def db_ini(fleet, master):
    """db.ini for this master, as Salt or a person writes it."""
    host = proxy.ADDRESS if fleet.has_proxies else fleet.address(master)
    return (DB_INI if fleet.has_salt else PLAIN_DB_INI).format(host=host)


def db_ini_path(fleet):
    """The file itself, behind a link or not."""
    return "/etc/webplatform/db.ini" if fleet.has_salt else SHARED


def point_at(fleet, master):
    """Makes the apps' db.ini and everybody's alias `masterdb` name this database, as a fresh fleet has it."""
    for app in fleet.apps():
        machines.put(app, db_ini_path(fleet), db_ini(fleet, master))
        if fleet.has_proxies:
            proxy.point_at(fleet, app, master)
    for machine in fleet.apps() + fleet.databases():
        lines = processes.run(*inside(machine, "cat", "/etc/hosts")).splitlines()
        alias = f"{fleet.address(master)} masterdb.{DOMAIN} masterdb"
        lines = [alias if line.endswith(" masterdb") else line for line in lines]
        machines.put(machine, "/etc/hosts", "\n".join(lines) + "\n")


def running(app):
    """The pids of the writer on this host."""
    here = processes.namespace(app.pid)
    found = []
    for pid in processes.inhabitants({here}) if here else []:
        try:
            if PROGRAM.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                found.append(pid)
        except OSError:
            continue
    return found


def start(fleet, rate=RATE):
    """Starts a writer on every app host where none runs; waits until each has a row acknowledged."""
    if subprocess.run(["/usr/bin/python3", "-c", "import pymysql"], capture_output=True, check=False).returncode != 0:
        raise FleetError("the writers need pymysql (apt install python3-pymysql)")
    begun = {}
    for app in fleet.apps():
        if not running(app):
            begun[app.name] = record(fleet, app).stat().st_size if record(fleet, app).exists() else 0
            told = "" if fleet.has_salt else " --told"
            script = f'setsid /usr/bin/python3 -BI {PROGRAM} "$1" "$2" {RECORD}{told} </dev/null >>/var/log/writer.out 2>&1 &'
            subprocess.run(inside(app, "sh", "-c", script, "writer", app.name, str(rate)), check=True)

    def writes(app):
        try:
            with open(record(fleet, app)) as lines:
                lines.seek(begun[app.name])
                return any(line.startswith("ack ") for line in lines)
        except FileNotFoundError:
            return False

    waited = [app for app in fleet.apps() if app.name in begun]
    for app in waited:
        if not processes.wait_for(lambda app=app: writes(app), 15, step=0.05):
            raise FleetError(f"{app.name}: its writer gets nothing in, see its log/writer.log and log/writer.out")
    return [app.name for app in waited]


def stop(fleet):
    """Ends the writers after their present row. Returns on how many hosts one ran."""
    ended = 0
    for app in fleet.apps():
        pids = running(app)
        processes.send(pids, signal.SIGTERM)
        if not processes.wait_for(lambda app=app: not running(app), 10):
            raise FleetError(f"{app.name}: its writer does not end")
        ended += bool(pids)
    return ended


def forget(fleet):
    """Removes what the writers recorded; none of them runs."""
    for path in records(fleet):
        path.unlink(missing_ok=True)


def record(fleet, app):
    """A writer's record, from outside."""
    return fleet.home(app) / "log" / "writer.log"


def records(fleet):
    """All there are: of the apps, and of those that are gone."""
    there = [record(fleet, app) for app in fleet.machines if not app.is_jump]
    return [path for path in there if path.exists()] + sorted(fleet.path("records").glob("*.log"))


def score(fleet):
    """What became of the rows, as a dictionary (README.md describes the fields). The records are read first: what they
    say is acknowledged must be found."""
    said = read_records(fleet)
    under_way = {max(said.rows_of(app.name), default=None) for app in fleet.apps() if running(app)}
    ids = {m.server_id: m.name for m in fleet.databases()}
    cut_off = [m.name for m in fleet.databases() if wires.is_cut(fleet, m)]
    writable = [m.name for m in database.writable(fleet) if m.name not in cut_off]
    # The writable one last: whatever another has by then, it must have.
    held = {m.name: rows_of(m) for m in sorted(fleet.databases(), key=lambda m: m.name in writable)}
    on_master = held[writable[0]] if len(writable) == 1 else None
    acked = said.acked
    twice = [row for row, servers in acked.items() if len(set(servers)) > 1]
    result = {
        "writable": writable,
        "cut_off": cut_off,
        "acknowledged": len(acked),
        "by_server": dict(Counter(ids.get(s, str(s)) for servers in acked.values() for s in servers)),
        "lost": None,
        "duplicated": sum(len(servers) > 1 for servers in acked.values()) + said.counts["duplicate"],
        "refused": said.counts["refused"],
        "refused_codes": dict(said.refusals),
        "unknown": said.counts["unknown"],
        "unknown_codes": dict(said.unknowns),
        "unknown_found": said.counts["found"],
        "unknown_missing": said.counts["missing"],
        "acknowledged_by_two": len(twice),
        "only_on_old": None,
        "refused_but_there": None,
        **gaps(said),
    }
    if on_master is not None:
        known = set(acked) | said.maybe | under_way
        elsewhere = set().union(*(rows or set() for name, rows in held.items() if name != writable[0]))
        result["lost"] = len(set(acked) - on_master)
        result["lost_rows"] = [f"{app} {seq}" for app, seq in sorted(set(acked) - on_master)[:10]]
        result["only_on_old"] = len(elsewhere - on_master)
        result["refused_but_there"] = len((said.refused - known) & on_master)
    result["databases_not_read"] = [name for name, rows in held.items() if rows is None]
    wrong = ("lost", "duplicated", "acknowledged_by_two", "only_on_old", "refused_but_there")
    result["clean"] = on_master is not None and bool(acked) and not any(result[field] for field in wrong)
    return result


class Said:
    """What the records of all apps say."""

    def __init__(self):
        self.acked = defaultdict(list)
        self.maybe, self.refused = set(), set()
        self.counts, self.refusals, self.unknowns = Counter(), Counter(), Counter()
        self.times, self.spans = defaultdict(list), []

    def rows_of(self, app):
        """The rows of one app that anything was said of."""
        return {row for row in set(self.acked) | self.maybe | self.refused if row[0] == app}


def read_records(fleet):
    """Reads every app's record; a line that is being written right now is left for next time."""
    said = Said()
    for path in records(fleet):
        text = path.read_text()
        begun = last = None
        for line in text[: text.rfind("\n") + 1].splitlines():
            what, name, seq, at, value = line.split()
            row, at = (name, int(seq)), int(at)
            if what in ("ack", "found"):
                said.times[name].append(at)
                said.acked[row].append(int(value))
            if what in ("unknown", "missing", "duplicate"):
                said.maybe.add(row)
            if what == "refused":
                said.refused.add(row)
                said.refusals[value] += 1
            if what == "unknown":
                said.unknowns[value] += 1
            said.counts[what] += 1
            if what == "begin":
                begun = at
            elif what == "end" and begun is not None:
                said.spans.append((begun, at))
                begun = None
            last = at
        if begun is not None:
            said.spans.append((begun, last))
    return said


def gaps(said):
    """The times without an acknowledgement while all writers were meant to write: of all apps together, and of each."""
    everybody = sorted(at for times in said.times.values() for at in times)
    result = {"seconds": 0.0, "longest_gap_ms": None, "gaps": [], "longest_gap_ms_of": {}}
    if not everybody or not said.spans:
        return result
    result["seconds"] = round(sum(end - begin for begin, end in merged(said.spans)) / 1e9, 3)
    found = holes(everybody, said.spans)
    first = everybody[0]
    result["longest_gap_ms"] = max((ms for _, ms in found), default=0.0)
    result["gaps"] = [{"start_ns": at, "start_s": round((at - first) / 1e9, 3), "ms": ms}
                      for at, ms in found if ms > LONG_GAP_MS]  # fmt: skip
    for name, times in said.times.items():
        result["longest_gap_ms_of"][name] = max((ms for _, ms in holes(times, said.spans)), default=0.0)
    return result


def holes(times, spans):
    """Start and length in ms of every time between two acknowledgements, within the times of writing."""
    found = []
    for begin, end in merged(spans):
        inner = [at for at in times if begin <= at <= end]
        # From the first acknowledgement on: before it a writer only starts.
        edges = inner + [end]
        found += [(a, round((b - a) / 1e6, 1)) for a, b in zip(edges, edges[1:])]
    return found


def merged(spans):
    """The union of time spans."""
    whole = []
    for begin, end in sorted(spans):
        if whole and begin <= whole[-1][1]:
            whole[-1] = (whole[-1][0], max(end, whole[-1][1]))
        else:
            whole.append((begin, end))
    return whole


def rows_of(machine):
    """Every (app, seq) a database has; None when it cannot be asked."""
    if not database.is_up(machine):
        return None
    rows = database.sql(machine, "SELECT app, seq FROM webplatform.journal", raw=True)
    return {(app, int(seq)) for app, seq in (line.split("\t") for line in rows.splitlines())}


def in_words(result):
    """The score for a person."""
    lines = [
        f"writable now: {', '.join(result['writable']) or 'none'}"
        + (f"; cut off: {', '.join(result['cut_off'])}" if result["cut_off"] else ""),
        f"acknowledged {result['acknowledged']} in {result['seconds']} s: "
        + ", ".join(f"{name} {count}" for name, count in result["by_server"].items()),
        f"lost {result['lost']}, duplicated {result['duplicated']}, acknowledged by two {result['acknowledged_by_two']}, "
        f"only on an old master {result['only_on_old']}, refused but there {result['refused_but_there']}",
        f"refused {result['refused']} {json.dumps(result['refused_codes'])}; unknown {result['unknown']} "
        f"{json.dumps(result['unknown_codes'])}: {result['unknown_found']} found, {result['unknown_missing']} missing",
        f"longest time without an acknowledgement: {result['longest_gap_ms']} ms",
    ]
    lines += [f"  gap of {gap['ms']} ms at {gap['start_s']} s" for gap in result["gaps"]]
    return "\n".join(lines)
