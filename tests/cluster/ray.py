"""Run a sweep on a Ray cluster of two nodes on this machine, and kill one node during the sweep.

python -m tests.cluster.ray
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cluster import sweeps
from tests.cluster.sweeps import Refuted, failures, finish, same, start, wait_for_runs

HEAD = "127.0.0.1:6399"
STARTED = "Ray runtime started"


class Node:
    """A ``ray start`` with one CPU, whose processes form their own process group."""

    def __init__(self, place: Path, *words: str) -> None:
        ray = Path(sys.executable).with_name("ray")
        common = ["--num-cpus=1", "--object-store-memory=80000000", "--disable-usage-stats"]
        self.log = place / f"node{len(list(place.glob('node*')))}"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [ray, "start", "--block", "--node-ip-address=127.0.0.1", *common, *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + 60
        while STARTED not in self.log.read_text():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Refuted(f"ray start:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.2)

    def kill(self) -> None:
        """Kill all processes of the node, as a power failure would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def cluster(place: Path) -> Iterator[list[Node]]:
    """Start a cluster of two nodes with one CPU each; yield them, the head node first."""
    nodes: list[Node] = []
    try:
        port = HEAD.partition(":")[2]
        quiet = ["--include-dashboard=false", f"--temp-dir={place / 'ray'}"]
        nodes.append(Node(place, "--head", f"--port={port}", *quiet))
        nodes.append(worker(place))
        yield nodes
    finally:
        for node in reversed(nodes):
            if node.process.poll() is None:
                node.kill()


def worker(place: Path) -> Node:
    """Start and return another node."""
    ports = ["--min-worker-port=20002", "--max-worker-port=29999"]
    return Node(place, f"--address={HEAD}", *ports)


def main() -> int:
    lacking = sweeps.missing([], ["ray"])
    if lacking:
        print(f"not installed: {lacking}")
        return sweeps.NOT_INSTALLED
    sweeps.own_network("tests.cluster.ray")
    os.environ["RAY_ADDRESS"] = HEAD
    os.environ["RAY_AUTH_MODE"] = "disabled"  # a token of the user's other clusters is not valid
    words = ["hydra/launcher=ray", "hydra.launcher.jobs_per_task=3"]
    with tempfile.TemporaryDirectory() as folder, cluster(Path(folder)) as nodes:
        place = Path(folder) / "sweeps"
        place.mkdir()
        version = subprocess.run([nodes[0].process.args[0], "--version"], capture_output=True)  # type: ignore[index]
        print(f"{version.stdout.decode().strip()}, two nodes on this machine, a CPU each")
        finish(start(place / "undisturbed"), 0)

        once = [*words, "hydra.launcher.remote.max_retries=0"]
        killed = start(place / "killed", *once)
        wait_for_runs(place / "killed", 4, killed)
        nodes.pop().kill()
        finish(killed, 1)
        lost = failures(place / "killed")
        if not lost or not all("lost with its task" in line for line in lost):
            raise Refuted(f"listed as lost: {lost}")
        print(f"a node killed, no retries: status 1, {len(lost)} jobs listed, e.g. {lost[0]}")
        finish(start(place / "killed", *once), 0)
        print(f"the same command: {same(place / 'killed', place / 'undisturbed')}")

        nodes.append(worker(Path(folder)))
        retried = start(place / "retried", *words)
        wait_for_runs(place / "retried", 4, retried)
        nodes.pop().kill()
        finish(retried, 0)
        print(f"a node killed, retries: status 0, {same(place / 'retried', place / 'undisturbed')}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Refuted, subprocess.SubprocessError) as error:
        sys.exit(f"error: {error}")
