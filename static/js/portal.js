/* Progressive enhancement only: every page works without this module.
   Sentences that a person reads come from the page (data-say-… beside the form), translated. */

const language = document.documentElement.lang;
const clock = (iso) => {
  const moment = new Date(iso);
  return Number.isNaN(moment.getTime())
    ? iso
    : moment.toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
};

/* The first thing a person hears after a refused form is what to mend. */
document.querySelector("[data-focus]")?.focus();

/* On a narrow screen the row of tabs scrolls: the open one is brought into sight. */
const tab = document.querySelector(".tabs [aria-current]");
if (tab) {
  const row = tab.closest("ul");
  const [here, frame] = [tab.getBoundingClientRect(), row.getBoundingClientRect()];
  row.scrollLeft += here.left - frame.left - (frame.width - here.width) / 2;
}

/* Quick exit: the link, or Escape three times within two seconds. Nothing stays in this tab. */
const exit = document.querySelector("[data-quick-exit]");
if (exit) {
  const leave = (event) => {
    event?.preventDefault();
    sessionStorage.clear();
    document.body.hidden = true;
    location.replace(exit.href);
  };
  let presses = [];
  exit.addEventListener("click", leave);
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    presses = [...presses.filter((at) => event.timeStamp - at < 2000), event.timeStamp];
    if (presses.length === 3) leave();
  });
}

/* Limits are counted, never cut. Scripts without spaces between words are counted by the browser's
   own segmenter; where there is none, by spaces. The server's count decides. */
const segmenter = globalThis.Intl?.Segmenter && new Intl.Segmenter(undefined, { granularity: "word" });
const words = (text) =>
  segmenter
    ? [...segmenter.segment(text)].filter((part) => part.isWordLike).length
    : (text.match(/\S+/g) ?? []).length;

for (const input of document.querySelectorAll("[data-max-words], [data-max-chars]")) {
  const line = document.getElementById(`${input.id}-limit`);
  if (!line) continue;
  const inWords = input.dataset.maxWords !== undefined;
  const limit = Number(inWords ? input.dataset.maxWords : input.dataset.maxChars);
  const count = document.createElement("span");
  const spoken = document.createElement("span");
  spoken.className = "visually-hidden";
  spoken.setAttribute("aria-live", "polite");
  count.setAttribute("aria-hidden", "true");
  line.append(" ", count, spoken);
  let quiet;
  const show = (speak) => {
    const used = inWords ? words(input.value) : [...input.value].length;
    count.textContent = `${used.toLocaleString(language)} / ${limit.toLocaleString(language)}`;
    line.classList.toggle("over", used > limit);
    clearTimeout(quiet);
    if (speak && used > limit * 0.9) quiet = setTimeout(() => (spoken.textContent = count.textContent), 1200);
  };
  input.addEventListener("input", () => show(true));
  show(false);
}

/* A new account speaks in the time of the place where it is opened. */
for (const input of document.querySelectorAll("[data-time-zone]")) {
  input.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
}

/* A file that would be refused for its size is refused before it travels. */
for (const form of document.querySelectorAll("[data-max-bytes]")) {
  const said = document.createElement("p");
  said.className = "error";
  said.setAttribute("role", "alert");
  form.addEventListener("change", ({ target }) => {
    const file = target.files?.[0];
    if (!file) return;
    const size = `${(file.size / 1024 ** 2).toLocaleString(language, { maximumFractionDigits: 1 })} MB`;
    const tooLarge = file.size > Number(form.dataset.maxBytes);
    said.textContent = tooLarge
      ? form.dataset.sayTooLarge.replace("{name}", () => file.name).replace("{size}", size)
      : "";
    if (!tooLarge) return;
    target.value = "";
    target.after(said);
  });
}

/* Score sheets: a number key chooses the point of the criterion that has the focus. */
for (const panel of document.querySelectorAll("[data-score]")) {
  panel.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target.matches("textarea, select, input:not([type=radio])")) return;
    const point = [...panel.querySelectorAll("input[type=radio]")].find((input) => input.value === event.key);
    if (!point || point.disabled) return;
    event.preventDefault();
    point.focus();
    if (!point.checked) point.click();
  });
}

/* A second click on a button that is already working does nothing. The name and value of the
   button still travel, because it is disabled only after the form has been read. */
const sent = new Set();
const buttons = (form, off) => form.querySelectorAll("button[type=submit]").forEach((button) => (button.disabled = off));
const release = () => {
  for (const form of sent) buttons(form, false);
  sent.clear();
};
addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (sent.has(form)) return event.preventDefault();
  sent.add(form);
  setTimeout(() => buttons(form, true));
  setTimeout(release, 15000); /* the answer was a download, or never came */
});
addEventListener("pageshow", release);

/* Autosave: after 1.5 s of quiet, on leaving a field and on leaving the page. Unsent text stays in
   this tab's session storage until the server has it, and is put back when the page opens again. */
const QUIET = 1500;
const RETRY = [3000, 10000, 30000, 60000];

class Autosave {
  constructor(form) {
    this.form = form;
    this.key = `unsent:${location.pathname}:${form.id}`;
    this.line = form.querySelector("[data-saved]");
    this.say = this.line.dataset;
    this.failures = 0;
    this.last = this.content();
    this.restore();
    form.addEventListener("input", () => this.later(QUIET));
    form.addEventListener("focusout", () => this.save());
    form.addEventListener("submit", () => { clearTimeout(this.timer); this.stopped = true; });
    addEventListener("pageshow", () => (this.stopped = this.conflict ?? false));
    addEventListener("online", () => this.save());
    document.addEventListener("visibilitychange", () => document.hidden && this.save(true));
  }

  fields() {
    return [...new FormData(this.form)].filter(([, value]) => typeof value === "string");
  }

  content() {
    return JSON.stringify(this.fields().filter(([name]) => this.form.elements[name]?.type !== "hidden"));
  }

  forget() {
    sessionStorage.removeItem(this.key);
  }

  later(delay) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), delay);
  }

  tell(sentence, tone = "") {
    this.line.dataset.tone = tone;
    this.line.textContent = sentence;
  }

  /* `last` is what the server holds: only over that may the kept text be put back. */
  keep() {
    try {
      sessionStorage.setItem(this.key, JSON.stringify({ text: this.content(), over: this.last }));
    } catch { /* storage is full or refused: the text is still on the page */ }
  }

  restore() {
    const kept = JSON.parse(sessionStorage.getItem(this.key) ?? "null");
    if (!kept) return;
    if (kept.text === this.last || this.form.querySelector("[aria-invalid]")) return this.forget();
    if (kept.over !== this.last) return this.showKept(kept.text);
    const values = new Map();
    for (const [name, value] of JSON.parse(kept.text)) values.set(name, [...(values.get(name) ?? []), value]);
    for (const input of this.form.elements) {
      if (!input.name || input.type === "hidden" || input.type === "file") continue;
      const mine = values.get(input.name) ?? [];
      if (input.type === "checkbox" || input.type === "radio") input.checked = mine.includes(input.value);
      else if (input.options) for (const option of input.options) option.selected = mine.includes(option.value);
      else if (mine.length) input.value = mine.shift();
    }
    this.tell(this.say.sayRestored);
    this.later(QUIET);
  }

  /* The saved text has changed since: the kept one is shown beside it, never laid over it. */
  showKept(text) {
    const box = document.createElement("details");
    const head = document.createElement("summary");
    const body = document.createElement("div");
    box.open = true;
    body.className = "typed notice";
    head.textContent = this.say.sayKept;
    body.textContent = JSON.parse(text).map(([, value]) => value).filter(Boolean).join("\n\n");
    box.append(head, body);
    this.form.prepend(box);
    this.forget();
  }

  async save(leaving = false) {
    clearTimeout(this.timer);
    const content = this.content();
    if (this.stopped || content === this.last) return;
    this.keep();
    if (this.busy) return void (this.again = true);
    this.busy = true;
    try {
      const answer = await fetch(this.form.dataset.autosave, {
        method: "POST", body: new URLSearchParams(this.fields()), keepalive: leaving, redirect: "manual",
        headers: { "X-Autosave": "1", Accept: "application/json" },
      });
      await this.read(answer, content);
    } catch {
      this.offline();
    } finally {
      this.busy = false;
      if (this.again) { this.again = false; this.later(QUIET); }
    }
  }

  async read(answer, content) {
    if (answer.status >= 500 || answer.status === 429) return this.offline();
    const told = answer.headers.get("Content-Type")?.includes("json") ? await answer.json() : {};
    if (answer.ok && told.saved_at) {
      for (const [name, value] of Object.entries(told.revisions ?? {})) {
        if (this.form.elements[name]) this.form.elements[name].value = value;
      }
      this.last = content;
      this.failures = 0;
      if (this.content() === content) this.forget();
      else this.later(QUIET);
      return this.tell(this.say.saySaved.replace("{time}", clock(told.saved_at)));
    }
    if (answer.status === 409) this.conflict = this.stopped = true;
    this.tell(told.refused ?? (this.conflict ? this.say.sayConflict : this.say.sayRefused), "stop");
  }

  offline() {
    this.failures += 1;
    this.tell(this.say.sayOffline, "stop");
    this.later(RETRY[Math.min(this.failures, RETRY.length) - 1]);
  }
}

for (const form of document.querySelectorAll("form[data-autosave]")) {
  if (form.querySelector("[data-saved]")) new Autosave(form);
}
