"""What a model is asked: standing instructions, which providers cache, and what varies from problem to problem."""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.llm import Request
from toolkit.tasks.writing.labels import Label
from toolkit.tasks.writing.replies import format_schema

LABELS_PER_REQUEST = 10

_PURPOSE = """\
You help a laboratory that studies how people learn to tell kinds of things apart by trial and error. The \
laboratory collects learning problems as life poses them, at home, at work and in nature: something is seen \
and measured, and one has to say which of a few categories it belongs to.
"""

LABELS_SYSTEM = (
    _PURPOSE
    + """
You propose such problems by naming what is measured and what is to be told apart.

- A feature is something that can be measured, counted or rated on a scale, so that a number states it.
- Categories are alternatives: a thing belongs to exactly one of them.
- Knowing the features helps to find the category but does not settle every case. Features may differ in \
how much they help.
- Problems differ from one another in subject. Prefer what people really meet over the contrived.
- Names are lower case, one to four words, without commas and without units.

Write one problem a line, numbered 1., 2., 3. and so on. After the number come the names of the features, \
then the names of the categories, all separated by commas. Write nothing else.
"""
)

POINTS_SYSTEM = (
    _PURPOSE
    + """
You write down cases for one problem, as if somebody had observed and measured them one by one.

- Every feature has a number in each case, in the unit in which people would usually measure it and with \
the precision they would usually read off. Write the number alone, without its unit, without a thousands \
separator and never a range.
- Values have the centres, spreads and relations between features that they have in reality.
- The category can be predicted from the features, but not without error: categories overlap where they do \
in reality.
- Categories come about as often as they are met, in no particular order. No case is a copy of another, and \
cases do not follow a pattern.

Write one case a line, numbered 1:, 2:, 3: and so on without leaving a number out. After the number come \
the values of the features in the order given, then the name of the category exactly as given, all separated \
by commas. Write nothing else: no heading, no units, no explanation.
"""
)

DISTRIBUTIONS_SYSTEM = (
    _PURPOSE
    + """
You describe one such problem by how its features are distributed in reality, as well as you can estimate it. \
The answer is one JSON object with these fields:

- "domain": the field of life.
- "question": the question that somebody really has to answer, in one sentence.
- "categories": the names of the alternatives.
- "base_rates": how frequent each category is where the question comes up; they sum to 1, none below 0.03.
- "features": a list. Each feature has a "name", a "unit", a "kind", "means" and "sds" (one value for each \
category, in the order of the categories) and a "range" [smallest, largest possible value].
- "correlations": a list of [i, j, r]: the correlation r of features i and j, counted from 0, among things of \
the same category. Leave out pairs that are not correlated. Together they must be possible.

The kind is "continuous" (bell-shaped), "skewed" (log-normal: positive with a long tail; mean and sd are those \
of the values themselves), "count" (0, 1, 2 …), "ordinal" (whole numbers on a scale), "proportion" (a share \
or per cent) or "binary" (0 or 1; the mean is the chance of a 1, the sd 0).

Give features that tell much, features that tell a little and at least one that tells nothing, in no \
particular order. Let categories overlap as they do in reality. Means lie within the range, and sds are above 0 \
for all kinds but binary. Write nothing but the object.
"""
)


def labels_request(sample: int, n_features: int, n_categories: int, domains: Sequence[str]) -> Request:
    """Ask for ten labels; the number of the sample decides which domains they come from."""
    first = sample * LABELS_PER_REQUEST
    chosen = [domains[(first + k) % len(domains)] for k in range(LABELS_PER_REQUEST)] if domains else []
    fields = f" Take their subjects from these fields, one after the other: {'; '.join(chosen)}."
    text = (
        f"Propose {LABELS_PER_REQUEST} problems, each with {n_features} features and {n_categories} "
        f"categories.{fields if chosen else ''}"
    )
    room = 1000 + LABELS_PER_REQUEST * (n_features + n_categories) * 12
    return Request.of(text, system=LABELS_SYSTEM, sample=sample, max_tokens=room)


def points_request(label: Label, n_points: int) -> Request:
    """Ask for the points of one problem."""
    text = (
        f"Features: {', '.join(label.features)}\n"
        f"Categories: {', '.join(label.categories)}\n"
        f"Write {n_points} cases."
    )
    room = 1000 + n_points * (len(label.features) * 7 + 12)
    return Request.of(text, system=POINTS_SYSTEM, max_tokens=room)


def description_request(
    sample: int, n_features: int, n_categories: int, domains: Sequence[str], *, constrained: bool
) -> Request:
    """Ask for the distributions of one problem.

    Parameters
    ----------
    constrained
        Whether the provider can force the reply into the format.
    """
    domain = f" from the field of {domains[sample % len(domains)]}" if domains else ""
    text = f"Describe one problem{domain} with {n_categories} categories and {n_features} features."
    return Request.of(
        text,
        system=DISTRIBUTIONS_SYSTEM,
        sample=sample,
        max_tokens=1500 + n_features * (120 + 30 * n_categories),
        schema=format_schema() if constrained else None,
    )
