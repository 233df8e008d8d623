"""The OpenAPI document against the running service: whatever it is sent, no 5xx, and every answer is one that the document names."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

pytestmark = pytest.mark.service


@pytest.fixture(scope="module")
def document(stack):
    with stack.client() as client:
        return client.get("/openapi.json").json()


@pytest.fixture
def api_schema(stack, document):
    return schemathesis.openapi.from_dict(document).configure(base_url=str(stack.client().base_url)) if False else schemathesis.openapi.from_url(str(stack.client().base_url) + "/openapi.json")


schema = schemathesis.pytest.from_fixture("api_schema").exclude(path_regex="/events$")


@schema.parametrize()
@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate])
def test_every_answer_is_one_the_document_names(case):
    case.call_and_validate(
        checks=[not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance, response_headers_conformance], timeout=20
    )


def test_every_operation_is_described_with_its_problems(document):
    for path, item in document["paths"].items():
        for method, operation in item.items():
            assert operation.get("summary"), (method, path)
            assert "application/problem+json" in operation["responses"]["422"]["content"], (method, path)


def test_requests_have_examples(document):
    for name in ("MatchRequest", "Corrections", "TrialDocument"):
        assert document["components"]["schemas"][name]["examples"]
