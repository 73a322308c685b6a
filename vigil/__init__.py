"""Vigil keeps watch over things that change and turns what it saw into pages, JSON and video."""

__version__ = "0.1.0"
