"""Machine code straight from a generated module, for those that are compiled often and used briefly.

numba needs seconds for a module of some hundred lines, most of them in finding out types that follow here from a few
rules. This compiles the same text in a twentieth of the time, with the same results; what it does not know it
refuses, and numba takes over.
"""

from toolkit.models.compiling.machine.module import MachineModule
from toolkit.models.compiling.machine.values import NotTranslated

__all__ = ["MachineModule", "NotTranslated"]
