"""What the laboratory adds to Hydra, found by Hydra's own search for plugins.

Every Hydra program imports these modules, also those of others: nothing slow may be imported here.
"""
