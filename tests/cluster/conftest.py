"""One Ray for all tests of a process: it takes seconds to start."""

import os
from pathlib import Path

import pytest

pytest.importorskip("ray", reason="needs the extra `scale`")


@pytest.fixture(scope="session")
def small_ray(own_cache):
    """A Ray of this machine with two workers."""
    from core.cluster.ray_runtime import on_ray

    here = Path(__file__).resolve().parent
    with pytest.MonkeyPatch.context() as patch:
        # Workers import this tree, and what the tests register.
        patch.setenv("PYTHONPATH", os.pathsep.join(map(str, (here.parents[1], here.parent, here))))
        with on_ray(workers=2):
            yield


@pytest.fixture(scope="session")
def drawn_photos(drawn_folder):
    """Some drawn photos, in order."""
    return sorted(drawn_folder.rglob("*.jpg"))[:12]
