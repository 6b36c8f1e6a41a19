"""Debian's packages of the services that hosts run, unpacked outside the repository and not installed: this machine keeps
its own mail system and web server, and nothing is started here. A host sees the trees of its services over /usr."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from .layout import FleetError
from .processes import run

# By the name of the script in /etc/init.d, except PHP's: see `script`.
PACKAGES = {
    "postfix": "postfix",
    "apache2": "apache2",
    "redis-server": "redis-server",
    "memcached": "memcached",
    "exim4": "exim4-daemon-light",
    "nginx": "nginx",
    "php-fpm": "php-fpm",
}
# Accounts and groups that the packages' own scripts would make.
ACCOUNTS = {"postfix": 1910, "redis": 1912, "memcache": 1913, "Debian-exim": 1914}
GROUPS = {**ACCOUNTS, "postdrop": 1911}
# With these rights anybody may put a message into the queue, and ask for it.
OF_POSTDROP = ("usr/sbin/postdrop", "usr/sbin/postqueue")

TRIAL = 'mount -t overlay -o "ro,lowerdir=$1:/usr" overlay /usr'


def place():
    """Where the trees are, whether they are there or not."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base, "jumpdeck-tests", "services")


def tree(service):
    """The files of a service and of what it needs that this machine does not have."""
    return place() / service


def script(service):
    """The name of its script in /etc/init.d. That of PHP has its version in it."""
    if service != "php-fpm":
        return service
    (found,) = tree(service).glob("etc/init.d/php*-fpm")
    return found.name


def _made_of():
    """What the trees were made of: another Debian has other libraries for them."""
    try:
        debian = Path("/etc/debian_version").read_text().strip()
    except OSError:
        debian = None
    return json.dumps({"debian": debian, "packages": PACKAGES, "groups": GROUPS})


def is_installed():
    """Whether the trees were made to their end, for this Debian."""
    try:
        return place().joinpath("made").read_text() == _made_of()
    except OSError:
        return False


def are_usable():
    """Whether hosts can have them: they are there, and the kernel can lay one folder over another."""
    if not is_installed():
        return False
    lower = str(tree("postfix") / "usr")
    tried = subprocess.run(["unshare", "--mount", "sh", "-c", TRIAL, "trial", lower], capture_output=True, check=False)
    return tried.returncode == 0


def install():
    """Downloads and unpacks the packages unless that was done."""
    if is_installed():
        return False
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise FleetError("the services of the fleet's hosts are Debian's packages: this needs Debian, and root")
    shutil.rmtree(place(), ignore_errors=True)
    for service, package in PACKAGES.items():
        _unpack(service, _download(package))
    shutil.rmtree(place() / "archives")
    place().joinpath("made").write_text(_made_of())
    return True


def _download(package):
    """The package, and those that it needs and this machine does not have."""
    archives = place() / "archives" / package
    archives.joinpath("partial").mkdir(parents=True)
    command = ["apt-get", "-qq", "-y", "--download-only", "--no-install-recommends", "--reinstall",
               "-o", f"Dir::Cache::Archives={archives}", "-o", "APT::Sandbox::User=root", "install", package]  # fmt: skip
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        # Its lists may be old, or not be there.
        run("apt-get", "-qq", "update")
        run(*command)
    found = sorted(archives.glob("*.deb"))
    if not any(deb.name.startswith(f"{package}_") for deb in found):
        raise FleetError(f"apt-get did not download {package}")
    return found


def _unpack(service, archives):
    """One tree of all of them, everything of /lib below /usr."""
    target = tree(service)
    target.mkdir(parents=True)
    for archive in archives:
        run("dpkg-deb", "-x", str(archive), str(target))
    if (target / "lib").exists():
        shutil.copytree(target / "lib", target / "usr" / "lib", symlinks=True, dirs_exist_ok=True)
        shutil.rmtree(target / "lib")
    for name in OF_POSTDROP if service == "postfix" else ():
        os.chown(target / name, 0, GROUPS["postdrop"])
        os.chmod(target / name, 0o2555)
