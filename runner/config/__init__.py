"""Parse the command line, compose the config, and check the experiment."""
