"""Sanic's hello world, as its documentation has it: what the site is measured against."""

from __future__ import annotations

import sys

from sanic import HTTPResponse, Request, Sanic, text

app = Sanic("hello", configure_logging=False)


@app.get("/")
async def hello(request: Request) -> HTTPResponse:
    """Say it."""
    return text("Hello, world.")


if __name__ == "__main__":
    app.run(port=int(sys.argv[1]), single_process=True, access_log=False, motd=False)
