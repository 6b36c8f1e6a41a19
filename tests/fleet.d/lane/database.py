"""MariaDB on the hosts that are databases: one prepared data directory copied to each, replication from the first over
TLS in one of the modes of `MODES`, certificates from a CA of the fleet's own."""

import json
import secrets
import shutil
import signal
import subprocess
from pathlib import Path

from . import machine as machines, processes, proxy
from .layout import FleetError
from .machine import write
from .processes import inside, run, wait_for

# How replicas follow: what the option file says of it, and the CHANGE MASTER clause.
MODES = {
    "gtid": {"log_slave_updates": "ON", "gtid_strict_mode": "ON", "use_gtid": "slave_pos"},
    "gtid-nolsu": {"log_slave_updates": "OFF", "gtid_strict_mode": "ON", "use_gtid": "slave_pos"},
    "position": {"log_slave_updates": "ON", "gtid_strict_mode": "OFF", "use_gtid": "no"},
}

SERVER_CNF = """\
[client]
socket = /run/mysqld/mysqld.sock

[mariadbd]
user = mysql
datadir = /var/lib/mysql
socket = /run/mysqld/mysqld.sock
pid_file = /run/mysqld/mysqld.pid
log_error = /var/log/mariadb.log
server_id = {server_id}
report_host = {name}
# A server that starts again comes back read-only, whatever it was before.
read_only = ON
log_bin = {name}-bin
relay_log = {name}-relay
log_slave_updates = {log_slave_updates}
gtid_strict_mode = {gtid_strict_mode}
slave_net_timeout = 10
master_retry_count = 0
skip_name_resolve = ON
ssl_ca = /etc/mysql/tls/ca.pem
ssl_cert = /etc/mysql/tls/cert.pem
ssl_key = /etc/mysql/tls/key.pem
log_output = TABLE
# Small, and fast to start: nothing here must survive a power cut. A killed server loses nothing.
innodb_buffer_pool_size = 16M
innodb_log_file_size = 8M
innodb_flush_log_at_trx_commit = 2
innodb_flush_method = nosync
sync_binlog = 0
performance_schema = OFF
key_buffer_size = 1M
aria_pagecache_buffer_size = 8M
max_connections = 60

# What is added later has the last word, as in Debian's own file.
!includedir /etc/mysql/mariadb.conf.d/
"""

OPTION_FILES = "/etc/mysql/mariadb.conf.d"

START_MARIADB = """\
#!/bin/sh
exec </dev/null >>/var/log/mariadb.out 2>&1
mkdir -p /run/mysqld
chown mysql /run/mysqld
setsid mariadbd --defaults-file=/etc/mysql/my.cnf &
"""

MONITOR_CNF = """\
[client]
user = monitor
password = {password}
socket = /run/mysqld/mysqld.sock
"""

# The bootstrap runs without grant tables; reading them in is what makes accounts possible.
ACCOUNTS = """\
FLUSH PRIVILEGES;
CREATE USER 'repl'@'%' IDENTIFIED BY '{repl}' REQUIRE SSL;
GRANT REPLICATION SLAVE ON *.* TO 'repl'@'%';
CREATE USER 'wiki'@'%' IDENTIFIED BY '{wiki}' REQUIRE SSL;
GRANT SELECT, INSERT, UPDATE, DELETE ON webplatform.* TO 'wiki'@'%';
CREATE USER 'monitor'@'localhost' IDENTIFIED BY '{monitor}';
GRANT PROCESS, REPLICA MONITOR, BINLOG MONITOR, REPLICATION MASTER ADMIN ON *.* TO 'monitor'@'localhost';
"""

FOLLOW = """\
CHANGE MASTER TO MASTER_HOST='{master}', MASTER_USER='repl', MASTER_PASSWORD='{repl}',
  MASTER_CONNECT_RETRY=1, MASTER_HEARTBEAT_PERIOD=2, {where}
  MASTER_SSL=1, MASTER_SSL_CA='/etc/mysql/tls/ca.pem', MASTER_SSL_VERIFY_SERVER_CERT=1;
START SLAVE;
"""

FIRST_ROWS = """\
SET GLOBAL read_only = 0;
CREATE DATABASE fleet;
CREATE TABLE fleet.notes (id INT AUTO_INCREMENT PRIMARY KEY, note VARCHAR(200) NOT NULL);
INSERT INTO fleet.notes (note) VALUES ('the first row');
CREATE DATABASE webplatform;
CREATE TABLE webplatform.journal (
  id BIGINT AUTO_INCREMENT PRIMARY KEY, app VARCHAR(32) NOT NULL, seq BIGINT NOT NULL, at DATETIME(3), UNIQUE (app, seq));
"""

# Our own reading of the general log stays out of it, but for the statement that says so.
READ_GENERAL_LOG = """\
SET SESSION sql_log_off = 1;
SELECT event_time, thread_id, user_host, command_type, argument FROM mysql.general_log
  WHERE argument NOT LIKE 'SET SESSION sql_log_off = 1%' ORDER BY event_time;
"""


class Databases:
    """The databases of one fleet: made when it comes up, made anew by `reset`."""

    def __init__(self, fleet):
        self.fleet = fleet
        self.secrets = fleet.path("secrets.json")

    def passwords(self):
        """The accounts' passwords by account; only this file of the operator's own directory has them all."""
        return json.loads(self.secrets.read_text())

    def prepare(self):
        """Certificates, configuration and data for every database host; they start with their hosts."""
        fleet = self.fleet
        if not fleet.databases():
            return
        made = {account: secrets.token_hex(16) for account in ("repl", "monitor", "wiki")}
        write(self.secrets, json.dumps(made) + "\n", 0o600)
        self._prepare_data()
        self._make_ca()
        for machine in fleet.databases():
            etc = fleet.home(machine) / "etc"
            self._make_certificate(machine, etc / "mysql" / "tls")
            write(etc / "mysql" / "my.cnf", self._options(machine))
            # This machine's own files are hidden: they would set where the server listens.
            (etc / "mysql" / "mariadb.conf.d").mkdir()
            for own in Path(OPTION_FILES).glob("*.cnf"):
                write(etc / "mysql" / "mariadb.conf.d" / own.name, "")
            write(etc / "jumpdeck" / "start-mariadb", START_MARIADB, 0o755)
            (fleet.home(machine) / "mysql").mkdir()
            self._lay_data(machine)
        watched = next((m for m in fleet.databases() if m.name == "db2"), None)
        if watched:
            write(fleet.home(watched) / "my.cnf", MONITOR_CNF.format(password=made["monitor"]), 0o600)

    def _options(self, machine):
        mode = MODES[self.fleet.replication]
        return SERVER_CNF.format(server_id=machine.server_id, name=machine.name, **mode)

    def _prepare_data(self):
        """One data directory with the accounts in it: the slow part, done once."""
        base = self.fleet.path("mysql-base")
        # Made as root: the account mysql could not walk to a directory of ours. In the host it is a mount of its own.
        sql = self.fleet.path("accounts.sql")
        accounts = ACCOUNTS + (proxy.ACCOUNT if self.fleet.has_proxies else "")
        write(sql, accounts.format(**self.passwords()), 0o600)
        try:
            run("mariadb-install-db", "--no-defaults", "--user=root", f"--datadir={base}", f"--extra-file={sql}",
                "--auth-root-authentication-method=socket", "--skip-test-db", "--skip-name-resolve",
                "--innodb-log-file-size=8M")  # fmt: skip
        finally:
            sql.unlink()
        run("chown", "-R", "mysql:", str(base))

    def _lay_data(self, machine):
        """A host's data directory as new; its server does not run. The directory itself is mounted: it stays."""
        target = self.fleet.home(machine) / "mysql"
        for old in target.iterdir():
            shutil.rmtree(old) if old.is_dir() else old.unlink()
        base = self.fleet.path("mysql-base")
        run("cp", "-a", "--sparse=always", "--reflink=auto", f"{base}/.", str(target))

    def _make_ca(self):
        directory = self.fleet.path("tls")
        directory.mkdir()
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
            "-subj", "/CN=jumpdeck test fleet CA", "-keyout", str(directory / "ca-key.pem"),
            "-out", str(directory / "ca.pem"))  # fmt: skip

    def _make_certificate(self, machine, target):
        ca = self.fleet.path("tls")
        target.mkdir(parents=True)
        names = f"DNS:{machine.name},DNS:{machine.fqdn},IP:{self.fleet.address(machine)}"
        if self.fleet.has_proxies:
            # Applications know the server by the address of their proxy.
            names += f",IP:{proxy.ADDRESS}"
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
            "-subj", f"/CN={machine.name}", "-addext", f"subjectAltName={names}",
            "-addext", "basicConstraints=critical,CA:FALSE", "-CA", str(ca / "ca.pem"), "-CAkey", str(ca / "ca-key.pem"),
            "-keyout", str(target / "key.pem"), "-out", str(target / "cert.pem"))  # fmt: skip
        shutil.copy(ca / "ca.pem", target / "ca.pem")
        shutil.chown(target / "key.pem", "mysql")

    def replicate(self):
        """Makes the first database writable and the others follow it, and waits until they have its first rows."""
        databases = self.fleet.databases()
        if not databases:
            return
        master, replicas = databases[0], databases[1:]
        for machine in databases:
            wait_answering(machine)
        where = f"MASTER_USE_GTID={MODES[self.fleet.replication]['use_gtid']},"
        if self.fleet.replication == "position":
            file, position = sql(master, "SHOW MASTER STATUS", raw=True).split()[:2]
            where += f" MASTER_LOG_FILE='{file}', MASTER_LOG_POS={position},"
        for replica in replicas:
            address = self.fleet.address(master)
            sql(replica, FOLLOW.format(master=address, repl=self.passwords()["repl"], where=where))
        sql(master, FIRST_ROWS)
        for replica in replicas:
            if not wait_for(lambda replica=replica: is_following(replica), 15, step=0.1):
                raise FleetError(f"{replica.name} does not follow {master.name}: see its log/mariadb.log")

    def reset(self, mode):
        """The three databases as new, in this mode: fresh data, the first one writable, the others following."""
        self.fleet.replication = mode
        for machine in self.fleet.databases():
            kill(machine)
        for machine in self.fleet.databases():
            self._lay_data(machine)
            machines.put(machine, "/etc/mysql/my.cnf", self._options(machine))
            run(*inside(machine, "sh", "-c", f"rm -f {OPTION_FILES}/zz-jumpdeck.cnf*"))
            launch(machine)
        self.replicate()
        self.fleet.save()


def sql(machine, statements, check=True, vertical=False, raw=False):
    """Runs SQL as the database's root, over the socket. The text goes in on stdin: it may hold a password.
    `raw`: rows only, without the names of the columns."""
    command = ["mariadb", "--defaults-file=/etc/mysql/my.cnf"]
    command += (["--vertical"] if vertical else []) + (["--batch", "--skip-column-names"] if raw else [])
    return run(*inside(machine, *command), text=statements, check=check)


def is_up(machine):
    """Whether a database answers."""
    asked = subprocess.run(inside(machine, "mariadb-admin", "--defaults-file=/etc/mysql/my.cnf", "ping"),
                           capture_output=True, check=False)  # fmt: skip
    return asked.returncode == 0


def wait_answering(machine, seconds=30):
    """Waits until a database answers."""
    if not wait_for(lambda: is_up(machine), seconds, step=0.1):
        raise FleetError(f"{machine.name}: MariaDB does not answer, see its log/mariadb.log")


def launch(machine):
    """Starts a host's MariaDB unless it runs."""
    if not machines.daemons(machine, "mariadbd"):
        subprocess.run(inside(machine, "/etc/jumpdeck/start-mariadb"), stdin=subprocess.DEVNULL, check=True)


def kill(machine):
    """Ends a host's MariaDB with SIGKILL and waits until it is gone."""
    processes.send(machines.daemons(machine, "mariadbd"), signal.SIGKILL)
    if not wait_for(lambda: not machines.daemons(machine, "mariadbd"), 10):
        raise FleetError(f"{machine.name}: MariaDB does not end")


def writable(fleet):
    """The databases that take writes, of those that answer."""
    asked = [(m, sql(m, "SELECT @@read_only", check=False, raw=True).strip()) for m in fleet.databases()]
    return [m for m, said in asked if said == "0"]


def is_following(replica):
    """Whether a replica runs, encrypted, without lag, and has the first rows."""
    shown = sql(replica, "SHOW ALL SLAVES STATUS; SELECT note FROM fleet.notes;", check=False, vertical=True)
    wanted = ["Slave_IO_Running: Yes", "Slave_SQL_Running: Yes", "Master_SSL_Allowed: Yes", "Seconds_Behind_Master: 0",
              "the first row"]  # fmt: skip
    return all(text in shown for text in wanted)


def general_log(machine, action):
    """Switches the general log on (empty) or off, or prints it: time, thread, user, command, statement."""
    # Not into the binary log: on a replica it would be a transaction of its own.
    orders = {
        "on": "SET GLOBAL general_log = 0; SET SESSION sql_log_bin = 0; TRUNCATE mysql.general_log; SET GLOBAL general_log = 1",
        "off": "SET GLOBAL general_log = 0",
        "clear": "SET SESSION sql_log_bin = 0; TRUNCATE mysql.general_log",
        "show": READ_GENERAL_LOG,
    }
    return sql(machine, orders[action], raw=True)
