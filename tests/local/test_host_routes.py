"""Route templates."""

import pytest

from local.host.routes import decode_path, parse_route


@pytest.mark.parametrize(
    ("template", "path", "parameters"),
    [
        ("api/items", "api/items", {}),
        ("api/items", "API/Items", {}),
        ("api/items", "api/items/1", None),
        ("api/items.json", "api/itemsxjson", None),
        ("", "", {}),
        ("items/{id}", "items/a b", {"id": "a b"}),
        ("items/{id}", "items", None),
        ("items/{id}", "items/a/b", None),
        ("{a}/x/{b}", "1/x/2", {"a": "1", "b": "2"}),
        ("files/{name}.html", "files/a.b.html", {"name": "a.b"}),
        ("list/{page?}", "list", {}),
        ("list/{page?}", "list/2", {"page": "2"}),
        ("list/{page:int?}", "list/x", None),
        ("list/{page=1}", "list", {"page": "1"}),
        ("list/{page:int=1}", "list/3", {"page": "3"}),
        ("files/{*path}", "files/a/b.txt", {"path": "a/b.txt"}),
        ("files/{*path}", "files", {}),
        ("{*rest}", "", {}),
        ("{*rest}", "a/b", {"rest": "a/b"}),
        ("{*rest}", "a\nb/c", {"rest": "a\nb/c"}),
        ("{id:int}", "-2147483648", {"id": "-2147483648"}),
        ("{id:int}", "2147483648", None),
        ("{id:int}", "٣", None),
        ("{id:long}", "2147483648", {"id": "2147483648"}),
        ("{id:alpha}", "Ab", {"id": "Ab"}),
        ("{id:alpha}", "a1", None),
        ("{id:bool}", "True", {"id": "True"}),
        ("{id:bool}", "yes", None),
        ("{id:guid}", "11111111-2222-3333-4444-555555555555", {"id": "11111111-2222-3333-4444-555555555555"}),
        ("{id:guid}", "11111111-2222-3333-4444", None),
        ("{id:length(2,3)}", "abc", {"id": "abc"}),
        ("{id:length(2,3)}", "abcd", None),
        ("{id:length(2)}", "abc", None),
        ("{id:minlength(2)}", "a", None),
        ("{id:maxlength(2)}", "abc", None),
        ("{id:int:min(3)}", "2", None),
        ("{id:max(3)}", "4", None),
        ("{id:range(1,3)}", "3", {"id": "3"}),
        ("{id:range(1,3)}", "4", None),
    ],
)
def test_matching(template: str, path: str, parameters: dict[str, str] | None) -> None:
    assert parse_route(template).match(path) == parameters


def test_the_most_specific_route_comes_first() -> None:
    templates = ["{*all}", "a/{b}", "{a}/b", "a/{b:int}", "a/b"]
    routes = sorted(map(parse_route, templates), key=lambda route: route.rank)
    assert [route.template for route in routes] == ["a/b", "a/{b:int}", "a/{b}", "{a}/b", "{*all}"]


@pytest.mark.parametrize("template", ["{id:nonsense}", "{id", "id}", "{}", "a/{b:int(}"])
def test_a_wrong_template_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match="the route"):
        parse_route(template)


def test_a_path_is_decoded_but_for_the_slash() -> None:
    assert decode_path("/api/a%20b%2Fc%2fd/%C3%BC/") == "api/a b%2Fc%2Fd/ü"
