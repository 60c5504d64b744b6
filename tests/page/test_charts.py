"""Charts: valid SVG, every bar in its place, what was not read hatched."""

from datetime import date, timedelta
from xml.etree import ElementTree as ET

from shared.page.charts import Bar, spark, trend

DAY = date(2026, 11, 1)


def bars(*counts: tuple[int, int, int], unread: int | None = None) -> list[Bar]:
    last = len(counts) - 1
    return [Bar(DAY + timedelta(days=n), *count, unread=n == unread, open=n == last) for n, count in enumerate(counts)]


def drawn(svg: str) -> dict[str, list[ET.Element]]:
    found: dict[str, list[ET.Element]] = {}
    for element in ET.fromstring(f"<p>{svg}</p>").iter():  # noqa: S314 - our own text
        found.setdefault(element.get("class", ""), []).append(element)
    return found


def test_each_kind_is_drawn_and_one_bad_sign_in_is_seen() -> None:
    found = drawn(trend(bars((1000, 1, 0), (500, 0, 3), (0, 0, 0), unread=1)))
    assert [len(found[kind]) for kind in ("good", "bad", "unsure", "unread", "open-day")] == [2, 1, 1, 1, 1]
    assert float(found["bad"][0].get("height", "0")) >= 2
    for rect in (r for kind in ("good", "bad", "unsure") for r in found[kind]):
        assert float(rect.get("y", "-1")) >= -4
        assert float(rect.get("y", "0")) + float(rect.get("height", "0")) <= 140.1


def test_who_cannot_see_it_is_told() -> None:
    (svg,) = drawn(trend(bars((10, 2, 1), (1, 0, 0), unread=0)))["chart"]
    assert svg.get("aria-label") == "14 sign-ins in 2 days, 2 without MFA; 1 day was not read to its end"


def test_nothing_and_a_year() -> None:
    assert "<svg" in trend([])
    assert len(trend(bars(*[(1, 1, 1)] * 400))) < 120_000


def test_a_spark_line_goes_to_zero() -> None:
    days = {DAY + timedelta(days=n): 4 - n for n in range(5)}
    found = drawn(spark(days, DAY, DAY + timedelta(days=9)))
    assert len(found["bad"]) == 4
    assert found["spark"][0].get("aria-label") == "10 sign-ins without MFA in 10 days, at most 4 a day"
    heights = [float(bar.get("height", "0")) for bar in found["bad"]]
    assert heights == sorted(heights, reverse=True)
    assert "bad" not in drawn(spark({}, DAY, DAY))
