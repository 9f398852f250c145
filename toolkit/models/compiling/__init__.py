"""Plain functions over one sequence of trials, compiled together with their exact derivatives."""

from toolkit.models.compiling.compiled import Compiled, Sequences, compile_sequence
from toolkit.models.compiling.machine import MachineModule, NotTranslated
from toolkit.models.compiling.written import Written, write_sequence

__all__ = [
    "Compiled",
    "MachineModule",
    "NotTranslated",
    "Sequences",
    "Written",
    "compile_sequence",
    "write_sequence",
]
