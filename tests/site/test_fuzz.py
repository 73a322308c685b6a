"""What nobody thought of: requests made up from the API's own description, and beyond it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.conftest import Site
from tests.streams.test_views import show, stream

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 12
"""Of each operation in each mode."""


def fuzz(document: dict[str, Any], url: str, headers: dict[str, str]) -> tuple[list[str], int]:
    """Sends requests; returns what was wrong, and how many were sent."""
    wrong: list[str] = []
    sent = 0
    chosen = settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    schema: Any = schemathesis.openapi.from_dict(document)
    for result in schema.get_all_operations():
        operation = result.ok()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

            @chosen
            @given(case=operation.as_strategy(generation_mode=mode))
            def check(case: schemathesis.Case[Any]) -> None:
                nonlocal sent
                sent += 1
                response = case.call(base_url=url, headers=headers, timeout=20)
                try:
                    case.validate_response(response, checks=CHECKS)
                except BaseExceptionGroup as failures:
                    told = "; ".join(str(one) for one in failures.exceptions)
                    wrong.append(
                        f"{case.as_curl_command()[:600]}\n  {response.status_code}: {told}"
                    )

            try:
                check()
            except Exception as error:  # nothing can be made up wrongly for it
                if "Unsatisfiable" not in type(error).__name__:
                    raise
    return wrong, sent


@pytest.mark.slow
@pytest.mark.timeout(300)  # two thousand requests
@pytest.mark.parametrize("who", ["anybody", "admin"])
async def test_no_request_is_answered_as_nobody_says(site: Site, who: str) -> None:
    await show(site, *(stream(n, language="en") for n in range(70)))
    async with site.client.get("/api/openapi.json") as response:
        document = await response.json()
    headers = site.admin_headers if who == "admin" else {}
    wrong, sent = await asyncio.to_thread(fuzz, document, site.url, headers)
    assert not wrong, f"{len(wrong)} of {sent}:\n" + "\n".join(wrong[:20])
    assert sent > 300
