# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""SROS 2: the policies allow what the programs do and no more, and nodes obey them where the middleware enforces it."""

import contextlib
import subprocess
import sys
from xml.etree import ElementTree

import pytest
from node_processes import COMPOSED, END_S, NODES, ROOT, START_S, installed, needs_detector
from processes import wait_or_kill

security = pytest.importorskip("security_keystore", reason="keystores are made with the package cryptography")

POLICIES = ROOT / "config" / "security" / "policies"
ENCLAVE = "/emotion_perception"
PROGRAMS = (*NODES, COMPOSED, "web_viewer_node", "bag_player", "bag_recorder", "health_check")
EVERY_NODE = {"/rosout", "/parameter_events"}
LISTENER = ROOT / "test" / "helpers" / "secure_listener.py"
OF_LISTENER = {
    "publish": {"ros_discovery_info", "rt/parameter_events", "rr/listener/get_type_descriptionReply"},
    "subscribe": {"ros_discovery_info", "rt/emotions", "rq/listener/get_type_descriptionRequest"},
}


def policy(program):
    return POLICIES / f"{program}.policy.xml"


def publishers(topic):
    """Returns the programs whose policy allows to publish a topic."""
    return {program for program in PROGRAMS if f"rt{topic}" in security.dds_topics(policy(program))["publish"]}


def test_every_program_has_a_policy_with_an_enclave_of_its_own():
    assert {path.name.removesuffix(".policy.xml") for path in POLICIES.glob("*")} == set(PROGRAMS)
    for program in PROGRAMS:
        root = ElementTree.parse(policy(program)).getroot()
        assert root.attrib == {"version": "0.2.0"}
        assert [enclave.attrib["path"] for enclave in root.iter("enclave")] == [f"{ENCLAVE}/{program}"]
        nodes = [profile.attrib["node"] for profile in root.iter("profile")]
        assert nodes == (sorted(NODES) if program == COMPOSED else [program])


@pytest.mark.guarantee(
    "The SROS 2 policies in config/ name every topic and service, without wildcards: only cameras and players may "
    "publish images, only the classifier emotions, and only the page may call services.",
    section="Security",
)
def test_a_policy_allows_what_the_program_is_there_for():
    for program in PROGRAMS:
        names = [entry.text for kind in ("topic", "service") for entry in ElementTree.parse(policy(program)).iter(kind)]
        assert names
        assert not [name for name in names if set(name) & set("*?[]")]
    assert publishers("/image_raw") == {"camera_node", "bag_player", COMPOSED}
    assert publishers("/faces") == {"face_detection_node", COMPOSED}
    assert publishers("/emotions") == {"emotion_classifier_node", COMPOSED}
    assert publishers("/diagnostics") == {*NODES, COMPOSED}
    assert publishers("/clock") == {"bag_player"}
    for program in ("web_viewer_node", "bag_recorder", "health_check"):
        assert {name for name in security.dds_topics(policy(program))["publish"] if name.startswith("rt")} <= {
            f"rt{topic}" for topic in EVERY_NODE
        }
    calling = {
        program
        for program in PROGRAMS
        if any(name.startswith("rq/") for name in security.dds_topics(policy(program))["publish"])
    }
    assert calling == {"web_viewer_node"}


@pytest.mark.slow
@pytest.mark.guarantee(
    "The SROS 2 policies in config/ are those of the graph that the running programs make.", section="Security"
)
def test_the_policies_are_those_of_the_graph():
    command = [sys.executable, ROOT / "scripts" / "write_security_policies.py", "--check"]
    checked = subprocess.run(command, capture_output=True, text=True, timeout=150)
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.fixture
def keystore(tmp_path, ros_domain, monkeypatch):
    """A keystore with all policies, and a listener of the emotions; this process's children use it."""
    made = security.Keystore(tmp_path / "keystore", ros_domain)
    for program in PROGRAMS:
        made.add_policy(policy(program))
    made.add("/listener", OF_LISTENER)
    made.add("/stranger", {**OF_LISTENER, "subscribe": OF_LISTENER["subscribe"] - {"rt/emotions"}})
    for name, value in made.environment().items():
        monkeypatch.setenv(name, value)
    return made


def listen(enclave, seconds):
    """Returns what a listener in an enclave prints at its end."""
    command = [sys.executable, LISTENER, str(seconds), "--ros-args", "--enclave", enclave]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + START_S)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def middleware_has_security(keystore):
    return not listen("/listener", 0).startswith("refused")


def test_a_middleware_without_security_is_one_line_and_exit_code_78(keystore):
    if middleware_has_security(keystore):
        pytest.skip("this middleware has DDS security")
    command = [installed("camera_node"), "--ros-args", "--enclave", f"{ENCLAVE}/camera_node"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=START_S)
    line = (ended.stdout + ended.stderr).strip().splitlines()[-1]
    assert ended.returncode == 78
    assert "ROS_SECURITY_ENABLE=true, but the middleware refuses" in line


@pytest.mark.slow
@pytest.mark.guarantee(
    "With SROS 2 and the policies of config/, nodes work, and a participant without permission or without keys "
    "receives nothing, where the middleware has DDS security.",
    section="Security",
)
def test_who_has_no_permission_receives_nothing(keystore, monkeypatch):
    needs_detector()
    if not middleware_has_security(keystore):
        pytest.skip("this middleware was built without DDS security")
    with contextlib.ExitStack() as stack:
        for node in NODES:
            ros = [
                "--ros-args",
                "--enclave",
                f"{ENCLAVE}/{node}",
                *(["-p", "video_device:=synthetic"] * (node == NODES[0])),
            ]
            process = subprocess.Popen([installed(node), *ros])
            stack.callback(wait_or_kill, process, END_S + START_S)
            stack.callback(process.terminate)
        assert listen("/listener", START_S) == "received"
        assert listen("/stranger", 5).startswith("refused")
        monkeypatch.delenv("ROS_SECURITY_ENABLE")
        assert listen("/listener", 5) == "nothing"
        monkeypatch.setenv("ROS_SECURITY_ENABLE", "true")
        assert listen("/listener", START_S) == "received", "the nodes still publish"
        well = [installed("health_check"), "--timeout", "20", "--ros-args", "--enclave", f"{ENCLAVE}/health_check"]
        assert subprocess.run(well, timeout=START_S).returncode == 0


@pytest.mark.slow
def test_a_node_in_an_enclave_of_another_program_ends(keystore):
    if not middleware_has_security(keystore):
        pytest.skip("this middleware was built without DDS security")
    command = [installed("camera_node"), "--ros-args", "--enclave", f"{ENCLAVE}/overlay_node"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=START_S)
    assert ended.returncode == 78
    assert "the middleware refuses" in ended.stderr.strip().splitlines()[-1]
