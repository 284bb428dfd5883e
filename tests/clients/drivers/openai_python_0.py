"""OpenAI's Python client before 1.0: functions of a module, no retries, no streams of pictures."""

import contextlib
import json
import threading

import lines
import openai
import requests

CALLS = {
    "generate": openai.Image.create,
    "edit": openai.Image.create_edit,
    "vary": openai.Image.create_variation,
}
asked = threading.local()


class Session(requests.Session):
    """Where this client lets a program set headers and a timeout: it offers both nowhere else."""

    def request(self, *arguments, headers=None, timeout=None, **options):
        headers = {**(headers or {}), **asked.headers}
        return super().request(*arguments, headers=headers, timeout=asked.timeout or timeout, **options)


openai.requestssession = Session


def answer(command):
    asked.headers, asked.timeout = command["headers"], command["timeout"]
    reached = {"api_base": command["base_url"], "api_key": command["key"]}
    with contextlib.ExitStack() as opened:
        files = {name: opened.enter_context(open(path, "rb")) for name, path in command["files"].items()}
        try:
            if command["verb"] == "models":
                return {"models": [model.id for model in openai.Model.list(**reached).data]}
            reply = CALLS[command["verb"]](**command["arguments"], **files, **reached)
            return {"reply": reply.to_dict_recursive()}
        except openai.error.OpenAIError as error:
            return {"error": of(error)}


def of(error):
    # Of a 503 this client reads nothing, but hands over the body.
    told = error.error or json.loads(error.http_body or "{}").get("error", {})
    return {
        "class": type(error).__name__,
        "status": error.http_status,
        # Of a 5xx `user_message` is the message, the body, and the headers.
        "message": told.get("message", error.user_message),
        "type": told.get("type"),
        "code": told.get("code"),
        "param": told.get("param"),
        "request_id": error.headers.get("x-request-id"),
    }


lines.serve(answer)
