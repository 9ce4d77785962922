"""The audit of pins tells a known fault, none, and that nobody could be asked."""

import json
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

FAULT = {"id": "OSV-1", "summary": "it leaks", "affected": [{"package": {"name": "b", "ecosystem": "PyPI"}}]}
FAULT["affected"][0]["ranges"] = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.1"}]}]


class Service(BaseHTTPRequestHandler):
    """Knows one fault, of b 2.0."""

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        found = {"vulns": [FAULT]} if (asked["package"]["name"], asked["version"]) == ("b", "2.0") else {}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(found).encode())

    def log_message(self, *words):
        """Say nothing."""


@pytest.fixture
def service(monkeypatch):
    """Return the address of a service on this machine."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/query"
    server.shutdown()
    server.server_close()


@pytest.fixture
def audit(root, tmp_path):
    """Return the function that audits some pins with some service."""

    def call(pins, address):
        (tmp_path / "pins.txt").write_text(pins)
        words = [sys.executable, root / ".ci" / "audit.py", "--pins", tmp_path / "pins.txt", "--services", "osv"]
        return subprocess.run([*words, "--osv-url", address], capture_output=True, text=True)

    return call


def test_a_known_fault_ends_the_audit_and_is_named_with_its_cure(audit, service):
    done = audit("# pins\na==1.0\nb==2.0\n", service)
    assert done.returncode == 1
    assert done.stdout == "osv was asked about 2 pinned versions and knows 2; known faults: 1\n"
    assert done.stderr == "b 2.0: OSV-1, mended in 2.1\n"


def test_without_a_known_fault_the_audit_ends_well(audit, service):
    done = audit("a==1.0\nb==2.1\n", service)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "osv was asked about 2 pinned versions and knows 2; known faults: 0\n"


def test_without_a_service_one_line_says_so_and_the_audit_ends_well(audit, service):
    done = audit("a==1.0\nb==2.0\n", "http://127.0.0.1:9/query")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "Nothing was audited: no service for known faults could be reached.\n"


def test_pins_that_cannot_be_read_are_no_want_of_a_network(audit, service):
    done = audit("a==1.0\nb>=2.0\n", service)
    assert done.returncode == 1
    assert "b>=2.0" in done.stderr or "not pinned" in done.stderr


def test_the_checks_end_with_the_audit(root):
    assert (root / ".ci" / "run").read_text().rstrip().endswith("\nmake audit")
    assert ".ci/audit.py" in (root / "Makefile").read_text()
