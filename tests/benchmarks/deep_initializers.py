"""Which initializer trains 30 layers? Write ``outputs/gallery/deep_initializers.md``.

The program runs ``experiment=deep_initializers``; existing runs are not trained again. For each
activation it compares the initializers. The numbers and the picture come from these comparisons,
but the text does not: read it again after a change of the experiment.
"""

from __future__ import annotations

import sys

from runner import compare, sweep
from tests.benchmarks.processes import machine, table
from tests.benchmarks.questions import GALLERY, filled

COMMAND = "experiment=deep_initializers"
INITIALIZERS = ("auto", "he_normal", "glorot_uniform", "lecun_normal", "orthogonal")
PAGE = """# Which initializer trains 30 layers?

```sh
python -m runner {command}
```

![Test accuracy by activation and initializer, one panel per learning rate](deep_initializers.png)

**`auto` could be the best for {auto} of {activations} activations.** The networks have 30 layers
of 16 units; the data are three spirals; training takes 200 steps of Adam. Validation accuracy
chooses the learning rate out of four, and ten networks with fresh seeds are compared.

The table shows the test accuracy in percent. In each row, that is for one activation, the
initializers in bold could be the best (multiple comparisons with the best, 95%, paired by seed);
bold does not compare activations.

{table}

Could be the best of its row: {counts}, of {activations} activations. Two bold entries need not be
equal: ten seeds cannot tell them apart, because networks that start from He's rule vary much.

With `auto`, the weights are orthogonal and preserve the size of gradients; the biases preserve the
variance and subtract the mean ([conf/README.md](../../conf/README.md)). SELU was made for LeCun's
rule, and does as well with it.

`python -m tests.benchmarks.deep_initializers` runs the command and writes this page. Made on
{machine}.
"""


def main() -> int:
    swept = sweep([COMMAND, "plots=none"], show_progress=True)
    rows, counts = [], dict.fromkeys(INITIALIZERS, 0)
    for name in dict.fromkeys(run.config.activation["name"] for run in swept.runs):
        runs = [run for run in swept.runs if run.config.activation["name"] == name]
        lines = compare(runs, tune="optimizer.learning_rate").table
        cells = {}
        for line in lines:
            best = line["best"] == "could be"
            counts[line["initializer"]] += best
            percent = f"{100 * float(line['score']):.1f}"
            cells[line["initializer"]] = f"**{percent}**" if best else percent
        rows.append([f"`{name}`", *(cells[initializer] for initializer in INITIALIZERS)])
    page = PAGE.format(
        command=COMMAND,
        table=table(["", *(f"`{name}`" for name in INITIALIZERS)], rows),
        counts=", ".join(f"`{name}` for {count}" for name, count in counts.items()),
        auto=counts["auto"],
        activations=len(rows),
        machine=machine(),
    )
    (GALLERY / "deep_initializers.png").write_bytes(swept.figures()["heat_map"].encode("png"))
    (GALLERY / "deep_initializers.md").write_text(filled(page), encoding="utf-8")
    print(GALLERY / "deep_initializers.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
