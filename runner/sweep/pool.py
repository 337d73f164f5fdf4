"""A sweep on this machine: jobs in parallel on all cores."""

from __future__ import annotations

from runner.sweep.job import Failure, Job, run_job
from runner.system.bar import Bar
from runner.system.processes import available_cores, run_jobs
from runner.system.signals import Listener
from runner.system.terminal import one_line


def launch(jobs: list[Job], *, show_progress: bool) -> tuple[list[Failure], int | None]:
    """Run these jobs; return the failed ones, and the number of the signal that has ended the
    others.

    Progress is one moving line on a terminal, one line a job elsewhere.
    """
    failures: list[Failure] = []
    listener = Listener()
    disable = None if show_progress else True
    bar = Bar(total=len(jobs), desc="sweep", unit="job", disable=disable, leave=False)
    with listener.listening(), bar:
        ended = run_jobs(
            run_job,
            jobs,
            available_cores(),
            stopped=lambda: listener.received is not None,
        )
        for done, (index, words, reason) in enumerate(ended, start=1):
            job = jobs[index]
            if reason is not None:
                failures.append(Failure(job, reason))
            if bar.disable:
                line = f"[{done}/{len(jobs)}] {job.folder.name}: {one_line(reason or words)}"
                if show_progress:
                    print(line, flush=True)
            else:
                bar.set_postfix_str(f"{len(failures)} failed" if failures else "")
                bar.update()
    return failures, listener.received
