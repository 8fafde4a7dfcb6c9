"""The schema and its page: every endpoint with examples, errors and the key, without the internet."""

from typing import Any

import httpx

from serving.http.errors import ErrorAnswer


def test_every_endpoint_is_in_openapi_with_examples_errors_and_the_key(api: httpx.Client) -> None:
    spec = api.get("/openapi.json").json()
    names = ("classify", "feedback", "forecast", "surges", "heatmap", "emerging")
    names += ("jobs", "complaints", "queue", "catalogue", "models", "session", "events", "series", "municipalities")
    names += ("outcomes", "kpi", "report", "management-decisions", "map")
    assert {path.split("/")[2] for path in spec["paths"]} == set(names)
    schemes = spec["components"]["securitySchemes"]
    assert schemes["APIKeyHeader"]["name"] == "X-API-Key"
    assert schemes["HTTPBearer"]["scheme"] == "bearer"
    for path in spec["paths"].values():
        for operation in path.values():
            assert operation["security"]
            assert {"401", "403", "422", "429", "503"} <= set(operation["responses"])
            for status, response in operation["responses"].items():
                if status >= "400":
                    check_error(response)
    assert "мусор" in str(spec["components"]["schemas"]["ClassifyItem"]["properties"]["text"]["examples"])


def check_error(response: dict[str, Any]) -> None:
    """An error has the one shape, and an example of each code that its description names."""
    content = response["content"]["application/json"]
    assert content["schema"]["$ref"].endswith("/ErrorAnswer")
    assert content["examples"]
    for code, example in content["examples"].items():
        assert f"`{code}`" in response["description"]
        assert ErrorAnswer.model_validate(example["value"]).error.code == code


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
