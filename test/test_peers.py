# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tests of scripts/peers without any peer installed: frames, timing, accuracy and the table."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

PEERS = Path(__file__).resolve().parents[1] / "scripts" / "peers"
LABELS = ("anger", "happiness", "sadness")


@pytest.fixture
def peers(monkeypatch):
    """Makes the modules of the folder importable."""
    monkeypatch.syspath_prepend(PEERS)


class GrayScene:
    """A scene whose images are uniform, each of another gray level."""

    frames = range(0, 250, 10)

    def image(self, number, size_wh):
        return np.full((size_wh[1], size_wh[0], 3), self.frames[number], np.uint8)


def test_frames_are_evenly_spaced_and_replace_earlier_ones(peers, tmp_path):
    from export_frames import write_frames
    from measurement import read_frames

    write_frames(GrayScene(), tmp_path, 5)
    write_frames(GrayScene(), tmp_path, 3)
    frames = read_frames(tmp_path)
    assert [int(frame[0, 0, 0]) for frame in frames] == [0, 120, 240]
    assert {frame.shape for frame in frames} == {(480, 640, 3)}


def test_a_folder_without_frames_is_refused(peers, tmp_path):
    from measurement import read_frames

    with pytest.raises(FileNotFoundError, match="no PNG file"):
        read_frames(tmp_path)


def test_a_peer_is_measured_from_the_command_line(peers, tmp_path, monkeypatch):
    from measurement import Peer, main

    cv2.imwrite(str(tmp_path / "0.png"), np.zeros((48, 64, 3), np.uint8))
    cv2.imwrite(str(tmp_path / "1.png"), np.full((48, 64, 3), 9, np.uint8))
    np.savez(
        tmp_path / "data.npz",
        images=np.arange(4, dtype=np.uint8)[:, None, None] * np.ones((4, 48, 48), np.uint8),
        labels=np.array([0, 1, 2, 0], np.uint8),
        class_names=np.array(LABELS),
        split=np.array([1, 1, 1, 0], np.uint8),
        split_names=np.array(["Training", "PublicTest"]),
    )
    peer = Peer(
        what="bright images are faces",
        packages=("numpy",),
        predict=lambda frame: ["angry"] * int(frame.max() > 0),
        classify=lambda image: ("Angry", "Happy", "Angry")[image[0, 0]],
    )
    out = tmp_path / "out.json"
    arguments = ["--frames", str(tmp_path), "--data", str(tmp_path / "data.npz"), "--out", str(out)]
    monkeypatch.setattr("sys.argv", ["measure_it.py", *arguments])
    assert main(lambda threads: peer, None) == 0
    result = json.loads(out.read_text())
    assert (result["frames"], result["size_wh"], result["threads"]) == (2, [64, 48], "default")
    assert (result["found"], result["exactly_one"]) == (0.5, 0.5)
    assert result["accuracy"] == {"split": "PublicTest", "images": 3, "top1": pytest.approx(2 / 3)}


def result_of(ms, top1=None, **others):
    result = {
        "what": "detector, network",
        "versions": {"package": "1.2"},
        "machine": {"date": "2026-11-25T12:00:00", "cores": 2, "processor": "fast one", "python": "3.11.7"},
        "frames": 120,
        "size_wh": [640, 480],
        "ms": {"p50": ms, "p90": 2 * ms, "mean": 1.1 * ms},
        "processor_ms": {"p50": ms, "p90": ms, "mean": ms},
        "found": 1.0,
        "exactly_one": 0.5,
        "notes": [],
    }
    return result | ({} if top1 is None else {"accuracy": {"top1": top1}}) | others


def test_the_table_compares_with_ours_and_names_failed_peers(peers, tmp_path):
    from write_peers_table import read_results, to_markdown

    results = {
        "ours": result_of(10.0, 0.7),
        "fer": result_of(50.0, 0.65),
        "fer-2-threads": result_of(40.0),
        "mediapipe": result_of(5.0, notes=["detector only"]),
        "deepface": {"error": "no weights"},
    }
    for name, result in results.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(result))
    text = to_markdown(read_results(tmp_path))
    table = {line.split(" | ")[0]: line for line in text.splitlines() if line.startswith("| ")}
    assert table["| ours"].endswith("| 10.0 / 20.0 / 11.0 | - | 10.0 | 100.0% / 50.0% | 70.00% | 1 | 0.00 |")
    times = "50.0 / 100.0 / 55.0 | 40.0 / 80.0 / 44.0 | 50.0"
    assert table["| fer"].endswith(f"| {times} | 100.0% / 50.0% | 65.00% | 5.00 | 5.00 |")
    assert table["| mediapipe"].endswith("| - | 0.50 | - |")
    assert "| deepface" not in table
    assert "* `deepface` failed: `no weights`" in text


def test_a_table_without_our_result_is_refused(peers, tmp_path):
    from write_peers_table import read_results

    (tmp_path / "ours.json").write_text('{"error": "no model file"}')
    with pytest.raises(FileNotFoundError, match="no result of this package"):
        read_results(tmp_path)


def test_the_table_and_the_script_list_the_same_peers(peers):
    from write_peers_table import NAMES

    listed = (PEERS.parent / "bench_peers.sh").read_text().partition('\npeers="\n')[2].partition('\n"\n')[0]
    assert tuple(line.split()[0] for line in listed.splitlines()) == NAMES
    assert {line.split()[2] for line in listed.splitlines()} == {path.name for path in PEERS.glob("measure_*.py")}
