from core.webapp.words import plain


def test_plain_leaves_no_markdown():
    assert plain("**a** [b](c) $d$ `e`") == r"\*\*a\*\* \[b\](c) \$d\$ \`e\`"
    assert plain("a:red[b]") == r"a\:red\[b\]" and plain("Note: it is 10:30") == r"Note: it is 10\:30"


def test_bare_addresses_are_no_links():
    for text in ("http://a.example", "HTTPS://a.example/x", "www.a.example", "WWW.a.example", "someone@a.example"):
        written = plain(text)
        assert "://" not in written and "www." not in written.lower() and "@a" not in written
        assert written.replace("\u2060", "").replace("\\", "") == text, "what a person sees is the same"
