"""Who may come in, how far, and what is never written down."""

from __future__ import annotations

from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from api.keys import KeyFile
from api.supervisor import check_door
from tests.service.provider import Provider
from tests.service.stack import Stack, all_bytes, wait_for
from workers.settings import Settings, SettingsError

NOTE = "62-year-old man with myeloma. ECOG 1."
MARK = "Zweizahnwal"  # a word that is in no code, log template or vocabulary


@pytest.fixture(scope="module")
def provider():
    with Provider() as running:
        yield running


@pytest.fixture(scope="module")
def guarded(tmp_path_factory, provider):
    """A service with keys for two tenants and an identity provider."""
    folder = tmp_path_factory.mktemp("guarded")
    with Stack(folder, bundled_trials=False, oidc_issuer=provider.issuer, oidc_audience="eligo", rate_per_second=1, rate_burst=40) as stack:
        keys = KeyFile(stack.settings.keys_file)
        stack.keys = {
            "north": keys.create("n", "north", ("submit", "read")),
            "south": keys.create("s", "south", ("submit", "read")),
            "reader": keys.create("r", "north", ("read",)),
            "admin": keys.create("a", "north", ("admin",)),
            "busy": keys.create("b", "north", ("submit", "read")),
            "revoked": keys.create("x", "north", ("submit", "read")),
        }
        keys.revoke(stack.keys["revoked"].split("_")[1])
        stack.start_redis()
        stack.start_worker("tests.service.poisoned")
        stack.ready(stack.start_api())
        yield stack


def submit(client, **body) -> str:
    answer = client.post("/api/v1/matches", json={"note": NOTE, **body})
    assert answer.status_code == 202, answer.text
    return answer.headers["location"]


@pytest.mark.service
class TestWhoMayComeIn:
    @pytest.mark.parametrize("credentials", ["", "nonsense", "eligo_0_0", "eligo__"])
    def test_nobody_without_credentials(self, guarded, credentials):
        for path in ("/api/v1/jobs", "/api/v1/trials", "/metrics", "/api/v1/matches/" + "0" * 32):
            answer = guarded.client(credentials).get(path)
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")

    def test_health_and_the_page_are_open(self, guarded):
        assert [guarded.client().get(path).status_code for path in ("/health/live", "/health/ready", "/")] == [200, 200, 200]

    def test_not_with_a_revoked_key(self, guarded):
        assert guarded.client(guarded.keys["revoked"]).get("/api/v1/jobs").status_code == 401

    def test_scopes_bound_what_a_key_may(self, guarded):
        reader, submitter = guarded.client(guarded.keys["reader"]), guarded.client(guarded.keys["north"])
        location = submit(submitter)
        assert reader.get(location).status_code == 200
        assert [reader.delete(location).status_code, reader.post("/api/v1/matches", json={"note": NOTE}).status_code] == [403, 403]
        assert submitter.delete("/api/v1/trials/x").status_code == 403
        assert guarded.client(guarded.keys["admin"]).delete("/api/v1/trials/x").status_code == 404

    def test_a_tenant_cannot_see_anothers_jobs(self, guarded):
        north, south = guarded.client(guarded.keys["north"]), guarded.client(guarded.keys["south"])
        match = submit(north)
        batch = north.post("/api/v1/batches", files={"file": ("l.csv", b"mrn,note\n1,x\n")}).headers["location"]
        wait_for(lambda: north.get(batch).json()["state"] == "done")
        job = batch.rsplit("/", 1)[1]
        trial = north.get("/api/v1/trials").json()["items"][0]["trial_id"]
        paths = [match, match + "/note", batch, batch + "/results", batch + "/notes/0", f"/api/v1/jobs/{job}/events", f"/api/v1/trials/{trial}/patients?batch={job}"]
        assert [north.get(path).status_code for path in paths] == [200] * len(paths)
        assert [south.get(path).status_code for path in paths] == [404] * len(paths)
        assert [south.delete(path).status_code for path in (match, batch)] == [404, 404]
        assert [south.post(path + "/corrections", json={"corrections": []}).status_code for path in (match, batch + "/notes/0")] == [404, 404]
        assert south.get("/api/v1/jobs").json()["total"] == 0
        assert north.get(match).status_code == 200

    def test_an_idempotency_key_is_the_callers_own(self, guarded):
        send = lambda who: guarded.client(guarded.keys[who]).post("/api/v1/matches", json={"note": NOTE}, headers={"Idempotency-Key": "same"})  # noqa: E731
        assert send("north").headers["location"] != send("south").headers["location"]

    def test_too_many_submissions_are_told_when_to_come_back(self, guarded):
        client = guarded.client(guarded.keys["busy"])
        answers = [client.post("/api/v1/matches", json={"note": NOTE}) for _ in range(60)]
        late = [a for a in answers if a.status_code == 429]
        assert late
        assert all(int(a.headers["retry-after"]) >= 1 for a in late)
        assert {a.status_code for a in answers} == {202, 429}

    def test_a_token_of_the_identity_provider_is_a_key(self, guarded, provider):
        client = guarded.client(provider.token())
        location = submit(client)
        assert guarded.client(guarded.keys["north"]).get(location).status_code == 200  # the same tenant
        assert guarded.client(provider.token(tenant="south")).get(location).status_code == 404
        assert guarded.client(provider.token(scope="eligo:read")).post("/api/v1/matches", json={"note": NOTE}).status_code == 403

    @pytest.mark.parametrize(
        "wrong", [{"exp": 1}, {"aud": "other"}, {"iss": "https://elsewhere"}, {"tenant": None}, {"key": rsa.generate_private_key(public_exponent=65537, key_size=2048)}]
    )
    def test_a_token_that_is_not_valid_here_is_none(self, guarded, provider, wrong):
        assert guarded.client(provider.token(**wrong)).get("/api/v1/jobs").status_code == 401

    def test_an_unsigned_token_is_none(self, guarded, provider):
        claims = jwt.decode(provider.token(), options={"verify_signature": False})
        assert guarded.client(jwt.encode(claims, "", algorithm="none", headers={"kid": "k1"})).get("/api/v1/jobs").status_code == 401


@pytest.mark.service
class TestBrowsers:
    def test_pages_from_elsewhere_cannot_post(self, client):
        answer = client.post("/api/v1/matches", json={"note": NOTE}, headers={"Origin": "https://evil.example"})
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in client.get("/api/v1/trials", headers={"Origin": "https://evil.example"}).headers

    def test_its_own_page_can(self, client):
        origin = str(client.base_url).rstrip("/")
        assert client.post("/api/v1/matches", json={"note": NOTE}, headers={"Origin": origin}).status_code == 202

    def test_another_name_for_this_machine_is_not_answered(self, client):
        assert client.get("/api/v1/jobs", headers={"Host": "rebound.example"}).status_code == 400

    def test_every_answer_carries_the_headers(self, client):
        for path in ("/", "/docs", "/api/v1/trials", "/nothing"):
            headers = client.get(path).headers
            assert "default-src 'none'" in headers["content-security-policy"]
            assert "unsafe" not in headers["content-security-policy"]
            assert (headers["x-content-type-options"], headers["referrer-policy"], headers["x-frame-options"]) == ("nosniff", "no-referrer", "DENY")
        assert client.get("/api/v1/jobs").headers["cache-control"] == "no-store"

    def test_the_documentation_loads_nothing_from_elsewhere(self, client):
        page = client.get("/docs").text
        assert "://" not in page.replace("application/problem+json", "").split("<h2>Schemas")[0].split("<pre>")[0]
        assert "<script" not in page


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "eligo.hospital.example"])
def test_the_network_is_not_let_in_without_credentials(tmp_path, host):
    settings = Settings(data_dir=tmp_path)
    with pytest.raises(SettingsError, match="eligo keys create"):
        check_door(settings, host)
    KeyFile(settings.keys_file).create("k", "t", ("read",))
    check_door(settings, host)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.5.5.5"])
def test_this_machine_is(tmp_path, host):
    check_door(Settings(data_dir=tmp_path), host)


@pytest.mark.service
def test_no_word_of_a_note_is_written_anywhere(tmp_path):
    """Marked notes through every success and failure; then all that was written is searched: logs, metrics, Redis, its files, the folder."""
    with Stack(tmp_path, bundled_trials=False, note_soft_limit=0.3, note_hard_limit=1, max_attempts=1, lease=1.2) as stack:
        stack.start_redis()
        worker = stack.start_worker("tests.service.poisoned")
        client = stack.start_api()
        stack.ready(client)
        texts = [NOTE, "[raise]", "[loop]", "[kill]"]
        locations = [client.post("/api/v1/matches", json={"note": f"{text} {MARK}", "note_id": MARK}, headers={"Idempotency-Key": MARK + text}).headers["location"] for text in texts]
        rows = "\n".join(f"{MARK}{i},{text} {MARK}" for i, text in enumerate([*texts, ""]))
        locations.append(client.post("/api/v1/batches", files={"file": (f"{MARK}.csv", f"mrn,note\n{rows}\n".encode())}).headers["location"])
        for content, name in ((f"{MARK},weight\n1,2\n", "l.csv"), (f"{MARK}", "l.xlsx")):
            locations.append(client.post("/api/v1/batches", files={"file": (name, content.encode())}).headers["location"])
        client.post("/api/v1/matches", json={"note": f"{MARK}", "trials": [5]})
        client.post("/api/v1/matches", content=f'{{"note": "{MARK}'.encode(), headers={"content-type": "application/json"})
        client.post("/api/v1/matches", json={MARK: MARK})
        for location in locations:
            wait_for(lambda location=location: client.get(location).json()["state"] in ("done", "failed"), location)
        assert MARK in client.get(locations[0] + "/note").text  # it is there, for its owner
        assert MARK in client.get(locations[4] + "/results").text
        for _ in range(2):
            held = all_bytes(stack.store().redis)
            files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
            command_lines = b"".join(Path(f"/proc/{pid}/cmdline").read_bytes() for pid in stack.pool(worker))
            for where, what in {"redis": held, "metrics": client.get("/metrics").content, "ps": command_lines, **files}.items():
                assert MARK.encode() not in what, where
            worker.terminate()  # what is unfinished or in the air at a stop is searched, too
            worker.wait()
        assert stack.log in files
        assert b"ValueError" in files[stack.log]  # failures were logged, by their kind
