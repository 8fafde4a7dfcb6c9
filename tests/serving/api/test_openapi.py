"""The schema and its page: every endpoint with examples, errors and the key, without the internet."""

import httpx


def test_every_endpoint_is_in_openapi_with_examples_errors_and_the_key(api: httpx.Client) -> None:
    spec = api.get("/openapi.json").json()
    names = ("classify", "feedback", "forecast", "surges", "heatmap", "emerging")
    names += ("jobs", "complaints", "queue", "catalogue", "models", "session")
    assert {path.split("/")[2] for path in spec["paths"]} == set(names)
    schemes = spec["components"]["securitySchemes"]
    assert schemes["APIKeyHeader"]["name"] == "X-API-Key"
    assert schemes["HTTPBearer"]["scheme"] == "bearer"
    for path in spec["paths"].values():
        for operation in path.values():
            assert operation["security"]
            for status in ("401", "422", "503"):
                shape = operation["responses"][status]["content"]["application/json"]["schema"]["$ref"]
                assert shape.endswith("/ErrorAnswer")
    assert "мусор" in str(spec["components"]["schemas"]["ClassifyItem"]["properties"]["text"]["examples"])


def test_the_documentation_needs_no_internet(api: httpx.Client) -> None:
    page = api.get("/docs")
    assert page.status_code == 200
    assert "https://" not in page.text
    for asset in ("swagger-ui-bundle.js", "swagger-ui.css"):
        assert f"/docs/assets/{asset}" in page.text
        assert api.get(f"/docs/assets/{asset}").status_code == 200
    front = api.get("/")
    assert front.status_code == 307
    assert front.headers["location"] == "/docs"
