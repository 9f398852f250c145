"""The command `toolkit`: every subcommand raises ToolkitErrors, which end here as one paragraph."""

from __future__ import annotations

import errno
import os
import sys
import textwrap
from typing import Any

import click

from toolkit import __version__
from toolkit.errors import DataError, InterruptedRunError, ToolkitError

_HOME_OF = {
    "doctor": "toolkit.cli.doctor:doctor",
    "fetch": "toolkit.cli.data:fetch",
    "data": "toolkit.cli.data:data",
    "run": "toolkit.cli.runs:run",
    "run-section": "toolkit.cli.runs:run_section",
    "status": "toolkit.cli.runs:status",
    "report": "toolkit.cli.reports:report",
    "figures": "toolkit.cli.reports:figures",
    "train": "toolkit.cli.train:train",
    "bench": "toolkit.cli.bench:bench",
    "write-tasks": "toolkit.cli.tasks:write_tasks",
    "discover": "toolkit.cli.discover:discover",
    "ask-llm": "toolkit.cli.answers:ask_llm",
    "play-bandits": "toolkit.cli.playing:play_bandits",
    "workshop": "toolkit.cli.workshop:workshop",
}


_MENDS = {
    **dict.fromkeys((errno.EACCES, errno.EPERM), "Choose another place, or get the right to use this one."),
    errno.EROFS: "Choose another place; this one can only be read.",
    **dict.fromkeys((errno.ENOTDIR, errno.EEXIST), "A file has that name already: choose another folder."),
    errno.EISDIR: "A folder has that name: choose another one.",
    errno.ENAMETOOLONG: "Choose a shorter name.",
    **dict.fromkeys(
        (errno.ENOSPC, errno.EDQUOT), "Free some space (`toolkit doctor` shows how much is left)."
    ),
}
"""What helps where a place on disk cannot be used; any other OSError is a defect and shows its traceback."""


class _Commands(click.Group):
    """Commands that are imported when they are asked for, so that `toolkit --help` is quick."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(_HOME_OF)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in _HOME_OF:
            return None
        import importlib

        module, _, attribute = _HOME_OF[name].partition(":")
        return getattr(importlib.import_module(module), attribute)

    def resolve_command(self, context: click.Context, arguments: list[str]) -> Any:
        from toolkit.errors import did_you_mean

        if arguments and arguments[0] not in _HOME_OF:
            raise click.UsageError(
                f"There is no command '{arguments[0]}'. {did_you_mean(arguments[0], _HOME_OF)}"
            )
        return super().resolve_command(context, arguments)

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except ToolkitError as error:
            _fail(error)
        except OSError as error:
            if error.errno not in _MENDS:
                raise
            what = f"{os.strerror(error.errno)[0].lower()}{os.strerror(error.errno)[1:]}."
            _fail(DataError(what, where=str(error.filename or ""), fix=_MENDS[error.errno]))
        except KeyboardInterrupt:
            _fail(InterruptedRunError("stopped by the keyboard.", fix="The same command continues."))


def _fail(error: ToolkitError) -> None:
    paragraph = textwrap.fill(str(error), width=100, break_long_words=False, break_on_hyphens=False)
    click.echo(click.style("Error: ", fg="red") + paragraph, err=True)
    sys.exit(error.exit_code)


@click.command(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="toolkit")
def main() -> None:
    """Which computational agent learns as people do? Tasks, models, fitters and notebooks.

    Example: toolkit run --profile workshop
    """
