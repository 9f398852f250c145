"""Tables through the openml package: from a server like OpenML's, and later from the package's cache."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import openml
import pandas as pd
import pytest

from toolkit.benchmark import InContextClassifier, benchmark_tables, fair, run_protocol
from toolkit.errors import DataError

NAMESPACE = 'xmlns:oml="http://openml.org/openml"'
N_ROWS = 60


def table_file(n_classes: int) -> str:
    """Numbers with gaps, words, and classes, as OpenML keeps them."""
    rng = np.random.default_rng(n_classes)
    y = np.arange(N_ROWS) % n_classes
    size = np.where(rng.random(N_ROWS) < 0.1, np.nan, y + rng.normal(size=N_ROWS) / 5)
    colour = np.where(rng.random(N_ROWS) < 0.5, "red", "blue")
    rows = [
        f"{'?' if np.isnan(one) else round(one, 3)},{two},c{three}"
        for one, two, three in zip(size, colour, y, strict=True)
    ]
    classes = ",".join(f"c{one}" for one in range(n_classes))
    head = [
        "@RELATION t",
        "@ATTRIBUTE size REAL",
        "@ATTRIBUTE colour {red,blue}",
        f"@ATTRIBUTE kind {{{classes}}}",
    ]
    return "\n".join([*head, "@DATA", *rows, ""])


def answer(path: str, host: str) -> str | None:
    """What the server says of task and data 1, with two classes, and 2, with three; None: nothing."""
    *_, what, number = path.strip("/").split("/")
    if what == "study":
        tasks = "".join(f"<oml:task_id>{one}</oml:task_id>" for one in (1, 2))
        parts = {"id": 99, "main_entity_type": "task", "name": "CC18", "description": "-", "status": "active"}
        parts |= {"creation_date": "2019-01-01", "creator": 1}
        inside = "".join(f"<oml:{name}>{value}</oml:{name}>" for name, value in parts.items())
        return f"<oml:study {NAMESPACE}>{inside}<oml:tasks>{tasks}</oml:tasks></oml:study>"
    if what == "task":
        return (
            f"<oml:task {NAMESPACE}><oml:task_id>{number}</oml:task_id><oml:task_type_id>1</oml:task_type_id>"
            "<oml:task_type>Supervised Classification</oml:task_type>"
            f'<oml:input name="source_data"><oml:data_set><oml:data_set_id>{number}</oml:data_set_id>'
            "<oml:target_feature>kind</oml:target_feature></oml:data_set></oml:input>"
            '<oml:input name="estimation_procedure"><oml:estimation_procedure><oml:type>crossvalidation</oml:type>'
            f"<oml:data_splits_url>{host}/splits</oml:data_splits_url>"
            '<oml:parameter name="number_folds">10</oml:parameter>'
            '<oml:parameter name="number_repeats">1</oml:parameter>'
            "</oml:estimation_procedure></oml:input></oml:task>"
        )
    if what == "data":
        parts = {"id": number, "name": f"table-{number}", "version": 1, "format": "ARFF"}
        content = table_file(int(number) + 1)
        parts |= {"url": f"{host}/file/{number}", "default_target_attribute": "kind"}
        parts |= {"md5_checksum": hashlib.md5(content.encode()).hexdigest()}
        inside = "".join(f"<oml:{name}>{value}</oml:{name}>" for name, value in parts.items())
        return f"<oml:data_set_description {NAMESPACE}>{inside}</oml:data_set_description>"
    if what == "features":
        classes = [f"c{one}" for one in range(int(number) + 1)]
        kinds = {
            "size": ("numeric", []),
            "colour": ("nominal", ["red", "blue"]),
            "kind": ("nominal", classes),
        }
        features = "".join(
            f"<oml:feature><oml:index>{index}</oml:index><oml:name>{name}</oml:name>"
            f"<oml:data_type>{kind}</oml:data_type>"
            + "".join(f"<oml:nominal_value>{value}</oml:nominal_value>" for value in values)
            + "<oml:number_of_missing_values>0</oml:number_of_missing_values></oml:feature>"
            for index, (name, (kind, values)) in enumerate(kinds.items())
        )
        return f"<oml:data_features {NAMESPACE}>{features}</oml:data_features>"
    return table_file(int(number) + 1) if what == "file" else None


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        host = f"http://127.0.0.1:{self.server.server_port}"
        said = answer(self.path, host)
        self.send_response(404 if said is None else 200)
        self.end_headers()
        self.wfile.write((said or "").encode())

    def log_message(self, *_: object) -> None:
        """Nothing on the screen."""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    """Answers until it is shut down; the package keeps what it gets in a folder of its own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(openml.config, "server", f"http://127.0.0.1:{server.server_port}/api/v1/xml")
    monkeypatch.setattr(openml.config, "_root_cache_directory", tmp_path)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield server
    server.shutdown()
    server.server_close()


def test_tables_come_from_the_network_and_then_from_the_cache(
    server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch, checkpoints: dict[str, Path]
) -> None:
    tables = benchmark_tables("all", "openml")
    assert [(one.name, one.task, one.n_classes, one.origin) for one in tables] == [
        ("table-1", 1, 2, "openml"),
        ("table-2", 2, 3, "openml"),
    ]
    assert (
        tables[0].features.columns.tolist() == ["size", "colour"] and tables[0].features["size"].isna().any()
    )
    assert [one.name for one in benchmark_tables("binary", "openml")] == ["table-1"]
    small = InContextClassifier(checkpoints["modern"], n_members=1)
    scores = run_protocol(fair(1, (12,), 12), tables, {"ermi": small}).scores
    assert set(scores["task"]) == {"table-1", "table-2"} and scores["value"].notna().all()

    server.shutdown()
    server.server_close()
    known = pd.DataFrame({"task_id": [2, 1]})
    monkeypatch.setattr("toolkit.benchmark.tables.list_cc18", lambda: known)
    again = benchmark_tables("all", "openml")
    for one, other in zip(tables, again, strict=True):
        pd.testing.assert_frame_equal(one.features, other.features)
    known.loc[2] = 3
    with pytest.raises(DataError, match="toolkit fetch openml_cc18"):
        benchmark_tables("all", "openml")
