"""What the service rests on goes away and comes back: the registry, a sound champion, the disk."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from models.classifier.heads import HEADS_FILE
from registry.names import classifier_name
from tests.postgresql import running_postgresql
from tests.reliability.conftest import BACKENDS
from tests.reliability.installation import Installation, status_of
from tests.reliability.load import Load
from tests.serving.bundles import REGION, register
from tests.serving.workers import export, wait_for

DISK = "400m"
"""Of the small disk: PostgreSQL's own files are 60 MB of it."""
pytestmark = pytest.mark.reliability


def served_version(client: httpx.Client) -> str:
    """The version of the classifier that serves."""
    models = client.get("/readyz").json()["serving"]
    return str(next(model["version"] for model in models if model["name"] == classifier_name(REGION)))


def test_without_its_registry_the_service_answers_on_and_without_both_it_waits(installation: Installation) -> None:
    registry, away = installation.home / "mlflow", installation.home / "mlflow-away"
    with Load(installation, "registry") as load, installation.client() as client:
        registry.rename(away)
        accepted = len(load.accepted.complaints)
        time.sleep(3)  # the registry is asked every second
        wait_for(lambda: len(load.accepted.complaints) > accepted + 10)
        installation.api_worker.kill()
        time.sleep(10)
        assert status_of(client, "/readyz") != 200
        assert not registry.exists(), "a registry that is gone is not made anew"
        away.rename(registry)
        installation.wait_until_ready()
        accepted = len(load.accepted.complaints)
        wait_for(lambda: len(load.accepted.complaints) > accepted + 10)
    load.check()


def test_a_corrupt_champion_is_refused_and_a_sound_one_taken(installation: Installation) -> None:
    bundle, corrupt = installation.home / f"made-{REGION}" / "bundle", installation.home / "corrupt" / "bundle"
    shutil.copytree(bundle.parent, corrupt.parent)
    heads = corrupt / HEADS_FILE
    heads.write_bytes(heads.read_bytes()[: heads.stat().st_size // 2])
    with Load(installation, "corrupt") as load, installation.client() as client:
        before = served_version(client)
        refused = register(installation.home, classifier_name(REGION), corrupt)
        wait_for(lambda: [each["version"] for each in client.get("/readyz").json()["refused"]] == [refused])
        assert served_version(client) == before
        sound = register(installation.home, classifier_name(REGION), bundle)
        wait_for(lambda: served_version(client) == sound)
    load.check()


@pytest.fixture(params=BACKENDS)
def small_disk(request: pytest.FixtureRequest) -> Iterator[Installation]:
    """An installation whose home, and whose PostgreSQL, lie on a small disk of their own."""
    if os.getuid() != 0:
        pytest.skip("only root may mount a small disk")
    disk = Path(tempfile.mkdtemp(prefix="tsur-disk-"))  # PostgreSQL's own user gets into no folder of pytest's
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(disk)], check=False)
    if mounted.returncode:
        disk.rmdir()
        pytest.skip("a small disk cannot be mounted here")
    try:
        disk.chmod(0o755)
        with ExitStack() as stack:
            server = stack.enter_context(running_postgresql(disk)) if request.param == "postgresql" else None
            made = Installation.make(disk / "home", server)
            stack.callback(made.stop)
            made.start()
            yield made
            made.look_for_personal_data()
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=False)
        disk.rmdir()


def fill(path: Path) -> None:
    """Write until the disk takes no more."""
    with path.open("ab", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1 << 16))
        except OSError:
            return


def test_a_full_disk_refuses_and_loses_nothing(small_disk: Installation) -> None:
    filler = small_disk.home / "filler"
    with Load(small_disk, "disk") as load, small_disk.client() as client:
        load.send_file(2000)
        wait_for(lambda: len(load.accepted.complaints) > 10)
        refused_before = load.statuses[503]
        for _ in range(10):  # what others free meanwhile is taken too
            fill(filler)
            time.sleep(0.5)
        wait_for(lambda: load.statuses[503] > refused_before)
        answer = client.post("/v1/jobs?name=export.csv", content=export(100_000))
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "store_unavailable"), answer.text
        assert status_of(client, "/livez") == 200
        filler.unlink()
        if small_disk.postgresql is not None:
            small_disk.start_database()
        small_disk.wait_until_ready()
        accepted = len(load.accepted.complaints)
        wait_for(lambda: len(load.accepted.complaints) > accepted + 10)
        load.send_file(500)
    load.check()
