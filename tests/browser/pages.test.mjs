// Drives the pages of a running server with Chromium, as a person would.
//
//   MEDICI_URL  the URL that `medici serve` printed, with its token; the server is fresh: 15 credits, no history
//   CHROMIUM    the browser; /usr/bin/chromium unless it is said
//   SCREENS     a folder for screenshots; none are taken unless it is said

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";

const PRINTED = process.env.MEDICI_URL;
assert.ok(PRINTED, "MEDICI_URL is the URL that the server printed");
const ORIGIN = new URL(PRINTED).origin;
const BROWSER = process.env.CHROMIUM ?? "/usr/bin/chromium";
assert.ok(existsSync(BROWSER), `there is no browser at ${BROWSER}: install Chromium or set CHROMIUM`);

const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];
// The smallest number of early looks that a person must have seen of every picture.
const LOOKS_MIN = 3;

let profile;
let browser;
let owner;

before(async () => {
  profile = await mkdtemp(join(tmpdir(), "medici-browser-"));
  browser = await chromium.launch({ executablePath: BROWSER, args: FLAGS, env: { ...process.env, HOME: profile } });
  // The printed URL works once; everybody else here has the cookie that it left.
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(PRINTED);
  assert.equal(page.url(), `${ORIGIN}/`, "the token leaves the address");
  owner = await context.storageState();
  await context.close();
});

after(async () => {
  await browser?.close();
  await rm(profile, { recursive: true, force: true });
});

// Opens a page that fails the test on any error in the console and on any refusal of the policy.
async function open(options = {}, path = "/") {
  const context = await browser.newContext({ storageState: owner, viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  // Patience for a machine that does other things too; nothing here waits that long when all is well.
  page.setDefaultTimeout(120_000);
  const wrong = [];
  page.on("console", (message) => message.type() === "error" && wrong.push(message.text()));
  page.on("pageerror", (error) => wrong.push(String(error)));
  page.on("requestfailed", (request) => request.failure()?.errorText !== "net::ERR_ABORTED" && wrong.push(`${request.url()}: ${request.failure()?.errorText}`));
  await page.addInitScript(() => {
    window.refused = [];
    document.addEventListener("securitypolicyviolation", (event) => window.refused.push(`${event.violatedDirective} ${event.blockedURI}`));
    // Every early look that the page has shown.
    window.looks = [];
    const note = (look) => {
      const card = look.closest("article");
      if (card && look.src && !look.hidden) {
        window.looks.push({ job: card.id, image: Number(look.parentElement.dataset.image), number: Number(look.dataset.number), src: look.src });
      }
    };
    new MutationObserver((changes) => {
      for (const change of changes) {
        if (change.type === "attributes") note(change.target);
        for (const node of change.addedNodes) if (node.querySelectorAll) node.querySelectorAll(".look").forEach(note);
      }
    }).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-number"] });
  });
  // A browser reports every refused request as an error; `expected` are those that the test has asked for.
  const done = async (expected = /^$/) => {
    if (options.javaScriptEnabled !== false) wrong.push(...(await page.evaluate(() => window.refused)));
    await context.close();
    assert.deepEqual(wrong.filter((text) => !expected.test(text)), []);
  };
  const response = await page.goto(ORIGIN + path);
  return { page, context, response, done };
}

async function credits(page) {
  const text = await page.locator("#chip summary b").textContent();
  assert.match(text, /^[\d.]+ credits?$/);
  return Number.parseFloat(text);
}

async function generate(page, prompt, { count = 4, size = "256x256" } = {}) {
  await page.locator("#prompt").fill(prompt);
  await page.locator(`[name=count][value="${count}"]`).check();
  await page.locator(`.composer [name=size][value="${size}"]`).check();
  await page.locator(".composer .primary").click();
  const card = page.locator("article.job").first();
  await card.locator("h3", { hasText: prompt }).waitFor();
  return page.locator(`[id="${await card.getAttribute("id")}"]`);
}

async function shot(page, name) {
  if (process.env.SCREENS) await page.screenshot({ path: join(process.env.SCREENS, `${name}.png`) });
}

async function assertNoSideways(page, where) {
  const { wide, across } = await page.evaluate(() => ({ wide: document.documentElement.scrollWidth, across: window.innerWidth }));
  assert.ok(wide <= across, `${where}: ${wide} pixels wide on a screen of ${across}`);
}

test("a page is guarded, and somebody without the cookie is told what to do", async () => {
  const { page, response, done } = await open();
  const headers = response.headers();
  assert.equal(
    headers["content-security-policy"],
    "default-src 'self'; script-src 'self'; img-src 'self' data:; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
  );
  assert.equal(headers["x-content-type-options"], "nosniff");
  assert.ok(headers["referrer-policy"]);
  assert.equal(await page.locator("[style], script:not([src]), style").count(), 0, "no page carries style or script of its own");
  for (const asset of await page.locator("link[rel=stylesheet], link[rel=icon], script[src]").evaluateAll((all) => all.map((one) => one.href ?? one.src))) {
    const file = await page.request.get(asset);
    assert.equal(file.status(), 200, asset);
    assert.match(file.headers()["cache-control"], /immutable/);
  }
  await page.keyboard.type("typed at once");
  assert.equal(await page.locator("#prompt").inputValue(), "typed at once", "the prompt has the focus");
  await done();

  const stranger = await browser.newContext();
  const outside = await stranger.newPage();
  const refused = await outside.goto(`${ORIGIN}/`);
  assert.equal(refused.status(), 401);
  assert.match(await outside.locator("body").textContent(), /printed/);
  await shot(outside, "signed-out");
  const missing = await outside.goto(`${ORIGIN}/no/such/page`);
  assert.equal(missing.status(), 404);
  assert.equal(await outside.locator("h1").count(), 1);
  await stranger.close();
});

test("four pictures sharpen, and the balance falls by one", async () => {
  const { page, done } = await open();
  const begin = await credits(page);
  await shot(page, "empty");
  assert.match(await page.locator(".primary").textContent(), /^Generate · 1 credit$/);
  const card = await generate(page, "a red fox");
  assert.equal(await credits(page), begin - 1, "one credit is held as soon as the job is there");
  const frame = await card.locator(".tile").first().boundingBox();
  await card.and(page.locator("[data-state=done]")).waitFor();
  assert.equal(await credits(page), begin - 1, "and no more is taken");
  const now = await card.locator(".tile").first().boundingBox();
  assert.deepEqual([now.width, Math.round(now.x)], [frame.width, Math.round(frame.x)], "the pictures stand where their frames stood");
  assert.match(await card.locator(".charge").textContent(), /1 credit charged/);
  const pictures = card.locator(".open img");
  assert.equal(await pictures.count(), 4);
  for (let index = 0; index < 4; index += 1) {
    assert.equal(await pictures.nth(index).getAttribute("alt"), `a red fox, image ${index + 1} of 4`);
  }

  const id = await card.getAttribute("id");
  const distances = await page.evaluate(async (job) => {
    const side = 128;
    const pixels = async (src) => {
      const image = new Image();
      image.src = src;
      await image.decode();
      const canvas = document.createElement("canvas");
      canvas.width = canvas.height = side;
      const context = canvas.getContext("2d");
      context.drawImage(image, 0, 0, side, side);
      return context.getImageData(0, 0, side, side).data;
    };
    const finals = [...document.getElementById(job).querySelectorAll(".open img")];
    const found = [];
    for (const [index, final] of finals.entries()) {
      const end = await pixels(final.src);
      const distances = [];
      for (const look of window.looks.filter((look) => look.job === job && look.image === index + 1)) {
        const early = await pixels(look.src);
        distances.push(early.reduce((sum, value, at) => sum + Math.abs(value - end[at]), 0) / early.length);
      }
      found.push(distances);
    }
    return found;
  }, id);
  for (const [index, far] of distances.entries()) {
    assert.ok(far.length >= LOOKS_MIN, `picture ${index + 1} was seen ${far.length} times on its way`);
    for (let at = 1; at < far.length; at += 1) {
      assert.ok(far[at] < far[at - 1], `look ${at + 1} of picture ${index + 1} is nearer: ${far.map((d) => d.toFixed(2)).join(", ")}`);
    }
  }
  await shot(page, "done");

  // The viewer: opened and left by the keyboard, with the siblings on the arrows.
  await card.locator(".open").nth(0).focus();
  await page.keyboard.press("Enter");
  const viewer = page.locator("#viewer");
  await viewer.waitFor();
  await page.keyboard.press("ArrowRight");
  assert.equal(await viewer.locator("img").getAttribute("alt"), "a red fox, image 2 of 4");
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("ArrowLeft");
  assert.equal(await viewer.locator("img").getAttribute("alt"), "a red fox, image 4 of 4");
  await shot(page, "viewer");
  const [file] = await Promise.all([page.waitForEvent("download"), viewer.locator("figcaption a").click()]);
  assert.match(file.suggestedFilename(), /^a-red-fox-[0-9a-f]{4}-4\.png$/);
  await page.keyboard.press("Escape");
  await viewer.waitFor({ state: "hidden" });
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("href")), `/jobs/${id}/images/4`, "the focus is back on the picture");

  // History, on a fresh load.
  await page.reload();
  assert.equal(await page.locator(`[id="${id}"] .open img`).count(), 4);
  assert.equal(await page.locator(".day h2").first().textContent(), "Today");
  await page.locator(`[id="${id}"] .again`).click();
  assert.equal(await page.locator("#prompt").inputValue(), "a red fox");
  assert.equal(await credits(page), begin - 1);
  await done();
});

test("a cancelled job gives its credit back", async () => {
  const { page, done } = await open();
  const begin = await credits(page);
  // Something to wait for, so that the job is still in line when it is cancelled.
  const ahead = 4;
  await page.evaluate(async (ahead) => {
    const form = new FormData(document.querySelector(".composer"));
    form.set("prompt", "three apples");
    // The largest takes longest.
    const sizes = [...document.querySelectorAll(".composer [name=size]")];
    form.set("size", sizes.at(-1).value);
    for (let job = 0; job < ahead; job += 1) {
      form.set("key", crypto.randomUUID());
      await fetch("/create", { method: "POST", body: new URLSearchParams(form), headers: { "x-part": "1" } });
    }
  }, ahead);
  const card = await generate(page, "a blue butterfly");
  assert.equal(await credits(page), begin - ahead - 1);
  await shot(page, "running");
  await card.locator(".cancel").click();
  await card.and(page.locator("[data-state=cancelled]")).waitFor();
  assert.match(await card.textContent(), /Cancelled.*Credit returned/s);
  assert.equal(await credits(page), begin - ahead);
  await page.reload();
  assert.equal(await card.getAttribute("data-state"), "cancelled", "it stays in the history");
  await done();
});

test("the form says what is wrong, keeps the words, and costs nothing", async () => {
  const { page, done } = await open();
  const begin = await credits(page);
  const limit = Number(await page.locator(".composer").getAttribute("data-limit"));
  await page.locator("#prompt").fill("x".repeat(limit + 1));
  assert.ok(await page.locator(".primary").isDisabled());
  assert.equal(await page.locator("#counter").textContent(), `${limit + 1} of ${limit} characters`);
  await page.locator("#prompt").fill("a turtle");
  await page.locator("[name=seed]").fill("not a number");
  await page.locator("#prompt").press("Control+Enter");
  await page.locator("#problem:not(:empty)").waitFor();
  assert.match(await page.locator("#problem").textContent(), /seed/i);
  assert.equal(await page.locator("#prompt").inputValue(), "a turtle");
  assert.equal(await credits(page), begin);
  await page.locator(".surprise").click();
  await page.waitForFunction(() => !["", "a turtle"].includes(document.querySelector("#prompt").value));
  await done(/status of 422/);
});

test("a form that is sent twice costs once, and one from elsewhere is refused", async () => {
  const { page, done } = await open();
  const begin = await credits(page);
  const key = await page.locator(".composer [name=key]").inputValue();
  const form = { key, prompt: "a lighthouse", size: "256x256", count: "1", background: "", seed: "" };
  const send = (headers) => page.request.post(`${ORIGIN}/create`, { form, headers, maxRedirects: 0 });
  const foreign = await send({ origin: "https://elsewhere.example", "sec-fetch-site": "cross-site" });
  assert.equal(foreign.status(), 403);
  const first = await send({ origin: ORIGIN });
  const second = await send({ origin: ORIGIN });
  assert.deepEqual([first.status(), second.status()], [303, 303]);
  assert.equal(first.headers().location, second.headers().location);
  await page.reload();
  assert.equal(await credits(page), begin - 1);
  await done();
});

test("everything fits a small phone", async () => {
  for (const colorScheme of ["light", "dark"]) {
    const { page, done } = await open({ viewport: { width: 320, height: 640 }, colorScheme });
    await assertNoSideways(page, "the first page");
    await page.locator("#chip summary").click();
    await assertNoSideways(page, "with the balance open");
    await page.keyboard.press("Escape");
    const small = await page
      .locator("button:visible, summary:visible, .quiet:visible, .pick label:visible, .switch:visible, .save:visible")
      .evaluateAll((all) => all.filter((one) => one.getBoundingClientRect().height < 44).map((one) => one.outerHTML.slice(0, 80)));
    assert.deepEqual(small, [], "what is touched is at least 44 pixels high");
    await page.locator(".job[data-state=done] .open").first().click();
    await assertNoSideways(page, "the viewer");
    await shot(page, `small-viewer-${colorScheme}`);
    await page.keyboard.press("Escape");
    await shot(page, `small-${colorScheme}`);
    await page.goto(`${ORIGIN}/jobs/${await page.locator(".job").first().getAttribute("id")}`);
    await assertNoSideways(page, "the job's page");
    await done();
  }
});

test("the theme is kept", async () => {
  const { page, done } = await open({ colorScheme: "light" });
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await page.locator(".theme").click();
  const dark = await ground();
  assert.notEqual(dark, light);
  await page.reload();
  assert.equal(await ground(), dark);
  await done();
});

test("everything works without scripts", async () => {
  const { page, done } = await open({ javaScriptEnabled: false });
  const begin = await credits(page);
  await page.locator("#prompt").fill("a penguin");
  await page.locator(".primary").click();
  await page.waitForURL(/\/jobs\/job_[0-9a-f]{32}$/);
  const job = page.url();
  // The page loads itself again until the pictures are there.
  await page.locator("article[data-state=done]").waitFor();
  assert.equal(await page.locator(".open img").count(), 4);
  assert.equal(await credits(page), begin - 1);
  await shot(page, "no-script");
  await page.locator(".again").click();
  assert.equal(await page.locator("#prompt").inputValue(), "a penguin");
  assert.equal(await page.locator(`[id="${job.split("/").pop()}"] .open img`).count(), 4);
  await done();
});

test("prices are on a page, on a phone too, in both themes", async () => {
  for (const [name, options] of Object.entries({
    "prices": {},
    "prices-phone-dark": { viewport: { width: 360, height: 740 }, colorScheme: "dark" },
  })) {
    const { page, done } = await open(options);
    await page.locator('footer a[href="/prices"]').click();
    await page.locator(".version.now").waitFor();
    assert.match(await page.locator(".version.now").textContent(), /generate\s*1 credit for up to 4 pictures/);
    await assertNoSideways(page, name);
    await shot(page, name);
    await done();
  }
});
