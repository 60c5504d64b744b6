"""What a start of the app imports."""

from __future__ import annotations

from functions.index import read_index
from local.benches.start_bench import ONLY_FOR_SCANS, index_once
from local.stage.stack import CHECKOUT


def test_a_start_imports_no_part_and_no_library_of_one() -> None:
    found = index_once(CHECKOUT)
    assert found.functions == len(read_index())
    assert not found.modules & {one.module for one in read_index()}
    assert not found.packages & (ONLY_FOR_SCANS | {"httpx", "jinja2"})
    assert "azure.storage.blob" not in found.modules
