"""python -m activations.passport: a page of facts about an activation."""
