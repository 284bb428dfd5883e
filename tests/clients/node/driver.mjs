// OpenAI's Node client. The protocol is that of ../drivers/lines.py.

import fs from "node:fs";
import readline from "node:readline";
import OpenAI from "openai";

const methods = { generate: "generate", edit: "edit", vary: "createVariation" };

function client(command) {
  const headers = command.key === null ? { Authorization: null, ...command.headers } : command.headers;
  return new OpenAI({
    baseURL: command.base_url,
    apiKey: command.key ?? "unused",
    defaultHeaders: headers,
    ...(command.retries !== null && { maxRetries: command.retries }),
    ...(command.timeout !== null && { timeout: command.timeout * 1000 }),
  });
}

// A stream of a file goes out in chunks, without a length.
function opened(paths) {
  return Array.isArray(paths) ? paths.map((path) => fs.createReadStream(path)) : fs.createReadStream(paths);
}

async function call(openai, command, told) {
  if (command.verb === "models") {
    told.models = [];
    for await (const model of openai.models.list()) told.models.push(model.id);
    return;
  }
  const files = Object.fromEntries(Object.entries(command.files).map(([name, paths]) => [name, opened(paths)]));
  const reply = await openai.images[methods[command.verb]]({ ...command.arguments, ...files });
  if (command.arguments.stream) {
    told.events = [];
    for await (const event of reply) told.events.push(event);
  } else {
    told.reply = reply;
    told.request_id = reply._request_id;
  }
}

function of(error) {
  return {
    class: error.constructor.name,
    status: error.status ?? null,
    type: error.type ?? null,
    code: error.code ?? null,
    param: error.param ?? null,
    // `error.message` begins with the status.
    message: error.error?.message ?? error.message,
    request_id: error.requestID ?? null,
  };
}

async function answer(command) {
  const told = {};
  try {
    await call(client(command), command, told);
  } catch (error) {
    if (error instanceof OpenAI.OpenAIError) told.error = of(error);
    else told.broken = String(error.stack ?? error);
  }
  process.stdout.write(JSON.stringify({ id: command.id, ...told }) + "\n");
}

for await (const line of readline.createInterface({ input: process.stdin })) answer(JSON.parse(line));
