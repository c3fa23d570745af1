from core.webapp.agreement import compare


def test_all_agree():
    found = compare({"A": "nv", "B": "nv", "C": "nv"}, {"A": 0.1, "B": 0.2, "C": 0.15})
    assert (found.leading, found.voters, found.dissenters) == ("nv", ("A", "B", "C"), {})
    assert found.headline == "All 3 networks say Melanocytic nevus" and found.dissent == ""
    assert found.spread == "Malignant or pre-malignant: 10 % to 20 %."


def test_one_dissents():
    found = compare({"A": "nv", "B": "mel", "C": "nv"}, {"A": 0.1, "B": 0.8, "C": 0.1})
    assert found.headline == "2 of 3 networks say Melanocytic nevus"
    assert found.dissenters == {"B": "mel"} and found.dissent == "B says Melanoma."


def test_divided():
    found = compare({"A": "nv", "B": "mel"}, {"A": 0.1, "B": 0.8})
    assert found.leading is None and found.headline == "The 2 networks are divided"
    assert found.dissent == "A says Melanocytic nevus and B says Melanoma."


def test_two_and_one():
    assert compare({"A": "nv", "B": "nv"}, {"A": 0.1, "B": 0.1}).headline == "Both networks say Melanocytic nevus"
    alone = compare({"A": "bcc"}, {"A": 0.5})
    assert alone.headline == "One network only, and it says Basal cell carcinoma"
    assert alone.spread == "Malignant or pre-malignant: 50 %."
