"""What the OpenAPI document says of the intake: bodies, answers, where a key may stand."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": ["string", "null"]}
MAP: Schema = {"type": ["object", "null"]}
CALL: dict[str, Schema] = {
    "messageId": {**TEXT, "description": "What makes it count once."},
    "userId": {"type": ["string", "integer", "null"]},
    "anonymousId": TEXT,
    "timestamp": {**TEXT, "description": "When it happened (RFC 3339)."},
    "originalTimestamp": TEXT,
    "sentAt": {**TEXT, "description": "The client's clock when it sent this."},
    "context": MAP,
    "integrations": MAP,
}
OWN: dict[str, dict[str, Schema]] = {
    "track": {"event": {"type": "string"}, "properties": MAP},
    "page": {"name": TEXT, "properties": MAP},
    "screen": {"name": TEXT, "properties": MAP},
    "identify": {"traits": MAP},
    "group": {"groupId": {"type": ["string", "integer"]}, "traits": MAP},
    "alias": {"previousId": {"type": ["string", "integer"]}},
}
NEEDED = {"track": ["event"], "group": ["groupId"]}
SAID: Schema = {
    "type": "object",
    "required": ["code", "message"],
    "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
}
TAKEN: Schema = {
    "type": "object",
    "required": ["success"],
    "properties": {"success": {"const": True}},
}
WHY = {
    400: "Not JSON, or no calls in it. Sending it again changes nothing.",
    401: "No key, or one that is not in use.",
    403: "The key may not be used from this page.",
    408: "The body did not arrive in time.",
    413: "The body is too large.",
    429: "More comes in than can be written; `Retry-After` says when to try again.",
    503: "The store cannot be written; `Retry-After` says when to try again.",
}
REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"description": why, "content": {"application/json": {"schema": SAID}}}
    for status, why in WHY.items()
}
KEY_PARAMETERS = [
    {"name": "writeKey", "in": "query", "schema": {"type": "string"}},
    {"name": "X-Write-Key", "in": "header", "schema": {"type": "string"}},
]
WITH_KEY: Schema = {"parameters": KEY_PARAMETERS, "responses": REFUSALS}
WITH_KEY_IN_PATH: Schema = {
    "parameters": [{"name": "key", "in": "path", "required": True, "schema": TEXT}],
    "responses": REFUSALS,
}


def of_call(kind: str) -> Schema:
    """A path that takes one call of this kind."""
    properties = {**CALL, **OWN[kind], "writeKey": TEXT}
    body = {"type": "object", "required": NEEDED.get(kind, []), "properties": properties}
    return _of(f"Take one {kind} call", body)


def of_batch() -> Schema:
    """A path that takes many calls."""
    own = {name: schema for kind in OWN.values() for name, schema in kind.items()}
    call = {"type": "object", "properties": {"type": {"enum": sorted(OWN)}, **CALL, **own}}
    beside = {"sentAt": TEXT, "timestamp": TEXT, "context": MAP, "writeKey": TEXT}
    batch: Schema = {"type": "array", "items": call}
    body = {"type": "object", "required": ["batch"], "properties": {"batch": batch, **beside}}
    return _of("Take many calls", body)


def _of(summary: str, body: Schema) -> Schema:
    taken = {"description": "On the disk.", "content": {"application/json": {"schema": TAKEN}}}
    kinds = ("application/json", "text/plain")
    return {
        "summary": summary,
        "parameters": KEY_PARAMETERS,
        "requestBody": {"required": True, "content": {kind: {"schema": body} for kind in kinds}},
        "responses": {200: taken, **REFUSALS},
    }
