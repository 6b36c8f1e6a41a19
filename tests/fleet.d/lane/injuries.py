"""What is wrong with databases on demand, and made right again, for the runbooks that must notice it."""

import subprocess

from . import database
from .layout import FleetError
from .processes import inside, wait_for

# A table lock held by a client that waits: both replication threads say Yes, and the lag grows.
HOLD = "LOCK TABLES webplatform.journal WRITE; SELECT SLEEP(86400) AS jumpdeck_holds;"
HOLDERS = "SELECT id FROM information_schema.processlist WHERE info LIKE '%AS jumpdeck_holds%' AND id <> CONNECTION_ID()"

# A connection keeps the global privileges it began with.
RECONNECT = "KILL USER 'wiki'@'%'"

KINDS = {
    "errant": "a transaction of the replica's own, in the fleet's GTID domain",
    "errant-domain": "the same in GTID domain 7: replication goes on",
    "super": "the app's account may write to a read-only server",
    "stuck": "the replica's SQL thread is stopped",
    "delay": "the replica applies an hour late (MASTER_DELAY)",
    "blocked": "a table lock holds the replica's SQL thread; both threads say Yes",
    "no-repl": "the replication account is missing on this server",
}


def inject(fleet, kind, machine):
    """Does it."""
    statements = {
        "errant": "INSERT INTO fleet.notes VALUES (1000001, 'errant')",
        "errant-domain": "SET SESSION gtid_domain_id = 7; INSERT INTO fleet.notes VALUES (1000007, 'errant')",
        "super": f"GRANT SUPER, READ ONLY ADMIN ON *.* TO 'wiki'@'%'; {RECONNECT}",
        "stuck": "STOP SLAVE SQL_THREAD",
        "delay": "STOP SLAVE; CHANGE MASTER TO MASTER_DELAY = 3600; START SLAVE",
        "no-repl": "SET SESSION sql_log_bin = 0; DROP USER 'repl'@'%'",
    }
    if kind == "blocked":
        client = f"setsid mariadb --defaults-file=/etc/mysql/my.cnf -e '{HOLD}' </dev/null >/dev/null 2>&1 &"
        subprocess.run(inside(machine, "sh", "-c", client), check=True)
        if not wait_for(lambda: database.sql(machine, HOLDERS, raw=True).strip(), 5):
            raise FleetError(f"{machine.name}: the lock could not be had")
        return
    database.sql(machine, statements[kind])


def heal(fleet, kind, machine):
    """Undoes it. What a transaction left behind only `db reset` removes."""
    if kind.startswith("errant"):
        raise FleetError("an errant transaction stays: tests/fleet db reset")
    if kind == "blocked":
        for holder in database.sql(machine, HOLDERS, raw=True).split():
            database.sql(machine, f"KILL {holder}")
        return
    password = database.Databases(fleet).passwords()["repl"]
    statements = {
        "super": f"REVOKE SUPER, READ ONLY ADMIN ON *.* FROM 'wiki'@'%'; {RECONNECT}",
        "stuck": "START SLAVE SQL_THREAD",
        "delay": "STOP SLAVE; CHANGE MASTER TO MASTER_DELAY = 0; START SLAVE",
        "no-repl": f"SET SESSION sql_log_bin = 0; CREATE USER 'repl'@'%' IDENTIFIED BY '{password}' REQUIRE SSL; "
        "GRANT REPLICATION SLAVE ON *.* TO 'repl'@'%'",
    }
    database.sql(machine, statements[kind])
