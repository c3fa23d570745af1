"""`read --ray` and `evaluate --ray` give what one process gives, and go on after whatever was lost."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from core.__main__ import app
from core.diagnoses import CODES

REPOSITORY = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


def run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)


def records_of(out):
    """What the parts hold: photo -> record, without what a clock says."""
    table = pd.concat([pd.read_parquet(path) for path in sorted(out.glob("part-*.parquet"))])
    assert table.row.is_monotonic_increasing
    return {Path(row.photo).name: timeless(json.loads(row.record)) for row in table.itertuples()}


def timeless(record):
    return {key: value for key, value in record.items() if key not in ("seconds", "photo")}


@pytest.fixture(scope="module")
def alone(measured_bundle_folder, drawn_photos, tmp_path_factory):
    """One process' records: photo's name -> record."""
    out = tmp_path_factory.mktemp("alone")
    run("read", *drawn_photos, "--model", measured_bundle_folder, "--out", out, "--force")
    lines = [json.loads(line) for line in (out / "readings.jsonl").read_text().splitlines()]
    assert len(lines) == len(drawn_photos) and all(set(CODES) == set(line["probabilities"]) for line in lines)
    return {Path(line["photo"]).name: timeless(line) for line in lines}


def test_a_folder_is_read_by_workers_as_by_one_process(
    small_ray, alone, drawn_photos, measured_bundle_folder, tmp_path
):
    photos = tmp_path / "photos"
    photos.mkdir()
    for photo in drawn_photos:
        (photos / photo.name).symlink_to(photo)
    out = tmp_path / "out"
    command = ("read", "--ray", photos, "--model", measured_bundle_folder, "--out", out, "--force")
    result = run(*command)
    assert result.exit_code == 0, result.output
    assert records_of(out) == alone
    before = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    assert run(*command).exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in out.iterdir()} == before, "What is there is not made again."


def test_a_list_behind_an_s3_address_is_read(alone, drawn_photos, measured_bundle_folder, tmp_path, monkeypatch):
    server = pytest.importorskip("moto.server", reason="needs moto").ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        for name, value in {
            "ENDPOINT_URL": f"http://{host}:{port}",
            "ACCESS_KEY_ID": "k",
            "SECRET_ACCESS_KEY": "s",
        }.items():
            monkeypatch.setenv(f"AWS_{name}", value)
        import s3fs

        s3 = s3fs.S3FileSystem(skip_instance_cache=True)
        s3.mkdir("clinic")
        for photo in drawn_photos[:3]:
            s3.pipe(f"clinic/{photo.name}", photo.read_bytes())
        s3.pipe("clinic/list.csv", "\n".join(["photo", *(p.name for p in drawn_photos[:3]), "gone.jpg"]).encode())
        out = tmp_path / "out"
        command = [sys.executable, "-m", "core", "read", "--ray", "s3://clinic/list.csv", "--force"]
        command += ["--model", str(measured_bundle_folder), "--out", str(out)]
        # A process of its own, whose workers inherit where the server is.
        result = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=200)
        assert result.returncode == 1 and "1 of 4 photos could not be read" in result.stderr, result.stderr
        found = records_of(out)
        assert "error" in found.pop("gone.jpg")
        assert found == {photo.name: alone[photo.name] for photo in drawn_photos[:3]}
    finally:
        server.stop()


def test_scores_are_the_same_to_the_last_digit(small_ray, drawn_folder, measured_bundle_folder, tmp_path):
    for out, more in ((tmp_path / "one", ()), (tmp_path / "many", ("--ray",))):
        result = run("evaluate", measured_bundle_folder, *EVALUATE, "--data", drawn_folder, "--out", out, *more)
        assert result.exit_code == 0, result.output
    for name in ("predictions.csv", "evaluation.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "many" / name).read_bytes()


EVALUATE = ("--split", "all", "--batch-size", "4")


def test_killed_workers_cost_time_and_nothing_else(alone, drawn_photos, measured_bundle_folder, tmp_path):
    rows = tmp_path / "list.csv"
    many = [drawn_photos[n % len(drawn_photos)] for n in range(400)]
    rows.write_text("\n".join(["photo", *map(str, many)]))
    out = tmp_path / "out"
    command = [sys.executable, "-m", "core", "read", "--ray", "--workers", "2", str(rows), "--force"]
    command += ["--model", str(measured_bundle_folder), "--out", str(out)]
    child = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    killed, deadline = set(), time.monotonic() + 300
    while child.poll() is None and time.monotonic() < deadline:
        for worker in workers_below(child.pid) - killed if len(killed) < 2 else ():
            # In the middle: the worker is at work, whether the machine is quick or slow.
            if cpu_seconds(worker) > 2 or any(out.glob("part-*.parquet")):
                os.kill(worker, signal.SIGKILL)
                killed.add(worker)
                break
        time.sleep(0.2)
    told, said = child.communicate(timeout=60)
    assert child.returncode == 0, said
    assert killed, "No worker was there to be killed."
    table = pd.concat([pd.read_parquet(path) for path in sorted(out.glob("part-*.parquet"))])
    assert table.row.tolist() == list(range(400)) and table.error.isna().all()
    for photo, record in zip(table.photo, table.record, strict=True):
        assert timeless(json.loads(record)) == alone[Path(photo).name]


def workers_below(pid):
    """Processes of our own Ray that map batches."""
    parents, names = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            names[int(folder.name)] = (folder / "cmdline").read_text().split("\0")[0]
        except OSError:
            continue
    return {p for p, name in names.items() if "MapWorker" in name and "Worker" in name and descends(p, pid, parents)}


def descends(process, ancestor, parents):
    while process in parents and process > 1:
        process = parents[process]
        if process == ancestor:
            return True
    return False


def cpu_seconds(pid):
    try:
        fields = (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
