from pathlib import Path

import pytest

from core.folders import REPOSITORY
from core.webapp.shared.words import plain, unbroken


def test_plain_leaves_no_markdown():
    assert plain("**a** [b](c) $d$ `e`") == r"\*\*a\*\* \[b\](c) \$d\$ \`e\`"
    assert plain("a:red[b]") == r"a\:red\[b\]" and plain("Note: it is 10:30") == r"Note: it is 10\:30"


def test_a_command_stays_a_command():
    said = "a_b is damaged. Run `python -m core measure A_B --only maps`. `*c*`"
    assert plain(said) == r"a\_b is damaged. Run `python -m core measure A_B --only maps`. \`\*c\*\`"


def test_no_line_ends_within_a_number():
    assert unbroken("with 97 % (95 to 98 %) of 3 photos") == "with 97\u00a0% (95\u00a0to\u00a098\u00a0%) of 3 photos"


def test_bare_addresses_are_no_links():
    for text in ("http://a.example", "HTTPS://a.example/x", "www.a.example", "WWW.a.example", "someone@a.example"):
        written = plain(text)
        assert "://" not in written and "www." not in written.lower() and "@a" not in written
        assert written.replace("\u2060", "").replace("\\", "") == text, "what a person sees is the same"


def test_no_folder_of_this_machine_is_shown(monkeypatch, tmp_path):
    root = tmp_path / "our models"
    monkeypatch.setenv("MELASCOPE_WEIGHTS", str(root))
    assert (
        plain(f"{root / 'Net' / 'card.json'} is missing. See {root}.")
        == "our models/Net/card.json is missing. See our models."
    )
    assert plain(f"{REPOSITORY / 'weights'}: no") == f"{REPOSITORY.name}/weights: no"
    assert plain(f"Use {Path.home()}/ham10000.") == r"Use \~/ham10000."
    assert plain(f"{root}2/x") == f"{root}2/x".replace("_", r"\_"), "another folder"


@pytest.mark.parametrize("home", ["/", ""])
def test_a_home_that_is_none_takes_nothing_away(monkeypatch, home):
    monkeypatch.setenv("HOME", home)
    assert plain("a/b and /c") == "a/b and /c"
