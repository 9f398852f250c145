"""`toolkit bench`."""

from __future__ import annotations

import json

import click

from toolkit.bench import Report, list_benchmarks, run_benchmark


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a benchmark.")
@click.option("--list", "only_list", is_flag=True, help="Say which benchmarks there are.")
def bench(names: tuple[str, ...], as_json: bool, only_list: bool) -> None:
    """Speed beside a plain reference implementation, both in one run; medians of repeats.

    Without NAME all benchmarks run.

    Example: toolkit bench models pipeline
    """
    known = list_benchmarks()
    if only_list:
        for name, meaning in known.items():
            click.echo(f"{name:12} {meaning}")
        return
    for name in names or known:
        report = run_benchmark(name)
        click.echo(json.dumps(report.as_json(), ensure_ascii=False) if as_json else _as_text(report))


def _as_text(report: Report) -> str:
    lines = [click.style(report.name, bold=True)]
    for row in report.rows:
        mark = "✓" if row.met and row.same_result else "✗"
        lines.append(
            f"  {mark} {row.what}: {row.ours_s:.3g} s, reference {row.reference_s:.3g} s, {row.ratio:.2f}×"
        )
        same = "same result" if row.same_result else "RESULTS DIFFER"
        lines.append(f"    goal {row.goal}; {same}{'; ' + row.note if row.note else ''}")
    return "\n".join(lines)
