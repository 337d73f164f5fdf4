"""What is known about a network before it is trained: mean-field theory, and who is born dead."""
