"""The filter that lets a worker make only the system calls that calculating needs (Linux)."""

from __future__ import annotations

import ctypes
import errno
import platform
import struct

from toolkit.discovery.sandbox.syscalls import MACHINES, Machine

Instruction = tuple[int, int, int, int]
"""Code, jump if true, jump if false, operand."""

LOAD, EQUAL, AT_LEAST, AND, RETURN = 0x20, 0x15, 0x35, 0x54, 0x06
ALLOW, KILL = 0x7FFF0000, 0x80000000
_ERRNO = 0x00050000
REFUSE = _ERRNO | errno.EPERM
NOT_THERE = _ERRNO | errno.ENOSYS

_NUMBER, _MACHINE, _ARGUMENTS = 0, 4, 16
_CLONE_THREAD = 0x00010000
_SET_MODE_FILTER, _ALL_THREADS = 1, 1


def filter_program(machine: Machine, *, reading: bool) -> list[Instruction]:
    """The filter in the language of the kernel.

    Parameters
    ----------
    reading
        Whether files can be opened at all; false where nothing else bounds which ones.
    """
    special = {"clone": _only_threads, "clone3": _not_there, "prlimit64": _only_asking}
    program = [(LOAD, 0, 0, _MACHINE), (EQUAL, 1, 0, machine.audit), (RETURN, 0, 0, KILL)]
    program.append((LOAD, 0, 0, _NUMBER))
    if machine.other_interface is not None:
        program += [(AT_LEAST, 0, 1, machine.other_interface), (RETURN, 0, 0, REFUSE)]
    for name, number in machine.allowed(reading=reading).items():
        body = special[name]() if name in special else [(RETURN, 0, 0, ALLOW)]
        program += [(EQUAL, 0, len(body), number), *body]
    program.append((RETURN, 0, 0, REFUSE))
    return program


def _only_threads() -> list[Instruction]:
    return [
        (LOAD, 0, 0, _ARGUMENTS),
        (AND, 0, 0, _CLONE_THREAD),
        (EQUAL, 0, 1, _CLONE_THREAD),
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, REFUSE),
    ]


def _not_there() -> list[Instruction]:
    # Its flags lie behind a pointer, which a filter cannot follow; the C library then falls back to clone.
    return [(RETURN, 0, 0, NOT_THERE)]


def _only_asking() -> list[Instruction]:
    """A process may read its own limits; the first argument is which process, the third the new limit."""
    new_limit = _ARGUMENTS + 2 * 8
    return [
        *((LOAD, 0, 0, _ARGUMENTS), (EQUAL, 0, 5, 0)),
        *((LOAD, 0, 0, new_limit), (EQUAL, 0, 3, 0)),
        *((LOAD, 0, 0, new_limit + 4), (EQUAL, 0, 1, 0)),
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, REFUSE),
    ]


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def install(*, reading: bool) -> str:
    """Put the filter on all threads of this process, for good; returns "" or why that was not possible."""
    machine = MACHINES.get(platform.machine())
    if machine is None:
        return f"the system calls of {platform.machine()} machines are not known"
    program = filter_program(machine, reading=reading)
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
    buffer = ctypes.create_string_buffer(code)
    described = _Program(len(program), ctypes.cast(buffer, ctypes.c_void_p))
    libc = ctypes.CDLL(None, use_errno=True)
    done = libc.syscall(machine.seccomp, _SET_MODE_FILTER, _ALL_THREADS, ctypes.byref(described))
    return "" if done == 0 else f"the kernel refuses filters ({errno.errorcode.get(ctypes.get_errno(), '?')})"
