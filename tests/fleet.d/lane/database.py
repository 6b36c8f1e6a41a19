"""MariaDB on the hosts that are databases: one prepared data directory copied to each, replication from the first by
GTID over TLS, certificates from a CA of the fleet's own."""

import secrets
import shutil
import subprocess

from .layout import FleetError
from .machine import write
from .processes import inside, run, wait_for

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
read_only = {read_only}
log_bin = {name}-bin
relay_log = {name}-relay
log_slave_updates = ON
gtid_strict_mode = ON
slave_net_timeout = 10
master_retry_count = 0
skip_name_resolve = ON
ssl_ca = /etc/mysql/tls/ca.pem
ssl_cert = /etc/mysql/tls/cert.pem
ssl_key = /etc/mysql/tls/key.pem
# Small, and fast to start: nothing here must survive a power cut.
innodb_buffer_pool_size = 16M
innodb_log_file_size = 8M
innodb_flush_log_at_trx_commit = 0
innodb_flush_method = nosync
sync_binlog = 0
performance_schema = OFF
key_buffer_size = 1M
aria_pagecache_buffer_size = 8M
max_connections = 40
"""

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
CREATE USER 'monitor'@'localhost' IDENTIFIED BY '{monitor}';
GRANT REPLICA MONITOR, BINLOG MONITOR, REPLICATION MASTER ADMIN ON *.* TO 'monitor'@'localhost';
"""

FOLLOW = """\
CHANGE MASTER TO MASTER_HOST='{master}', MASTER_USER='repl', MASTER_PASSWORD='{repl}',
  MASTER_CONNECT_RETRY=1, MASTER_HEARTBEAT_PERIOD=2, MASTER_USE_GTID=slave_pos,
  MASTER_SSL=1, MASTER_SSL_CA='/etc/mysql/tls/ca.pem', MASTER_SSL_VERIFY_SERVER_CERT=1;
START SLAVE;
"""

FIRST_ROWS = """\
CREATE DATABASE fleet;
CREATE TABLE fleet.notes (id INT AUTO_INCREMENT PRIMARY KEY, note VARCHAR(200) NOT NULL);
INSERT INTO fleet.notes (note) VALUES ('the first row');
"""


class Databases:
    """The databases of one fleet while it comes up."""

    def __init__(self, fleet):
        self.fleet = fleet
        self.passwords = {"repl": secrets.token_hex(16), "monitor": secrets.token_hex(16)}

    def prepare(self):
        """Certificates, configuration and data for every database host; they start with their hosts."""
        fleet = self.fleet
        if not fleet.databases():
            return
        base = self._prepare_data()
        self._make_ca()
        for machine in fleet.databases():
            etc = fleet.home(machine) / "etc"
            self._make_certificate(machine, etc / "mysql" / "tls")
            write(etc / "mysql" / "my.cnf", SERVER_CNF.format(
                server_id=machine.server_id, name=machine.name, read_only="OFF" if machine.server_id == 1 else "ON"))
            write(etc / "jumpdeck" / "start-mariadb", START_MARIADB, 0o755)
            run("cp", "-a", "--sparse=always", "--reflink=auto", str(base), str(fleet.home(machine) / "mysql"))
        shutil.rmtree(base)
        watched = next((m for m in fleet.databases() if m.name == "db2"), None)
        if watched:
            write(fleet.home(watched) / "my.cnf", MONITOR_CNF.format(password=self.passwords["monitor"]), 0o600)

    def _prepare_data(self):
        """One data directory with the accounts in it: the slow part, done once."""
        base = self.fleet.path("mysql-base")
        # Made as root: the account mysql could not walk to a directory of ours. In the host it is a mount of its own.
        sql = self.fleet.path("accounts.sql")
        write(sql, ACCOUNTS.format(**self.passwords), 0o600)
        try:
            run("mariadb-install-db", "--no-defaults", "--user=root", f"--datadir={base}", f"--extra-file={sql}",
                "--auth-root-authentication-method=socket", "--skip-test-db", "--skip-name-resolve",
                "--innodb-log-file-size=8M")  # fmt: skip
        finally:
            sql.unlink()
        run("chown", "-R", "mysql:", str(base))
        return base

    def _make_ca(self):
        directory = self.fleet.path("tls")
        directory.mkdir()
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
            "-subj", "/CN=jumpdeck test fleet CA", "-keyout", str(directory / "ca-key.pem"),
            "-out", str(directory / "ca.pem"))  # fmt: skip

    def _make_certificate(self, machine, target):
        ca = self.fleet.path("tls")
        target.mkdir(parents=True)
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
            "-subj", f"/CN={machine.name}", "-addext", f"subjectAltName=DNS:{machine.name},DNS:{machine.fqdn}",
            "-addext", "basicConstraints=critical,CA:FALSE", "-CA", str(ca / "ca.pem"), "-CAkey", str(ca / "ca-key.pem"),
            "-keyout", str(target / "key.pem"), "-out", str(target / "cert.pem"))  # fmt: skip
        shutil.copy(ca / "ca.pem", target / "ca.pem")
        shutil.chown(target / "key.pem", "mysql")

    def replicate(self):
        """Makes the replicas follow the first database, and waits until they have its first rows."""
        databases = self.fleet.databases()
        if not databases:
            return
        master, replicas = databases[0], databases[1:]
        for machine in databases:
            wait_answering(machine)
        for replica in replicas:
            sql(replica, FOLLOW.format(master=master.name, repl=self.passwords["repl"]))
        sql(master, FIRST_ROWS)
        for replica in replicas:
            if not wait_for(lambda replica=replica: is_following(replica), 15, step=0.1):
                raise FleetError(f"{replica.name} does not follow {master.name}: see its log/mariadb.log")


def sql(machine, statements, check=True, vertical=False):
    """Runs SQL as the database's root, over the socket. The text goes in on stdin: it may hold a password."""
    command = ["mariadb", "--defaults-file=/etc/mysql/my.cnf"] + (["--vertical"] if vertical else [])
    return run(*inside(machine, *command), text=statements, check=check)


def wait_answering(machine, seconds=30):
    """Waits until a database answers."""
    def answers():
        asked = subprocess.run(inside(machine, "mariadb-admin", "--defaults-file=/etc/mysql/my.cnf", "ping"),
                               capture_output=True, check=False)  # fmt: skip
        return asked.returncode == 0

    if not wait_for(answers, seconds, step=0.1):
        raise FleetError(f"{machine.name}: MariaDB does not answer, see its log/mariadb.log")


def is_following(replica):
    """Whether a replica runs, encrypted, without lag, and has the first rows."""
    shown = sql(replica, "SHOW ALL SLAVES STATUS; SELECT note FROM fleet.notes;", check=False, vertical=True)
    wanted = ["Slave_IO_Running: Yes", "Slave_SQL_Running: Yes", "Master_SSL_Allowed: Yes", "Seconds_Behind_Master: 0",
              "the first row"]  # fmt: skip
    return all(text in shown for text in wanted)
