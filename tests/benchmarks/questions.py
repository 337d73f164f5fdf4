"""Run the experiments of disputed questions and write ``outputs/gallery/questions.md``.

    python -m tests.benchmarks.questions            write the page and its pictures
    python -m tests.benchmarks.questions gated      print one answer, write nothing

Each question is a file in ``conf/experiment/``; existing runs are not trained again. The numbers in
an answer come from the comparison, but the text does not. Read it again when an experiment changes.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from runner.theory.born_dead import share_of_one_input
from tests.benchmarks.answer import Answer
from tests.benchmarks.processes import machine, table

GALLERY = Path(__file__).parents[2] / "outputs" / "gallery"
MOST_BYTES = 150_000
GATES = {"swi": "silu", "ge": "gelu", "re": "relu"}
HEAD = """# Questions people argue about

Each answer comes from one command. Where the command tunes the learning rate, each activation gets
its own rate, chosen on validation data, and networks with fresh seeds are judged on test data. A
placebo (one activation that is trained twice with different seeds) shows the size of chance
differences. A difference is a mean over replicates paired by seed, in points of test accuracy, with
a 95% t interval; p tests for no difference and is adjusted for all pairs of the task in its table.
The accuracy of a network that diverges counts as 0. All networks have between a few hundred and ten
thousand weights and two-dimensional data. The answers need not hold for large networks; at most
they suggest what to try there.

`python -m tests.benchmarks.questions` runs the commands and writes this page, its numbers and
pictures.
"""


def relu_at_zero(shallow: Answer) -> str:
    deep = Answer([*shallow.words, "model.hidden=[8,8,8,8,8,8,8,8,8,8]"])
    zero, half, one = (f"derivative_at_zero={value}" for value in ("0", "0.5", "1"))
    pairs = [(one, zero), (half, zero)]
    few, most = (
        " and ".join(f"{answer.same_weights(task, one, zero)} on {task}" for task in answer.tasks)
        for answer in (deep, shallow)
    )
    return f"""No difference is visible with {shallow.n} replicates. In two layers of 16,
training with the slopes 0 and 1 gives byte-identical weights in most replicates: {most}. The
slope at 0 enters a gradient only if a pre-activation is exactly 0. A sum of float32 products is
almost never exactly 0. It is 0 if all units of the previous layer are off and the bias has not
changed yet. This is frequent in ten layers of 8 (second table), where the weights are identical
in only {few}. There the slopes train different networks, but not better ones: no difference has p
below 0.05, and the intervals of the placebo are about as wide. Limits: the results of ten such
narrow layers vary so much between seeds that a difference of a few points would not be detected.
float16, in which exact zeros are frequent, was not tried.

{shallow.leads(pairs)}

```sh
{deep.command}
```

{deep.leads(pairs)}"""


def leaky_slope(answer: Answer) -> str:
    name = "alpha={}".format
    hard, easy = answer.tasks
    pairs = [(name(slope), name(0)) for slope in (0.01, 0.1, 0.2, 0.3, 0.5)]
    return f"""At most 0.1. The slopes 0 (which is ReLU), 0.01 and 0.1 cannot be told apart; slopes
from 0.2 on lower the accuracy. On the checkerboard, 0.01 minus 0 is
{answer.lead(hard, name(0.01), name(0))} and 0.1 minus 0 is
{answer.lead(hard, name(0.1), name(0))}. But 0.2 minus 0 is
{answer.lead(hard, name(0.2), name(0))} and 0.5 minus 0 is
{answer.lead(hard, name(0.5), name(0))} (n = {answer.n}; placebo {answer.placebo(hard)}). All
slopes solve the spirals; there, 0.5 minus 0 is {answer.lead(easy, name(0.5), name(0))}. The
reason: leaky ReLU is (1 + alpha)/2 x + (1 - alpha)/2 |x|. As alpha grows, the bent part shrinks
relative to the linear part, so the same 16 units fit less. The purpose of the slope is to keep
units from dying. In two layers this gains little: at its best rate, {answer.dead(hard, name(0))}
of ReLU's units are dead. At a rate that is too large it gains more: {answer.reversal(hard)}
Limits: two layers. In deep networks dead units cost more, and wide networks have more bends than
they need.

{answer.leads(pairs)}"""


def gated(answer: Answer) -> str:
    ordinary, narrow = "{} [16,16]".format, "{} [11,11]".format
    hard, _ = answer.tasks
    pairs = [(narrow(f"{a}glu"), ordinary(b)) for a, b in GATES.items()]
    chosen = (
        f"{answer.chosen(hard, one)} ({one}) and {answer.chosen(hard, other)} ({other})"
        for one, other in pairs
    )
    return f"""No. At 337 parameters (342 with gates) no gated unit can be told apart from the
function in its gate.
On the checkerboard, swiglu minus silu is {answer.lead(hard, *pairs[0])}, geglu minus gelu is
{answer.lead(hard, *pairs[1])}, and reglu minus relu is {answer.lead(hard, *pairs[2])} (n =
{answer.n}; placebo {answer.placebo(hard)}). A gated unit multiplies one linear map by a function
of another. It needs twice the weights, so eleven gated units compete with sixteen ordinary units.
Gated units need smaller rates. The chosen rates are {", ".join(chosen)}. If all use the same
rate, that rate decides the winner: {answer.reversal(hard)} Limits: two layers, two features,
Adam. Gains from gates in transformers are reported for layers of thousands of units without
biases, which this experiment does not test.

{answer.leads(pairs)}"""


def deep_initializers(answer: Answer) -> str:
    (task,) = answer.tasks
    names = sorted({arm.activation for arm in answer.result.arms})
    pairs = [(f"{name} auto", f"{name} he_normal") for name in names]
    return f"""Yes for sigmoid and silu; not shown for gelu and tanh. In thirty layers of 16 units,
sigmoid with He's rule stays at chance, {answer.score(task, "sigmoid he_normal")}; with auto its
accuracy is {answer.score(task, "sigmoid auto")}. The lead of auto over He is
{answer.lead(task, *pairs[2])} for silu, {answer.lead(task, *pairs[0])} for gelu and
{answer.lead(task, *pairs[3])} for tanh (n = {answer.n}; placebo, tanh with auto,
{answer.placebo(task)}). He's factor 2 is right for ReLU, whose E f'^2 is 1/2. For another f, each
layer multiplies the gradient's mean square by 2 E f'^2. For sigmoid this is at most 1/8, so layer
1 receives less than 1e-13 of the last layer's gradient. auto uses orthogonal weights, and scales
them so that each layer multiplies the mean square by 1. Limits: 200 steps of Adam, and only two
rates, so every chosen rate is at an edge of the range. Normalisation layers and shortcut
connections, which make deep networks easy to train, are not used.

{answer.leads(pairs)}"""


def best_rate(answer: Answer) -> str:
    (task,) = answer.tasks
    names = [standing.name for standing in answer.result.families[0].standings]
    rates = ", ".join(f"{answer.chosen(task, name)} ({name})" for name in names)
    own = ", ".join(f"{name} {answer.score(task, name)}" for name in names)
    return f"""Only at rates in the middle. {answer.reversal(task)} At their own best rates and on
fresh seeds, the accuracies are {own}. tanh leads relu by {answer.lead(task, "tanh", "relu")} and
relu leads sigmoid by {answer.lead(task, "relu", "sigmoid")} (n = {answer.n}; placebo
{answer.placebo(task)}). The table gives Kendall's tau between this ranking and the ranking at one
common rate; tau is 1 if the rankings agree and 0 if they are unrelated. A common rate near most
of the best rates gives about the right ranking. A rate at either end favours the activations that
it suits. The best rates are {rates}; they do not show which activation is good. The gradient is a
product of slopes, and the slopes of sigmoid are at most 1/4, so sigmoid learns nothing at a rate
at which relu is nearly at its best. Limits: 100 epochs of plain SGD, whose steps are proportional
to the size of the gradient. Adam divides by that size, so its best rates are closer together
(`experiment=fair`).

{answer.by_rate(task)}"""


def learned_slope(answer: Answer) -> str:
    pairs = [("swish", "silu"), ("prelu", "leaky_relu alpha=0.25"), ("pelu", "elu")]
    (task,) = answer.tasks
    return f"""Yes, if the fixed shape does not suit the task and the weights cannot correct it.
prelu starts as leaky_relu with slope 0.25 and ends {answer.lead(task, *pairs[1])} ahead of it.
swish minus silu is {answer.lead(task, *pairs[0])}, and pelu minus elu is
{answer.lead(task, *pairs[2])}; {answer.n} replicates cannot tell either difference from 0 (placebo
{answer.placebo(task)}). swish with beta is silu(beta x)/beta, so the weights before and after a
unit can do everything that beta does. For leaky_relu, f(c x) = c f(x) for every c > 0, so no
weights can replace its slope. The slope 0.25 is too steep for this task (see the slopes above).
prelu's slopes end below 0, at {answer.learned(task, "prelu", "alpha")} in the mean of each layer:
its units become V-shaped and bend more than ReLU does. So a learned slope protects against a wrong
fixed slope; silu does not need that protection. Limits: one task, two layers, one slope per unit,
no weight decay on the slopes.

{answer.leads(pairs)}"""


def dying_relu(answer: Answer) -> str:
    found = answer.dead_networks()
    rates = sorted({rate for _, rate in found})
    layers = sorted({layers for layers, _ in found})
    rows = [
        [
            str(k),
            f"{100 * share_of_one_input([4] * k):.0f}%",
            found[k, rates[0]][0],
            *(found[k, rate][1] for rate in rates),
        ]
        for k in layers
    ]
    heads = ["layers of 4", "born dead, at most", "born dead, measured"]
    return f"""Before training if they are deep and narrow, and in training if the rate is large. A
network is dead if all units of some layer give the same output for all data; then nothing before
that layer learns. More networks are born dead with more layers, and more die in training at a
larger rate. With ten layers of 4 units, {found[10, rates[0]][0]} of {answer.n} networks are dead
before training, {found[10, rates[0]][1]} after training at a rate of {rates[0]:g}, and
{found[10, rates[-1]][1]} at {rates[-1]:g}. With zero biases and symmetric weights, a unit is off
for a given input with probability 1/2. So all N units of a layer are off with probability 2^-N,
and all units of at least one of L layers with probability 1 - (1 - 2^-N)^L. Being off for all
inputs is less likely, so this is an upper bound of the share born dead (Lu, Shin, Su and
Karniadakis 2020, https://arxiv.org/abs/1903.06733; `experiment=born_dead` reproduces their
numbers). Training cannot revive a network that is born dead, because no gradient passes through
it. In training, each step of Adam changes every weight by about the rate, whatever the gradient.
At 0.1, a few steps can make a bias larger than the weighted inputs, and the unit is off for all
data. Limits: layers of 4 are far narrower than in practice. For wider layers 2^-N vanishes, but
units still die at large rates.

{table([*heads, *(f"dead after training at {rate:g}" for rate in rates)], rows)}"""


class Question(NamedTuple):
    """A question: its title, the picture of the comparison that shows it, the function that writes
    the answer, and overrides of the experiment."""

    title: str
    picture: str
    answered: Callable[[Answer], str]
    words: tuple[str, ...] = ()


QUESTIONS = {
    "relu_at_zero": Question(
        "Does ReLU's slope at 0 matter in float32?", "differences", relu_at_zero
    ),
    "leaky_slope": Question("How steep should leaky ReLU be on the left?", "alpha", leaky_slope),
    "gated": Question("Do gated units win at equal parameter count?", "differences", gated),
    "deep_initializers": Question(
        "Does initializer=auto train deep networks better than He's?",
        "differences",
        deep_initializers,
        (
            "activation=gelu,silu,tanh,sigmoid",
            "initializer=auto,he_normal",
            "optimizer.learning_rate=0.001,0.003",
            "replicates=20",
            "placebo=tanh",
        ),
    ),
    "best_rate": Question(
        "Is the activation that is best at one learning rate best at its own?",
        "learning_rate",
        best_rate,
    ),
    "learned_slope": Question(
        "Does a learned shape beat a fixed one?", "differences", learned_slope
    ),
    "dying_relu": Question("When do ReLU networks die?", "hidden_layers", dying_relu),
}
"""By the name of the experiment."""


def filled(text: str) -> str:
    """Return the text with paragraphs wrapped at 120; tables and commands do not change."""
    return "\n\n".join(
        paragraph
        if paragraph[0] in "|`#!"
        else textwrap.fill(paragraph, 120, break_on_hyphens=False)
        for paragraph in text.split("\n\n")
    )


def section(name: str) -> tuple[str, bytes]:
    """Return a question's part of the page, and its picture as PNG."""
    question = QUESTIONS[name]
    answer = Answer([f"experiment={name}", *question.words])
    content = answer.result.figures()[question.picture].encode("png")
    if len(content) > MOST_BYTES:
        raise ValueError(f"{name}: the picture has {len(content)} bytes, at most {MOST_BYTES}")
    return (
        f"""## {question.title}

![{question.title}](questions_{name}.png)

```sh
{answer.command}
```

{filled(question.answered(answer))}
""",
        content,
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "experiment",
        nargs="*",
        choices=[[], *QUESTIONS],
        metavar="EXPERIMENT",
        help=f"print the answers of these experiments: {', '.join(QUESTIONS)}",
    )
    options = parser.parse_args()
    if options.experiment:
        for name in options.experiment:
            print(section(name)[0])
        return 0
    parts = {name: section(name) for name in QUESTIONS}
    for name, (_, content) in parts.items():
        (GALLERY / f"questions_{name}.png").write_bytes(content)
    page = [HEAD, *(text for text, _ in parts.values()), f"Made on {machine()}.\n"]
    (GALLERY / "questions.md").write_text("\n".join(page), encoding="utf-8")
    print(GALLERY / "questions.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
