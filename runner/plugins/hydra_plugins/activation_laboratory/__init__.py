"""The laboratory's sweepers and launchers; Hydra finds them as plugins.

Every Hydra program in this environment imports these modules, so they must not import slow modules.
"""
