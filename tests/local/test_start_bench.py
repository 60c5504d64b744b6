"""What the app's start imports: not the SDK of Graph, which takes longer than most of the rest."""

from __future__ import annotations

from local.benches.start_bench import ONLY_FOR_SCANS, index_once
from local.stage.stack import CHECKOUT


def test_indexing_the_app_imports_nothing_that_only_a_scan_needs() -> None:
    found = index_once(CHECKOUT)
    assert found.functions > 50
    assert "azure" in found.packages
    assert not found.packages & ONLY_FOR_SCANS
