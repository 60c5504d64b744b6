"""The parser that the other tests rest on: it reads what it knows, and refuses what it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.infra.bicep_parser import BicepError, parse
from tests.infra.bicep_template import Template, Value, parameters_of


def template(tmp_path: Path, text: str, **parameters: Value) -> Template:
    path = tmp_path / "main.bicep"
    path.write_text(text, encoding="utf-8")
    return Template(path, parameters)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("'a\\'b\\${c}'", "a'b${c}"),
        ("'${'x'}-${1 + 2}'", "x-3"),
        ("'''\nline ${raw}\n'''", "line ${raw}\n"),
        ("true && !false ? 'yes' : 'no'", "yes"),
        ("empty('') || fail('never asked')", True),
        ("[for (x, i) in split('a,b', ','): '${i}${toUpper(x)}']", ["0A", "1B"]),
        ("map(filter([1, 2, 3], n => n == 2), n => { n: n })", [{"n": 2}]),
        ("union({ a: 1 }, { a: 2, b: 3 }).a", 2),
        ("union(['a'], ['a', 'b'])", ["a", "b"]),
        ("{ 'two words': [1][0] }", {"two words": 1}),
        ("subscription().id", "<subscription.id>"),
        ("length(uniqueString('a')) // 13", "refused"),
    ],
)
def test_expressions_have_the_value_that_bicep_gives_them(tmp_path: Path, expression: str, value: Value) -> None:
    text = f"output found object = {expression}\n"
    if value == "refused":
        with pytest.raises(BicepError, match="length is not known"):
            template(tmp_path, text)
    else:
        assert template(tmp_path, text).outputs["found"] == value


def test_a_condition_a_loop_and_a_parent_make_the_resources_that_bicep_makes(tmp_path: Path) -> None:
    found = template(
        tmp_path,
        """
param on bool = false
resource a 'Some.Provider/things@2024-01-01' = {
  name: 'a'
}
resource off 'Some.Provider/things@2024-01-01' = if (on) {
  name: 'off'
}
resource children 'Some.Provider/things/parts@2024-01-01' = [for n in ['x', 'y']: {
  parent: a
  name: n
}]
output first string = children[0].name
output id string = a.id
""",
    )
    assert [r.name for r in found.resources] == ["a", "a/x", "a/y"]
    assert found.outputs == {"first": "x", "id": "<Some.Provider/things a id>"}


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({"size": 5}, "@maxValue of the parameter size"),
        ({"mode": "c"}, "@allowed of the parameter mode"),
        ({"sise": 1}, "no parameter"),
    ],
)
def test_a_parameter_that_breaks_its_limits_is_refused(
    tmp_path: Path, parameters: dict[str, Value], complaint: str
) -> None:
    text = "@maxValue(4)\nparam size int = 1\n@allowed(['a', 'b'])\nparam mode string = 'a'\n"
    with pytest.raises(BicepError, match=complaint):
        template(tmp_path, text, **parameters)


@pytest.mark.parametrize("text", ["func f() string => 'x'\n", "var a = 1 2\n", "var a = x ^ y\n", "var a = {\n"])
def test_what_the_parser_does_not_know_is_refused(text: str) -> None:
    with pytest.raises(BicepError, match=r"^line [12]: "):
        parse(text)


def test_a_parameter_file_reads_the_environment_it_is_given(tmp_path: Path) -> None:
    path = tmp_path / "main.bicepparam"
    path.write_text("using 'main.bicep'\nparam a = int(readEnvironmentVariable('A', '1'))\n", encoding="utf-8")
    assert parameters_of(path, {}) == {"a": 1}
    assert parameters_of(path, {"A": "7"}) == {"a": 7}
