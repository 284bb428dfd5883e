"""The command `curl`, as a shell script would call it."""

import json
import pathlib
import subprocess
import tempfile

import lines

PATHS = {"generate": "/images/generations", "edit": "/images/edits", "vary": "/images/variations", "models": "/models"}


def answer(command):
    with tempfile.TemporaryDirectory() as directory:
        head, body = (pathlib.Path(directory, name) for name in ["head", "body"])
        arguments = ["--silent", "--no-buffer", "--dump-header", head, "--output", body, *options(command)]
        url = command["base_url"] + PATHS[command["verb"]]
        # A long body does not fit among the arguments of a program.
        done = subprocess.run(["curl", *arguments, url], input=json.dumps(command["arguments"]).encode())
        if done.returncode != 0:
            return {"error": {"class": f"curl: ({done.returncode})", "status": None, "message": ""}}
        # Of several tries the last one counts.
        head = head.read_bytes().decode("latin-1").strip().split("\r\n\r\n")[-1].split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in head[1:])}
        return read(command, int(head[0].split()[1]), headers, body.read_bytes())


def options(command):
    given = [("Authorization", f"Bearer {command['key']}")] if command["key"] is not None else []
    for name, value in [*given, *command["headers"].items()]:
        yield from ["--header", f"{name}: {value}"]
    if command["timeout"] is not None:
        yield from ["--max-time", str(command["timeout"])]
    if command["retries"]:
        yield from ["--retry", str(command["retries"])]
    if command["verb"] == "generate":
        yield from ["--json", "@-"]
    elif command["verb"] != "models":
        for name, value in command["arguments"].items():
            yield from ["--form-string", f"{name}={json.dumps(value) if isinstance(value, bool) else value}"]
        for name, paths in command["files"].items():
            for path in paths if isinstance(paths, list) else [paths]:
                yield from ["--form", f"{name}{'[]' if isinstance(paths, list) else ''}=@{path}"]


def read(command, status, headers, body):
    request_id = headers.get("x-request-id")
    if headers["content-type"].startswith("text/event-stream"):
        data = [line.removeprefix(b"data: ") for line in body.splitlines() if line.startswith(b"data: ")]
        events = [json.loads(piece) for piece in data]
        errors = [event["error"] for event in events if "error" in event]
        told = {"events": [event for event in events if "error" not in event], "request_id": request_id}
        return {**told, "error": {"class": "event", "status": None, **errors[0]}} if errors else told
    body = json.loads(body)
    if status != 200:
        return {"error": {"class": f"HTTP {status}", "status": status, "request_id": request_id, **body["error"]}}
    if command["verb"] == "models":
        return {"models": [model["id"] for model in body["data"]]}
    return {"reply": body, "request_id": request_id}


lines.serve(answer)
