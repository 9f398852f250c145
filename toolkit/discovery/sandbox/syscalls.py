"""Numbers of the system calls that a locked worker may still make, on each kind of machine."""

from __future__ import annotations

from dataclasses import dataclass

_READING = ("open", "openat", "readlink", "readlinkat", "getdents64", "access", "faccessat", "faccessat2")
"""To be allowed only where something else bounds which files can be read."""

_X86_64 = {
    "read": 0, "write": 1, "open": 2, "close": 3, "stat": 4, "fstat": 5, "lstat": 6, "poll": 7, "lseek": 8,
    "mmap": 9, "mprotect": 10, "munmap": 11, "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14,
    "rt_sigreturn": 15, "pread64": 17, "readv": 19, "writev": 20, "access": 21, "select": 23,
    "sched_yield": 24, "mremap": 25, "madvise": 28, "nanosleep": 35, "setitimer": 38, "getpid": 39,
    "clone": 56, "exit": 60, "readlink": 89, "gettimeofday": 96, "getcwd": 79, "getrusage": 98, "times": 100,
    "sigaltstack": 131, "gettid": 186, "futex": 202, "sched_getaffinity": 204, "getdents64": 217,
    "restart_syscall": 219, "clock_gettime": 228, "clock_getres": 229, "clock_nanosleep": 230,
    "exit_group": 231, "openat": 257, "newfstatat": 262, "readlinkat": 267, "faccessat": 269,
    "pselect6": 270, "ppoll": 271, "set_robust_list": 273, "prlimit64": 302, "getrandom": 318, "statx": 332,
    "rseq": 334, "clone3": 435, "faccessat2": 439,
}  # fmt: skip

_AARCH64 = {
    "getcwd": 17, "readlinkat": 78, "faccessat": 48, "openat": 56, "close": 57, "getdents64": 61, "lseek": 62, "read": 63,
    "write": 64, "readv": 65, "writev": 66, "pread64": 67, "pselect6": 72, "ppoll": 73, "newfstatat": 79,
    "fstat": 80, "exit": 93, "exit_group": 94, "futex": 98, "set_robust_list": 99, "nanosleep": 101,
    "setitimer": 103, "clock_gettime": 113, "clock_getres": 114, "clock_nanosleep": 115,
    "sched_getaffinity": 123, "sched_yield": 124, "restart_syscall": 128, "sigaltstack": 132,
    "rt_sigaction": 134, "rt_sigprocmask": 135, "rt_sigreturn": 139, "times": 153, "getrusage": 165,
    "gettimeofday": 169, "getpid": 172, "gettid": 178, "brk": 214, "munmap": 215, "mremap": 216,
    "clone": 220, "mmap": 222, "mprotect": 226, "madvise": 233, "prlimit64": 261, "getrandom": 278,
    "statx": 291, "rseq": 293, "clone3": 435, "faccessat2": 439,
}  # fmt: skip


@dataclass(frozen=True)
class Machine:
    """One kind of processor.

    Attributes
    ----------
    audit
        How the kernel calls it when it asks a filter.
    numbers
        Of the system calls that are allowed, by name.
    other_interface
        The least number of calls in a second numbering that the same processor understands.
    seccomp
        Number of the call that installs a filter.
    """

    audit: int
    numbers: dict[str, int]
    seccomp: int
    other_interface: int | None = None

    def allowed(self, *, reading: bool) -> dict[str, int]:
        """The calls that are allowed, with or without those that open files."""
        return {name: number for name, number in self.numbers.items() if reading or name not in _READING}


MACHINES = {
    "x86_64": Machine(0xC000003E, _X86_64, seccomp=317, other_interface=0x40000000),
    "aarch64": Machine(0xC00000B7, _AARCH64, seccomp=277),
}
