"""Films are asked for: the API and the page's form."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from sanic import Blueprint, HTTPResponse, Request

from vigil import auth, openapi, responses
from vigil.errors import Invalid
from vigil.films import finding, order
from vigil.films.describe import FilmJson, describe


@openapi.describe(answers={201: FilmJson}, body=order.Order, admin=True, errors=(404, 409))
@auth.require_admin
async def make_json(request: Request) -> HTTPResponse:
    """Make a film: {camera, from?, to?, speed?, fps?, size? | width?, height?, title?}."""
    try:
        body = msgspec.json.decode(request.body)
    except msgspec.DecodeError as error:
        raise Invalid(f"this is not JSON: {error}") from None
    context = responses.context(request)
    film_id, notes = await order.make(context, order.parse(body))
    made = await describe(context, await finding.film(request, film_id), admin=True)
    headers = {"location": f"/api/v1/films/{film_id}"}
    return responses.json(made | {"notes": notes}, 201, headers)


@auth.require_admin
async def make_form(request: Request) -> HTTPResponse:
    """Make a film from the page's form."""
    form: Mapping[str, list[str]] = request.form or {}
    fields = {name: values[0] for name, values in form.items() if name != "csrf"}
    film_id, _ = await order.make(responses.context(request), order.parse(fields))
    return responses.redirect(f"/films/{film_id}")


def register(bp: Blueprint) -> None:
    """Put the routes on the room's blueprint."""
    bp.add_route(make_json, "/api/v1/films", ["POST"], name="make")
    bp.add_route(make_form, "/films", ["POST"], name="make_form")
