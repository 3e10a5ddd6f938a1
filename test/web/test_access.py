# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Names, origins, tokens, sessions and rates."""

import pytest
from manual_clock import Clock

from emotion_perception.web.access import AllowedHosts, RateLimiter, TokenAccess, is_loopback, is_own_page


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("192.168.1.5", False),
        ("::", False),
        ("robot", False),
    ],
)
def test_what_reaches_this_machine_only(host, expected):
    assert is_loopback(host) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("localhost:8090", True),
        ("127.0.0.1:8090", True),
        ("[::1]:8090", True),
        ("localhost:9000", True),  # a tunnel
        ("LOCALHOST:8090", True),
        ("robot.example:8090", True),
        ("evil.example:8090", False),
        ("localhost.evil.example", False),
        ("192.168.1.5:8090", False),
        ("127.0.0.1.evil.example", False),
        ("user@localhost", False),
        ("localhost/x", False),
        ("localhost:x", False),
        ("", False),
    ],
)
def test_the_names_of_a_server_on_this_machine(header, expected):
    assert AllowedHosts("127.0.0.1", ["robot.example"]).allows(header) == expected


@pytest.mark.parametrize(
    ("header", "expected"), [("192.168.1.5:8090", True), ("localhost", True), ("evil.example", False)]
)
def test_beyond_this_machine_an_address_cannot_be_rebound_and_a_name_can(header, expected):
    assert AllowedHosts("0.0.0.0").allows(header) == expected


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("http://localhost:8090", True),
        ("https://localhost:8090", True),
        ("http://localhost:8091", False),
        ("http://evil.example", False),
        ("null", False),
        ("file://", False),
        ("localhost:8090", False),
    ],
)
def test_only_a_page_of_this_server_is_of_the_same_origin(origin, expected):
    assert is_own_page(origin, "localhost:8090") == expected


def test_the_link_works_once_and_the_token_until_the_end():
    access = TokenAccess()
    assert not access.use_link("wrong")
    assert access.use_link(access.link_code)
    assert not access.use_link(access.link_code)
    assert access.is_token(access.token)
    assert access.is_token(access.token)
    assert not access.is_token("")
    assert not access.is_token("é" * 32)
    assert access.token != access.link_code


def test_each_server_has_a_token_of_its_own():
    assert TokenAccess().token != TokenAccess().token


def test_a_session_ends_after_twelve_hours_or_when_there_are_too_many():
    clock = Clock()
    access = TokenAccess(clock)
    session = access.open_session()
    assert access.is_session(session)
    assert not access.is_session(session[:-1])
    clock.now_s += 12 * 3600 + 1
    assert not access.is_session(session)
    first = access.open_session()
    for _ in range(64):
        access.open_session()
    assert not access.is_session(first)


def test_a_rate_has_a_burst_and_recovers():
    clock = Clock()
    limiter = RateLimiter(10, 3, clock)
    assert [limiter.take("a") for _ in range(4)] == [True, True, True, False]
    assert limiter.take("b")
    assert limiter.is_exhausted("a")
    clock.now_s += 0.11
    assert not limiter.is_exhausted("a")
    assert [limiter.take("a") for _ in range(2)] == [True, False]
