"""Files of the seeded fuzzer are read or refused by a sentence, soon; `benchmarks.faults uploads` reads a thousand of them."""

import time

import pytest

from benchmarks.fault_parts.malformed import WAYS, malformed_uploads
from core.data.images import UnreadablePhoto
from core.interchange import read_photos

# Of any warning of a library that a spoilt file brings about, the sentence is what counts.
pytestmark = pytest.mark.filterwarnings("ignore")
COUNT, LONGEST = 20 * len(WAYS), 5.0


def test_spoilt_files_are_read_or_refused_by_a_sentence_and_soon():
    pytest.importorskip("pydicom", reason="needs the extra `dicom`")
    sentences, ends = {}, {way: {"read": 0, "refused": 0} for way in WAYS}
    for upload in malformed_uploads(COUNT, seed=1):
        begun = time.process_time()
        try:
            photos = read_photos(upload.content, upload.name)
            assert all(photo.pixels.ndim == 3 and photo.pixels.dtype == "uint8" for photo in photos)
            ends[upload.way]["read"] += 1
        except UnreadablePhoto as error:
            sentences[upload.name] = str(error)
            ends[upload.way]["refused"] += 1
        assert time.process_time() - begun < LONGEST, upload.name
    assert not [name for name, said in sentences.items() if name not in said or "\n" in said]
    assert sum(end["read"] for end in ends.values()) > 10, "Whoever refuses everything survives everything, too."
    assert sum(end["refused"] for end in ends.values()) > 40
    first = [upload.content for upload in malformed_uploads(12, seed=1)]
    assert first == [upload.content for upload in malformed_uploads(12, seed=1)], "The same seed, the same files."
