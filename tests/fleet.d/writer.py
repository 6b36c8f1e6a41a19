#!/usr/bin/python3
"""An application that writes, steadily: one row a transaction into webplatform.journal, `seq` counting up, on the
database named in /etc/webplatform/db.ini. Runs inside an app host until SIGTERM.

    writer.py APP RATE RECORD [--told]

It reads the file again when it changes and after every error; with --told only when it gets SIGHUP, as most programs do, and
keeps its connection for as long as the server does. A row goes in once: the same `seq` is tried again only
when the server refused it, or when a writable server does not have it. RECORD gets a line for everything it learnt
(times in ns of the monotonic clock, one for all hosts):

    begin APP SEQ NS RATE            from here on
    ack APP SEQ NS SERVER_ID         the server acknowledged the row
    refused APP SEQ NS CODE          the server, or the way to it, did not take the row: it is not there
    unknown APP SEQ NS CODE          the connection was lost while the row was under way
    found APP SEQ NS SERVER_ID       an unknown row is there
    missing APP SEQ NS SERVER_ID     an unknown row is not there; it is tried again
    duplicate APP SEQ NS SERVER_ID   a row was there that was never under way
    end APP SEQ NS 0                 stopped by SIGTERM; SEQ is the next one
"""

import configparser
import os
import signal
import sys
import time
from pathlib import Path

import pymysql
from pymysql.constants import CR, ER

CONFIG = Path("/etc/webplatform/db.ini")
CA = "/etc/webplatform/ca.pem"
PAUSE = 0.01
CONNECT_LIMIT, ANSWER_LIMIT = 1, 3
# No answer came, or the server's last words to a connection it ends: neither tells what became of a statement under way.
# 1927: connection was killed; 0: an error without a number.
LOST = {0, CR.CR_SERVER_LOST, CR.CR_SERVER_GONE_ERROR, ER.SERVER_SHUTDOWN, ER.QUERY_INTERRUPTED, 1927}
# What became of one attempt.
DONE, ABSENT, UNKNOWN, WAIT = "done", "absent", "unknown", "wait"


class Unreachable(Exception):
    """No connection; `args[0]` is the code."""


def code(error):
    """The server's or the client library's number of an error; 0 when it has none."""
    known = isinstance(error, pymysql.MySQLError) and error.args and isinstance(error.args[0], int)
    return error.args[0] if known else 0


class Database:
    """The connection to whatever db.ini names now."""

    def __init__(self, told=False):
        # With `told` it is told when to read the file again; None: it looks by itself.
        self.told = False if told else None
        self.connection = self.mark = self.wanted = None
        self.server_id = 0

    def moved(self):
        """Whether db.ini is another than the one that was read."""
        if self.told is not None:
            return self.told
        return self.mark is not None and self._stamp() != self.mark

    def open(self):
        """Connects unless connected."""
        if self.connection:
            return
        mark = self._stamp()
        try:
            if self.told is not False or self.wanted is None:
                # Before it is read: who tells again meanwhile is heard.
                self.told = None if self.told is None else False
                parser = configparser.ConfigParser(interpolation=None)
                parser.read_string(CONFIG.read_text())
                self.wanted = parser["database"]
            wanted = self.wanted
            password = Path(wanted["password_file"]).read_text().strip()
            self.mark = mark
            self.connection = pymysql.connect(
                host=wanted["host"], port=int(wanted["port"]), user=wanted["user"], password=password,
                database="webplatform", ssl={"ca": CA}, autocommit=True, connect_timeout=CONNECT_LIMIT,
                read_timeout=ANSWER_LIMIT, write_timeout=ANSWER_LIMIT,
            )  # fmt: skip
            self.server_id = self.ask("SELECT @@server_id")
        except (KeyError, ValueError, configparser.Error) as error:
            self.close()
            raise Unreachable(1) from error
        except (pymysql.MySQLError, OSError) as error:
            self.close()
            raise Unreachable(code(error)) from error

    def ask(self, statement, *values):
        """The first value of the first row, or None."""
        with self.connection.cursor() as cursor:
            cursor.execute(statement, values)
            row = cursor.fetchone()
            return row[0] if row else None

    def insert(self, app, seq):
        """One row, one transaction."""
        with self.connection.cursor() as cursor:
            cursor.execute("INSERT INTO journal (app, seq, at) VALUES (%s, %s, NOW(3))", (app, seq))

    def close(self):
        """Drops the connection without a word: the server may be past hearing it."""
        if self.connection:
            self.connection._force_close()
            self.connection = None

    @staticmethod
    def _stamp():
        try:
            found = CONFIG.stat()
            return found.st_ino, found.st_mtime_ns, found.st_size
        except OSError:
            return None


class Writer:
    """The loop: one row after the other, at an even pace."""

    def __init__(self, app, rate, record, told=False):
        self.app, self.rate = app, rate
        self.seq = next_seq(record, app)
        # O_APPEND and one write a line: what is recorded outlives this process, and needs no fsync for that.
        self.out = os.open(record, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self.database = Database(told)
        self.running = True
        signal.signal(signal.SIGTERM, self.stop)
        if told:
            signal.signal(signal.SIGHUP, self.read_again)

    def stop(self, *_):
        self.running = False

    def read_again(self, *_):
        self.database.told = True

    def tell(self, what, value):
        line = f"{what} {self.app} {self.seq} {time.monotonic_ns()} {value}\n"
        os.write(self.out, line.encode())

    def run(self):
        self.seq = self.seq or self.first_seq()
        self.tell("begin", self.rate)
        due = time.monotonic()
        while self.running:
            if self.write():
                self.seq += 1
            # After a gap it goes on at its pace: no burst.
            due = max(due + 1 / self.rate, time.monotonic() - 2 / self.rate)
            time.sleep(max(0.0, due - time.monotonic()))
        self.tell("end", 0)

    def first_seq(self):
        """Where to begin without a record, as on a machine that replaced another: behind the last row there is."""
        while self.running:
            try:
                self.database.open()
                return 1 + (self.database.ask("SELECT MAX(seq) FROM journal WHERE app = %s", self.app) or 0)
            except (Unreachable, pymysql.MySQLError, OSError):
                self.database.close()
                time.sleep(PAUSE)
        return 1

    def write(self):
        """Gets the row in. False only when asked to stop before it is."""
        absent = True
        while self.running:
            try:
                if self.database.moved():
                    self.database.close()
                self.database.open()
                outcome = self.insert() if absent else self.resolve()
            except Unreachable as error:
                outcome = WAIT
                if absent:
                    self.tell("refused", error.args[0])
            if outcome == DONE:
                return True
            absent = outcome == ABSENT or (outcome == WAIT and absent)
            if outcome == WAIT:
                time.sleep(PAUSE)
        return False

    def insert(self):
        """Tries a row that is not there."""
        try:
            self.database.insert(self.app, self.seq)
            self.tell("ack", self.database.server_id)
            return DONE
        except (pymysql.MySQLError, OSError) as error:
            number = code(error)
        if number == ER.DUP_ENTRY:
            self.tell("duplicate", self.database.server_id)
            return DONE
        if number in LOST:
            self.tell("unknown", number)
            self.database.close()
            return UNKNOWN
        self.tell("refused", number)
        return WAIT

    def resolve(self):
        """Asks what became of an unknown row, of a server that is writable: a read-only one may be behind."""
        database = self.database
        try:
            if database.ask("SELECT @@read_only"):
                database.close()
                return WAIT
            # Locking, so that a late commit of the lost connection is waited for and not missed.
            row = "SELECT 1 FROM journal WHERE app = %s AND seq = %s LOCK IN SHARE MODE"
            there = database.ask(row, self.app, self.seq)
        except (pymysql.MySQLError, OSError):
            database.close()
            return WAIT
        self.tell("found" if there else "missing", database.server_id)
        return DONE if there else ABSENT


def next_seq(record, app):
    """One more than the highest number recorded: a writer goes on where it stopped. 0 when nothing is recorded."""
    try:
        lines = Path(record).read_text().splitlines()
    except FileNotFoundError:
        return 0
    done = [line.split() for line in lines]
    return 1 + max((int(f[2]) for f in done if f[1] == app and f[0] not in ("begin", "end")), default=-1)


if __name__ == "__main__":
    Writer(sys.argv[1], float(sys.argv[2]), sys.argv[3], "--told" in sys.argv[4:]).run()
