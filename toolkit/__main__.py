"""`python -m toolkit`: the same as the command `toolkit`."""

from toolkit.cli import main

main(prog_name="toolkit")
