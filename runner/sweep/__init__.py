"""Many runs: planned, launched, resumed."""
