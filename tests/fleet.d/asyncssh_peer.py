"""A rival of the bench: one asyncssh process, one jump connection, a tunnelled connection to each host.

    asyncssh_peer.py SETTINGS.json exec|loop|echo

exec  runs the command anew in each poll.      loop  keeps a shell that runs it whenever a line comes.
echo  keeps a shell that only answers: what the way costs, without any work.
Says one JSON line when all hosts have answered once, then one for each line on stdin.
"""

import asyncio
import json
import sys
import time

import asyncssh

LOOP = "exec /bin/sh -c 'while read -r t; do out=$({work}); printf \"%s\\nend-%s\\n\" \"$out\" \"$t\"; done'"


class Host:
    """One host: its connection and, for the loops, its open channel."""

    def __init__(self, settings, mode, row):
        self.settings, self.mode, self.row = settings, mode, row
        self.connection = self.channel = None
        self.ticks = 0

    async def connect(self, jump):
        self.connection = await asyncssh.connect(
            self.row["address"], username=self.row["user"], client_keys=[self.settings["key"]],
            known_hosts=self.settings["known_hosts"], agent_path=None, config=None, tunnel=jump,
        )  # fmt: skip
        if self.mode != "exec":
            work = self.settings["command"] if self.mode == "loop" else "true"
            self.channel = await self.connection.create_process(LOOP.format(work=work))

    async def poll(self):
        """One report; whether it is whole."""
        if self.mode == "exec":
            text = (await self.connection.run(self.settings["command"])).stdout
        else:
            self.ticks += 1
            self.channel.stdin.write(f"{self.ticks}\n")
            text = await self.channel.stdout.readuntil(f"end-{self.ticks}\n")
        return self.mode == "echo" or all(mark in text for mark in self.settings["marks"])


async def main():
    settings = json.load(open(sys.argv[1]))
    hosts = [Host(settings, sys.argv[2], row) for row in settings["hosts"]]
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)

    async def answer(work):
        begun, cpu = time.perf_counter(), time.process_time()
        results = await work
        whole = sum(1 for r in results if r is True)
        said = {"ms": (time.perf_counter() - begun) * 1000, "cpu_s": time.process_time() - cpu, "answered": whole}
        print(json.dumps(said), flush=True)

    async def cold():
        jump = await asyncssh.connect(
            settings["jump"]["address"], settings["jump"]["port"], username=settings["jump"]["user"],
            client_keys=[settings["key"]], known_hosts=settings["known_hosts"], agent_path=None, config=None,
        )  # fmt: skip
        await jump.run("true")  # without it sshd batches what it forwards: everything after is twice as slow

        async def first(host):
            await host.connect(jump)
            return await host.poll()

        return await asyncio.gather(*(first(h) for h in hosts), return_exceptions=True)

    await answer(cold())
    while await lines.readline():
        await answer(asyncio.gather(*(h.poll() for h in hosts), return_exceptions=True))


asyncio.run(main())
