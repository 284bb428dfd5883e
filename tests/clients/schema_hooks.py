"""What schemathesis is told besides the document: keys, things that there are, lines of JSON, the codes of failures."""

import json
import os
import re

import schemathesis

# Filled by test_schema.py: keys by whose they are, things by where an address names them, and a signed link.
WORLD = json.loads(os.environ.get("SCHEMA_WORLD", "{}"))


def raw(operation):
    """What the document says of an operation."""
    return operation.definition.raw


@schemathesis.auth(refresh_interval=None)
class Keys:
    """Sends the key that an operation needs."""

    def get(self, case, context):
        keys = raw(case.operation)["security"]
        return WORLD["keys"][keys[0]["key"][0]] if keys else None

    def set(self, case, key, context):
        if key:
            case.headers["Authorization"] = f"Bearer {key}"


@schemathesis.serializer("application/x-ndjson")
def lines(context, text):
    """Sends lines as they are."""
    return text if isinstance(text, bytes) else str(text).encode()


def fits(operation, name, value):
    """Whether a segment of the path is as the document has it."""
    (parameter,) = [one for one in raw(operation)["parameters"] if (one["name"], one["in"]) == (name, "path")]
    schema = parameter["schema"]
    if schema["type"] == "integer":
        return isinstance(value, int) and value >= schema["minimum"]
    return isinstance(value, str) and bool(re.search(schema.get("pattern", "^[!-~]+$"), value))


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """Names things that there are in most addresses that name any."""
    for name, value in (path_parameters or {}).items():
        before = context.operation.path.split("/{" + name + "}")[0].split("/")[-1]
        things = WORLD["things"].get(f"{before}/{name}")
        if things and fits(context.operation, name, value):
            choice = sum(str(value).encode()) % (len(things) + 1)
            path_parameters[name] = [*things, value][choice]
    return path_parameters


@schemathesis.hook
def map_query(context, query):
    """Signs half of the links to images."""
    if raw(context.operation)["operationId"] == "getImage" and query and {"expires", "signature"} <= set(query):
        if isinstance(query["expires"], int) and query["expires"] % 2 == 0:
            query["expires"], query["signature"] = int(WORLD["link"][0]), WORLD["link"][1]
    return query


@schemathesis.check
def every_code_is_described(ctx, response, case):
    """The code of a failure is one that the document gives for its status."""
    reply = raw(case.operation)["responses"].get(str(response.status_code), {})
    if "$ref" in reply:
        reply = case.operation.schema.raw_schema["components"]["responses"][reply["$ref"].split("/")[-1]]
    if "x-codes" in reply:
        body = response.json()
        code = body["error"]["code"] if "error" in body else body["code"]
        assert code in reply["x-codes"], f"the code {code} is not described for {response.status_code}"
