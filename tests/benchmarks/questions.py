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

Each question is answered by one command, which you can repeat. In all of them:

- If the command tunes the learning rate, each activation gets its own rate, chosen on validation
  data; networks with fresh seeds are then compared on test data.
- A *difference* is in percentage points of test accuracy: the mean over replicates with the same
  seeds, with a 95% interval in brackets. n is the number of replicates.
- *p* is the probability of a difference at least as large if there is none, adjusted for all
  pairs of the task in its table.
- The *placebo* compares an activation with itself on other seeds. It shows how large a difference
  chance makes.
- A network that diverges has the accuracy 0.

All networks have between a few hundred and ten thousand weights, and the data have two features.
The answers need not hold for large networks; they suggest what to try there.

`python -m tests.benchmarks.questions` runs the commands and writes this page, its numbers and
pictures.
"""


def relu_at_zero(shallow: Answer) -> str:
    deep = Answer([*shallow.words, "initializer=he_normal", "model.hidden=[8]*10"])
    zero, half, one = (f"derivative_at_zero={value}" for value in ("0", "0.5", "1"))
    pairs = [(one, zero), (half, zero)]
    few, most = (
        " and ".join(f"{answer.same_weights(task, one, zero)} on {task}" for task in answer.tasks)
        for answer in (deep, shallow)
    )
    return f"""**No difference is visible** with {shallow.n} replicates.

In two layers of 16, training with the slope 0 and with the slope 1 gives byte-identical weights in
most replicates: {most}. In ten layers of 8 with He's rule (second table) this is rare: {few}. There
the two slopes give different networks, but not better ones: no difference has p below 0.05, and the
intervals are about as wide as the placebo's.

*Why.* The slope at 0 enters a gradient only if a pre-activation is exactly 0. A sum of float32
products almost never is. It is 0 if all units of the previous layer are off and the bias is still
0, which is frequent in ten narrow layers with He's rule, which starts with biases of 0.

*Limits.* The results of ten such layers vary so much between seeds that a difference of a few
points would not be detected. float16, in which exact zeros are frequent, was not tried.

{shallow.leads(pairs)}

```sh
{deep.command}
```

{deep.leads(pairs)}"""


def leaky_slope(answer: Answer) -> str:
    name = "alpha={}".format
    hard, _ = answer.tasks
    pairs = [(name(slope), name(0)) for slope in (0.01, 0.1, 0.2, 0.3, 0.5)]
    return f"""**At most 0.1.** The slopes 0 (which is ReLU), 0.01 and 0.1 cannot be told apart.
Slopes from 0.2 on lower the accuracy on the checkerboard: 0.2 by
{answer.lead(hard, name(0), name(0.2))}, 0.5 by {answer.lead(hard, name(0), name(0.5))} (n =
{answer.n}; placebo {answer.placebo(hard)}). All slopes solve the spirals.

*Why.* Leaky ReLU is (1 + alpha)/2 x + (1 - alpha)/2 |x|, a linear part and a bent part. As alpha
grows, the bent part shrinks, so the same 16 units fit less. The slope is meant to keep units from
dying. In two layers this gains little at the best rate, where {answer.dead(hard, name(0))} of
ReLU's units are dead. It gains more if the rate is too large. {answer.reversal(hard)}

*Limits.* Two layers. In deep networks dead units cost more, and wide networks have more bends than
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
    return f"""**No.** At 337 parameters (342 with gates) no gated unit can be told apart from the
function in its gate (n = {answer.n}; see the table).

*Why.* A gated unit multiplies one linear map by a function of another. It needs twice the weights,
so eleven gated units compete with sixteen ordinary units.

Gated units need smaller learning rates. The chosen rates are {", ".join(chosen)}. If all use the
same rate, the rate decides which is better. {answer.reversal(hard)}

*Limits.* Two layers, two features, Adam. Gains from gates in transformers are reported for layers
of thousands of units without biases, which this experiment does not test.

{answer.leads(pairs)}"""


def deep_initializers(answer: Answer) -> str:
    (task,) = answer.tasks
    names = sorted({arm.activation for arm in answer.result.arms})
    pairs = [(f"{name} auto", f"{name} he_normal") for name in names]
    return f"""**Yes for sigmoid and silu; not shown for gelu and tanh.** In thirty layers of 16
units, the accuracy of sigmoid is {answer.score(task, "sigmoid he_normal")} with He's rule, which
is chance, and {answer.score(task, "sigmoid auto")} with auto. For silu, auto is better by
{answer.lead(task, *pairs[2])} (n = {answer.n}; placebo, tanh with auto, {answer.placebo(task)}).

*Why.* Each layer multiplies the mean square of the gradient by 2 E f'^2 if the weights follow He's
rule. For ReLU this is 1. For sigmoid it is at most 1/8, so after thirty layers less than 1e-13 of
the gradient is left. auto scales orthogonal weights so that the factor is 1 for each function.

*Limits.* 200 steps of Adam, and only two rates, so every chosen rate is at an edge of the range.
Normalisation layers and shortcut connections, which make deep networks easy to train, are not used.

{answer.leads(pairs)}"""


def best_rate(answer: Answer) -> str:
    (task,) = answer.tasks
    names = [standing.name for standing in answer.result.families[0].standings]
    own = [[name, answer.chosen(task, name), answer.score(task, name)] for name in names]
    return f"""**Only at rates in the middle.** {answer.reversal(task)}

The last table compares the ranking at one common rate with the ranking in which each activation
has its own best rate. Kendall's tau is 1 if two rankings agree and 0 if they are unrelated. A
common rate near most of the best rates gives about the right ranking; a rate at either end favours
the activations that it suits. At their own best rates, on fresh seeds:

{table(["activation", "best rate", "test accuracy"], own)}

tanh leads relu by {answer.lead(task, "tanh", "relu")}, and relu leads sigmoid by
{answer.lead(task, "relu", "sigmoid")} (n = {answer.n}; placebo {answer.placebo(task)}).

*Why.* The gradient is a product of slopes, and the slope of sigmoid is at most 1/4. So sigmoid
learns nothing at a rate at which relu is nearly at its best. The best rates themselves do not show
which activation is good.

*Limits.* 100 epochs of plain SGD, whose steps are proportional to the size of the gradient. Adam
divides by that size, so its best rates are closer together (`experiment=fair`).

{answer.by_rate(task)}"""


def learned_slope(answer: Answer) -> str:
    pairs = [("swish", "silu"), ("prelu", "leaky_relu alpha=0.25"), ("pelu", "elu")]
    (task,) = answer.tasks
    return f"""**Yes, if the fixed shape does not suit the task and the weights cannot correct it.**
prelu starts as leaky_relu with slope 0.25 and ends {answer.lead(task, *pairs[1])} ahead of it. For
swish and pelu, {answer.n} replicates show no difference from silu and elu (placebo
{answer.placebo(task)}).

*Why.* swish with beta is silu(beta x)/beta, so the weights before and after a unit can do
everything that beta does. But leaky_relu has f(c x) = c f(x) for every c > 0, so no weights can
replace its slope. The slope 0.25 is too steep for this task (see the question about slopes above).
prelu's slopes end below 0, at {answer.learned(task, "prelu", "alpha")} in the mean of the two
layers: its units become V-shaped and bend more than those of ReLU.

*Limits.* One task, two layers, one slope per unit, no weight decay on the slopes.

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
    heads = ["layers of 4", "dead before training, at most", "dead before training"]
    return f"""**Before training if they are deep and narrow, and in training if the rate is
large.** A network is dead if all units of some layer give the same output for all data; then
nothing before that layer learns. With ten layers of 4 units, {found[10, rates[0]][0]} of
{answer.n} networks are dead before training, {found[10, rates[0]][1]} after training at a rate of
{rates[0]:g}, and {found[10, rates[-1]][1]} at {rates[-1]:g}.

*Why before training.* He's rule starts with biases of 0 and symmetric weights, so a unit is off
for a given input with probability 1/2. So all N units of a layer are off with probability 2^-N,
and those of at least one of L layers with probability 1 - (1 - 2^-N)^L. To be off for all inputs
is less likely, so this is an upper bound (Lu, Shin, Su and Karniadakis 2020,
https://arxiv.org/abs/1903.06733; `experiment=born_dead` reproduces their numbers). Training cannot
revive such a network, because no gradient passes through it.

*Why in training.* Each step of Adam changes every weight by about the rate, whatever the gradient.
At 0.1, a few steps can make a bias larger than the weighted inputs, and the unit is off for all
data.

*Limits.* Layers of 4 are far narrower than in practice. For wider layers 2^-N vanishes, but units
still die at large rates.

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
        if paragraph[0] in "|`#!-"
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
