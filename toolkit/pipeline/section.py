"""`toolkit run-section`: one section from its notebook to its published folder.

Everything happens in a private folder. Its manifest is written last; then the whole folder gets its
final name. So under that name there is only ever a finished attempt that says truly how it ended.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import time
from typing import TYPE_CHECKING, Any

from toolkit.errors import InterruptedRunError, SectionError, ToolkitError
from toolkit.io import write_text
from toolkit.manifest import RECORD_NAME, Manifest, Record, read_record, write_manifest
from toolkit.paths import FOLDER_VARIABLE, RUN_VARIABLE, figures_dir
from toolkit.pipeline import freshness, provenance, verdict
from toolkit.pipeline.attempts import CONTINUE, clear_private_files, settle_dead, timestamp
from toolkit.pipeline.devices import take_gpus
from toolkit.pipeline.execution import Outcome, execute, read_notebook
from toolkit.pipeline.locks import hold, is_same_process, this_process
from toolkit.pipeline.parameters import check_parameters_cell, resolve_params
from toolkit.pipeline.plan import load_pipeline
from toolkit.pipeline.runlog import LOG_NAME, RunLog
from toolkit.pipeline.runs import Run, create_run, publish
from toolkit.pipeline.secrets import Secrets
from toolkit.pipeline.supervisor import PROGRESS_NAME, Supervisor, stopped_by_signals
from toolkit.pipeline.verdict import Verdict
from toolkit.progress import FILE_VARIABLE

if TYPE_CHECKING:
    from nbformat import NotebookNode

RUNNER_VARIABLE = "TOOLKIT_RUNNER"
"""Environment variable by which `toolkit run` says who it is, so that its sections end with it."""

_RESERVE_NAME = ".reserve"
_RESERVE_BYTES = 1 << 19


def run_section(run: Run, name: str) -> Manifest:
    """Run a section unless it is fresh, and publish how it went.

    Returns
    -------
    The manifest of the attempt, or the earlier one if that is fresh.

    Raises
    ------
    UsageError
        If a parameter is wrong, or another process works on the section.
    DataError
        If the notebook, a data set or a result it needs is missing or damaged.
    """
    runner = _runner()
    if runner is not None and not is_same_process(*runner):
        raise InterruptedRunError("the `toolkit run` that asked for it is gone.", where=name, fix=CONTINUE)
    attempt = _SectionAttempt(run, name)
    with stopped_by_signals(attempt.supervisor):
        try:
            create_run(run)
            with hold(run.section_lock(name), f"section {name} of run {run.run_id}"):
                settle_dead(run, name)
                try:
                    return attempt.make()
                except Exception as error:
                    attempt.give_up(error)
                    raise
        except OSError as error:
            if not verdict.is_full_disk(error):
                raise
            full = verdict.full_disk(run.folder)
            raise SectionError(full.reason, where=name, fix=full.advice) from error


class _SectionAttempt:
    """One attempt at a section."""

    def __init__(self, run: Run, name: str) -> None:
        self.run, self.started, self.began = run, time.time(), time.monotonic()
        self.pipeline = load_pipeline(run.pipeline_path)
        self.section = self.pipeline.section(name, run.profile)
        self.folder = run.work / f"{name}-{os.getpid()}"
        self.secrets = Secrets()
        self.params: dict[str, Any] = {}
        self.parts: freshness.Parts | None = None
        self.supervisor = Supervisor(
            self.folder,
            this_process(),
            section_deadline_s=self.section.deadline_s.section,
            runner=_runner(),
            redact=self.secrets.redact,
        )

    def make(self) -> Manifest:
        try:
            model_params = resolve_params(
                self.pipeline, self.section.name, self.run.profile, self.run.overrides, self.secrets
            )
            self.params = model_params.model_dump(mode="json")
            self.parts = freshness.collect_parts(self.run, self.pipeline, self.section)
            state = freshness.judge(self.run, self.section, self.parts)
            if state.fresh and state.manifest is not None:
                return state.manifest
            path = self.pipeline.notebook(self.section.name)
            notebook = read_notebook(path)
            check_parameters_cell(notebook, type(model_params), path)
        except ToolkitError as error:
            self._open_folder()
            where = f"{error.where}: " if error.where else ""
            self._publish_failure(Verdict("failed", f"{where}{error.what}", error.fix), None, None)
            raise
        return self._execute(notebook)

    def give_up(self, error: Exception) -> None:
        """Leave a reason behind when the runner itself fails; does nothing if one was published."""
        if self.folder.is_dir() and not verdict.is_full_disk(error):
            judged = Verdict(
                "failed",
                f"the runner itself failed ({type(error).__name__}: {error}).",
                "This is a defect of the toolkit: please report it with the traceback that was shown.",
            )
            self._publish_failure(judged, None, None)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _execute(self, notebook: NotebookNode) -> Manifest:
        self._open_folder()
        log = RunLog(self.folder / LOG_NAME, self.secrets)
        log.note(f"{self.section.name}, profile {self.run.profile}, parameters {self.params}")
        with take_gpus(self.run, self.section.resources.gpu) as devices:
            self.supervisor.start()
            outcome = execute(
                notebook,
                self.params,
                supervisor=self.supervisor,
                log=log,
                environment={**self._kernel_variables(), **devices},
                cell_deadline_s=self.section.deadline_s.cell,
            )
        record, judged = self._judge(outcome)
        log.note(f"{judged.status}{': ' if judged.reason else ''}{judged.reason}")
        log.close()
        if judged.status == "succeeded":
            try:
                manifest = self._publish_success(outcome, record)
            except (ToolkitError, OSError) as error:
                if not verdict.is_full_disk(error):
                    raise
                judged = verdict.full_disk(self.folder)
            else:
                self._publish_figures()
                return manifest
        return self._publish_failure(judged, outcome, record)

    def _judge(self, outcome: Outcome) -> tuple[Record | None, Verdict]:
        assert self.parts is not None
        try:
            record = read_record(self.folder)
        except ToolkitError as error:
            return None, Verdict("failed", str(error), "Call run.finish() once, in the last cell.")
        judged = verdict.judge_outcome(
            outcome, record, self.folder, self.section, self.params, self.parts, self.secrets
        )
        return record, judged

    def _publish_success(self, outcome: Outcome, record: Record | None) -> Manifest:
        self._write_notebook(outcome, "executed.ipynb")
        manifest = self._manifest(verdict.SUCCEEDED, outcome, record)
        self._close_folder()
        write_manifest(self.folder, manifest)
        publish(self.folder, self.run, self.section.name)
        shutil.rmtree(self.run.scratch(self.section.name), ignore_errors=True)
        return manifest

    def _publish_figures(self) -> None:
        """Copy the figures to where the latest of all sections lie; the result stands without."""
        figures = self.run.section_folder(self.section.name) / "artifacts" / "figures"
        if figures.is_dir():
            from toolkit.viz import publish_figures

            try:
                publish_figures(figures, figures_dir())
            except (ToolkitError, OSError) as error:
                logging.getLogger(__name__).warning("the figures were not copied: %s", error)

    def _publish_failure(self, judged: Verdict, outcome: Outcome | None, record: Record | None) -> Manifest:
        """Publish why it failed; the reserve and the artifacts make room for that on a full disk."""
        shutil.rmtree(self.folder / "artifacts", ignore_errors=True)
        (self.folder / "executed.ipynb").unlink(missing_ok=True)
        manifest = self._manifest(judged, outcome, record)
        self._close_folder()
        if outcome is not None:
            try:
                self._write_notebook(outcome, "failed.ipynb")
            except (ToolkitError, OSError):
                (self.folder / LOG_NAME).unlink(missing_ok=True)
        try:
            write_manifest(self.folder, manifest)
            publish(self.folder, self.run, self.section.name)
        except (ToolkitError, OSError):
            # Not even the reason finds room: leave nothing, the error on the terminal says it.
            shutil.rmtree(self.folder, ignore_errors=True)
        return manifest

    def _manifest(self, judged: Verdict, outcome: Outcome | None, record: Record | None) -> Manifest:
        parts, succeeded = self.parts, judged.status == "succeeded"
        manifest = Manifest(
            section=self.section.name,
            run_id=self.run.run_id,
            profile=self.run.profile,
            status=judged.status,
            reason=judged.reason,
            advice=judged.advice,
            key=parts.key if parts else "",
            parts=freshness.digests(parts) if parts else {},
            params=self.params,
            seed_streams=record.seed_streams if record else {},
            inputs={**(parts.data if parts else {}), **(record.inputs if record else {})},
            artifacts=record.artifacts if record and succeeded else [],
            takeaways=record.takeaways if record and succeeded else [],
            git=provenance.describe_git(),
            packages=provenance.installed_packages(),
            machine={**provenance.describe_machine(), "device": record.device if record else "unknown"},
            started=timestamp(self.started),
            ended=timestamp(time.time()),
            seconds=round(time.monotonic() - self.began, 2),
            cell_seconds=outcome.cell_seconds if outcome else [],
            peak_memory_mb=outcome.peak_memory_mb if outcome else None,
            last_cell=(outcome.cell or None) if outcome else None,
        )
        return Manifest.model_validate(self.secrets.redact_tree(manifest.model_dump(mode="json")))

    def _write_notebook(self, outcome: Outcome, name: str) -> None:
        import nbformat

        notebook = nbformat.from_dict(self.secrets.redact_tree(outcome.notebook))
        # papermill notes absolute paths and the whole notebook as its own "path".
        notebook.metadata.get("papermill", {}).update(
            input_path=self.pipeline.notebook(self.section.name).name, output_path=name
        )
        write_text(self.folder / name, nbformat.writes(notebook))

    def _kernel_variables(self) -> dict[str, str]:
        return {
            FOLDER_VARIABLE: str(self.folder),
            RUN_VARIABLE: str(self.run.folder),
            FILE_VARIABLE: str(self.folder / PROGRESS_NAME),
        }

    def _open_folder(self) -> None:
        self.folder.mkdir(parents=True, mode=0o700)
        with contextlib.suppress(OSError):
            (self.folder / _RESERVE_NAME).write_bytes(bytes(_RESERVE_BYTES))
        self._forget_foreign_checkpoints()

    def _close_folder(self) -> None:
        clear_private_files(self.folder)
        for name in (_RESERVE_NAME, RECORD_NAME):
            (self.folder / name).unlink(missing_ok=True)

    def _forget_foreign_checkpoints(self) -> None:
        """Checkpoints of an attempt with other parameters, code or inputs must not be resumed."""
        if self.parts is None:
            return
        scratch = self.run.scratch(self.section.name)
        label = scratch.with_name(f"{scratch.name}.key")
        if not label.is_file() or label.read_text() != self.parts.key:
            shutil.rmtree(scratch, ignore_errors=True)
            write_text(label, self.parts.key)


def _runner() -> tuple[int, float] | None:
    """Number and start time of the `toolkit run` that started us, if it is on this machine."""
    pid, _, started = os.environ.get(RUNNER_VARIABLE, "").partition(":")
    return (int(pid), float(started)) if pid else None
