"""OpenAI's Python client, 1.x and later."""

import contextlib

import lines
import openai

# One pool of connections for all commands, as in a program that makes one client and keeps it.
BASE = openai.OpenAI(base_url="http://unused", api_key="unused")
CALLS = {
    "generate": BASE.images.generate,
    "edit": BASE.images.edit,
    "vary": BASE.images.create_variation,
}


def client(command):
    options = {name: command[ours] for name, ours in [("max_retries", "retries"), ("timeout", "timeout")]
               if command[ours] is not None}
    return BASE.with_options(
        base_url=command["base_url"], api_key=command["key"] or "unused", default_headers=command["headers"], **options
    )


def answer(command):
    with contextlib.ExitStack() as opened:
        open_file = lambda path: opened.enter_context(open(path, "rb"))
        files = {
            name: [open_file(path) for path in paths] if isinstance(paths, list) else open_file(paths)
            for name, paths in command["files"].items()
        }
        told = {}
        try:
            # Only for a single request can this client be kept from sending a key.
            keyless = {"extra_headers": {"Authorization": openai.Omit()}} if command["key"] is None else {}
            call(client(command), command["verb"], {**command["arguments"], **files, **keyless}, told)
        except openai.APIError as error:
            told["error"] = of(error)
        return told


def call(asked, verb, arguments, told):
    if verb == "models":
        told["models"] = [model.id for model in asked.models.list()]
        return
    method = getattr(asked.images, CALLS[verb].__name__)
    reply = method(**arguments)
    if arguments.get("stream"):
        told["events"] = []
        for event in reply:
            told["events"].append(event.model_dump(mode="json"))
    else:
        told["reply"] = reply.model_dump(mode="json")
        told["request_id"] = reply._request_id


def of(error):
    names = {"status": "status_code", "type": "type", "code": "code", "param": "param", "request_id": "request_id"}
    told = {ours: getattr(error, theirs, None) for ours, theirs in names.items()}
    # `error.message` is all of the body, behind the status.
    message = error.body["message"] if isinstance(error.body, dict) else error.message
    return {"class": type(error).__name__, "message": message, **told}


lines.serve(answer)
