from core.webapp.models.history import read_history


def test_numbers_are_numbers(tmp_path):
    (tmp_path / "history.csv").write_text("epoch,phase,val_accuracy\n1,frozen,0.5\n2,fine-tune,\n")
    assert read_history(tmp_path) == [
        {"epoch": 1.0, "phase": "frozen", "val_accuracy": 0.5},
        {"epoch": 2.0, "phase": "fine-tune", "val_accuracy": None},
    ]


def test_damaged_or_missing_history_is_empty(tmp_path):
    assert read_history(tmp_path) == []
    (tmp_path / "history.csv").write_bytes(b"\xff\xfe\x00")
    assert read_history(tmp_path) == []
    (tmp_path / "history.csv").write_text("a,b\n1,2\nx\n")
    assert read_history(tmp_path) == []
