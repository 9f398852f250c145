"""Trials: what was shown, chosen and told, for every family of experiments."""

from toolkit.trials.core import Trials, concat
from toolkit.trials.schemas import MISSING, SCHEMAS, Field, Schema, get_schema

__all__ = ["MISSING", "SCHEMAS", "Field", "Schema", "Trials", "concat", "get_schema"]
