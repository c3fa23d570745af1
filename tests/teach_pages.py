"""What tests do on the teaching page without a browser."""


def words(app) -> str:
    """All that a page says."""
    kinds = (app.markdown, app.caption, app.header, app.subheader, app.error, app.info, app.success, app.warning)
    said = [part.value for kind in kinds for part in kind]
    return "\n".join([*said, *(element.proto.body for element in app.get("html"))])


def press(app, label: str):
    """Clicks a button."""
    next(button for button in app.button if button.label == label).click()
    return app.run()


def choose_set(app, key: str, cases):
    """Chooses a case set that was made in this visit."""
    app.selectbox(key=f"case set {key}").set_value(f"own {cases.title}")
    return app.run()


def address(app, name: str) -> str:
    """What stands in the page's address under a name."""
    value = app.query_params[name]
    return value if isinstance(value, str) else value[0]
