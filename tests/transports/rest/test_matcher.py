"""The way from a method and a path to what stands there, hostile paths included."""

from collections.abc import Iterable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.transports.rest.matcher import MAX_SEGMENTS, Absent, Found, Matcher, parameters_of
from hubify.values.errors import InvalidInput

ROUTES = (
    ("GET", "/v1/things"),
    ("POST", "/v1/things"),
    ("GET", "/v1/things/search"),
    ("GET", "/v1/things/{name}"),
    ("DELETE", "/v1/things/{thing}"),
    ("GET", "/v1/things/{name}/parts/{part}"),
    ("GET", "/v1/{kind}/search/all"),
)


def matcher(routes: Iterable[tuple[str, str]] = ROUTES) -> Matcher[str]:
    made = Matcher[str]()
    for method, template in routes:
        made.add(method, template, f"{method} {template}")
    return made


def found(method: str, path: str) -> tuple[str, dict[str, str]]:
    hit = matcher().find(method, path)
    assert isinstance(hit, Found), hit
    return hit.target, hit.values


def test_a_path_without_parameters_is_found() -> None:
    assert found("GET", "/v1/things") == ("GET /v1/things", {})
    assert found("POST", "/v1/things") == ("POST /v1/things", {})


def test_parameters_are_taken_from_the_path() -> None:
    target, values = found("GET", "/v1/things/lamp/parts/7")
    assert target == "GET /v1/things/{name}/parts/{part}"
    assert values == {"name": "lamp", "part": "7"}


def test_a_literal_wins_over_a_parameter_whatever_was_placed_first() -> None:
    for routes in (ROUTES, tuple(reversed(ROUTES))):
        hit = matcher(routes).find("GET", "/v1/things/search")
        assert isinstance(hit, Found)
        assert hit.target == "GET /v1/things/search"


def test_a_literal_that_leads_nowhere_gives_way_to_a_parameter() -> None:
    assert found("GET", "/v1/things/search/all")[0] == "GET /v1/{kind}/search/all"
    assert found("GET", "/v1/things/search/parts/1")[1] == {"name": "search", "part": "1"}


def test_a_literal_without_the_method_gives_way_to_a_parameter_that_has_it() -> None:
    assert found("DELETE", "/v1/things/search") == (
        "DELETE /v1/things/{thing}",
        {"thing": "search"},
    )


def test_methods_may_name_the_same_parameter_differently() -> None:
    assert found("DELETE", "/v1/things/lamp")[1] == {"thing": "lamp"}
    assert found("GET", "/v1/things/lamp")[1] == {"name": "lamp"}


def test_one_trailing_slash_is_no_difference_and_two_are() -> None:
    assert found("GET", "/v1/things/")[0] == "GET /v1/things"
    assert found("GET", "/v1/things/lamp/")[1] == {"name": "lamp"}
    assert matcher().find("GET", "/v1/things//") == Absent(())


def test_an_empty_segment_is_no_parameter() -> None:
    assert matcher().find("GET", "/v1//parts/x") == Absent(())
    assert matcher().find("GET", "/v1/things//parts/x") == Absent(())


def test_another_method_is_told_which_ones_there_are() -> None:
    assert matcher().find("PUT", "/v1/things") == Absent(("GET", "POST"))
    assert matcher().find("PUT", "/v1/things/search") == Absent(("DELETE", "GET"))


def test_an_unknown_path_allows_nothing() -> None:
    assert matcher().find("GET", "/v2/things") == Absent(())
    assert matcher().find("GET", "*") == Absent(())


def test_an_encoded_slash_stays_within_its_segment() -> None:
    assert found("GET", "/v1/things/a%2Fb")[1] == {"name": "a/b"}


def test_an_encoded_literal_is_the_literal() -> None:
    assert found("GET", "/v1/%74hings")[0] == "GET /v1/things"


def test_dots_are_names_not_directions() -> None:
    assert found("GET", "/v1/things/..")[1] == {"name": ".."}
    assert matcher().find("GET", "/v1/other/../things") == Absent(())


@given(st.text(min_size=1, max_size=50))
def test_any_text_survives_the_way_through_a_path(name: str) -> None:
    assert found("DELETE", "/v1/things/" + quote(name, safe=""))[1] == {"thing": name}


def test_a_path_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(InvalidInput, match="not UTF-8"):
        matcher().find("GET", "/v1/things/%ff")


def test_a_path_that_is_too_long_is_refused() -> None:
    with pytest.raises(InvalidInput, match="over 8192 characters"):
        matcher().find("GET", "/" + "a" * 9_000)


def test_more_segments_than_any_route_has_are_unknown() -> None:
    assert matcher().find("GET", "/x" * (MAX_SEGMENTS * 4)) == Absent(())


@given(st.text(alphabet="/%.{}v1thingsearch\x00é", max_size=80))
def test_any_path_is_found_absent_or_refused(path: str) -> None:
    try:
        hit = matcher().find("GET", path)
    except InvalidInput:
        return
    assert isinstance(hit, Found | Absent)


@pytest.mark.parametrize(
    "template", ["v1/things", "/v1//things", "/v1/things/", "/v1/{Name}", "/v1/a{b}", "", "/"]
)
def test_a_malformed_template_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match="not a path template"):
        Matcher[str]().add("GET", template, "x")


def test_two_targets_cannot_stand_at_one_route() -> None:
    with pytest.raises(ValueError, match="taken"):
        matcher([("GET", "/a/{x}"), ("GET", "/a/{y}")])
    with pytest.raises(ValueError, match="twice"):
        matcher([("GET", "/a/{x}/{x}")])


def test_the_parameters_of_a_template_are_its_names_in_braces() -> None:
    assert parameters_of("/v1/{a}/b/{c_d}") == ("a", "c_d")
