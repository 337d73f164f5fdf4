"""What theory predicts about a network before training: mean-field theory; dead networks."""
