"""python -m activations.passport: what there is to know about an activation, on one page."""
