"""What the kernel is told, on every kind of machine: filters, rules, profiles, and where they come to an end."""

from __future__ import annotations

import errno
import json
import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from toolkit.discovery.sandbox import landlock, macos, seccomp
from toolkit.discovery.sandbox.folders import python_folders
from toolkit.discovery.sandbox.layers import layers_of, require
from toolkit.discovery.sandbox.syscalls import MACHINES
from toolkit.errors import UsageError

THREAD = 0x00010000
HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}


def verdict(
    program: list[seccomp.Instruction], number: int, arguments: tuple[int, ...] = (), *, audit: int
) -> int:
    """What the kernel does with a system call, by an interpreter of the filter's language."""
    padded = (*arguments, *(0,) * (6 - len(arguments)))
    data = struct.pack("<iIQ6Q", number, audit, 0, *padded)
    accumulator, at = 0, 0
    while True:
        code, if_true, if_false, operand = program[at]
        at += 1
        match code:
            case seccomp.LOAD:
                (accumulator,) = struct.unpack_from("<I", data, operand)
            case seccomp.AND:
                accumulator &= operand
            case seccomp.EQUAL:
                at += if_true if accumulator == operand else if_false
            case seccomp.AT_LEAST:
                at += if_true if accumulator >= operand else if_false
            case seccomp.RETURN:
                return operand
            case _:
                raise AssertionError(code)


@pytest.mark.parametrize("name", MACHINES)
def test_the_filter_lets_only_listed_calls_through(name: str) -> None:
    machine = MACHINES[name]
    program = seccomp.filter_program(machine, reading=True)
    allowed = {n for n in range(600) if verdict(program, n, audit=machine.audit) == seccomp.ALLOW}
    assert allowed == set(machine.numbers.values()) - {machine.numbers["clone"], machine.numbers["clone3"]}
    assert verdict(program, machine.numbers["read"], audit=0x40000003) == seccomp.KILL
    assert len(program) < 4096 and all(0 <= jump < 256 for one in program for jump in one[1:3])


@pytest.mark.parametrize("name", MACHINES)
def test_threads_can_be_started_but_no_processes(name: str) -> None:
    machine = MACHINES[name]
    program, numbers = seccomp.filter_program(machine, reading=True), machine.numbers

    def asked(call: str, *arguments: int) -> int:
        return verdict(program, numbers[call], arguments, audit=machine.audit)

    assert asked("clone", THREAD | 0x100) == seccomp.ALLOW
    assert asked("clone", 17) == seccomp.REFUSE
    assert asked("clone3") & 0xFFFF == errno.ENOSYS
    assert asked("prlimit64", 0, 3, 0, 1) == seccomp.ALLOW
    for arguments in ((5, 3, 0, 1), (0, 3, 1, 0), (0, 3, 1 << 40, 0)):
        assert asked("prlimit64", *arguments) == seccomp.REFUSE


@pytest.mark.parametrize("name", MACHINES)
def test_without_landlock_no_file_can_be_opened(name: str) -> None:
    machine = MACHINES[name]
    program = seccomp.filter_program(machine, reading=False)
    for call in {"open", "openat", "readlinkat", "faccessat"} & machine.numbers.keys():
        assert verdict(program, machine.numbers[call], audit=machine.audit) == seccomp.REFUSE
    assert verdict(program, machine.numbers["read"], audit=machine.audit) == seccomp.ALLOW


def test_the_second_numbering_of_the_processor_is_closed() -> None:
    machine = MACHINES["x86_64"]
    program = seccomp.filter_program(machine, reading=True)
    number = machine.other_interface | machine.numbers["write"]
    assert verdict(program, number, audit=machine.audit) == seccomp.REFUSE


@pytest.mark.parametrize("name", MACHINES)
def test_numbers_are_those_of_the_headers(name: str) -> None:
    if not HEADERS[name].exists():
        pytest.skip("no headers of the kernel here")
    text = HEADERS[name].read_text()
    found = dict(re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", text))
    other_names = {"newfstatat": "fstatat"} if name == "aarch64" else {}
    machine = MACHINES[name]
    listed = {**machine.numbers, "seccomp": machine.seccomp}
    for call, number in listed.items():
        assert int(found.get(call) or found[other_names[call]]) == number, call


def test_nothing_dangerous_is_listed() -> None:
    dangerous = [
        "execve",
        "execveat",
        "fork",
        "vfork",
        "socket",
        "connect",
        "bind",
        "sendto",
        "sendmsg",
        "kill",
        "tkill",
        "tgkill",
        "ptrace",
        "process_vm_readv",
        "unlink",
        "unlinkat",
        "rename",
        "mkdir",
        "chmod",
        "chown",
        "mount",
        "setuid",
        "setrlimit",
        "memfd_create",
        "io_uring_setup",
        "bpf",
        "perf_event_open",
        "keyctl",
        "pidfd_open",
        "ioctl",
        "fcntl",
        "setsid",
        "prctl",
        "seccomp",
    ]
    for machine in MACHINES.values():
        assert not set(dangerous) & machine.numbers.keys()


@pytest.mark.parametrize(
    ("abi", "words"), [(1, [2**13 - 1]), (2, [2**14 - 1]), (3, [2**15 - 1]), (4, [2**15 - 1, 3])]
)
def test_rules_grow_with_the_version_of_landlock(abi: int, words: list[int]) -> None:
    assert landlock.handled(abi) == struct.pack(f"={len(words)}Q", *words)


def test_newer_versions_also_hold_signals_back() -> None:
    assert struct.unpack("=3Q", landlock.handled(6)) == (2**16 - 1, 3, 3)
    assert landlock.handled(7) == landlock.handled(6)


def test_a_kernel_without_landlock_is_reported(monkeypatch) -> None:
    monkeypatch.setattr(landlock, "version", lambda: 0)
    assert "Linux 5.13" in landlock.restrict([])


def test_a_machine_of_another_kind_is_reported(monkeypatch) -> None:
    monkeypatch.setattr(seccomp.platform, "machine", lambda: "riscv64")
    assert seccomp.install(reading=True) == "the system calls of riscv64 machines are not known"


def test_folders_of_python_hold_no_project_and_no_home(checkout: Path) -> None:
    folders = [Path(folder) for folder in python_folders()]
    for private in (checkout, Path.home(), Path("/"), Path("/etc"), Path("/usr")):
        assert private.resolve() not in folders


def test_the_profile_for_macos_denies_by_default() -> None:
    text = macos.profile('/opt/py"thon/bin/python3', ["/opt/python/lib", "/Users/ada/venv/lib"])
    rules = text.splitlines()
    assert rules[:2] == ["(version 1)", "(deny default)"]
    assert {"(deny network*)", "(deny process-fork)"} <= set(rules)
    assert '(literal "/opt/py\\"thon/bin/python3")' in text
    assert '(allow file-read* (subpath "/opt/python/lib") (subpath "/Users/ada/venv/lib"))' in text
    assert text.count("(") == text.count(")")
    writable = [rule for rule in rules if rule.startswith("(allow file-write")]
    assert writable == ['(allow file-write* (literal "/dev/null"))']
    command = macos.command("/usr/bin/python3", [])
    assert command[:2] == ["sandbox-exec", "-p"] and command[2].startswith("(version 1)")


def test_layers_of_other_systems(monkeypatch) -> None:
    monkeypatch.setattr("toolkit.discovery.sandbox.layers.sys.platform", "darwin")
    names = {layer.name: layer for layer in layers_of({"confined": True, "limits": ["RLIMIT_CPU"]})}
    assert names["sandbox-exec"].active and not names["confinement"].active
    monkeypatch.setattr("toolkit.discovery.sandbox.layers.sys.platform", "win32")
    names = {layer.name: layer for layer in layers_of({})}
    assert not names["kernel"].active and "WSL" in names["kernel"].detail and not names["limits"].active


_ALONE = """
import json
from toolkit.discovery.sandbox import landlock, lockdown, seccomp
from toolkit.discovery.sandbox.folders import python_folders
{without}
report = lockdown.lock_down(python_folders(), 2048, 60, None, False)
print(json.dumps(report), flush=True)
"""
_WITHOUT_LANDLOCK = "landlock.version = lambda: 0"
_WITHOUT_SECCOMP = "seccomp.MACHINES.clear()"


def report_without(line: str) -> dict:
    """What a process that has one of the two reports after it has locked itself."""
    script = _ALONE.format(without=line)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    return json.loads(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux")
def test_either_lock_of_the_kernel_holds_alone() -> None:
    """A machine that has only one of the two still confines, or says what it leaves open."""
    report = report_without(_WITHOUT_LANDLOCK)
    if report["seccomp"] == "":
        assert "Linux 5.13" in report["landlock"] and all(report["denied"].values())
        require(layers_of(report))
    report = report_without(_WITHOUT_SECCOMP)
    assert "not known" in report["seccomp"]
    if report["landlock"] == "":
        denied = report["denied"]
        assert denied["reading files"] and denied["writing files"]
        if os.geteuid() == 0:  # No limit on processes holds for root, so they could still be started.
            assert not denied["starting processes"]
            with pytest.raises(UsageError, match="still possible: .*starting processes"):
                require(layers_of(report))
