"""What is deployed: every file that the app reads at run time is in the package, and nothing that only people read."""

from __future__ import annotations

import subprocess

from tests.infra.deployment import ROOT


def _listed(*options: str) -> set[str]:
    ran = subprocess.run(  # noqa: S603 - git, with options of this file
        ["git", "ls-files", "--cached", *options],  # noqa: S607 - git by its name, as in every checkout
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return {*ran.stdout.split("\n")} - {""}


def test_templates_styles_and_method_text_are_in_the_package() -> None:
    """.funcignore has the form of a .gitignore, so git itself says what it leaves out."""
    every = _listed()
    left_out = _listed("--ignored", "--exclude-from=.funcignore")
    packed = every - left_out
    needed = {name for name in every if name.startswith(("shared/", "functions/"))}
    assert needed - packed == set()
    assert {name for name in needed if not name.endswith(".py")} >= {
        "shared/statement/templates/statement.html",
        "shared/statement/templates/statement.css",
        "shared/statement/templates/method.txt",
        "shared/page/templates/base.html",
        "shared/page/templates/style.css",
    }
    assert {name.partition("/")[0] for name in packed if "/" in name} == {"functions", "shared"}
    assert {name for name in packed if "/" not in name} == {"function_app.py", "host.json", "requirements.txt"}
