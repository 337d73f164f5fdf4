"""Questions people argue about: runs their experiments and writes ``outputs/gallery/questions.md``.

    python -m tests.benchmarks.questions            the page and its pictures
    python -m tests.benchmarks.questions gated      prints one answer, and writes nothing

Each question is a file in ``conf/experiment/``; what is trained already is not trained again. The
numbers in an answer are taken from the comparison, the words around them are not: who changes an
experiment must read its answer again.
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

Each answer is one command. Validation data choose the learning rate of each activation by itself
where the command tunes it, networks with fresh seeds judge the choice on test data, and a placebo,
one activation that enters twice with other seeds, shows what chance does. Differences are means
over replicates paired by seed, in points of test accuracy, with t intervals at 95%; p is of no
difference, adjusted for all pairs of its table's task. The accuracy of a network that diverges
counts as 0. All of it is about networks of a few hundred to ten thousand weights on two-dimensional
data: what it says of large networks is at most what to try.

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
    return f"""Not that {shallow.n} replicates can tell. In two layers of 16, training with the
slopes 0 and 1 ends at weights of the same bytes in most replicates: {most}. The slope at 0
enters a gradient only where a pre-activation is exactly 0, which a sum of float32 products
hardly ever is. It is where all units of the layer before are off and the bias has not moved
yet, and that is frequent in ten layers of 8, the second table: the same weights in {few}. There
the slopes do train different networks, but not better ones: no difference has p below 0.05, and
the placebo's intervals are about as wide. Limits: ten such narrow layers end so differently
from seed to seed that some points of difference would not be seen; float16, in which exact
zeros are frequent, is not tried.

{shallow.leads(pairs)}

```sh
{deep.command}
```

{deep.leads(pairs)}"""


def leaky_slope(answer: Answer) -> str:
    name = "alpha={}".format
    hard, easy = answer.tasks
    pairs = [(name(slope), name(0)) for slope in (0.01, 0.1, 0.2, 0.3, 0.5)]
    return f"""At most gently: 0, which is ReLU, 0.01 and 0.1 cannot be told apart, and from 0.2
on it costs. On the checkerboard 0.01 minus 0 is {answer.lead(hard, name(0.01), name(0))} and 0.1
minus 0 {answer.lead(hard, name(0.1), name(0))}, but 0.2 minus 0
{answer.lead(hard, name(0.2), name(0))} and 0.5 minus 0 {answer.lead(hard, name(0.5), name(0))} (n
= {answer.n}; placebo {answer.placebo(hard)}). On the spirals, which all of them solve, 0.5 minus
0 is {answer.lead(easy, name(0.5), name(0))}. Leaky ReLU is (1 + alpha)/2 x + (1 - alpha)/2 |x|:
with alpha the part that bends shrinks against the part that does not, so that the same 16 units
fit less. What the slope is for, units that cannot die, is worth little in two layers, whose best
rates leave {answer.dead(hard, name(0))} of ReLU's units dead. At a rate that is too large it is
worth more: {answer.reversal(hard)} Limits: two layers; in deep networks dead units cost more, and
wide ones have bends to spare.

{answer.leads(pairs)}"""


def gated(answer: Answer) -> str:
    ordinary, narrow = "{} [16,16]".format, "{} [11,11]".format
    hard, _ = answer.tasks
    pairs = [(narrow(f"{a}glu"), ordinary(b)) for a, b in GATES.items()]
    chosen = (
        f"{answer.chosen(hard, one)} ({one}) and {answer.chosen(hard, other)} ({other})"
        for one, other in pairs
    )
    return f"""No: at 337 parameters, 342 with gates, no gated unit can be told from the function in
its gate. On the checkerboard swiglu leads silu by {answer.lead(hard, *pairs[0])}, geglu gelu by
{answer.lead(hard, *pairs[1])} and reglu relu by {answer.lead(hard, *pairs[2])} (n = {answer.n};
placebo {answer.placebo(hard)}). A gated unit multiplies one linear map by a function of
another. It costs twice the weights, so that eleven stand against sixteen. Gated units want
smaller rates; chosen were {", ".join(chosen)}. At one rate for all they win or lose by that
rate: {answer.reversal(hard)} Limits: two layers, two features, Adam. In transformers the gate's
gain is reported for layers of thousands of units and without biases, which this does not test.

{answer.leads(pairs)}"""


def deep_initializers(answer: Answer) -> str:
    (task,) = answer.tasks
    names = sorted({arm.activation for arm in answer.result.arms})
    pairs = [(f"{name} auto", f"{name} he_normal") for name in names]
    return f"""Yes for sigmoid and silu; for gelu and tanh it is not shown. In thirty layers of 16
sigmoid with He's rule stays at chance, {answer.score(task, "sigmoid he_normal")}, and is right
in {answer.score(task, "sigmoid auto")} with auto. auto leads He by
{answer.lead(task, *pairs[2])} for silu, {answer.lead(task, *pairs[0])} for gelu and
{answer.lead(task, *pairs[3])} for tanh (n = {answer.n}; placebo, tanh with auto,
{answer.placebo(task)}). He's factor 2 is right for ReLU, whose E f'^2 is 1/2; through each
layer of another f the gradient's mean square is multiplied by 2 E f'^2, which is at most 1/8
for sigmoid, so that layer 1 gets less than 1e-13 of the last layer's gradient. auto takes
orthogonal weights, and the scale at which f multiplies it by 1. Limits: 200 steps of Adam, two
rates, so that each choice is at an edge of them; normalisation layers and shortcut connections,
which make depth easy, are not here.

{answer.leads(pairs)}"""


def best_rate(answer: Answer) -> str:
    (task,) = answer.tasks
    names = [standing.name for standing in answer.result.families[0].standings]
    rates = ", ".join(f"{answer.chosen(task, name)} ({name})" for name in names)
    own = ", ".join(f"{name} {answer.score(task, name)}" for name in names)
    return f"""Only at middling rates. {answer.reversal(task)} At their own best rates, with fresh
seeds, they are {own}: tanh leads relu by {answer.lead(task, "tanh", "relu")} and relu leads
sigmoid by {answer.lead(task, "relu", "sigmoid")} (n = {answer.n}; placebo
{answer.placebo(task)}). Kendall's tau between that ranking and the one at a common rate, 1 if
they agree and 0 if they have nothing to do with each other, is in the table: a rate near to
those that most would choose ranks about right, one at either end ranks whom it suits. Nor does
the rate that is chosen say who is good: {rates}. The gradient is a product of slopes, and
sigmoid's are at most 1/4, so it learns nothing at a rate at which relu is nearly at its best.
Limits: 100 epochs of plain SGD, which takes the gradient's size as it is. Adam divides it out,
and its best rates are closer together (`experiment=fair`).

{answer.by_rate(task)}"""


def learned_slope(answer: Answer) -> str:
    pairs = [("swish", "silu"), ("prelu", "leaky_relu alpha=0.25"), ("pelu", "elu")]
    (task,) = answer.tasks
    return f"""Where the fixed one does not suit the task and weights cannot make up for it. prelu
leads the leaky_relu that it starts as by {answer.lead(task, *pairs[1])}; swish minus silu is
{answer.lead(task, *pairs[0])} and pelu minus elu {answer.lead(task, *pairs[2])}, neither of which
{answer.n} replicates can tell from nothing (placebo {answer.placebo(task)}). swish with beta is
silu(beta x)/beta: the weights before and after a unit can do all that beta does. The slope of
leaky_relu is beyond weights, as f(c x) = c f(x) for every c > 0, and 0.25 is more than this task
likes (see the slopes above): prelu's end below 0, at {answer.learned(task, "prelu", "alpha")} in
the mean of each layer: its units become V's, which bend more than ReLU does. So a learned slope
is insurance against a wrong one, and silu needs none. Limits: one task, two layers, one slope a
unit, no weight decay on the slopes.

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
    return f"""Before training, by depth, and in training, by the rate. A network is dead if all
units of some layer give the same for all data: nothing before that layer learns any more. The
deeper, the more are born so, and the larger the rate, the more die in training: with ten layers
of 4 units {found[10, rates[0]][0]} of {answer.n} networks are dead before training,
{found[10, rates[0]][1]} after it at a rate of {rates[0]:g} and {found[10, rates[-1]][1]} at
{rates[-1]:g}. Zero biases and symmetric weights switch a unit off for a given input with
probability 1/2, hence all N of a layer with 2^-N, and some layer of L with 1 - (1 - 2^-N)^L;
for all inputs at once it happens less often, so that this bounds the share that is born dead
(Lu, Shin, Su and Karniadakis 2020, https://arxiv.org/abs/1903.06733; `experiment=born_dead`
reproduces their numbers). None of these is revived, as no gradient passes. In training Adam
moves every weight by about the rate in a step, whatever the gradient: at 0.1 a few steps move a
bias further than the weights reach, and the unit is off for all data. Limits: layers of 4 are
far narrower than anybody uses, and 2^-N vanishes for wider ones; death by rate does not.

{table([*heads, *(f"dead after training at {rate:g}" for rate in rates)], rows)}"""


class Question(NamedTuple):
    """What is asked, the comparison's picture that shows it, what answers it, and what of the
    experiment its command changes."""

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
"""By experiment."""


def filled(text: str) -> str:
    """Return paragraphs with lines of equal length; tables and commands stay as they are."""
    return "\n\n".join(
        paragraph if paragraph[0] in "|`" else textwrap.fill(paragraph, 120, break_on_hyphens=False)
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
    parser.add_argument("experiment", nargs="*", choices=[[], *QUESTIONS], metavar="EXPERIMENT")
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
