"""What the README tells a newcomer to run on an invented log, word by word."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]


def test_the_recipe_for_a_log_at_hand_ends_with_a_table(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text("utf-8").partition("### Judge a log you already have")[2]
    recipe = readme.partition("```sh\n")[2].partition("```")[0].splitlines()
    assert recipe.pop(0) == "make setup"
    for line in recipe:
        program, *arguments = shlex.split(line)
        done = subprocess.run(  # noqa: S603 - this repository's own
            [ROOT / program, *(argument.replace("sample/", f"{tmp_path}/") for argument in arguments)]
            if "assess" in line
            else [ROOT / program, *arguments[:2], str(tmp_path), *arguments[3:]],
            cwd=ROOT, capture_output=True, check=True, text=True,
        )  # fmt: skip
    assert "Customers and Partner Center: compliance" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
