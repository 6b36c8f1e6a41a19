"""The commands for what runs on the hosts: databases, writers, Salt, the cloud's stand-in."""

import json

from . import agent, apps, cloud as clouds, database, faults, fleet as life, injuries, packages as unpacked, salt as salting, state
from .layout import FleetError

DB_USAGE = "db HOST stop|start|kill, db reset [MODE], db inject KIND [HOST], db heal KIND [HOST]"


def arguments(command):
    """Adds these commands' arguments to the parser; `command` makes one."""
    kinds = "; ".join(f"{kind}: {what}" for kind, what in injuries.KINDS.items())
    db = command("db", f"{DB_USAGE}. Modes: {', '.join(database.MODES)}. Kinds: {kinds}")
    db.add_argument("words", nargs="+", metavar="WORD", help=DB_USAGE)
    log = command("generallog", "a database's general log: time, thread, user, command, statement", "host")
    log.add_argument("action", nargs="?", default="show", choices=["show", "on", "off", "clear"])
    writers = command("writers", "the applications' writers, and what became of their rows")
    writers.add_argument("action", choices=["start", "stop", "score"])
    writers.add_argument("--rate", type=float, default=apps.RATE, metavar="N", help="rows a second of each app")
    writers.add_argument("--json", action="store_true")
    packages = command("packages", f"Debian's packages of {', '.join(unpacked.PACKAGES)}, unpacked for the hosts")
    packages.add_argument("action", choices=["install"])
    salt = command("salt", "a real Salt: master on the jump box, minions on apps and databases")
    salt.add_argument("action", choices=["install", "up", "down", "status"])
    faults_of_cloud = "; ".join(f"{fault}: {what}" for fault, what in clouds.FAULTS.items())
    cloud = command("cloud", f"the stand-in for nova, neutron and openstack on the jump box. Faults: {faults_of_cloud}")
    cloud.add_argument("action", choices=["up", "down", "status", "agent", *clouds.FAULTS])
    salt.add_argument("--pending", action="append", default=[], metavar="HOST", help="up: leave its key unaccepted")


def db(options, directory):
    """`db`: one server, or all of them as new, or something wrong with one."""
    words = options.words + [None] * 3
    if words[0] == "reset" and len(options.words) <= 2:
        with state.held(directory):
            fleet = state.require(directory)
            mode = words[1] or fleet.replication
            if mode not in database.MODES:
                raise FleetError(f"no mode {mode!r}; there are: {', '.join(database.MODES)}")
            life.reset_databases(fleet, mode)
        print(f"databases as new: {mode}, {fleet.databases()[0].name} writable")
        return 0
    fleet = state.require(directory)
    if words[0] in ("inject", "heal") and words[1] in injuries.KINDS and len(options.words) <= 3:
        machine = fleet.machine(words[2]) if words[2] else _victim(fleet, words[1])
        faults.require_database(machine)
        {"inject": injuries.inject, "heal": injuries.heal}[words[0]](fleet, words[1], machine)
        print(f"{words[0]} {machine.name}: {injuries.KINDS[words[1]]}")
        return 0
    acts = {"stop": faults.stop_database, "start": faults.start_database, "kill": faults.kill_database}
    if words[1] not in acts or len(options.words) != 2:
        raise FleetError(f"usage: {DB_USAGE}; kinds: {', '.join(injuries.KINDS)}")
    machine = fleet.machine(words[0])
    acts[words[1]](machine)
    print(f"db {machine.name} {words[1]}")
    return 0


def _victim(fleet, kind):
    """Grants are made where they can be written; all else happens to db2."""
    if kind != "super":
        return fleet.machine("db2")
    writable = database.writable(fleet)
    if len(writable) != 1:
        raise FleetError(f"{len(writable)} databases are writable: name one")
    return writable[0]


def generallog(options, directory):
    """`generallog`."""
    machine = state.require(directory).machine(options.host)
    faults.require_database(machine)
    print(database.general_log(machine, options.action), end="")
    return 0


def writers(options, directory):
    """`writers`."""
    fleet = state.require(directory)
    if not 0 < options.rate <= 1000:
        raise FleetError("--rate takes more than 0, up to 1000")
    if options.action == "start":
        begun = apps.start(fleet, options.rate)
        print(f"writers started: {', '.join(begun) or 'none, all run already'}")
        return 0
    if options.action == "stop":
        print(f"writers stopped: {apps.stop(fleet)}")
        return 0
    result = apps.score(fleet)
    print(json.dumps(result) if options.json else apps.in_words(result))
    return 0 if result["clean"] else 1


def packages(_options, _directory):
    """`packages`."""
    made = unpacked.install()
    print(f"{unpacked.place()}: {'made' if made else 'already there'}")
    return 0


def salt(options, directory):
    """`salt`."""
    if options.action == "install":
        made = salting.install()
        print(f"{salting.environment()}: {'made' if made else 'already there'}")
        return 0
    fleet = state.require(directory)
    if options.action == "up":
        with state.held(directory):
            fleet = state.require(directory)
            salting.up(fleet, options.pending)
        print(f"salt up: {', '.join(m.name for m in salting.minions(fleet) if m.name not in options.pending)}")
    elif options.action == "down":
        print(f"salt down: ended on {salting.down(fleet)} hosts")
    else:
        print("\n".join(salting.status(fleet)))
        return 0 if salting.is_up(fleet) else 1
    return 0


def cloud(options, directory):
    """`cloud`."""
    if options.action == "agent":
        agent.serve(directory)
    with state.held(directory):
        fleet = state.require(directory)
        if options.action == "up":
            agent.up(fleet)
        elif options.action == "down":
            agent.stop(fleet)
        elif options.action in clouds.FAULTS:
            known = clouds.Cloud(fleet)
            known.faults.append(options.action)
            known.save()
    if options.action == "status":
        print("cloud: the agent " + ("listens" if agent.is_up(fleet) else "does not run"))
        return 0 if agent.is_up(fleet) else 1
    print(f"cloud {options.action}")
    return 0


COMMANDS = {"db": db, "generallog": generallog, "writers": writers, "packages": packages, "salt": salt, "cloud": cloud}
