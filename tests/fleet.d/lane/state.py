"""Who may touch a fleet: one command at a time; and what they find."""

import fcntl
import os
import shutil
from contextlib import contextmanager
from pathlib import Path

from .layout import Fleet, FleetError


@contextmanager
def held(directory):
    """One command at a time works on a fleet that changes."""
    path = Path(f"{directory}.lock")
    while True:
        lock = open(path, "w", opener=lambda p, flags: os.open(p, flags | os.O_NOFOLLOW, 0o600))
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Whoever held it before has removed the file: the lock must be on the one others will open.
        if path.exists() and path.stat().st_ino == os.fstat(lock.fileno()).st_ino:
            break
        lock.close()
    with lock:
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def require(directory):
    """The fleet that is up, or an error that says how to get one."""
    fleet = Fleet.load(directory)
    if fleet is None or not fleet.machines:
        raise FleetError(f"no fleet in {directory}: tests/fleet up")
    return fleet


def removed(directory):
    """Removes the directory; whether it is gone."""
    shutil.rmtree(directory, ignore_errors=True)
    return not directory.exists()
