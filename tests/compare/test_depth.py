"""The sentence on how deep networks train."""

from runner.compare import build
from runner.compare.verdict import sentences
from tests.run_folders import write_run


def verdict(folder, **how):
    return " ".join(sentences(build([folder], **how)))


SOLVES, HALF = (0.97, 0.98, 0.99, 0.96, 0.5), (0.97, 0.98, 0.5, 0.5)


def write_depths(folder, found, **how):
    """Write a run for each activation and depth, whose replicates end at the scores."""
    training = {"epochs": 10, "target_accuracy": 0.95}
    for name, scores in found.items():
        for depth, own in zip((2, 10, 30), scores, strict=False):
            path = folder / f"{name}{depth}{how.get('learning_rate', '')}"
            model = {"hidden": [16] * depth}
            write_run(path, name, "xor", own, model=model, training=training, solved_at=0.4, **how)


def test_the_verdict_says_up_to_which_depth_each_activation_trains(tmp_path):
    found = {
        "relu": [SOLVES, SOLVES, SOLVES],
        "gelu": [SOLVES, HALF, SOLVES],  # a greater depth does not count after one that fails
        "tanh": [SOLVES, SOLVES, SOLVES],
        "sigmoid": [HALF, HALF, HALF],
    }
    write_depths(tmp_path, found)
    assert sentences(build([tmp_path]))[0] == (
        "On xor, most replicates end with at least 95% validation accuracy up to 30 hidden layers "
        "(the deepest here) with relu and tanh; up to 2 hidden layers with gelu; "
        "at no depth with sigmoid."
    )


def test_the_depth_is_that_at_the_tuned_learning_rate(tmp_path):
    write_depths(tmp_path, {"tanh": [SOLVES, HALF]}, learning_rate=0.01)
    write_depths(tmp_path, {"tanh": [SOLVES, SOLVES]}, learning_rate=0.001)
    told = verdict(tmp_path, tune="optimizer.learning_rate")
    assert "up to 10 hidden layers (the deepest here) with tanh." in told


def test_no_depth_is_concluded_from_a_single_depth_or_different_targets(tmp_path):
    write_depths(tmp_path / "a", {"tanh": [SOLVES], "relu": [SOLVES, SOLVES]})
    for depth, target in ((2, 0.95), (4, 0.9)):
        training = {"epochs": 10, "target_accuracy": target}
        model = {"hidden": [16] * depth}
        write_run(tmp_path / "b" / str(depth), "tanh", model=model, training=training)
    for folder in ("a", "b"):
        assert "most replicates" not in verdict(tmp_path / folder)
