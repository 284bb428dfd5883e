"""The server against its own OpenAPI document.

schemathesis makes requests of it, right ones and wrong ones, sends them to the real binary, and judges what comes back:
no failure of the server, no status, type, header or shape that is not described; what is allowed is accepted, and what
is not is refused. The requests are the same in every run. `MEDICI_SCHEMA_EXAMPLES=500` makes more of them.
"""

import json
import os
import re
import urllib.request

import pytest
import schemathesis
from hypothesis import HealthCheck, settings

EXAMPLES = int(os.environ.get("MEDICI_SCHEMA_EXAMPLES", "8"))

# Requests of the right shape may be refused all the same: for what an account has, or for what a key was used for.
REFUSED = ["2xx", "3xx", "401", "402", "403", "404", "409", "410", "422", "429", "503"]
# What a document cannot say of these: which of the well-formed requests make sense. They may be refused with a 400.
SENSE = {
    "createImages": "limits depend on the model, sizes on the engine, some parameters on others",
    "editImages": "the same, and no generated file is a picture",
    "varyImages": "the same",
    "createJob": "the same, and a key is needed unless it is a quote",
    "getCredits": "as_of needs at; an account must be said by some keys",
    "listEntries": "a hold's story has no pages; an account must be said by some keys",
    "explainEntry": "an account must be said by some keys",
    "getStatement": "a period ends after it begins, and is not said twice",
    "listBudgets": "an account must be said by some keys",
    "getPlan": "an account must be said by some keys",
    "listOwnOrders": "an account must be said by some keys",
    "getRevenue": "a period ends after it begins",
    "createCharge": "only what the price book names has a price",
    "estimate": "only plans of the price book can be compared",
    "publishPrices": "a price book is more than a text",
    "openAccount": "only plans and codes of the price book can be named; a clock needs a sandbox",
    "grantCredits": "more than 0 credits, an end that lies ahead, a cost of bought ones only",
    "changePlan": "only plans of the price book can be named",
    "joinCohort": "only cohorts of the price book can be named",
    "moveClock": "either of two, forward, by up to ten years",
    "placeOrder": "only packs and plans of the price book can be ordered; tax in the order's currency",
    "payOrder": "money in the order's currency",
    "refundOrder": "money in the order's currency",
    "reportReversal": "money in the order's currency",
}
# What is no event is an outcome of that event alone: such a request is accepted, and says so.
JUDGED_ONE_BY_ONE = "recordEvents"


def expecting(check, statuses):
    return {check: {"expected-statuses": statuses}}


CONFIG = {
    "checks": expecting("positive_data_acceptance", REFUSED),
    "operations": [
        {"include-operation-id": list(SENSE), "checks": expecting("positive_data_acceptance", [*REFUSED, "400"])},
        {"include-operation-id": JUDGED_ONE_BY_ONE, "checks": {"negative_data_rejection": {"enabled": False}}},
    ],
}


class World:
    """A studio with something of everything, so that requests do not only find that there is nothing."""

    def __init__(self, studio):
        self.url, self.keys = studio.url, {"operator": studio.admin_key}
        self.keys["account"] = studio.account("painter")
        self.ask("POST", "/api/accounts/painter/grants", {"credits": "1000000", "class": "free"}, key="painter")
        self.keys["service"] = self.ask("POST", "/api/keys", {"owner": "service"})["secret"]
        self.ask("POST", "/api/accounts", {"name": "ada"})
        self.ask("POST", "/api/accounts", {"name": "sandbox", "sandbox": True})
        self.ask("POST", "/api/accounts/ada/grants", {"credits": "1000", "class": "free"}, key="ada")
        order = self.ask("POST", "/api/accounts/ada/orders", {"pack": "pack-115"}, key="order")["order"]["id"]
        self.ask("POST", f"/api/accounts/ada/orders/{order}/pay", {}, key="pay")
        images = self.ask("POST", "/v1/images/generations", {"prompt": "a fox", "size": "256x256"}, by="account")
        job = self.ask("POST", "/api/jobs", {"prompt": "a fox", "size": "256x256"}, key="job", by="account")["id"]
        spare = self.ask("POST", "/api/keys", {"owner": "service", "label": "to be revoked"})["id"]
        self.link = re.fullmatch(r".*/images/(.*)\?expires=(.*)&signature=(.*)", images["data"][0]["url"])
        # For each kind of thing what an address may name, by the segment and what stands before it.
        self.things = {
            ("accounts", "id"): ["ada", "sandbox"],
            ("jobs", "id"): [job, images["id"]],
            ("keys", "id"): [spare],
            ("orders", "order"): [order],
            ("models", "id"): ["dall-e-2", "gpt-image-1"],
            ("images", "file"): [self.link[1]],
            ("entries", "seq"): [1, 2],
        }

    def ask(self, method, path, body, key=None, by="operator"):
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), method=method)
        request.add_header("Authorization", f"Bearer {self.keys[by]}")
        request.add_header("Content-Type", "application/json")
        if key:
            request.add_header("Idempotency-Key", key)
        with urllib.request.urlopen(request) as reply:
            return json.load(reply)


WORLD = []


@pytest.fixture(scope="module")
def document(pattern):
    WORLD[:] = [World(pattern)]
    config = schemathesis.Config.from_dict(CONFIG)
    yield schemathesis.openapi.from_url(f"{pattern.url}/openapi.json", config=config)
    assert pattern.run("ledger", "verify")["findings"] == []


schema = schemathesis.pytest.from_fixture("document")


@schemathesis.auth(refresh_interval=None)
class Keys:
    """Sends the key that an operation needs."""

    def get(self, case, context):
        keys = case.operation.definition.raw["security"]
        return WORLD[0].keys[keys[0]["key"][0]] if keys else None

    def set(self, case, key, context):
        if key:
            case.headers["Authorization"] = f"Bearer {key}"


def fits(operation, name, value):
    """Whether a segment of the path is as the document has it."""
    (parameter,) = [one for one in operation.definition.raw["parameters"] if (one["name"], one["in"]) == (name, "path")]
    schema = parameter["schema"]
    if schema["type"] == "integer":
        return isinstance(value, int) and value >= schema["minimum"]
    return isinstance(value, str) and bool(re.search(schema.get("pattern", "^[!-~]+$"), value))


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """Names things that there are in most addresses that name any."""
    for name, value in (path_parameters or {}).items():
        before = context.operation.path.split("/{" + name + "}")[0].split("/")[-1]
        things = WORLD[0].things.get((before, name))
        if things and fits(context.operation, name, value):
            choice = sum(str(value).encode()) % (len(things) + 1)
            path_parameters[name] = [*things, value][choice]
    return path_parameters


@schemathesis.hook
def map_query(context, query):
    """Signs half of the links to images, and says an account that there is."""
    if context.operation.definition.raw["operationId"] == "getImage" and query and "expires" in query:
        if isinstance(query["expires"], int) and query["expires"] % 2 == 0 and "signature" in query:
            query["expires"], query["signature"] = int(WORLD[0].link[2]), WORLD[0].link[3]
    return query


@schemathesis.check
def every_code_is_described(ctx, response, case):
    """The code of a failure is one that the document gives for its status."""
    described = case.operation.definition.raw["responses"].get(str(response.status_code), {}).get("x-codes")
    if described is not None:
        body = response.json()
        code = body["error"]["code"] if "error" in body else body["code"]
        assert code in described, f"the code {code} is not described for {response.status_code}"


@schema.parametrize()
@settings(max_examples=EXAMPLES, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_server_is_as_it_is_described(case):
    case.call_and_validate(timeout=60)
