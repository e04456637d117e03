"""Clients are told apart by what they say of themselves, and unknown ones are treated plainly."""

import pytest

from hubify.wire.clients import UNKNOWN, Client, client_of_header, client_of_path


@pytest.mark.parametrize(
    ("header", "client"),
    [
        ("npm-1.48.0", Client("npm", (1, 48, 0))),
        ("python-0.8.1", Client("python", (0, 8, 1))),
        ("Rust-0.10.2-beta.1", Client("rust", (0, 10, 2))),
        ("npm-cli-1.2.3", Client("npm-cli", (1, 2, 3))),
        ("", UNKNOWN),
        ("npm", UNKNOWN),
        ("npm-" + "9" * 100, UNKNOWN),
    ],
)
def test_a_client_names_itself_in_a_header(header: str, client: Client) -> None:
    assert client_of_header(header) == client


def test_npm_names_its_version_in_the_path() -> None:
    assert client_of_path("1.48.0") == Client("npm", (1, 48, 0))
    assert client_of_path("latest") == UNKNOWN


def test_only_newer_npm_clients_join_chunks() -> None:
    assert Client("npm", (1, 28, 0)).joins_chunks
    assert not Client("npm", (1, 27, 9)).joins_chunks
    assert not Client("python", (9, 0, 0)).joins_chunks


def test_only_python_and_rust_clients_loop_on_an_auth_error() -> None:
    assert Client("python", (0, 8, 1)).loops_on_auth_error
    assert Client("rust", (0, 10, 0)).loops_on_auth_error
    assert not Client("npm", (1, 48, 0)).loops_on_auth_error
    assert not UNKNOWN.loops_on_auth_error


def test_only_the_oldest_clients_expect_tags_without_asking() -> None:
    assert Client("npm", (1, 4, 0)).expects_tagged_values
    assert not Client("npm", (1, 4, 1)).expects_tagged_values
    assert Client("python", (0, 4, 3)).expects_tagged_values
    assert not Client("python", (0, 5, 0)).expects_tagged_values
    assert not UNKNOWN.expects_tagged_values
