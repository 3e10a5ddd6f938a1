# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Photon to emotion: the measuring itself, on the real nodes; how fast they are is nobody's test."""

import json
import subprocess
import sys

import pytest
from real_face import need_real_face

from emotion_perception.benchmark.scene import Scene
from emotion_perception.core.errors import ModelFileError

pytestmark = pytest.mark.slow

TIMEOUT_S = 120.0


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    need_real_face()
    try:
        return Scene().write_video(tmp_path_factory.mktemp("video") / "one.avi", (320, 240), 1)
    except ModelFileError as e:
        pytest.skip(f"the clip is needed: {e}")


def latency_bench(*arguments, module="latency_bench"):
    command = [sys.executable, "-m", f"emotion_perception.ros.bench.{module}", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)


def test_every_frame_is_accounted_for_and_every_hop_is_timed(video, tmp_path):
    out = tmp_path / "latency.json"
    size = ("--width", 320, "--height", 240, "--rate", 10)
    done = latency_bench("--source", video, *size, "--seconds", 4, "--hops", "--out", out)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(out.read_text())
    frames = found["frames"]
    assert frames["frames_lost_in_transport"] == 0
    assert sum(found["statuses"].values()) == frames["frames_processed"]
    assert found["faces"] == frames["frames_processed"]
    means = [times["mean"] for times in found["hops_ms"].values()]
    assert min(means) >= 0
    assert sum(means) == pytest.approx(found["latency_ms"]["mean"], rel=0.2, abs=1), "hops add up to the whole"
    nodes = {"camera_node", "face_detection_node", "emotion_classifier_node", "overlay_node"}
    assert found["cpu_percent"].keys() == {*nodes, "all"}
    assert all(found["memory_mib"][name] > found["shared_mib"][name] >= 0 for name in nodes)


@pytest.mark.guarantee(
    "The emotions of each camera are published in its namespace, with a smoothing of its own.",
    section="Several cameras with one classifier",
)
@pytest.mark.parametrize("processes", [("--cameras", 2), ("--composed",)], ids=["two cameras", "composed"])
def test_every_camera_of_one_classifier_is_answered(video, processes):
    size = ("--width", 320, "--height", 240, "--rate", 5, "--seconds", 2)
    done = latency_bench("--source", video, *size, *processes, module="latency_bench_cameras")
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    cameras = 2 if "--cameras" in processes else 1
    assert len(found["emotion_arrays_per_s"]) == cameras
    assert min(found["emotion_arrays_per_s"]) > 1
    assert found["latency_ms"]["p50"] > found["classify_ms"]["p50"] > 0
    assert found["first_emotions_s"] > 0.2
    assert len(found["cpu_percent"]) == (3 * cameras + 1 if cameras > 1 else 1) + 1


def test_the_floor_is_measured():
    done = latency_bench("--floor", "--width", 64, "--height", 48, "--seconds", 2)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout)["latency_ms"]["p50"] > 0


def test_a_parameter_of_no_node_is_refused_in_one_line(video):
    done = latency_bench("--source", video, "--set", "nobody.rate:=3")
    assert done.returncode == 1
    assert done.stderr.startswith("latency_bench: --set nobody.rate:=3: write NODE.PARAMETER:=VALUE")
