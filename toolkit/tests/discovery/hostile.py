"""Texts that try to get out: each is turned down by the gate, and comes to nothing where the gate is off."""

from __future__ import annotations

ESCAPE = """
def get_import():
    for one in ().__class__.__base__.__subclasses__():
        if one.__name__ == "catch_warnings":
            return one.__init__.__globals__["__builtins__"]["__import__"]
"""
"""How such texts get at everything that the names they are given do not offer."""

RAISING = {
    "read a file": "return len(load('io').open('/etc/passwd').read())",
    "read a file with NumPy": "return load('numpy').genfromtxt('/etc/passwd', delimiter=':', dtype=str).size",
    "read the parent's environment": "return len(load('io').open('/proc/%d/environ' % parent, 'rb').read())",
    "write a file": "return load('io').open(folder + '/written', 'w').write('x')",
    "write to the home": "return load('io').open(home + '/written', 'w').write('x')",
    "write a file with NumPy": "load('numpy').save(folder + '/written.npy', [1.0])",
    "list the home": "return len(load('os').listdir(home))",
    "delete a file": "load('os').unlink(folder + '/precious')",
    "open a connection": "load('socket').create_connection(('127.0.0.1', port), 1).sendall(b'x')",
    "send a packet": (
        "s = load('socket'); s.socket(s.AF_INET, s.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', port))"
    ),
    "fork": "return load('os').fork()",
    "start a program": "return load('subprocess').run(['touch', folder + '/written']).returncode",
    "replace itself": "load('os').execv('/bin/touch', ['touch', folder + '/written'])",
    "kill the parent": "load('os').kill(parent, 9)",
    "read the parent's memory": (
        "c = load('ctypes'); libc = c.CDLL(None, use_errno=True); "
        "assert libc.ptrace(16, parent, 0, 0) == 0, c.get_errno()"
    ),
    "raise its limits": "r = load('resource'); r.setrlimit(r.RLIMIT_FSIZE, (1000, 1000))",
}
"""Bodies that must end in an error, the worker unharmed."""

SHELL = {
    "a shell": "return load('os').system('touch ' + folder + '/written')",
    "a shell through the C library": (
        "return load('ctypes').CDLL(None).system(('touch ' + folder + '/written').encode())"
    ),
}
"""Bodies that return the status of a program that must not have run."""

_FORGE = """for n in range(3, 9):
        try: load('os').write(n, b'x' * 999)
        except Exception: pass"""

ENDING = {
    "an array of 74 GiB": ("memory", "return load('numpy').ones(10**10).sum()"),
    "a list of 80 GB": ("memory", "return len([0] * 10**10)"),
    "ever more memory": ("memory", "kept = []\n    while True: kept.append(load('numpy').zeros(10**7))"),
    "endless recursion": ("error", "f = lambda: f()\n    return f()"),
    "an endless loop": ("time", "while True: pass"),
    "a long sleep": ("time", "load('time').sleep(1000)"),
    "an endless loop without the alarm": (
        "time",
        "s = load('signal'); s.setitimer(s.ITIMER_REAL, 0); s.signal(s.SIGALRM, s.SIG_IGN)\n    while True: pass",
    ),
    "a segmentation fault": ("crash", "load('ctypes').string_at(1)"),
    "an exit": ("crash", "load('os')._exit(0)"),
    "a forged answer": ("contract", f"{_FORGE}\n    while True: pass"),
}
"""Reason and body of those that end their worker, or themselves."""


def text_of(body: str) -> str:
    """The text of a candidate with this body."""
    return f"{ESCAPE}\ndef attack(folder, home, parent, port):\n    load = get_import()\n    {body}\n"
