"""The whole system on a dataset in a bucket, and everything that can go wrong on the way to it."""

from __future__ import annotations

import itertools
import json
import sys
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from supportapi.dataset.aws import Aws
from supportapi.dataset.s3 import Bucket, S3Source
from supportapi.dataset.upload import BucketFolder
from supportapi.dataset.write import write_dataset
from tests.api.world import some_calls
from tests.aws_server import CREDENTIALS, KEY_ID, SECRET, Fault, way_to
from tests.processes.machine import SOURCES, free_port, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from supportapi.calls.manifest import ManifestFile
    from tests.aws_server import Way

DAYS = itertools.count(3)


class System:
    """A running `supportapi dev`, its bucket, and the way to it."""

    def __init__(self, folder: Path, way: Way) -> None:
        self.way, self.folder = way, folder
        self.bucket = Bucket(Aws(endpoint_url=way.behind), "calls", "live")
        self.bucket.client.create_bucket(Bucket="calls")
        self.port = free_port()
        self.log = folder / "log"
        environ = {
            "PATH": "/usr/bin:/bin", "PYTHONPATH": SOURCES, "PORT": str(self.port), "AUTH_ENABLED": "false",
            "DATA_SOURCE": "s3", "S3_BUCKET": "calls", "S3_PREFIX": "live", "S3_ENDPOINT_URL": way.url,
            "WATCH_INTERVAL_SECONDS": "0.3", "AUDIT_QUERIES": "1",
        }  # fmt: skip
        with self.log.open("w") as log:
            self.process = psutil.Popen(
                [sys.executable, "-m", "supportapi.cli", "dev"], cwd=folder, env=environ | CREDENTIALS, stderr=log,
                stdout=log,
            )  # fmt: skip

    def ask(self, path: str) -> Any:
        """The JSON of an answer; None while nobody answers."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())
        except OSError:
            return None
        finally:
            connection.close()

    def served(self) -> str | None:
        """The hash of the dataset that is served."""
        seen = self.ask("/api/settings/manifest")
        return seen["data"]["served_dataset_hash"] if seen and "data" in seen else None

    def trouble(self) -> str | None:
        """The code of what is wrong with the dataset."""
        checks = self.ask("/api/readyz")["data"]["checks"]
        return next(check["code"] for check in checks if check["name"] == "manifest")

    def stale(self) -> bool:
        """What an answer says of itself."""
        return self.ask("/api/metrics?range=all")["meta"]["stale"]

    def publish(self) -> ManifestFile:
        """Put another dataset into the bucket, by the way that has no faults; its file."""
        with BucketFolder(self.bucket, self.folder / "work", files=False) as place:
            write_dataset(some_calls(next(DAYS)), place.folder)
            place.publish()
        return S3Source(self.bucket).read().files[0]

    def end(self) -> None:
        """End it, whatever it does."""
        self.process.terminate()
        self.process.wait(30)


@pytest.fixture(scope="module")
def system(aws_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with pytest.MonkeyPatch.context() as environ, way_to(aws_url) as way:
        for name, value in CREDENTIALS.items():
            environ.setenv(name, value)
        running = System(tmp_path_factory.mktemp("bucket"), way)
        first = running.publish()
        until(lambda: running.served() == first.hash)
        yield running
        running.end()


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault(status=503, code="SlowDown"), "STORE_UNAVAILABLE"),
        (Fault(status=403, code="AccessDenied"), "STORE_DENIED"),
        (Fault(status=404, code="NoSuchKey"), "MANIFEST_MISSING"),
    ],
    ids=["503", "denied", "missing"],
)
def test_what_is_served_stays_and_is_called_stale_while_the_manifest_cannot_be_read(
    system: System, fault: Fault, code: str
) -> None:
    before = system.served()

    system.way.faults["manifest.json"] = fault
    until(lambda: system.trouble() == code and system.stale())
    served = system.served()
    system.way.faults.clear()
    until(lambda: system.trouble() is None and not system.stale(), seconds=30)

    assert served == before


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault(status=503, code="SlowDown"), "STORE_UNAVAILABLE"),
        (Fault(status=403, code="AccessDenied"), "STORE_DENIED"),
        (Fault(status=404, code="NoSuchKey"), "DATA_MISSING"),
        (Fault(spoilt=True), "DATA_MISMATCH"),
    ],
    ids=["503", "denied", "missing", "other bytes"],
)
def test_a_dataset_whose_file_cannot_be_fetched_whole_is_served_once_it_can(
    system: System, fault: Fault, code: str
) -> None:
    before = system.served()

    system.way.faults[".parquet"] = fault
    file = system.publish()
    until(lambda: system.trouble() == code and system.stale())
    served = system.served()
    system.way.faults.clear()
    until(lambda: system.served() == file.hash and not system.stale(), seconds=30)

    assert served == before


def test_no_key_and_no_secret_is_in_the_log(system: System) -> None:
    system.way.faults["manifest.json"] = Fault(status=403, code="InvalidAccessKeyId")
    until(lambda: system.trouble() == "STORE_DENIED")
    system.way.faults.clear()

    log = system.log.read_text()
    assert [secret for secret in (KEY_ID, SECRET) if secret in log] == []
