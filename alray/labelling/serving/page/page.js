"use strict";
// All that comes from the server is put in by textContent: never as HTML.
const KEY = "alray-assessor", MOST_SHOWN = 60, AGAIN_MS = 15000;
const $ = (id) => document.getElementById(id);
let worker = "", state = null, busy = false, timer = null;

function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

const remembered = () => { try { return localStorage.getItem(KEY) || ""; } catch { return ""; } };
const remember = (name) => { try { localStorage.setItem(KEY, name); } catch { /* asked again next time */ } };
const searching = () => state !== null && state.classes.length > 9;

async function send(what, content, said) {
  if (busy) return;
  busy = true;
  clearTimeout(timer);
  try {
    const reply = await fetch(what, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ worker, ...content }),
    });
    const found = await reply.json();
    if (found.error) throw new Error(found.error);
    state = found;
    problem(found.problem && `Answers are safe in a file, but not in the ledger yet: ${found.problem}`);
    show(reply.status === 409 ? "That was answered or taken back elsewhere." : said);
  } catch (error) {
    const gone = error instanceof TypeError || error instanceof SyntaxError;
    problem(gone ? "The server does not answer. Is `alray label serve` still running? Your last answer may not be saved: load this page anew." : `Not saved: ${error.message}`);
  } finally {
    busy = false;
  }
}

function problem(text) { $("problem").hidden = !text; $("problem").textContent = text || ""; }

function shownCell(cell) {
  const part = element("section");
  if (state.task.shown.length > 1) part.append(element("h2", cell.column));
  if (cell.kind === "image") {
    const image = element("img");
    image.alt = `${cell.column}: ${cell.text}`;
    image.src = `image?task=${encodeURIComponent(state.task.id)}&column=${encodeURIComponent(cell.column)}`;
    part.append(image);
  } else if (cell.kind === "link" || cell.kind === "remote_image") {
    const link = element("a", cell.text);
    link.href = cell.text; link.target = "_blank"; link.rel = "noreferrer noopener";
    if (cell.kind === "remote_image" && state.remote_images) {
      const image = element("img");
      image.alt = cell.text; image.referrerPolicy = "no-referrer"; image.src = cell.text;
      part.append(image);
    }
    part.append(link);
  } else {
    const text = element("p", cell.text || "(empty)", cell.text ? "text" : "muted");
    text.dir = "auto";
    part.append(text);
  }
  if (cell.problem) part.append(element("p", cell.problem, "muted"));
  return part;
}

function matches() {
  const wanted = $("search").value.trim().toLowerCase();
  const starts = [], holds = [];
  for (const name of state.classes) {
    const at = name.toLowerCase().indexOf(wanted);
    if (at === 0) starts.push(name); else if (at > 0) holds.push(name);
  }
  return [...starts, ...holds];
}

function showClasses() {
  const many = searching(), found = many ? matches() : state.classes, typed = many && $("search").value.trim();
  $("searching").hidden = !many;
  $("classes").replaceChildren(...found.slice(0, MOST_SHOWN).map((name, at) => {
    const button = element("button");
    button.type = "button";
    if (!many) { button.append(element("kbd", String(at + 1))); button.setAttribute("aria-keyshortcuts", String(at + 1)); }
    button.append(element("span", name));
    if (typed && at === 0) button.classList.add("marked");
    button.addEventListener("click", () => answer(name));
    return button;
  }));
  const left = found.length - MOST_SHOWN;
  $("more").textContent = !found.length ? "No class has that in its name." : left > 0 ? `${left} more: type a part of the name` : "";
}

function show(said) {
  const asked = worker !== "" && state !== null, task = asked ? state.task : null;
  $("ask").hidden = asked;
  $("who").hidden = $("progress").hidden = !asked;
  $("object").hidden = $("answers").hidden = $("skip").hidden = task === null;
  $("others").hidden = !asked;
  $("end").hidden = !asked || task !== null;
  $("said").textContent = said || "";
  if (!asked) { $("worker").value = remembered(); $("worker").focus(); return; }
  document.title = $("campaign").textContent = state.campaign;
  $("name").textContent = worker;
  $("bar").max = state.total; $("bar").value = state.given;
  $("numbers").textContent = `${state.given} of ${state.total} answers; yours: ${state.yours}`;
  $("undo").disabled = !state.can_undo;
  $("skip").querySelector("kbd").textContent = searching() ? "Alt+S" : "S";
  $("undo").querySelector("kbd").textContent = searching() ? "Alt+U" : "U";
  if (task === null) { showEnd(); return; }
  $("title").textContent = `object ${task.id}`;
  $("shown").replaceChildren(...task.shown.map(shownCell));
  $("search").value = "";
  showClasses();
  (searching() ? $("search") : $("title")).focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

function showEnd() {
  const done = state.waiting === 0;
  $("end-title").textContent = done ? "All objects of the batch are answered." : "You have answered about all that waits for you.";
  $("end-text").textContent = done ? "Thank you. Undo still works." : `${state.waiting} ${state.waiting === 1 ? "object waits" : "objects wait"} for other assessors, or may come back to you if they leave them.`;
  $("end-next").hidden = !state.next;
  $("command").textContent = state.next;
  $("end-title").focus();
  timer = setTimeout(() => send("state", {}), AGAIN_MS);
}

const answer = (label) => send("answer", { task: state.task.id, label }, label === null ? "Saved: cannot tell." : `Saved: ${label}.`);
const undo = () => { if (state.can_undo) send("undo", {}, "Taken back: answer again."); };

function pressed(event) {
  if (event.repeat || worker === "" || state === null || event.ctrlKey || event.metaKey) return;
  const key = event.key.toLowerCase(), inField = event.target instanceof HTMLInputElement;
  if (event.altKey ? event.code === "KeyU" : !inField && key === "u") { event.preventDefault(); undo(); return; }
  if (state.task === null) return;
  if (event.altKey ? event.code === "KeyS" : !inField && key === "s") { event.preventDefault(); answer(null); return; }
  if (event.altKey) return;
  if (event.target === $("search")) {
    if (event.key === "Escape") { $("search").value = ""; showClasses(); }
    else if (event.key === "Enter" && $("search").value.trim() && matches().length) answer(matches()[0]);
  } else if (!searching() && !inField && /^[1-9]$/.test(event.key) && Number(event.key) <= state.classes.length) {
    event.preventDefault();
    answer(state.classes[Number(event.key) - 1]);
  }
}

document.addEventListener("keydown", pressed);
$("search").addEventListener("input", showClasses);
$("skip").addEventListener("click", () => answer(null));
$("undo").addEventListener("click", undo);
$("look").addEventListener("click", () => send("state", {}));
$("change").addEventListener("click", () => { worker = ""; clearTimeout(timer); $("answers").hidden = true; show(); });
$("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  worker = $("worker").value.trim().replace(/\s+/g, " ");
  if (worker === "") return;
  remember(worker);
  send("state", {});
});

worker = remembered();
if (worker) send("state", {}); else show();
