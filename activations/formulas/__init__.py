"""activation=formula: an expression as text, parsed, differentiated and evaluated."""
