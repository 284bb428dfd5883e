"""The server against its own OpenAPI document.

schemathesis makes requests of it, right ones and wrong ones, sends them to the real binary, and judges what comes back
by all its checks: no failure of the server, no status, type, header or shape that is not described; what is allowed is
accepted, and what is not is refused. The requests are the same in every run. `SCHEMA_EXAMPLES=500` makes more of them.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import urllib.request

HERE = pathlib.Path(__file__).parent
EXAMPLES = os.environ.get("SCHEMA_EXAMPLES", "8")
SEED = "1"

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
    "createCharge": "only what the price book names has a price; 4.0 is no whole number here",
    "recordEvents": "4.0 is no whole number here, and lines are texts to schemathesis",
    "hello": "4.0 is no whole number here",
    "withdraw": "4.0 is no whole number here",
    "setOverrides": "4.0 is no whole number here",
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

CONFIG = f"""
hooks = "schema_hooks.py"
[generation]
# HTTP lets anybody add headers, and most servers are reached through somebody who does.
allow-extra-parameters = false
[checks]
positive_data_acceptance.expected-statuses = {json.dumps(REFUSED)}
[[operations]]
include-operation-id = {json.dumps([name for name in SENSE if name != JUDGED_ONE_BY_ONE])}
checks.positive_data_acceptance.expected-statuses = {json.dumps([*REFUSED, "400"])}
[[operations]]
include-operation-id = "{JUDGED_ONE_BY_ONE}"
checks.positive_data_acceptance.expected-statuses = {json.dumps([*REFUSED, "400"])}
checks.negative_data_rejection.enabled = false
"""


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
        pictures = {"prompt": "a fox", "size": "256x256"}
        images = self.ask("POST", "/v1/images/generations", pictures, by="account")
        deleted = self.ask("POST", "/v1/images/generations", pictures, by="account")
        job = self.ask("POST", "/api/jobs", pictures, key="job", by="account")["id"]
        spare = self.ask("POST", "/api/keys", {"owner": "service", "label": "to be revoked"})["id"]
        link = re.fullmatch(r".*/images/(.*)\?expires=(.*)&signature=(.*)", images["data"][0]["url"])
        self.link = [link[2], link[3]]
        # What an address may name, by the segment and what stands before it.
        self.things = {
            "accounts/id": ["ada", "sandbox"],
            "jobs/id": [job, deleted["id"]],
            "keys/id": [spare],
            "orders/order": [order],
            "models/id": ["dall-e-2", "gpt-image-1"],
            "images/file": [link[1]],
            "images/id": [deleted["data"][0]["id"]],
            "entries/seq": [1, 2],
        }

    def ask(self, method, path, body, key=None, by="operator"):
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), method=method)
        request.add_header("Authorization", f"Bearer {self.keys[by]}")
        request.add_header("Content-Type", "application/json")
        if key:
            request.add_header("Idempotency-Key", key)
        with urllib.request.urlopen(request) as reply:
            return json.load(reply)


def test_the_server_is_as_it_is_described(pattern, tmp_path):
    world = World(pattern)
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG.replace("schema_hooks.py", str(HERE / "schema_hooks.py")))
    program = pathlib.Path(sys.executable).with_name("schemathesis")
    phases = "--phases=examples,coverage,fuzzing"
    bounds = [f"--max-examples={EXAMPLES}", f"--seed={SEED}", "--generation-deterministic", "--request-timeout=60"]
    done = subprocess.run(
        [program, f"--config-file={config}", "run", f"{pattern.url}/openapi.json", phases, *bounds, "--no-color"],
        cwd=tmp_path,
        env=os.environ | {"SCHEMA_WORLD": json.dumps({"keys": world.keys, "things": world.things, "link": world.link})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert pattern.run("ledger", "verify")["findings"] == []
