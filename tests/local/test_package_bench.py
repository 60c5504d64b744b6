"""What msgraph-sdk costs the package is a part of what all costs, and README says about that."""

from __future__ import annotations

import re

from local.benches.package_bench import price
from local.stage.stack import CHECKOUT


def test_the_price_of_the_sdk_is_what_the_readme_says() -> None:
    found = price()
    assert 0 < found.files < found.files_of_all
    assert 0 < found.megabytes < found.megabytes_of_all
    readme = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    said = re.search(r"msgraph-sdk is (\d+) of\s+the package's (\d+) MB and ([\d,]+) of its ([\d,]+) files", readme)
    assert said is not None
    told = [float(number.replace(",", "")) for number in said.groups()]
    measured = [found.megabytes, found.megabytes_of_all, found.files, found.files_of_all]
    for number, real in zip(told, measured, strict=True):
        assert abs(number - real) / real < 0.05
