"""What a case's files are called."""

import pytest

from core.diagnoses import CODES
from core.webapp.read.case_report import case_name


@pytest.mark.parametrize("code", CODES)
def test_a_file_name_tells_cases_apart_and_is_safe_on_every_disk(code):
    name = case_name("0123456789abcdef", code)
    assert name.endswith("-01234567") and all(c.isalnum() or c == "-" for c in name)
    assert name != case_name("ff23456789abcdef", code)
