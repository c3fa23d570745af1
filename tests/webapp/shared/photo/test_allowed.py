"""Folders on a page: any where only this computer reaches the app, else in and below those that its owner named."""

import os
from types import SimpleNamespace

import pytest
import streamlit as st

from core.webapp.shared.photo import allowed
from core.webapp.shared.photo.allowed import NOT_ALLOWED, ROOTS_VARIABLE, is_allowed
from core.webapp.shared.photo.folder import open_folder


@pytest.fixture
def options(monkeypatch):
    told = {"server.address": "localhost", "browser.serverAddress": "localhost"}
    monkeypatch.setattr(st, "get_option", told.__getitem__)
    monkeypatch.delenv("HAM10000_DIR", raising=False)
    monkeypatch.delenv(ROOTS_VARIABLE, raising=False)
    return told


@pytest.mark.parametrize("name", ["server.address", "browser.serverAddress"])
def test_where_others_reach_the_app_only_named_folders_are_looked_into(
    options, name, drawn_folder, tmp_path, monkeypatch
):
    assert is_allowed("/etc") and open_folder(str(drawn_folder))[0] is not None
    options[name] = "skin.example.org"
    assert open_folder(str(drawn_folder)) == (None, NOT_ALLOWED)
    for place in ("/etc", "/", "~", "~nobody-of-that-name", "a\0b", str(tmp_path / "not" / "there")):
        assert open_folder(place) == (None, NOT_ALLOWED)
    monkeypatch.setenv("HAM10000_DIR", str(drawn_folder))
    assert open_folder(str(drawn_folder))[0] is not None
    assert not is_allowed(drawn_folder.parent) and is_allowed(drawn_folder / "below")


def test_neither_dots_nor_links_lead_out_of_a_named_folder(options, tmp_path, monkeypatch):
    options["server.address"] = None
    inside, outside = tmp_path / "inside", tmp_path / "inside-not"
    inside.mkdir(), outside.mkdir()
    (inside / "link").symlink_to(outside)
    monkeypatch.setenv(ROOTS_VARIABLE, os.pathsep.join(["", str(inside)]))
    assert is_allowed(inside) and is_allowed(str(inside / "deeper"))
    for place in (outside, inside / ".." / "inside-not", inside / "link", inside / "link" / "deeper"):
        assert not is_allowed(place)


@pytest.mark.parametrize(
    ("headers", "reach"),
    [
        ({}, False),
        ({"Host": "localhost:8501"}, False),
        ({"Host": "[::1]:8501"}, False),
        ({"Host": "melascope.example"}, True),
        ({"Host": "localhost:8501", "X-Forwarded-For": "10.0.0.9"}, True),
    ],
)
def test_a_visitor_by_another_name_or_a_proxy_is_from_elsewhere(monkeypatch, headers, reach):
    local = SimpleNamespace(context=SimpleNamespace(headers=headers), get_option=lambda name: "localhost")
    monkeypatch.setattr(allowed, "st", local)
    assert allowed.others_reach() is reach
