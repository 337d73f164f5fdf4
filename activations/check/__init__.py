"""python -m activations.check: values and derivatives against arbitrary precision."""
