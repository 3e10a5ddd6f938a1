# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Keystores of ROS security, as `ros2 security create_keystore` and `generate_artifacts` make them.

The wheels of ROS have no `ros2 security`. The permissions follow the rules of its stylesheet (sros2, permissions.xsl),
which are those of DDS Security 1.1, 9.4.1, with the names that ROS gives to DDS topics.
"""

import datetime
import os
from pathlib import Path
from xml.etree import ElementTree

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs7

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_SCHEMAS = "http://www.omg.org/spec/DDS-SECURITY/20170901/omg_shared_ca_"
DDS_TOPICS = {  # (element, action) of a policy -> action on DDS topics, prefix, suffix
    ("topics", "publish"): [("publish", "rt", "")],
    ("topics", "subscribe"): [("subscribe", "rt", "")],
    ("services", "reply"): [("publish", "rr", "Reply"), ("subscribe", "rq", "Request")],
    ("services", "request"): [("publish", "rq", "Request"), ("subscribe", "rr", "Reply")],
}
GOVERNANCE = {  # of the domain, and of all topics
    "allow_unauthenticated_participants": "false",
    "enable_join_access_control": "true",
    "discovery_protection_kind": "ENCRYPT",
    "liveliness_protection_kind": "ENCRYPT",
    "rtps_protection_kind": "SIGN",
}
TOPIC_GOVERNANCE = {
    "topic_expression": "*",
    "enable_discovery_protection": "true",
    "enable_liveliness_protection": "true",
    "enable_read_access_control": "true",
    "enable_write_access_control": "true",
    "metadata_protection_kind": "ENCRYPT",
    "data_protection_kind": "ENCRYPT",
}


def dds_topics(policy):
    """Returns what a policy file allows: "publish" and "subscribe" -> the names of DDS topics."""
    allowed = {"publish": {"ros_discovery_info"}, "subscribe": {"ros_discovery_info"}}
    for profile in ElementTree.parse(policy).iter("profile"):
        namespace, node = profile.attrib["ns"].rstrip("/"), profile.attrib["node"]
        for group in profile:
            for action, qualifier in group.attrib.items():
                assert qualifier == "ALLOW"
                for name in (entry.text for entry in group):
                    full = name if name.startswith("/") else f"{namespace}/{name.replace('~', node, 1)}"
                    for kind, prefix, suffix in DDS_TOPICS[group.tag, action]:
                        allowed[kind].add(f"{prefix}{full}{suffix}")
    return allowed


class Keystore:
    """A keystore for one ROS domain, with one authority for identities and permissions.

    Attributes:
        path: its folder, for ROS_SECURITY_KEYSTORE.
    """

    def __init__(self, path, domain):
        self.path, self._domain, self._key = path, domain, ec.generate_private_key(ec.SECP256R1())
        for folder in ("public", "private", "enclaves"):
            (path / folder).mkdir(parents=True)
        self._authority = _certificate("sros2CA", self._key, self._key, "sros2CA")
        _write_certificate(path / "public" / "ca.cert.pem", self._authority)
        for name in ("identity_ca", "permissions_ca"):
            (path / "public" / f"{name}.cert.pem").symlink_to("ca.cert.pem")
        self._sign(path / "enclaves" / "governance.p7s", _governance(domain))

    def add_policy(self, policy):
        """Makes the enclave of a policy file; returns its path."""
        enclave = ElementTree.parse(policy).find("enclaves/enclave").attrib["path"]
        return self.add(enclave, dds_topics(policy))

    def add(self, enclave, allowed):
        """Makes an enclave with permissions for DDS topics; returns its path."""
        folder = self.path / "enclaves" / enclave.lstrip("/")
        folder.mkdir(parents=True)
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(enclave, key, self._key, "sros2CA")
        _write_certificate(folder / "cert.pem", certificate)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (folder / "key.pem").write_bytes(pem)
        self._sign(folder / "permissions.p7s", _permissions(enclave, certificate, self._domain, allowed))
        up = os.path.relpath(self.path, folder)
        for name in ("identity_ca.cert.pem", "permissions_ca.cert.pem"):
            (folder / name).symlink_to(Path(up, "public", name))
        (folder / "governance.p7s").symlink_to(Path(up, "enclaves", "governance.p7s"))
        return enclave

    def environment(self):
        """Returns the variables that make ROS use this keystore, and nothing without a valid enclave."""
        return {
            "ROS_SECURITY_KEYSTORE": str(self.path),
            "ROS_SECURITY_ENABLE": "true",
            "ROS_SECURITY_STRATEGY": "Enforce",
        }

    def _sign(self, path, document):
        """Writes an XML document with its signature, as S/MIME."""
        ElementTree.indent(document)
        text = ElementTree.tostring(document, encoding="utf-8", xml_declaration=True)
        builder = pkcs7.PKCS7SignatureBuilder().set_data(text)
        builder = builder.add_signer(self._authority, self._key, hashes.SHA256())
        options = [pkcs7.PKCS7Options.Text, pkcs7.PKCS7Options.DetachedSignature]
        path.write_bytes(builder.sign(serialization.Encoding.SMIME, options))


def _certificate(name, key, issuer_key, issuer):
    own = name == issuer
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(_name(name)).issuer_name(_name(issuer))
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(days=1))
    builder = builder.not_valid_after(now + datetime.timedelta(days=2))
    constraints = x509.BasicConstraints(ca=own, path_length=1 if own else None)
    return builder.add_extension(constraints, critical=own).sign(issuer_key, hashes.SHA256())


def _name(common_name):
    return x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, common_name)])


def _write_certificate(path, certificate):
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _document(kind):
    return ElementTree.Element("dds", {"xmlns:xsi": _XSI, "xsi:noNamespaceSchemaLocation": f"{_SCHEMAS}{kind}.xsd"})


def _add(parent, path, text=None):
    for tag in path.split("/"):
        parent = ElementTree.SubElement(parent, tag)
    parent.text = text
    return parent


def _governance(domain):
    document = _document("governance")
    rule = _add(document, "domain_access_rules/domain_rule")
    _add(rule, "domains/id", str(domain))
    for tag, text in GOVERNANCE.items():
        _add(rule, tag, text)
    of_topics = _add(rule, "topic_access_rules/topic_rule")
    for tag, text in TOPIC_GOVERNANCE.items():
        _add(of_topics, tag, text)
    return document


def _permissions(enclave, certificate, domain, allowed):
    document = _document("permissions")
    grant = _add(document, "permissions/grant")
    grant.set("name", enclave)
    _add(grant, "subject_name", f"CN={enclave}")
    validity = _add(grant, "validity")
    for tag, moment in (("before", certificate.not_valid_before_utc), ("after", certificate.not_valid_after_utc)):
        _add(validity, f"not_{tag}", moment.strftime("%Y-%m-%dT%H:%M:%S"))
    rule = _add(grant, "allow_rule")
    _add(rule, "domains/id", str(domain))
    for action, names in allowed.items():
        topics = _add(rule, f"{action}/topics")
        for name in sorted(names):
            _add(topics, "topic", name)
    _add(grant, "default", "DENY")
    return document
