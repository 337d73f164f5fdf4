"""The text of ``python -m runner --help``: every choice of every group in one line each."""

from __future__ import annotations

import shutil
import textwrap

from runner.config.catalogue import GROUPS, choices

USAGE = """\
Train small networks in NumPy and see what their activation function does to them.

  python -m runner [key=value ...]       one experiment, into a folder under outputs/runs
  python -m runner -m key=a,b [...]      a sweep over all combinations
  python -m runner experiment=NAME       a ready-made sweep that answers a question
  python -m runner.plots FOLDER          draw a run's pictures again
  python -m runner.compare FOLDER ...    any runs, side by side
  python -m activations.check NAME ...   how many digits are right, and what it looks like
  python -m runner.plots.gallery         portraits of all activations, or of the named ones

Examples
  python -m runner activation=tanh
  python -m runner activation=leaky_relu activation.alpha=0.1 dataset=spirals
  python -m runner activation=relu model.hidden=[32,32,32] optimizer.learning_rate=0.003
  python -m runner -m activation=relu,tanh,sigmoid dataset=moons,spirals
"""

SETTINGS = """\
Main settings (python -m runner --cfg job prints all, with their defaults)
  model.hidden=[16,16]          outputs of each hidden layer; [] for plain regression
  optimizer.learning_rate=0.01  also .weight_decay, .clip_norm
  training.epochs=100           also .batch_size (null: full batch), .shuffle, .loss, .patience
  dataset.samples=1000          also .noise, .label_noise, .standardize, .test_fraction,
                                .validation_fraction
  seed=0  replicates=10         replicate k has seed + k; all train as one stack
  dtype=float32                 or float64
  plots=png                     svg, pdf or none
  extensions=[file.py]          activations, data, optimizers ... of your own
  hydra.run.dir=FOLDER          where the run goes; hydra.sweep.dir=FOLDER for a sweep
  hydra/launcher=NAME           what runs a sweep's jobs; hydra/sweeper=NAME which there are

Options
  -m, --multirun                sweep over comma-separated values
  -r, --run                     one run, also of an experiment that sweeps
  -cd, --config-dir FOLDER      YAML files of your own, beside the built-in ones
  --cfg job                     print the composed config and stop; also --info, --hydra-help
  --shell-completion            tab completion; the README says how to switch it on
  --version                     the version of this program
  -h, --help                    this text
"""


def help_text() -> str:
    """Return the help: usage, examples, settings and all choices with their descriptions."""
    width = max(60, shutil.get_terminal_size().columns)
    parts = [USAGE, SETTINGS]
    for group in (*GROUPS, "experiment"):
        lines = [f"{group}="]
        found = choices(group)
        column = max(len(name) for name in found) + 4
        for name, text in found.items():
            lines += textwrap.wrap(
                text,
                width,
                initial_indent=f"  {name}".ljust(column),
                subsequent_indent=" " * column,
            )
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts).rstrip()
