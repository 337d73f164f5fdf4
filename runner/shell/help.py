"""The text of ``python -m runner --help``: a page, or the groups and choices asked for."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable, Sequence

from activations.families import FAMILIES, members
from runner.config.catalogue import GROUPS, choices
from runner.config.extensions import load_extensions
from runner.config.overrides import extensions_of, read
from runner.shell.choice import described, described_key, keys_named, named

USAGE = """\
Train small networks in NumPy and see what their activation function does.

  python -m runner [key=value ...]    train one setting; results in outputs/runs
  python -m runner -m key=a,b [...]   train all combinations and compare them
  python -m runner experiment=NAME    answer a question by a ready-made sweep

Examples
  python -m runner activation=tanh dataset=spirals
      trains ten networks; see boundary.png in the folder it prints
  python -m runner -m activation=relu,gelu,tanh,sigmoid dataset=checkerboard
      says which is best, by how much and why; see comparison/index.html
  python -m runner experiment=learning_rate
      the ranking of five activations reverses; see comparison/index.html
  python -m runner activation=formula 'activation.expression=x*sigmoid(2*x)'
      differentiates your own function; see activation.png
  python -m runner dataset=spirals training.snapshots=60
  python -m runner.plots FOLDER --animate
      shows a network learn, epoch by epoch; see animation.html

The ten most used settings, with their defaults (--cfg job prints all)
  activation=tanh               some have parameters, see --help swish
  dataset=moons                 also .samples, .noise, .label_noise
  model.hidden=[16,16]          units of each hidden layer, or [16]*30; []: none
  initializer=auto              signals and gradients keep their size
  optimizer=adam                also .clip_norm, sgd's .momentum
  optimizer.learning_rate=0.01  the size of a step; the default of sgd is 0.1
  training.epochs=100           also .batch_size, .loss, .l2, .patience
  replicates=10                 networks, each with its own data and weights
  seed=0                        replicate k has seed + k
  extensions=[]                 your own functions: 'extensions=[file.py]'
"""

REST = """\
Options
  -m, --multirun          sweep over comma-separated values
  -r, --run               one run, even if the experiment is a sweep
  -cd, --config-dir DIR   add your own YAML files to the built-in ones
  --cfg job               print the composed config and stop
  --hydra-help, --info    Hydra's own help and information
  --shell-completion      tab completion; conf/README.md says how to install it
  --version               the version of this program
  -h, --help [NAME]       this page, or a group, a choice or a setting

Other commands, each with --help
  python -m runner.compare FOLDER ...    compare finished runs, old or new
  python -m runner.plots FOLDER ...      draw a run's pictures, or animate it
  python -m runner.plots.gallery         draw all activations
  python -m activations.passport NAME    its formula, range, kinks, moments ...
  python -m activations.check NAME ...   how many of its digits are correct
  python -m runner.propagate [...]       does a signal pass a deep network?
  python -m runner.reproduce [NAME ...]  reproduce published results
"""

ABOUT = {
    "activation": "the function to study, by family",
    "dataset": "classification problems, made from a seed",
    "model": "how the layers are connected",
    "optimizer": "how the gradient changes the weights",
    "schedule": "the learning rate over the epochs",
    "initializer": "the initial weights",
    "experiment": "ready-made questions, some for runner.propagate",
}
"""What each group chooses."""
WIDEST = 100


def help_text(words: Sequence[str] = ()) -> str:
    """Return the page, or a description of each group, choice or setting among the words.

    A choice may be written activation=swish; the values of other overrides than that and
    extensions=[...] do not matter. Raises ConfigError for a word that is none of these.
    """
    width = max(60, min(WIDEST, shutil.get_terminal_size().columns))
    extensions = [word for word in words if word.startswith("extensions=")]
    load_extensions(extensions_of(read(extensions)))
    parts = []
    for word in words:
        if word in ABOUT:
            parts.append(_described(word, width))
        elif "=" not in word or word.partition("=")[0] in ABOUT:
            found = named(word, ABOUT)
            parts += [described_key(key, width) for key in keys_named(word)]
            parts += [described(*one, extensions, width) for one in found]
        elif not word.lstrip("+").startswith(("hydra", "extensions=")):
            named(word.partition("=")[0].lstrip("+"), ABOUT)  # refuses an unknown key
    if parts:
        return "\n\n".join(parts)
    return "\n".join([USAGE, _all_names(width), REST]).rstrip()


def _all_names(width: int) -> str:
    """Return the names of all choices by group, those of activations by family."""
    lines = ["Choices (--help activation describes them, --help swish one with its parameters)"]
    for group in (*GROUPS, "experiment"):
        lines.append(f"  {f'{group}=':14}{ABOUT[group]}")
        if group != "activation":
            lines += _wrapped(choices(group), width)
            continue
        for family, names in _by_family(choices(group)):
            lines += [f"    {family}", *_wrapped(names, width)]
    return "\n".join(lines) + "\n"


def _described(group: str, width: int) -> str:
    """Return a group's choices, one per line; activations by family."""
    found = choices(group)
    column = max(len(name) for name in found) + 4
    sections = _by_family(found) if group == "activation" else [("", sorted(found))]
    lines = [f"{group}=NAME: {ABOUT[group]}"]
    for title, names in sections:
        lines += ["", title] if title else []
        for name in names:
            start = f"  {name}".ljust(column)
            lines += textwrap.wrap(
                found[name], width, initial_indent=start, subsequent_indent=" " * column
            )
    lines += ["", f"--help {group}.{sections[0][1][0]} describes one, with its parameters"]
    return "\n".join(lines)


def _by_family(found: dict[str, str]) -> list[tuple[str, list[str]]]:
    """Return title and names of each family that is not empty."""
    families = [
        (family.title, [name for name in members(key) if name in found])
        for key, family in FAMILIES.items()
    ]
    return [(title, names) for title, names in families if names]


def _wrapped(names: Iterable[str], width: int) -> list[str]:
    indent = " " * 6
    return textwrap.wrap(
        " ".join(names),
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
    )
