"""Files: atomic writes, checksums, arrays with a JSON header, tables."""

from toolkit.io.atomic import atomic_path, write_bytes, write_json, write_text
from toolkit.io.checksums import sha256_of_bytes, sha256_of_file
from toolkit.io.lines import append_line
from toolkit.io.readers import read_json, read_lines
from toolkit.io.tables import read_table, write_table
from toolkit.io.tensors import load_arrays, read_header, save_arrays

__all__ = [
    "append_line",
    "atomic_path",
    "load_arrays",
    "read_header",
    "read_json",
    "read_lines",
    "read_table",
    "save_arrays",
    "sha256_of_bytes",
    "sha256_of_file",
    "write_bytes",
    "write_json",
    "write_table",
    "write_text",
]
