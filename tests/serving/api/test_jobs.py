"""`/v1/jobs` on a real service beside a real worker: files go in, results come out, nothing personal stays."""

import csv
import io
import stat
from collections.abc import Iterator

import httpx
import openpyxl
import pytest

from data.settings import CHECKOUT
from tests.serving.conftest import RegistryHome, Server
from tests.serving.workers import ended, export, send, start_worker, stop_worker, wait_for

EXPORTS = CHECKOUT / "data" / "samples" / "exports"


@pytest.fixture(scope="module", autouse=True)
def _worker(server: Server, registry: RegistryHome) -> Iterator[None]:
    worker = start_worker(registry.home)
    yield
    stop_worker(worker)


def table(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""), delimiter=";"))


def test_a_file_becomes_a_job_and_the_job_a_table(api: httpx.Client) -> None:
    sent = send(api, export(40, bad=(3, 17)), "Ноябрь.csv")
    assert sent["status"] == "queued"
    assert sent["result"] is None
    job = ended(api, sent["id"])
    assert (job["status"], job["rows"], job["rejected"], job["progress"]["read"]) == ("done", 38, 2, 40)
    assert job["progress"]["expected"] == 40
    assert job["name"] == "Ноябрь.csv"
    decided = table(api.get(job["result"]))
    assert [row["id"] for row in decided] == [str(n) for n in range(40) if n not in (3, 17)]
    one = api.post("/v1/classify", json={"items": [{"text": "Не вывозят мусор 0"}]}).json()
    assert decided[0]["topic"] == one["results"][0]["topic"]["label"]
    assert job["model"] == one["model"]
    rejects = table(api.get(job["rejects"]))
    assert [(row["line"], "text is empty" in row["reason"]) for row in rejects] == [("5", True), ("19", True)]


def test_every_kind_of_export_is_taken_with_its_source_map(api: httpx.Client) -> None:
    jobs = []
    for path in sorted(EXPORTS.iterdir()):
        query = {} if path.stem == "generic" else {"source": path.stem}
        jobs.append(send(api, path.read_bytes(), path.name, **query))
    for job in jobs:
        done = ended(api, job["id"])
        assert done["status"] == "done", done
        assert len(table(api.get(done["result"]))) == done["rows"] > 0


def test_a_workbook_tells_how_many_rows_to_expect(api: httpx.Client) -> None:
    book = openpyxl.Workbook()
    book.active.append(["id", "text", "created_at"])
    for number in range(30):
        book.active.append([f"x{number}", "Нет воды", "2026-01-05"])
    file = io.BytesIO()
    book.save(file)
    job = ended(api, send(api, file.getvalue(), "book.xlsx")["id"])
    assert (job["rows"], job["progress"]["expected"]) == (30, 30)


@pytest.mark.parametrize(
    ("content", "name", "query", "status", "code", "told"),
    [
        (b"", "empty.csv", {}, 400, "bad_file", "empty.csv: the file is empty"),
        (b"%PDF-1.7", "a.csv", {}, 400, "bad_file", "a.csv: this is a PDF"),
        (b"id,created_at\n1,2026-01-05\n", "a.csv", {}, 400, "missing_columns", "a.csv: no column for text"),
        (b"", ".csv", {}, 400, "bad_file", ".csv: the file is empty"),
        (export(2), "a.exe", {}, 422, "bad_request", "name"),
        (export(2), "a.csv", {"source": "nobody"}, 422, "bad_request", "source 'nobody' is not known"),
        (export(2), "a.csv", {"source": "../../x.yaml"}, 422, "bad_request", "source"),
        (export(2), "a.csv", {"date": "yesterday"}, 422, "bad_request", "date"),
    ],
)
def test_what_cannot_be_read_is_refused_at_once_and_leaves_nothing(
    content: bytes,
    name: str,
    query: dict[str, str],
    status: int,
    code: str,
    told: str,
    api: httpx.Client,
    server: Server,
) -> None:
    before = sorted((server.home / "jobs").iterdir()) if (server.home / "jobs").exists() else []
    answer = api.post("/v1/jobs", params={"name": name, **query}, content=content)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert told in answer.json()["error"]["message"]
    assert "upload" not in answer.text
    assert sorted((server.home / "jobs").iterdir()) == before


def test_a_file_without_one_good_row_fails_and_its_rejects_say_why(api: httpx.Client) -> None:
    job = ended(api, send(api, export(4, bad=(0, 1, 2, 3)))["id"])
    assert (job["status"], job["error"]["code"]) == ("failed", "bad_input")
    assert "export.csv: none of 4 rows" in job["error"]["message"]
    assert len(table(api.get(job["rejects"]))) == 4
    assert api.get(f"/v1/jobs/{job['id']}/result").json()["error"]["code"] == "wrong_job_state"


def test_uploads_are_private_and_gone_when_the_job_has_ended(api: httpx.Client, server: Server) -> None:
    phone = "8 900 765-43-21"
    text = f"id,text,created_at\n1,Звоните {phone}: нет воды,2026-01-05\n2,Звоните {phone},{phone}\n"
    job = ended(api, send(api, text.encode(), f"Семибратов Пётр Ильич {phone}.csv")["id"])
    folder = server.home / "jobs" / job["id"]
    for private in (folder, folder.parent):
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
    wait_for(lambda: sorted(path.name for path in folder.iterdir()) == ["decisions.csv", "decisions.rejects.csv"])
    kept = b"".join(path.read_bytes() for path in (*folder.iterdir(), *server.home.glob("store.db*")))
    shown = api.get(f"/v1/jobs/{job['id']}").text + server.output + (server.home / "worker.log").read_text()
    for trace in ("765-43", "7654321", "Семибратов"):
        assert trace.encode() not in kept
        assert trace not in shown


def test_a_cancelled_job_ends_and_its_files_go(api: httpx.Client, server: Server) -> None:
    job = send(api, export(20_000))
    cancelled = api.post(f"/v1/jobs/{job['id']}/cancel")
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    assert api.post(f"/v1/jobs/{job['id']}/cancel").status_code == 200
    after = ended(api, send(api, export(5))["id"])  # the worker is free for the next one
    assert after["status"] == "done"
    wait_for(lambda: not (server.home / "jobs" / job["id"]).exists())
    refused = api.post(f"/v1/jobs/{after['id']}/cancel")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "wrong_job_state")


@pytest.mark.parametrize("address", ["", "/result", "/rejects"])
def test_an_unknown_job_is_not_found(address: str, api: httpx.Client) -> None:
    answer = api.get(f"/v1/jobs/../../etc/passwd{address}".replace("/../../etc/passwd", "/%2e%2e"))
    assert answer.status_code == 404
    assert api.get(f"/v1/jobs/nothing{address}").json()["error"]["code"] == "unknown_job"


def test_jobs_are_listed_page_by_page(api: httpx.Client) -> None:
    sent = [send(api, export(1))["id"] for _ in range(5)]
    first = api.get("/v1/jobs", params={"limit": 3}).json()
    late = send(api, export(1))["id"]
    second = api.get("/v1/jobs", params={"limit": 2, "cursor": first["next"]}).json()
    assert [job["id"] for job in first["jobs"] + second["jobs"]] == sent[::-1]
    assert api.get("/v1/jobs").json()["jobs"][0]["id"] == late
    refused = api.get("/v1/jobs", params={"cursor": "WzFd!"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "bad_request")


def test_an_address_tells_all_of_its_methods(api: httpx.Client) -> None:
    answer = api.delete("/v1/jobs")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


def test_a_file_may_be_larger_than_other_bodies(api: httpx.Client) -> None:
    body = export(4000)
    assert len(body) > 64 * 1024
    assert api.post("/v1/classify", content=body).status_code == 413
    assert ended(api, send(api, body)["id"])["rows"] == 4000
