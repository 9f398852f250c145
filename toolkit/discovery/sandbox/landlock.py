"""Landlock: from here on a process can read the folders of Python and of the system's libraries, nothing else."""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Iterable
from pathlib import Path

CREATE, ADD_RULE, RESTRICT = 444, 445, 446
_ASK_VERSION = 1
_PATH_BENEATH = 1
_NEWEST_KNOWN = 7

READ_FILE, READ_FOLDER = 1 << 2, 1 << 3
_RIGHTS_OF_FILES = {1: 13, 2: 14, 3: 15, 5: 16}
"""How many rights on files there are from each version on."""
_TCP_SINCE, _SCOPES_SINCE = 4, 6
_BIND_AND_CONNECT = 0b11
_SOCKETS_AND_SIGNALS = 0b11


def version() -> int:
    """Version of Landlock that the kernel has, 0 where it has none."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "syscall"):
        return 0
    return max(0, libc.syscall(CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(_ASK_VERSION)))


def handled(abi: int) -> bytes:
    """Everything that is forbidden unless a rule allows it, as the kernel of this version reads it."""
    n_rights = max(count for since, count in _RIGHTS_OF_FILES.items() if since <= abi)
    parts = [(1 << n_rights) - 1]
    if abi >= _TCP_SINCE:
        parts.append(_BIND_AND_CONNECT)
    if abi >= _SCOPES_SINCE:
        parts.append(_SOCKETS_AND_SIGNALS)
    return struct.pack(f"={len(parts)}Q", *parts)


def restrict(readable: Iterable[str]) -> str:
    """Restrict the calling thread to reading below these folders, for good.

    Returns
    -------
    "" or why that was not possible. Threads that run already are not restricted, so there must be none.
    """
    abi = min(version(), _NEWEST_KNOWN)
    if not abi:
        return "the kernel has no Landlock (it came with Linux 5.13 and can be switched off)"
    if len(list(Path("/proc/self/task").iterdir())) > 1:
        return "the process has several threads"
    libc = ctypes.CDLL(None, use_errno=True)
    attributes = handled(abi)
    ruleset = libc.syscall(CREATE, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0))
    if ruleset < 0:
        return f"the kernel makes no rules ({_error()})"
    try:
        for folder in readable:
            _allow_reading(libc, ruleset, folder)
        if libc.syscall(RESTRICT, ruleset, ctypes.c_uint32(0)) != 0:
            return f"the kernel does not apply the rules ({_error()})"
    finally:
        os.close(ruleset)
    return ""


def _allow_reading(libc: ctypes.CDLL, ruleset: int, folder: str) -> None:
    try:
        descriptor = os.open(folder, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        rule = struct.pack("=Qi", READ_FILE | READ_FOLDER, descriptor)
        libc.syscall(ADD_RULE, ruleset, _PATH_BENEATH, rule, ctypes.c_uint32(0))
    finally:
        os.close(descriptor)


def _error() -> str:
    return errno.errorcode.get(ctypes.get_errno(), "?")
