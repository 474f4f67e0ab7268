"""The command line: each command parses, calls one function of the library, shows what came of it, says how it went.

Nothing heavy is imported before a command runs: `--help` must come at once.
"""
