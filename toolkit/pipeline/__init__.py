"""Runs notebooks: parameters checked, executed in private, published whole, told truthfully.

``plan`` reads notebooks/pipeline.yaml, ``planning`` says what must run, ``workflow`` hands that to
Snakemake, ``section`` runs one notebook through papermill, ``verdict`` judges it, ``status`` shows it.
"""

from toolkit.pipeline.plan import Pipeline, Section, load_pipeline
from toolkit.pipeline.runs import Run, list_runs, open_run, read_run

__all__ = ["Pipeline", "Run", "Section", "list_runs", "load_pipeline", "open_run", "read_run"]
