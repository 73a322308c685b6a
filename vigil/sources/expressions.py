"""JMESPath for the answers of strangers, checked when it is saved and bounded when it runs.

https://jmespath.org/specification.html. The language has no loops, so every expression ends; but
``[@, @][]`` doubles a list, and some of these in a row would fill any memory. So what an
expression can make of its input is bounded when it is saved (``growth``), its steps are counted
when it runs, and text is not put together without end.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import jmespath
from jmespath.exceptions import IncompleteExpressionError, JMESPathError, JMESPathTypeError
from jmespath.exceptions import ParseError as BadSyntax
from jmespath.functions import Functions
from jmespath.visitor import Options, TreeInterpreter

from vigil.errors import Invalid, SourceError

MOST_CHARACTERS = 1000
MOST_GROWTH = 64
"""How many times as large as its input a result may be."""
MOST_STEPS = 5_000_000
"""Visited nodes for one answer: some seconds."""
MOST_TEXT = 10_000
"""Characters that join() and to_string() may make, and parts they may make it of."""

Node = Any  # a dictionary: type, children, value


class Failed(Exception):
    """An expression cannot be used on this value; the message holds nothing of the value."""


class Expression:
    """One expression of a source's options.

    Args:
        name: of the option, for messages.
        text: the expression; raises Invalid, saying where it is wrong.
    """

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.node = _parse(name, text)

    def of(self, value: Any, steps: Steps) -> Any:
        """What it finds in a value; raises Failed, or SourceError when it takes too long."""
        try:
            return steps.visit(self.node, value)
        except JMESPathTypeError as error:  # its text would hold the value, however large
            found = str(error.actual_type)[:20]
            raise Failed(f"{self.name}: {error.function_name}() cannot take {found}") from None
        except RecursionError:
            raise Failed(f"{self.name}: nested too deeply") from None
        except (JMESPathError, ValueError, TypeError, ArithmeticError) as error:
            raise Failed(f"{self.name}: {type(error).__name__}") from None


class Steps(TreeInterpreter):
    """Runs the expressions on one answer and counts what they do."""

    def __init__(self) -> None:
        super().__init__(Options(custom_functions=_Functions()))
        self.left = MOST_STEPS

    def visit(self, node: Node, *args: Any, **kwargs: Any) -> Any:
        """Evaluate a node."""
        self.left -= 1
        if self.left < 0:
            raise SourceError(
                "its expressions take too long for an answer so large",
                hint="ask for smaller pages, or make them simpler",
            )
        return super().visit(node, *args, **kwargs)


class _Functions(Functions):
    def call_function(self, function_name: str, resolved_args: Iterable[Any]) -> Any:
        given = list(resolved_args)
        if function_name in ("join", "to_string") and _weight(given) > MOST_TEXT:
            raise Failed(f"{function_name}() would make a text too long")
        if function_name == "join" and len(given) == 2 and isinstance(given[1], list):
            separator = len(given[0]) if isinstance(given[0], str) else 0
            if separator * len(given[1]) > MOST_TEXT:
                raise Failed("join() would make a text too long")
        return super().call_function(function_name, given)


def _weight(value: Any) -> int:
    """Characters and parts of a value, counted until there are too many."""
    found, waiting = 0, [value]
    while waiting and found <= MOST_TEXT:
        one = waiting.pop()
        found += 1
        if isinstance(one, str):
            found += len(one)
        elif isinstance(one, list):
            found += len(one)
            waiting += one if len(one) <= MOST_TEXT else ()
        elif isinstance(one, dict):
            found += sum(len(name) for name in one)
            waiting += one.values() if len(one) <= MOST_TEXT else ()
    return found


def _parse(name: str, text: str) -> Node:
    if not isinstance(text, str) or len(text) > MOST_CHARACTERS:
        raise Invalid(f"option {name} is a text of at most {MOST_CHARACTERS} characters")
    try:
        node: Node = jmespath.compile(text).parsed
        _check_functions(name, node)
        grows = growth(node)
    except RecursionError:
        raise Invalid(f"option {name} is nested too deeply") from None
    except IncompleteExpressionError:
        raise Invalid(f"option {name} ends too early", hint=f"after: {text}") from None
    except BadSyntax as error:
        place = error.lex_position
        raise Invalid(
            f"option {name} is wrong at character {place + 1}",
            hint=f"{text[:place]} ▸here▸ {text[place:]}",
        ) from None
    except (JMESPathError, ValueError) as error:
        raise Invalid(f"option {name}: {str(error)[:200]}") from None
    if grows > MOST_GROWTH:
        raise Invalid(
            f"option {name} makes too much of little: up to {min(grows, 10**9)} times as much",
            hint=f"at most {MOST_GROWTH} times are allowed",
        )
    return node


def _check_functions(name: str, node: Node) -> None:
    """Raise Invalid for a function that there is not, or with another number of arguments."""
    children = [child for child in node.get("children", ()) if isinstance(child, dict)]
    if node["type"] == "function_expression":
        known = _Functions.FUNCTION_TABLE.get(node["value"])
        if known is None:
            raise Invalid(
                f"option {name}: there is no function {node['value'][:40]}()",
                hint=", ".join(sorted(_Functions.FUNCTION_TABLE)),
            )
        takes, more = len(known["signature"]), known["signature"][-1].get("variadic")
        if len(children) < takes or (len(children) > takes and not more):
            least = "at least " if more else ""
            raise Invalid(f"option {name}: {node['value']}() takes {least}{takes} arguments")
    if node["type"] == "slice" and node["children"][2] == 0:
        raise Invalid(f"option {name}: a slice cannot step by 0")
    for child in children:
        _check_functions(name, child)


def growth(node: Node) -> int:
    """How many times as large as its input the result of a node can be, at most."""
    kind, children = node["type"], node.get("children", ())
    if kind == "literal":
        return _weight(node["value"]) if isinstance(node["value"], list | dict) else 1
    if kind == "slice" or not children:
        return 1
    grows = [growth(child) for child in children]
    if kind == "comparator":
        return max(grows)
    if kind in ("multi_select_list", "multi_select_dict", "or_expression", "and_expression"):
        return sum(grows)
    if kind == "function_expression" and not any(one["type"] == "expref" for one in children):
        return sum(grows)
    product = 1
    for one in grows:
        product *= one
    return product
