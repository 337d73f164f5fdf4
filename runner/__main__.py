"""The shell entry: compose, run, report. ``python -m runner --help`` says how."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from functools import partial

from runner.system.command import prepare


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one experiment or a sweep; return the exit status (2 for bad input)."""
    started = time.perf_counter()
    if arguments is None:
        prepare()
    from runner.plots import artist
    from runner.shell.arguments import parse
    from runner.system.signals import INTERRUPTED, exit_status
    from runner.system.terminal import ConfigError, one_line, printable
    from runner.training.checkpoint import Interrupted

    drawer = None
    try:
        options = parse(sys.argv[1:] if arguments is None else arguments)
        if options.help:
            from runner.shell.help import help_text

            print(help_text())
            return 0
        if options.version:
            from runner.system.version import VERSION

            print(f"runner {VERSION}")
            return 0
        if options.for_hydra:
            from runner.shell.hydra_options import hand_over

            return hand_over(options.for_hydra, options.overrides)
        if arguments is None and options.draws_one_run:
            drawer = artist.Artist.start()
        from runner.config.compose import compose
        from runner.config.words import sweeps_a_named_experiment

        sweeps = options.multirun or sweeps_a_named_experiment(options.overrides)
        composed = None if sweeps else compose(options.overrides)
        if composed is None or composed.sweeps:
            from runner.sweep.sweep import sweep

            return sweep(options.overrides)
        from runner.execute import execute, repeat_command
        from runner.shell.report import report

        run, reused = execute(
            composed.experiment,
            composed.folder,
            command=repeat_command(options.words),
            started=started,
            draw=partial(drawer.draw, composed.experiment.extensions) if drawer else artist.draw,
        )
        print(printable(report(run, reused, time.perf_counter() - started)))
        return 0
    except ConfigError as error:
        caret = [f"  {printable(line)}" for line in error.caret.splitlines()]
        print(f"error: {one_line(error)}", *caret, sep="\n", file=sys.stderr)
        return 2
    except MemoryError:
        print("error: there is not enough memory", file=sys.stderr)
        return 1
    except artist.DrawingError as error:
        print(f"error: {one_line(error)}", file=sys.stderr)
        return 1
    except OSError as error:
        from runner.system.files import reason

        print(f"error: {one_line(reason(error))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as stop:
        told = isinstance(stop, Interrupted)
        print(stop if told else INTERRUPTED, file=sys.stderr)
        return exit_status(stop)
    finally:
        if drawer:
            drawer.close()


if __name__ == "__main__":
    sys.exit(main())
