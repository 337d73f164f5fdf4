"""Run sweeps on a Slurm cluster on this machine; cancel a task in one, requeue one in another.

    python -m tests.cluster.slurm

It needs slurmctld, slurmd, slurm-client and munge (Debian: apt-get install), and submitit.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from getpass import getuser
from pathlib import Path

from tests.cluster import sweeps
from tests.cluster.sweeps import Refuted, failures, finish, same, start, wait_for_runs

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel", "scontrol")
CONF = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
AuthType=auth/munge
AuthInfo=socket={place}/munge/socket
CredType=cred/munge
SlurmUser={user}
SlurmdUser={user}
SlurmctldPort=16817
SlurmdPort=16818
StateSaveLocation={place}/state
SlurmdSpoolDir={place}/spool
SlurmctldPidFile={place}/slurmctld.pid
SlurmdPidFile={place}/slurmd.pid
SlurmctldLogFile={place}/slurmctld.log
SlurmdLogFile={place}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SwitchType=switch/none
MpiDefault=none
KillWait=1
NodeName={host} NodeAddr=127.0.0.1 CPUs=2
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


@contextmanager
def cluster(place: Path) -> Iterator[None]:
    """Start a Slurm cluster on this machine with two CPUs; stop it at the end."""
    for name in ("state", "spool", "munge"):
        (place / name).mkdir()
    place.chmod(0o755)
    munge = place / "munge"
    munge.chmod(0o711)
    (munge / "key").write_bytes(os.urandom(128))
    (munge / "key").chmod(0o400)
    host = socket.gethostname().partition(".")[0]
    conf = place / "slurm.conf"
    conf.write_text(CONF.format(place=place, host=host, user=getuser()))
    os.environ["SLURM_CONF"] = str(conf)
    files = [f"--{name}-file={munge}/{name}" for name in ("key", "pid", "log", "seed")]
    daemons = [
        ["munged", "--foreground", "--force", f"--socket={munge}/socket", *files],
        ["slurmctld", "-D", "-f", str(conf)],
        ["slurmd", "-D", "-f", str(conf)],
    ]
    running = []
    try:
        for words in daemons:
            with open(place / f"{words[0]}.out", "wb") as log:
                running.append(subprocess.Popen(words, stdout=log, stderr=log))
            time.sleep(0.5)
        deadline = time.monotonic() + 30
        while "idle" not in queue("sinfo", "--noheader", "--format=%T"):
            if time.monotonic() > deadline:
                logs = "\n".join(path.read_text()[-800:] for path in place.glob("*.out"))
                raise Refuted(f"Slurm does not start here:\n{logs}")
            time.sleep(0.2)
        yield
    finally:
        if queue("squeue", "--me", "--noheader"):
            queue("scancel", "--me", "--signal=KILL")
            time.sleep(2)
        for daemon in reversed(running):
            daemon.terminate()
            daemon.wait()


def queue(*words: str) -> str:
    """Return the output of a Slurm command."""
    return subprocess.run(words, capture_output=True, text=True).stdout


def running_task() -> str:
    """Return the number of a running task."""
    listed = queue("squeue", "--noheader", "--array", "--states=RUNNING", "--format=%i").split()
    if not listed:
        raise Refuted("no task runs")
    return listed[-1]


def main() -> int:
    lacking = sweeps.missing(PROGRAMS, ["submitit"])
    if lacking:
        print(f"not installed: {lacking}")
        return sweeps.NOT_INSTALLED
    sweeps.own_network("tests.cluster.slurm")
    words = ["hydra/launcher=slurm", "hydra.launcher.jobs_per_task=12"]
    with tempfile.TemporaryDirectory() as folder, cluster(Path(folder)):
        place = Path(folder) / "sweeps"
        place.mkdir()
        print(f"{queue('sinfo', '--version').strip()}, one machine, two CPUs")
        finish(start(place / "undisturbed"), 0)

        cancelled = start(place / "cancelled", *words)
        wait_for_runs(place / "cancelled", 2, cancelled)
        task = running_task()
        subprocess.run(["scancel", task], check=True)
        finish(cancelled, 1)
        lost = failures(place / "cancelled")
        if not 1 <= len(lost) <= 11 or not all("CANCELLED" in line for line in lost):
            raise Refuted(f"scancel {task}; listed as lost: {lost}")
        print(f"scancel {task}: status 1, {len(lost)} jobs listed, e.g. {lost[0]}")
        finish(start(place / "cancelled", *words), 0)
        print(f"the same command: {same(place / 'cancelled', place / 'undisturbed')}")

        requeued = start(place / "requeued", *words)
        wait_for_runs(place / "requeued", 2, requeued)
        task = running_task()
        subprocess.run(["scontrol", "requeue", task], check=True)
        finish(requeued, 0)
        print(
            f"scontrol requeue {task}: status 0, {same(place / 'requeued', place / 'undisturbed')}"
        )
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Refuted, subprocess.SubprocessError) as error:
        sys.exit(f"error: {error}")
