"""The agent behind `cloud-stand-in`: it runs outside of all hosts, with the privileges to make them, and listens on a
socket that the jump box sees as /run/fleet-rig/cloud/agent.sock."""

import json
import os
import socketserver
import subprocess
import sys
import threading
from pathlib import Path

from . import cloud, cloud_words, processes, state
from .layout import FleetError

SOCKET = "agent.sock"


def up(fleet):
    """Founds the cloud when there is none yet, and starts the agent when it does not run."""
    if not fleet.path("cloud.json").exists():
        cloud.found_cloud(fleet)
    if is_up(fleet):
        return
    script = Path(__file__).parents[2] / "fleet"
    with open(fleet.path("cloud.log"), "ab") as log:
        agent = subprocess.Popen(
            [sys.executable, str(script), "--dir", str(fleet.directory), "cloud", "agent"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/",
        )  # fmt: skip
    fleet.agent = {"pid": agent.pid, "started": processes.start_time(agent.pid)}
    fleet.save()
    place = fleet.home(fleet.jump) / "cloud" / SOCKET
    if not processes.wait_for(place.exists, 10):
        raise FleetError(f"the cloud's agent does not listen: see {fleet.path('cloud.log')}")


def is_up(fleet):
    """Whether the agent runs."""
    return bool(fleet.agent) and processes.is_alive(fleet.agent["pid"], fleet.agent["started"])


def stop(fleet):
    """Ends the agent; the servers stay."""
    if fleet.agent:
        processes.end(fleet.agent["pid"], fleet.agent["started"])
        (fleet.home(fleet.jump) / "cloud" / SOCKET).unlink(missing_ok=True)


def serve(directory):
    """The agent itself; does not return."""
    fleet = state.require(directory)
    os.chdir(fleet.home(fleet.jump) / "cloud")
    # A path on a socket has little room: the short one. It appears under its name when it listens.
    Path(SOCKET).unlink(missing_ok=True)
    with Server(f"{SOCKET}.part", Request) as server:
        server.directory = directory
        os.rename(f"{SOCKET}.part", SOCKET)
        server.serve_forever()


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


class Request(socketserver.StreamRequestHandler):
    """One command: a line of JSON in, one out."""

    def handle(self):
        asked = json.loads(self.rfile.readline())
        directory = self.server.directory
        with state.held(directory):
            known = cloud.Cloud(state.require(directory))
            answer = cloud_words.run(known, asked["program"], asked["args"])
            known.save()
        if answer.built:
            building = threading.Thread(target=cloud.build, args=(directory, answer.built), daemon=True)
            building.start()
            if answer.wait:
                building.join()
        said = {"out": answer.out, "err": answer.err, "status": answer.status}
        self.wfile.write(json.dumps(said).encode())
