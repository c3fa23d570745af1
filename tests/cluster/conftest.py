"""One Ray for all tests of a process: it takes seconds to start."""

import pytest

pytest.importorskip("ray", reason="needs the extra `scale`")


@pytest.fixture(scope="session")
def small_ray(own_cache):
    """A Ray of this machine with two workers."""
    from core.cluster.ray_runtime import on_ray

    with on_ray(workers=2):
        yield


@pytest.fixture(scope="session")
def drawn_photos(drawn_folder):
    """Some drawn photos, in order."""
    return sorted(drawn_folder.rglob("*.jpg"))[:12]
