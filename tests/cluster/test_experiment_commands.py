"""Experiments of whole networks by their command lines: what they send to workers of Ray can be found there."""

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
# Ray's own pickling, as it sends a job; nothing is trained.
SEND = """
import contextlib, runpy, sys
from ray import cloudpickle
from experiments import placing

def send(path, jobs):
    sys.stdout.buffer.write(cloudpickle.dumps([(job.work, job.given) for job in jobs]))
    sys.exit()

placing.on_ray, placing._place = lambda address: contextlib.nullcontext(), send
name, sys.argv[1:] = sys.argv[1], sys.argv[2:]
runpy.run_module(f"experiments.{name}", run_name="__main__", alter_sys=True)
"""
RECEIVE = """
import pickle, sys
jobs = pickle.loads(sys.stdin.buffer.read())
print(*(work.__module__ for work, given in jobs))
"""


def python(code: str, *words: object, given: bytes = b"") -> bytes:
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, words)], cwd=REPOSITORY, input=given, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(("experiment", "jobs"), [("learning_curve", 8), ("whole_levers", 30)])
def test_what_a_command_sends_is_found_on_a_worker(experiment, jobs, drawn_folder, tmp_path):
    folders = ("--data", drawn_folder, "--results", tmp_path, "--out", tmp_path / "states")
    found = python(RECEIVE, given=python(SEND, experiment, *folders, "--ray"))
    assert found.decode().split() == [f"experiments.{experiment}"] * jobs
