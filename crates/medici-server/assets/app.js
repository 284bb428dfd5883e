// Makes the pages live. Everything here also works without it, by plain links and forms; so this module knows
// no words: what it shows, the server has written into the page.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const words = document.body.dataset;

// How long each early look stays at least, so that a fast model can be watched: milliseconds.
const LOOK_MS = 140;
// How often the progress is read out at most: milliseconds.
const SAY_MS = 5000;
// Streams at a time. Browsers open six connections to one server, and pictures need some too.
const STREAMS_MAX = 3;

const remember = (name, value) => (document.cookie = `${name}=${value}; Path=/; Max-Age=31536000; SameSite=Lax`);
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// ---- The reader's clock and light -------------------------------------------------------------------------

remember("tz", -new Date().getTimezoneOffset());

const themeButton = $(".theme");
themeButton.hidden = false;
themeButton.addEventListener("click", () => {
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const theme = (document.documentElement.dataset.theme ?? system) === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  remember("theme", theme);
});

// ---- What a screen reader hears ---------------------------------------------------------------------------

let saidAt = -SAY_MS;
function say(text, often = false) {
  const now = performance.now();
  if (often && now - saidAt < SAY_MS) return;
  saidAt = now;
  $("#news").textContent = text;
}

// ---- Create -----------------------------------------------------------------------------------------------

const composer = $(".composer");
const prompt = $("#prompt");

// Says what is in the way, and what it costs.
function weigh() {
  if (!composer) return;
  const used = [...prompt.value].length;
  const limit = Number(composer.dataset.limit);
  const counter = $("#counter");
  counter.hidden = used < limit * 0.8;
  counter.classList.toggle("over", used > limit);
  counter.textContent = counter.dataset.text.replace("{used}", used).replace("{of}", limit);
  prompt.setAttribute("aria-invalid", used > limit);
  const choice = $("[name=count]:checked", composer);
  const chip = $("#chip");
  const poor = chip && choice && Number(chip.dataset.available) < Number(choice.dataset.price);
  const button = $(".primary", composer);
  if (choice) button.textContent = choice.dataset.button;
  if (choice) $("#blocked").textContent = poor ? chip.dataset.short : "";
  button.disabled = used > limit || poor || !choice;
}

function grow() {
  // Where the style sheet cannot do it.
  if (CSS.supports("field-sizing", "content")) return;
  prompt.rows = 2;
  while (prompt.rows < 6 && prompt.scrollHeight > prompt.clientHeight) prompt.rows += 1;
}

function fill(values) {
  if (values.prompt !== undefined) prompt.value = values.prompt;
  for (const name of ["size", "count"]) {
    const choice = values[name] && $(`[name=${name}][value="${values[name]}"]`, composer);
    if (choice) choice.checked = true;
  }
  const background = $("[name=background]", composer);
  if (background && values.transparent !== undefined) background.checked = values.transparent;
  $("[name=seed]", composer).value = values.seed ?? "";
  $("#problem").textContent = "";
  grow();
  weigh();
  prompt.focus();
  prompt.setSelectionRange(prompt.value.length, prompt.value.length);
  composer.scrollIntoView({ block: "nearest", behavior: calm.matches ? "auto" : "smooth" });
}

if (composer) {
  composer.addEventListener("input", () => (grow(), weigh()));
  prompt.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      if (!$(".primary", composer).disabled) composer.requestSubmit();
    } else if (event.key === "ArrowUp" && prompt.value === "") {
      const last = $(".job h3");
      if (last) event.preventDefault(), fill({ prompt: last.textContent });
    }
  });
  $(".surprise").addEventListener("click", async (event) => {
    event.preventDefault();
    const answer = await fetch("/surprise").catch(() => null);
    if (answer?.ok) fill({ prompt: await answer.text() });
    else $("#problem").textContent = words.offline;
  });
  grow();
  weigh();
}

// ---- Forms without leaving the page -----------------------------------------------------------------------

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("[data-live]")) return;
  event.preventDefault();
  // A second click, or Enter held down, waits for the first one's answer.
  if (form.ariaBusy === "true") return;
  form.ariaBusy = "true";
  const button = event.submitter ?? $("[type=submit]", form);
  try {
    const body = new URLSearchParams(new FormData(form));
    const answer = await fetch(form.action, { method: "POST", body, headers: { "x-part": "1" } });
    if (form === composer) $("#problem").textContent = "";
    await place(answer, form);
  } catch {
    // The key stays: whether or not the request arrived, sending it again costs once at most.
    complain(form, words.offline);
  } finally {
    form.ariaBusy = "false";
    if (!document.activeElement || document.activeElement === document.body) button?.focus();
  }
});

function complain(form, text) {
  let problem = form === composer ? $("#problem") : $(".problem", form);
  if (!problem) {
    problem = document.createElement("p");
    problem.className = "problem";
    problem.role = "alert";
    form.append(problem);
  }
  problem.textContent = text;
}

// Puts the parts of an answer where they belong.
async function place(answer, form) {
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const part = $("[data-key]", page);
  // Not a part but a page: the session has ended, or the server is in trouble. It says so itself.
  if (!part) return location.reload();
  const chip = $("#chip", part);
  if (chip) {
    chip.open = $("#chip")?.open ?? false;
    $("#chip")?.replaceWith(chip);
  }
  if (form === composer || !form) renewKey(part.dataset.key, form);
  const problem = $("p.problem", part);
  if (problem && !$("article", part)) complain(form, problem.textContent);
  const card = $("article", part);
  if (card) await hang(card);
  weigh();
}

// The next request is another one; a request whose answer never came is still the same.
function renewKey(key, form) {
  if (form) $("[name=key]", form).value = key;
}

async function hang(card) {
  const old = document.getElementById(card.id);
  if (!["queued", "running"].includes(card.dataset.state)) {
    streams.get(card.id)?.close();
    if (old) await loaded(card);
  }
  if (old) {
    const focused = old.contains(document.activeElement);
    old.replaceWith(card);
    if (focused) (card.tabIndex = -1), card.focus({ preventScroll: true });
  } else if ($("#today")) {
    today().querySelector("h2").after(card);
    $(".empty")?.remove();
    card.scrollIntoView({ block: "nearest", behavior: calm.matches ? "auto" : "smooth" });
  } else {
    return location.assign(`/jobs/${card.id}`);
  }
  say(card.dataset.says);
  follow(card);
}

function today() {
  const date = new Date();
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((n) => String(n).padStart(2, "0")).join("-");
  const first = $(".day");
  if (first?.dataset.day === day) return first;
  const section = $("#today").content.cloneNode(true).firstElementChild;
  section.dataset.day = day;
  $("#history").prepend(section);
  return section;
}

// Waits until the pictures of a card can be shown without a gap, but not for ever.
function loaded(card) {
  const pictures = $$(".open img", card).map((picture) => {
    const image = new Image();
    image.src = picture.src;
    return image.decode().catch(() => {});
  });
  return Promise.race([Promise.all(pictures), pause(3000)]);
}

// ---- The news of a job ------------------------------------------------------------------------------------

const streams = new Map();
const waiting = [];

function follow(card) {
  if (!["queued", "running"].includes(card.dataset.state)) return;
  if (streams.has(card.id) || waiting.includes(card.id)) return;
  waiting.push(card.id);
  listen();
}

function listen() {
  while (streams.size < STREAMS_MAX && waiting.length > 0) stream(waiting.shift());
}

function stream(id) {
  const source = new EventSource(`/jobs/${id}/events`);
  const looks = [];
  let showing = Promise.resolve();
  const over = () => (source.close(), streams.delete(id), listen());
  streams.set(id, { close: over });
  const part = (selector) => $(selector, document.getElementById(id) ?? document.createElement("i"));

  source.addEventListener("state", (event) => {
    const { state, status, step } = JSON.parse(event.data);
    const card = document.getElementById(id);
    if (!card) return over();
    card.dataset.state = state;
    const now = part(".now");
    if (now) now.textContent = status;
    const bar = part("progress");
    if (bar && step) (bar.max = step.of), (bar.value = step.at);
    say(status, true);
  });

  source.addEventListener("preview", (event) => {
    looks.push(JSON.parse(event.data));
    if (looks.length === 1) showing = showing.then(show);
  });

  // Shows the early looks one generation after the other.
  async function show() {
    // The rest of this generation is on its way.
    await pause(0);
    while (looks.length > 0) {
      const { number } = looks[0];
      while (looks[0]?.number === number) {
        const { image, src } = looks.shift();
        const look = part(`[data-image="${image}"] .look`);
        if (look) (look.src = src), (look.dataset.number = number), (look.hidden = false);
      }
      await pause(calm.matches ? 0 : LOOK_MS);
    }
  }

  source.addEventListener("ended", async () => {
    over();
    await showing;
    const answer = await fetch(`/jobs/${id}/card`, { headers: { "x-part": "1" } }).catch(() => null);
    if (answer?.ok) await place(answer);
  });

  source.onerror = () => {
    // Closed for good: the session has ended or the job is gone. Otherwise the browser tries again by itself.
    if (source.readyState === EventSource.CLOSED) return over();
    const now = part(".now");
    if (now) now.textContent = words.lost;
  };
}

$$(".job").forEach(follow);

// ---- Links that fill the form -----------------------------------------------------------------------------

document.addEventListener("click", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  const link = event.target.closest("a");
  if (!link) return;
  if (link.matches(".open")) {
    event.preventDefault();
    view(link);
  } else if (composer && link.dataset.again) {
    event.preventDefault();
    const card = link.closest(".job");
    const { prompt, size, count } = $(".again", card).dataset;
    fill({ prompt, size, count, transparent: "transparent" in card.dataset, seed: link.dataset.seed });
  } else if (composer && link.dataset.prompt !== undefined) {
    event.preventDefault();
    fill({ prompt: link.dataset.prompt });
  }
});

// ---- The viewer -------------------------------------------------------------------------------------------

const viewer = $("#viewer");
let shown = null;

function view(link) {
  shown = link;
  const picture = $("img", link);
  const large = $("img", viewer);
  large.src = picture.src;
  large.alt = picture.alt;
  large.width = picture.width;
  large.height = picture.height;
  viewer.toggleAttribute("data-transparent", "transparent" in link.closest(".job").dataset);
  $("figcaption span", viewer).textContent = picture.alt;
  $("figcaption a", viewer).href = `${link.getAttribute("href")}?download`;
  const siblings = $$(".open", link.closest(".tiles"));
  $$(".previous, .next", viewer).forEach((button) => (button.hidden = siblings.length < 2));
  if (!viewer.open) viewer.showModal();
}

function turn(by) {
  const siblings = $$(".open", shown.closest(".tiles"));
  view(siblings[(siblings.indexOf(shown) + by + siblings.length) % siblings.length]);
}

$(".previous", viewer).addEventListener("click", () => turn(-1));
$(".next", viewer).addEventListener("click", () => turn(1));
viewer.addEventListener("keydown", (event) => {
  if (event.key === "ArrowLeft") turn(-1);
  if (event.key === "ArrowRight") turn(1);
});
// A click beside the picture closes, as Esc does.
viewer.addEventListener("click", (event) => event.target === viewer && viewer.close());
viewer.addEventListener("close", () => shown?.focus());

// The balance opens over the page, so a click elsewhere or Esc closes it.
document.addEventListener("click", (event) => {
  const chip = $("#chip[open]");
  if (chip && !chip.contains(event.target)) chip.open = false;
});
document.addEventListener("keydown", (event) => {
  const chip = $("#chip[open]");
  if (event.key === "Escape" && chip) (chip.open = false), $("summary", chip).focus();
});
