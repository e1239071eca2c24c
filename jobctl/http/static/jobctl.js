// Keeps a page up to date while it is open, continues output that still grows, and sends files.
//
// The server makes all markup, here as on paper: this script fetches the part of the page that changed and compares it
// with what is shown. Without this script every page works, as of the moment when it was loaded.

const byId = (id) => document.getElementById(id);

// ---- The part that changes -------------------------------------------------------------------------------------

/** What a reader changes by hand. The server does not know of it, so an update leaves it alone. */
const OF_THE_READER = new Set(["open", "value", "checked", "selected", "disabled"]);

/** Make `shown` like `wanted` with as few changes as possible: focus, selection, scroll and open parts stay. */
function update(shown, wanted) {
  if (shown.nodeType !== Node.ELEMENT_NODE) {
    if (shown.data !== wanted.data) shown.data = wanted.data;
    return;
  }
  for (const { name } of [...shown.attributes]) {
    if (!wanted.hasAttribute(name) && !OF_THE_READER.has(name)) shown.removeAttribute(name);
  }
  for (const { name, value } of wanted.attributes) {
    if (!OF_THE_READER.has(name) && shown.getAttribute(name) !== value) shown.setAttribute(name, value);
  }
  updateChildren(shown, wanted);
}

function updateChildren(shown, wanted) {
  const named = new Map([...shown.children].filter((each) => each.id).map((each) => [each.id, each]));
  let next = shown.firstChild;
  for (const child of [...wanted.childNodes]) {
    const own = child.id ? named.get(child.id) : isLike(next, child) ? next : undefined;
    if (own && own.nodeName === child.nodeName) {
      if (own === next) next = next.nextSibling;
      else shown.insertBefore(own, next);
      update(own, child);
    } else {
      shown.insertBefore(child, next);
    }
  }
  while (next) {
    const rest = next;
    next = next.nextSibling;
    rest.remove();
  }
}

function isLike(shown, wanted) {
  return shown && shown.nodeName === wanted.nodeName && !shown.id;
}

/** Times as the clock of the reader shows them; the title has the time in UTC. */
function useLocalTimes(root) {
  const two = (number) => String(number).padStart(2, "0");
  for (const each of root.querySelectorAll("time[datetime]")) {
    const at = new Date(each.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join("-");
    each.title = each.textContent;
    each.textContent = `${day} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":")}`;
  }
}

/** The least time between two updates in milliseconds: a job may change a hundred times a second. */
const PACE_MS = 1000;
/** A server that is busy is asked less often: an update may take this part of the time. */
const SHARE = 0.1;
let isFetching = false;
let isStale = false;
let hasEnded = false;

async function refresh() {
  if (isFetching) {
    isStale = true;
    return;
  }
  isFetching = true;
  try {
    do {
      isStale = false;
      const began = performance.now();
      const answer = await fetch(byId("live").dataset.part, { credentials: "same-origin" });
      if (answer.ok) show(await answer.text());
      else if (answer.status < 500 && answer.status !== 429) end(answer.status);
      const wait = Math.max(PACE_MS, (performance.now() - began) / SHARE);
      await new Promise((resolve) => setTimeout(resolve, wait));
    } while (isStale && !hasEnded);
  } catch {
    // The stream says that the connection is lost, and asks for an update once it is there again.
  } finally {
    isFetching = false;
  }
}

function show(text) {
  const wanted = new DOMParser().parseFromString(text, "text/html").getElementById("live");
  if (!wanted) return;
  useLocalTimes(wanted);
  const shown = byId("live");
  const hadFocus = shown.contains(document.activeElement);
  const isOfAnother = shown.dataset.output !== wanted.dataset.output;
  update(shown, wanted);
  if (isOfAnother) renewOutput();
  // An element that was removed took the focus with it; a reader with a keyboard would begin at the top again.
  if (hadFocus && !shown.contains(document.activeElement)) byId("content").focus({ preventScroll: true });
  if (shown.dataset.title) document.title = `${shown.dataset.title} - jobctl`;
  announce(shown.dataset.says || "");
}

let said = null;

/** Say a change to a screen reader, when it is not busy; the server says it in steps, not for each item. */
function announce(words) {
  if (said !== null && words !== said) byId("announcement").textContent = words;
  said = words;
}

function end(status) {
  hasEnded = true;
  changes?.close();
  say(status === 401 ? "The session has ended. Reload the page to sign in." : "This is not there any more.");
}

// ---- The streams -----------------------------------------------------------------------------------------------

function say(words) {
  const line = byId("connection");
  if (line.textContent !== words) line.textContent = words;
}

const LOST = "Connection lost, trying again.";

/** A stream of the server that is open while the page can be seen: a browser allows six connections for all its pages. */
class Stream {
  #source = null;
  #timer = 0;
  #waits = 0;
  #address;
  #events;
  #isOver = false;

  /** `address` is a function: after a break the stream continues from where it was. */
  constructor(address, events) {
    this.#address = address;
    this.#events = events;
    document.addEventListener("visibilitychange", () => (document.hidden ? this.#stop() : this.#start()));
    addEventListener("pagehide", () => this.#stop());
    addEventListener("pageshow", () => this.#start());
    this.#start();
  }

  close() {
    this.#isOver = true;
    this.#stop();
  }

  #start() {
    if (this.#source || this.#isOver || document.hidden) return;
    clearTimeout(this.#timer);
    this.#source = new EventSource(this.#address());
    this.#source.onopen = () => {
      this.#waits = 0;
      say("");
      this.#events.open?.();
    };
    this.#source.onerror = () => this.#lost();
    for (const [name, act] of Object.entries(this.#events)) {
      if (name !== "open" && name !== "refused") this.#source.addEventListener(name, act);
    }
  }

  #lost() {
    if (this.#isOver) return;
    // The browser tries again by itself, unless the answer was an error, such as that of a server that is busy.
    const isRefused = this.#source?.readyState === EventSource.CLOSED;
    if (isRefused && this.#events.refused) {
      this.#events.refused();
      return;
    }
    say(LOST);
    if (!isRefused) return;
    this.#stop();
    this.#waits = Math.min(this.#waits + 1, 6);
    this.#timer = setTimeout(() => this.#start(), 500 * 2 ** this.#waits);
    this.#events.open?.(); // An answer of 401 or 404 ends the page.
  }

  #stop() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }
}

let changes = null;

function followChanges() {
  changes = new Stream(() => byId("live").dataset.changes, { open: refresh, changed: refresh });
}

// ---- Output that still grows -----------------------------------------------------------------------------------

/** The characters that are shown in another way, as in the output that the server has put into the page. */
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u202a-\u202e\u2066-\u2069]/g;
/** The most characters of an output in the page: the rest is in the file. */
const MOST_OUTPUT = 1 << 20;

function inert(text) {
  return text.replaceAll("\r\n", "\n").replace(CONTROL, (character) => {
    const code = character.codePointAt(0);
    if (code < 0x20) return `^${String.fromCharCode(code + 0x40)}`;
    return code === 0x7f ? "^?" : `<${code.toString(16).toUpperCase().padStart(2, "0")}>`;
  });
}

function followOutput(log) {
  const place = new URL(log.dataset.follow, location.href);
  place.searchParams.set("offset", log.dataset.offset);
  let last = "";
  const address = () => {
    if (last) place.searchParams.set("offset", last);
    return place.href;
  };
  let hasEnded = false;
  const end = () => {
    if (hasEnded) return;
    hasEnded = true;
    stream.close();
    following -= 1;
    if (!following) followChanges();
  };
  const stream = new Stream(address, {
    refused: end,
    message(event) {
      const piece = JSON.parse(event.data);
      if (event.lastEventId) last = event.lastEventId;
      if (piece.text) append(log, piece.text);
      if (piece.over) end();
    },
  });
}

function append(log, text) {
  const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  log.append(inert(text));
  while (log.textContent.length > MOST_OUTPUT && log.childNodes.length > 1) log.firstChild.remove();
  if (isAtEnd) log.scrollTop = log.scrollHeight;
}

/** The outputs that still grow. While there are any, they also tell that the item ends: fewer streams are open then. */
let following = 0;

function begin() {
  said = byId("live").dataset.says || "";
  useLocalTimes(document);
  followOutputs();
  if (!following) followChanges();
}

function followOutputs() {
  const logs = [...document.querySelectorAll("pre.log")];
  for (const log of logs) log.scrollTop = log.scrollHeight;
  const growing = logs.filter((log) => log.dataset.follow);
  following = growing.length;
  growing.forEach(followOutput);
}

/** Read the output below the part that changes, when an item has begun to run, or runs again. */
async function renewOutput() {
  const answer = await fetch(location.href, { credentials: "same-origin" });
  if (!answer.ok) return;
  const wanted = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("output");
  if (!wanted) return;
  byId("output").replaceWith(wanted);
  followOutputs();
  if (!following) return;
  changes?.close();
  changes = null;
}

if (byId("live")) begin();

// ---- Forms -----------------------------------------------------------------------------------------------------

/** A second touch of a button must not do it twice. */
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (button && !event.defaultPrevented && event.target.method === "post") setTimeout(() => (button.disabled = true));
});
addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("button[disabled]")) button.disabled = false;
});

// ---- A file for a recipe ---------------------------------------------------------------------------------------

function sendForm(form, address, tell) {
  const request = new XMLHttpRequest();
  const answer = new Promise((resolve, reject) => {
    request.onload = () => resolve(request);
    request.onerror = () => reject(new Error("The connection was lost; nothing was accepted."));
  });
  request.upload.onprogress = (event) => event.lengthComputable && tell(event.loaded, event.total);
  request.open("POST", address);
  request.setRequestHeader("X-Part", "answer");
  request.send(new FormData(form));
  return answer;
}

class Upload {
  constructor(form) {
    this.form = form;
    this.file = byId("file");
    this.sending = byId("sending");
    this.answer = byId("answer");
    this.isSending = false;
    form.addEventListener("submit", (event) => this.#submit(event));
    this.file.addEventListener("change", () => this.file.files.length && this.#send(form.dataset.preview));
    this.#acceptDrops(byId("drop"));
  }

  #acceptDrops(place) {
    const over = (event, isOver) => {
      event.preventDefault();
      place.classList.toggle("over", isOver);
    };
    document.addEventListener("dragover", (event) => over(event, true));
    document.addEventListener("dragleave", (event) => over(event, false));
    document.addEventListener("drop", (event) => {
      over(event, false);
      if (!event.dataTransfer.files.length) return;
      this.file.files = event.dataTransfer.files;
      this.#send(this.form.dataset.preview);
    });
  }

  #submit(event) {
    event.preventDefault();
    this.#send(event.submitter?.getAttribute("formaction") || this.form.getAttribute("action"));
  }

  async #send(address) {
    if (this.isSending) return;
    this.isSending = true;
    this.answer.replaceChildren();
    for (const button of this.form.querySelectorAll("button")) button.disabled = true;
    try {
      this.#receive(await sendForm(this.form, address, (sent, total) => this.#tell(sent, total)));
    } catch (error) {
      this.#say(error.message);
    } finally {
      this.isSending = false;
      for (const button of this.form.querySelectorAll("button")) button.disabled = false;
    }
  }

  #tell(sent, total) {
    if (!this.sending.firstElementChild) {
      const bar = document.createElement("progress");
      bar.setAttribute("aria-label", "Sending the file");
      this.sending.replaceChildren(bar, document.createElement("span"));
    }
    const [bar, words] = this.sending.children;
    bar.max = total;
    bar.value = sent;
    words.textContent = sent < total ? `${Math.floor((100 * sent) / total)} % sent` : "The server checks the file.";
  }

  #receive(request) {
    this.#say("");
    const place = request.getResponseHeader("X-Location");
    if (place) {
      location.assign(place);
      return;
    }
    const found = new DOMParser().parseFromString(request.responseText, "text/html").body;
    this.answer.replaceChildren(...found.childNodes);
  }

  #say(words) {
    this.sending.textContent = words;
  }
}

document.documentElement.classList.add("has-script");
if (byId("upload")) new Upload(byId("upload"));
