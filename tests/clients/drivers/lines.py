"""The protocol of all drivers: a command a line comes in, an answer a line goes out, many at a time.

A command is `{"id", "verb", "base_url", "key", "retries", "timeout", "headers", "arguments", "files"}`; `key` is null
for none, `retries` and `timeout` (seconds) are null for the client's own. The verbs are `generate`, `edit`, `vary` and
`models`; `"stream": true` among the arguments asks for events. An answer has the command's `id` and what the client
made of the reply, in the client's own words:

- `reply`: the fields of the reply, as the client read them;
- `events`: those of a stream;
- `models`: their ids;
- `error`: `class`, `status`, `type`, `code`, `param`, `message`, `request_id`, as far as the client tells them;
- `broken`: a defect of the driver itself.
"""

import concurrent.futures
import json
import sys
import threading
import traceback

# As many as a test asks for at once.
TOGETHER_MAX = 64


def serve(answer):
    """Answers commands with `answer(command)` until there are no more."""
    printing = threading.Lock()

    def one(line):
        command = json.loads(line)
        try:
            told = answer(command)
        except Exception:
            told = {"broken": traceback.format_exc()}
        with printing:
            print(json.dumps({"id": command["id"], **told}), flush=True)

    with concurrent.futures.ThreadPoolExecutor(TOGETHER_MAX) as pool:
        for line in sys.stdin:
            pool.submit(one, line)
