from core.webapp.words import plain


def test_plain_leaves_no_markdown():
    assert plain("**a** [b](c) $d$ `e`") == r"\*\*a\*\* \[b\](c) \$d\$ \`e\`"
    assert plain("a:red[b]") == r"a\:red\[b\]" and plain("Note: it is 10:30") == r"Note: it is 10\:30"
