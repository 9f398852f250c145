"""Plain functions over one sequence of trials, compiled together with their exact derivatives."""

from toolkit.models.compiling.compiled import Compiled, Sequences, Written, compile_sequence, write_sequence

__all__ = ["Compiled", "Sequences", "Written", "compile_sequence", "write_sequence"]
