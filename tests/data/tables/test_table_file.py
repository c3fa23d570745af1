"""A table is read whatever program wrote it; what is no table is refused by name, with the mend."""

import codecs
import csv
import io

import pandas as pd
import pytest

from core.data.ham10000 import InvalidDataset, read_table
from core.data.split import split_table

HEADER = ["lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization", "dataset"]
# 12 lesions of two photos each.
ROWS = [
    [
        f"HAM_{n // 2}",
        f"ISIC_{n}",
        "nv" if n < 12 else "mel",
        "histo",
        f"{30 + n}.0",
        "male",
        "lower extremity",
        "clinic",
    ]
    for n in range(24)
]


def written(separator=",", end="\n", quoting=csv.QUOTE_MINIMAL, rows=ROWS, header=HEADER, **kind):
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator=end, quoting=quoting, **kind).writerows([header, *rows])
    return text.getvalue()


def read(tmp_path, content, name="HAM10000_metadata.csv"):
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(tmp_path)


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    return read(tmp_path_factory.mktemp("plain"), written())


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["unix", "windows", "old mac"])
@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (b"", "utf-16-le"),
        (b"", "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
        (codecs.BOM_UTF8 * 2, "utf-8"),
        ("ï»¿".encode(), "utf-8"),
    ],
)
def test_every_encoding_separator_and_line_end(tmp_path, expected, mark, encoding, separator, end):
    table = read(tmp_path, mark + written(separator, end).encode(encoding))
    pd.testing.assert_frame_equal(table, expected)
    assert split_table(table).hash == split_table(expected).hash


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "mac_roman"])
def test_letters_beyond_ascii_are_kept(tmp_path, encoding):
    rows = [[*row[:-1], "Universitätsklinik Köln"] for row in ROWS]
    assert set(read(tmp_path, written(rows=rows).encode(encoding)).image_id) == {row[1] for row in ROWS}


@pytest.mark.parametrize(
    "content",
    [
        written(quoting=csv.QUOTE_ALL),
        written(quoting=csv.QUOTE_ALL, quotechar="'"),
        written(rows=[[f'="{cell}"' for cell in row] for row in ROWS], quoting=csv.QUOTE_NONE, quotechar=None),
        written(rows=[[f" {cell} " for cell in row] for row in ROWS], header=[f" {cell} " for cell in HEADER]),
        written(rows=[[f"\xa0{cell}\u200b" for cell in row] for row in ROWS]),
        "".join('"' + line.replace('"', '""') + '"\n' for line in written(quoting=csv.QUOTE_ALL).splitlines()),
        "sep=;\n" + written(";"),
        "HAM10000, as exported\n\n" + written(),
        written() + "\n\n",
        written(rows=[[*row, "", ""] for row in ROWS], header=[*HEADER, "", ""]) + ",,,,,,,,,\n" * 30,
        written() + ",".join(HEADER) + "\n",
        written(header=[name.upper() for name in HEADER]),
        written(header=[name.replace("_", " ").title() for name in HEADER]),
        written(header=["Lesion-ID", "image id", "DX", "dx type", "Age (years)", "Sex", "Localization", "Dataset"]),
        written(header=["", *HEADER], rows=[[str(n), *row] for n, row in enumerate(ROWS)]),
        written(header=["Unnamed: 0", *HEADER], rows=[[str(n), *row] for n, row in enumerate(ROWS)]),
        written(rows=[[str(n), *row] for n, row in enumerate(ROWS)], quoting=csv.QUOTE_ALL),
        written(header=[*HEADER, "note"], rows=[[*row, 'two\nlines; and, "marks"'] for row in ROWS]),
        written(rows=[[row[0], f"images\\{row[1]}.jpg", *row[2:]] for row in ROWS]),
        written(header=[*HEADER, "sex"], rows=[[*row, row[5]] for row in ROWS]),
        written(header=list(reversed(HEADER)), rows=[list(reversed(row)) for row in ROWS]),
    ],
    ids=[
        *(
            "all quoted",
            "single quotes",
            "text formulas",
            "spaces",
            "unseen characters",
            "whole lines quoted",
            "sep=",
            "a title",
        ),
        *(
            "empty lines",
            "empty columns and rows",
            "header again",
            "capitals",
            "titles",
            "names with units",
            "pandas index",
        ),
        *("pandas index again", "row names of R", "line ends in a cell", "paths", "a column twice", "another order"),
    ],
)
def test_what_spreadsheets_pandas_and_r_write(tmp_path, expected, content):
    pd.testing.assert_frame_equal(read(tmp_path, content), expected)


@pytest.mark.parametrize("separator", [";", "\t", "|", ","])
def test_decimal_commas_are_ages(tmp_path, expected, separator):
    rows = [[*row[:4], row[4].replace(".", ","), *row[5:]] for row in ROWS]
    pd.testing.assert_frame_equal(read(tmp_path, written(separator, rows=rows)), expected)


def test_the_same_by_pandas_itself(tmp_path, expected):
    frame = pd.DataFrame(ROWS, columns=HEADER)
    for kind in ({}, {"index": False}, {"sep": ";", "encoding": "utf-16"}, {"na_rep": "NA", "encoding": "utf-8-sig"}):
        frame.to_csv(tmp_path / "HAM10000_metadata.csv", **kind)
        pd.testing.assert_frame_equal(read_table(tmp_path), expected)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04rest", "Excel or OpenDocument workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Excel workbook"),
        (b"\x1f\x8b\x08", "packed archive"),
        (b"PAR1\x15", "Parquet.*to_csv"),
        (b"%PDF-1.7", "PDF"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b'\xef\xbb\xbf{"image_id": 1}', "JSON"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"),
        (b"", "empty"),
        (b"\0" * 100, "empty"),
        (bytes(range(256)) * 4, "no text in a known encoding"),
        (written(header=ROWS[0]), "no header"),
        ("ISIC_1 nv\nISIC_2 nv\n", "no header"),
        (written(rows=[*ROWS[:3], [*ROWS[3], "one more", "two more"]]), "row 4, has 10 instead of 8"),
        (written(rows=[[*row[:4], *row[4].split("."), *row[5:]] for row in ROWS]), "has 9 instead of 8"),
        (written(rows=ROWS[:5]) + 'HAM_9,"ISIC_99,nv\n' + written(rows=ROWS[5:], header=ROWS[5]), "never closed"),
        (written(header=[*HEADER, "sex"], rows=[[*row, "female"] for row in ROWS]), "'sex' twice"),
    ],
)
def test_what_is_no_table_is_refused_by_name(tmp_path, content, words):
    with pytest.raises(InvalidDataset, match=words):
        read(tmp_path, content)


def test_a_byte_order_mark_hides_no_lesion(cases):
    table = read_table(cases / "bom")
    assert len(table) == 28 and table.lesion_id.nunique() == 21
    split = split_table(table)
    lesions = table.set_index("image_id").lesion_id
    assert not set(lesions[list(split.train)]) & set(lesions[[*split.test, *split.validation]])
