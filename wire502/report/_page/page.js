"use strict";
(() => {
// Draws the page from the data in it. Text goes in as text, never as markup; nothing is loaded, nothing is sent.

const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
const number = new Intl.NumberFormat("en-US");
const OPENS = 1, CLOSES = 2, RESETS = 4, AGAIN = 8, WINDOW_ZERO = 16, AHEAD = 32, PROBE = 64;
const OUTCOMES = {
  complete: "complete", error: "error", cut: "cut short", closed_without_response: "closed", reset: "reset", pending: "waiting",
  "": "not seen",
};

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [event, handler] of Object.entries(value)) node.addEventListener(event, handler);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat(3)) if (child !== null && child !== undefined && child !== false) node.append(child);
  return node;
}
const put = (home, ...children) => { home.replaceChildren(); return fill(home, null, children); };
const el = (name, attributes, ...children) => fill(document.createElement(name), attributes, children);
const draw = (name, attributes, ...children) => fill(document.createElementNS(SVG, name), attributes, children);
const code = (text) => el("code", {}, text);
const plural = (count, noun) => `${number.format(count)} ${noun}${count === 1 ? "" : "s"}`;

// -- time ------------------------------------------------------------------------------------------------------------

function clock(us, digits) {
  const second = Math.floor(us / 1e6);
  const text = new Date(second * 1000).toISOString().slice(11, 19);
  return digits ? `${text}.${String(us - second * 1e6).padStart(6, "0").slice(0, digits)}` : text;
}
const day = (us) => new Date(Math.floor(us / 1000)).toISOString().slice(0, 10);

function duration(us) {
  if (us < 1000) return `${us} µs`;
  if (us < 1e6) return `${(us / 1000).toFixed(us < 1e4 ? 1 : 0)} ms`;
  if (us < 60e6) return `${(us / 1e6).toFixed(us < 1e7 ? 2 : 1)} s`;
  const minutes = Math.floor(us / 60e6);
  if (minutes < 60) return `${minutes} min ${Math.round((us - minutes * 60e6) / 1e6)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
function milliseconds(value) {
  if (value === null) return "–";
  return value >= 100 ? number.format(Math.round(value)) : value >= 0.1 ? value.toFixed(1) : value.toFixed(2);
}

const STEPS = [1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 2e6, 5e6, 1e7, 15e6, 3e7, 6e7, 12e7, 3e8, 6e8, 9e8, 18e8, 36e8,
  72e8, 216e8, 432e8, 864e8, 1728e8, 6048e8];
function timeTicks(from, to, most) {
  const step = STEPS.find((one) => (to - from) / one <= most) || Math.pow(10, Math.ceil(Math.log10((to - from) / most)));
  const ticks = [];
  for (let at = Math.ceil(from / step) * step; at <= to && ticks.length < 40; at += step) {
    ticks.push([at, step >= 864e8 ? day(at) : clock(at, step < 1e6 ? (step < 1e3 ? 6 : 3) : 0)]);
  }
  return ticks;
}

// -- state: all of it in the address, so that a view can be linked --------------------------------------------------------

const KEYS = ["q", "kind", "status", "upstream", "fault", "retried", "t", "sort", "id"];
let state = {};
let cases = [];
const byId = new Map(data.cases.map((one) => [one.id, one]));
const ofFailure = new Map();
for (const one of data.cases) for (const ident of one.attempts) if (!ofFailure.has(ident)) ofFailure.set(ident, one.id);

function fromAddress() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const found = {};
  for (const key of KEYS) if (asked.get(key)) found[key] = asked.get(key);
  return found;
}
function address(changes) {
  const asked = new URLSearchParams();
  const merged = { ...state, ...changes };
  for (const key of KEYS) if (merged[key]) asked.set(key, merged[key]);
  return `#${asked.toString()}`;
}
function go(changes) {
  const to = address(changes);
  try { history.replaceState(null, "", to); } catch { location.hash = to; return; }
  update();
}

function got(one) {
  const status = one.status === null ? "" : String(one.status);
  if (one.got === "error" && status) return status;
  const word = OUTCOMES[one.got] === undefined ? one.got : OUTCOMES[one.got];
  return [status, word].filter(Boolean).join(" ");
}
function haystack(one) {
  if (one.text === undefined) {
    one.text = [one.id, one.frame, one.method, one.target, one.host, one.client, one.upstream, one.kind, one.fault, got(one),
      clock(one.time, 3), one.summary].join(" ").toLowerCase();
  }
  return one.text;
}
const SORTS = {
  time: (one) => one.time, got: (one) => got(one), request: (one) => `${one.target} ${one.method}`, upstream: (one) => one.upstream,
  kind: (one) => one.kind, fault: (one) => one.fault, confidence: (one) => ["low", "medium", "high"].indexOf(one.confidence),
};

function choose() {
  const words = (state.q || "").toLowerCase().split(/\s+/).filter(Boolean);
  const [from, to] = (state.t || "").split("-").map(Number);
  cases = data.cases.filter((one) =>
    (!state.kind || one.kind === state.kind) && (!state.status || got(one) === state.status) &&
    (!state.upstream || one.upstream === state.upstream) && (!state.fault || one.fault === state.fault) &&
    (!state.retried || !one.masked) && (!state.t || (one.time >= from && one.time < to)) &&
    words.every((word) => haystack(one).includes(word)));
  const sort = state.sort || "time";
  const key = SORTS[sort.replace(/^-/, "")] || SORTS.time;
  const way = sort.startsWith("-") ? -1 : 1;
  const place = new Map(data.cases.map((one, index) => [one, index]));
  cases.sort((one, other) => {
    const a = key(one), b = key(other);
    return (a < b ? -way : a > b ? way : 0) || place.get(one) - place.get(other);
  });
}

// -- overview -----------------------------------------------------------------------------------------------------------

const wide = (node) => Math.max(260, Math.round(node.clientWidth) || 960);
const begin = (at) => data.origin + at * data.width;
const filterTo = (at) => `${Math.floor(begin(at))}-${Math.ceil(begin(at + 1))}`;
const top_ = (values) => Math.max(1, ...Object.values(values));

function both(one) {
  const sums = { ...one.bad };
  for (const [at, value] of Object.entries(one.masked)) sums[at] = (sums[at] || 0) + value;
  return sums;
}
function bars(one, width, up, down, left) {
  const step = (width - left) / data.spans, gap = step > 5 ? 1.5 : 0.4, sums = both(one);
  const highest = top_(one.done), deepest = top_(sums);
  const marks = [];
  for (const [at, value] of Object.entries(one.done)) {
    const tall = Math.max(1.5, value / highest * up);
    marks.push(draw("rect", { class: "done", x: (left + at * step).toFixed(1), width: Math.max(step - gap, 0.8).toFixed(1),
      y: (up - tall).toFixed(1), height: tall.toFixed(1), rx: 1 }));
  }
  for (const [at, value] of Object.entries(sums)) {
    const bad = (one.bad[at] || 0) / deepest * down, all = value / deepest * down;
    const x = (left + at * step).toFixed(1), w = Math.max(step - gap, 1.6).toFixed(1);
    if (bad) marks.push(draw("rect", { class: "bad", x, width: w, y: up + 2, height: Math.max(3, bad).toFixed(1), rx: 1 }));
    if (one.masked[at]) {
      marks.push(draw("rect", { class: "masked", x, width: w, y: up + 2 + (bad ? Math.max(3, bad) + 1 : 0),
        height: Math.max(3, all - bad).toFixed(1), rx: 1 }));
    }
  }
  marks.push(draw("line", { class: "axis", x1: left, x2: width, y1: up + 1, y2: up + 1 }));
  return marks;
}
function said(one) {
  const sum = (values) => Object.values(values).reduce((a, b) => a + b, 0);
  return `${number.format(sum(one.done))} answered, ${number.format(sum(one.bad))} failed, ${number.format(sum(one.masked))} made good by a retry.`;
}

function timeline() {
  const some = [...Object.values(data.all.done), ...Object.values(both(data.all))].reduce((a, b) => a + b, 0);
  $("timeline").hidden = some < 3;
  if (some < 3) return;
  const home = $("timeline"), width = wide(home), left = 34, up = 78, down = 44, height = up + down + 30;
  const step = (width - left) / data.spans, sums = both(data.all);
  const picture = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "group", "aria-labelledby": "tl-t tl-d" },
    draw("title", { id: "tl-t" }, "Exchanges over time"),
    draw("desc", { id: "tl-d" }, `${said(data.all)} From ${clock(data.first, 3)} to ${clock(data.last, 3)} UTC.`));
  for (const at of Object.keys(sums)) {
    const words = `${clock(begin(Number(at)), 3)}: ${plural(sums[at], "failure")}. Show only these.`;
    picture.append(draw("a", { href: address({ t: filterTo(Number(at)), id: "" }), "aria-label": words, on: { click: toList } },
      draw("title", {}, words),
      draw("rect", { class: "hit", x: (left + at * step).toFixed(1), width: Math.max(step, 3).toFixed(1), y: 0, height: up + down + 4, rx: 2 })));
  }
  const marks = draw("g", { "pointer-events": "none", "aria-hidden": "true" }, bars(data.all, width, up, down, left));
  marks.append(draw("text", { x: 0, y: 10 }, number.format(Object.keys(data.all.done).length ? top_(data.all.done) : 0)));
  if (Object.keys(sums).length) marks.append(draw("text", { x: 0, y: up + down }, number.format(top_(sums))));
  const room = width - left, end = begin(data.spans);
  for (const [at, text] of timeTicks(Math.max(data.first, data.origin), Math.max(data.last, data.first + 1), Math.max(2, Math.floor(width / 130)))) {
    const x = left + (at - data.origin) / (end - data.origin) * room;
    const anchor = x > width - 40 ? "end" : x < left + 30 ? "start" : "middle";
    marks.append(draw("line", { class: "axis", x1: x, x2: x, y1: up + down + 6, y2: up + down + 11 }),
      draw("text", { x, y: height - 6, "text-anchor": anchor }, text));
  }
  picture.append(marks);
  replaceLast(home, picture);
}
function replaceLast(home, node) {
  if (home.querySelector(":scope > svg, :scope > .none")) home.lastElementChild.replaceWith(node);
  else home.append(node);
}

function kinds() {
  const most = Math.max(1, ...data.kinds.map((one) => one[1]));
  if (!data.kinds.length) { $("kinds").replaceChildren(el("p", { class: "aside" }, "Nothing failed.")); return; }
  const rows = data.kinds.map(([name, count, title]) => el("tr", {},
    el("th", { scope: "row" }, el("a", { href: address({ kind: name, id: "" }), title, on: { click: toList } }, name)),
    el("td", { class: "bar" }, draw("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" },
      draw("rect", { class: "bad", x: 0, y: 1, height: 8, width: Math.max(1, count / most * 100).toFixed(2) }))),
    el("td", { class: "n" }, number.format(count))));
  $("kinds").replaceChildren(el("table", { class: "kinds" },
    el("caption", { class: "hush" }, "Failures by kind"),
    el("thead", { class: "hush" }, el("tr", {}, ["Kind", "Share", "Failures"].map((text) => el("th", { scope: "col" }, text)))),
    el("tbody", {}, rows)));
}

let bytesOf = "";
function bytes() {
  const home = $("bytes"), key = $("bytes-key");
  const measured = data.upstreams.filter((one) => Object.keys(one.p50).length);
  const one = measured.find((some) => some.name === bytesOf) || data.all;
  if (!key.childElementCount) {
    key.append("median ", el("span", { class: "line50" }, lineSample("p50")), " 99th percentile ", lineSample("p99"));
    if (measured.length > 1) {
      key.append(el("select", { "aria-label": "Upstream", on: { change: (event) => { bytesOf = event.target.value; bytes(); } } },
        el("option", { value: "" }, "all upstreams"), measured.map((some) => el("option", { value: some.name }, some.name))));
    }
  }
  const width = wide(home), height = 168, left = 52, bottom = 24;
  const values = [...Object.values(one.p50), ...Object.values(one.p99)].filter((value) => value > 0);
  home.hidden = !values.length && !bytesOf;
  if (home.hidden) return;
  let low = Math.log10(Math.min(...values)), high = Math.log10(Math.max(...values));
  if (high - low < 0.5) { low -= 0.25; high += 0.25; }
  const y = (value) => 8 + (high - Math.log10(value)) / (high - low) * (height - bottom - 18);
  const x = (at) => left + (Number(at) + 0.5) / data.spans * (width - left - 4);
  const picture = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-labelledby": "fb-t fb-d" },
    draw("title", { id: "fb-t" }, "Time from the end of a request to the first octet of its response"),
    draw("desc", { id: "fb-d" }, `Median between ${milliseconds(Math.min(...Object.values(one.p50)))} and ${milliseconds(Math.max(...Object.values(one.p50)))} ms, 99th percentile up to ${milliseconds(Math.max(...Object.values(one.p99)))} ms.`));
  const labels = [];
  for (let power = Math.floor(low); power <= Math.ceil(high); power += 1) {
    for (const digit of high - low > 2.2 ? [1] : [1, 2, 5]) {
      const value = digit * 10 ** power;
      if (Math.log10(value) >= low - 1e-9 && Math.log10(value) <= high + 1e-9) labels.push(value);
    }
  }
  for (const value of labels) {
    picture.append(draw("line", { class: "grid", x1: left, x2: width, y1: y(value), y2: y(value) }),
      draw("text", { x: left - 8, y: y(value) + 4, "text-anchor": "end" }, value >= 1000 ? `${number.format(value / 1000)} s` : `${number.format(value)} ms`));
  }
  for (const name of ["p99", "p50"]) {
    let path = "", before = -9;
    for (const at of Object.keys(one[name]).map(Number).sort((a, b) => a - b)) {
      const value = Math.max(one[name][at], 10 ** low);
      path += `${at - before <= 3 ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
      before = at;
      picture.append(draw("circle", { class: name === "p50" ? "dotted" : "dotted high", cx: x(at), cy: y(value), r: 1.7 }));
    }
    picture.append(draw("path", { class: name, d: path }));
  }
  for (const [at, text] of timeTicks(data.first, Math.max(data.last, data.first + 1), Math.max(2, Math.floor(width / 150)))) {
    const place = left + (at - data.origin) / (begin(data.spans) - data.origin) * (width - left - 4);
    const anchor = place > width - 40 ? "end" : place < left + 30 ? "start" : "middle";
    picture.append(draw("text", { x: place, y: height - 6, "text-anchor": anchor }, text));
  }
  replaceLast(home, picture);
}
const lineSample = (name) => {
  const sample = draw("svg", { viewBox: "0 0 22 6", width: 22, height: 6, "aria-hidden": "true" }, draw("path", { class: name, d: "M1 3H21" }));
  sample.style.width = "22px";
  return sample;
};

let everyUpstream = false;
function upstreams() {
  const home = $("upstreams"), all = data.upstreams, some = everyUpstream ? all : all.slice(0, 10);
  if (!all.length) { home.replaceChildren(el("p", { class: "aside" }, "No upstream was seen.")); return; }
  const cell = (name, text, mark) => el("td", { class: `n${mark || ""}`, "data-name": name }, text);
  const rows = some.map((one) => {
    const picture = draw("svg", { viewBox: "0 0 320 40", preserveAspectRatio: "none", role: "img", "aria-label": said(one) }, bars(one, 320, 24, 14, 0));
    return el("tr", {},
      el("th", { scope: "row", class: "mono" }, el("a", { href: address({ upstream: one.name, id: "" }), on: { click: toList } }, one.name)),
      cell("answered", number.format(one.answered)), cell("failed", number.format(one.failed), one.failed ? " some" : ""),
      cell("connect", `${milliseconds(one.connect[0])} / ${milliseconds(one.connect[1])}`),
      cell("first octet", `${milliseconds(one.byte[0])} / ${milliseconds(one.byte[1])}`),
      cell("resent", number.format(one.again)),
      el("td", { class: "spark" }, picture));
  });
  const heads = [["Upstream"], ["Answered", "n"], ["Failed", "n"], ["Connect ms", "n"], ["First octet ms", "n"], ["Resent", "n"], ["Over time", "spark"]];
  put(home,
    el("div", { class: "scroll-x" }, el("table", { class: "plain upstreams" },
      el("caption", { class: "hush" }, "What each upstream did. Milliseconds are the median and the 99th percentile."),
      el("thead", {}, el("tr", {}, heads.map(([text, mark]) => el("th", { scope: "col", class: mark }, text)))),
      el("tbody", {}, rows))),
    el("p", { class: "key" }, "Milliseconds: median / 99th percentile. ", data.more_upstreams ? `${number.format(data.more_upstreams)} more upstreams are not listed.` : ""));
  if (all.length > some.length) {
    home.append(el("button", { type: "button", class: "quiet", on: { click: () => { everyUpstream = true; upstreams(); } } }, `Show all ${number.format(all.length)}`));
  }
}

// -- the list: only the rows that can be seen exist -----------------------------------------------------------------------

const COLUMNS = [["time", "Time (UTC)"], ["got", "Client got"], ["request", "Request"], ["upstream", "Upstream"], ["kind", "Kind"],
  ["fault", "At fault"], ["confidence", "Confidence"]];
const CLASSES = { time: "c-time", got: "c-status", upstream: "c-upstream", kind: "c-kind", fault: "c-fault", confidence: "c-confidence" };
let body = null, table = null, drawn = "", cursor = 0, printing = false;

function filters() {
  const form = $("filters");
  const options = (values) => [...values].sort().map((value) => el("option", { value }, value));
  const unlike = (key) => new Set(data.cases.map(key).filter(Boolean));
  const pick = (name, any, values) => el("select", { name, "aria-label": any, on: { change: (event) => go({ [name]: event.target.value }) } },
    el("option", { value: "" }, any), options(values));
  let wait = 0;
  form.append(
    el("input", { type: "search", name: "q", placeholder: "Search requests, addresses, ids", "aria-label": "Search", autocomplete: "off", spellcheck: "false",
      on: { input: (event) => { clearTimeout(wait); const value = event.target.value; wait = setTimeout(() => go({ q: value }), 80); } } }),
    pick("kind", "Any kind", unlike((one) => one.kind)), pick("status", "Any status", unlike(got)),
    pick("upstream", "Any upstream", unlike((one) => one.upstream)), pick("fault", "Anyone at fault", unlike((one) => one.fault)));
  if (data.cases.some((one) => one.masked)) {
    form.append(el("label", {}, el("span", { class: "check" },
      el("input", { type: "checkbox", name: "retried", on: { change: (event) => go({ retried: event.target.checked ? "hide" : "" }) } }),
      "hide what a retry made good")));
  }
  form.addEventListener("submit", (event) => event.preventDefault());
}
function showFilters() {
  for (const field of $("filters").elements) {
    if (field.type === "checkbox") field.checked = Boolean(state.retried);
    else if (field.name && document.activeElement !== field) field.value = state[field.name] || "";
    else if (field.tagName === "SELECT") field.value = state[field.name] || "";
    field.classList.toggle("on", Boolean(state[field.name]));
  }
  const some = cases.length === data.cases.length ? plural(cases.length, "incident") : `${number.format(cases.length)} of ${plural(data.cases.length, "incident")}`;
  const parts = [`${some}${data.left ? `; ${number.format(data.left)} more are in incident.json` : ""}`];
  if (state.t) {
    const [from, to] = state.t.split("-").map(Number);
    if (Number.isFinite(from) && Number.isFinite(to)) parts.push(el("button", { type: "button", class: "chip", on: { click: () => go({ t: "" }) } }, `${clock(from, 3)} to ${clock(to, 3)} ×`));
  }
  if (KEYS.some((key) => !["id", "sort", "t"].includes(key) && state[key])) {
    parts.push(el("button", { type: "button", class: "chip", on: { click: () => go({ q: "", kind: "", status: "", upstream: "", fault: "", retried: "", t: "" }) } }, "Clear filters ×"));
  }
  $("count").replaceChildren(...parts);
}
function list() {
  const sort = state.sort || "time", key = sort.replace(/^-/, "");
  const heads = COLUMNS.map(([name, text]) => {
    const on = name === key, down = sort.startsWith("-");
    return el("th", { scope: "col", role: "columnheader", "aria-sort": on ? (down ? "descending" : "ascending") : null },
      el("button", { type: "button", "data-sort": name, on: { click: () => { go({ sort: on && !down ? `-${name}` : name }); $("list").querySelector(`[data-sort="${name}"]`).focus(); } } },
        text, on ? (down ? " ↓" : " ↑") : ""));
  });
  body = el("tbody", { role: "rowgroup" });
  table = el("table", { class: "cases", role: "table", "aria-rowcount": cases.length + 1, "aria-label": "Incidents" },
    el("colgroup", {}, COLUMNS.map(([name]) => el("col", { class: CLASSES[name] }))),
    el("thead", { role: "rowgroup" }, el("tr", { role: "row", "aria-rowindex": 1 }, heads)), body);
  $("list").replaceChildren(table);
  if (!cases.length) $("list").append(el("p", { class: "empty" }, data.cases.length ? "Nothing matches these filters." : "No failed request was found."));
  drawn = "";
  cursor = Math.min(cursor, Math.max(cases.length - 1, 0));
  rows();
}
const rowHeight = () => parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--row")) || 46;

function rows() {
  const home = $("list"), tall = rowHeight();
  let first = Math.max(0, Math.floor(home.scrollTop / tall) - 6);
  let last = Math.min(cases.length, Math.ceil((home.scrollTop + Math.max(home.clientHeight, 200)) / tall) + 6);
  if (printing) { first = 0; last = Math.min(cases.length, 300); }
  const range = `${first}-${last}-${tall}-${state.id || ""}`;
  if (range === drawn) return;
  const focused = body.contains(document.activeElement);
  drawn = range;
  const pad = (count) => {
    const row = el("tr", { class: "pad", "aria-hidden": "true" }, el("td", {}));
    row.style.height = `${count * tall}px`;
    return row;
  };
  const made = [];
  if (first) made.push(pad(first));
  for (let at = first; at < last; at += 1) made.push(row(cases[at], at));
  if (last < cases.length && !printing) made.push(pad(cases.length - last));
  body.replaceChildren(...made);
  if (focused) (body.querySelector(`[data-at="${cursor}"] a`) || home).focus({ preventScroll: true });
}
function row(one, at) {
  const cell = (mark, ...children) => el("td", { class: mark, role: "cell" }, children);
  const asked = one.target || one.method ? `${one.method} ${one.target}` : one.kind.startsWith("connect_") ? "connect" : "connection";
  return el("tr", { role: "row", "aria-rowindex": at + 2, "data-at": at, class: one.id === openCase() ? "now" : null },
    cell("when", clock(one.time, 3)), cell(`status${one.masked ? " masked" : ""}`, one.masked ? "retried" : got(one)),
    cell("request", el("a", { href: address({ id: one.id }), tabindex: at === cursor ? 0 : -1, title: asked }, asked)),
    cell("to mono", one.upstream), cell("kind", one.kind), cell("fault", one.fault), cell("sure", one.confidence));
}
// A report on one case shows it at once.
const openCase = () => (state.id && !byId.has(state.id) ? ofFailure.get(state.id) : state.id) || (data.cases.length === 1 && !data.left ? data.cases[0].id : "");

function moveTo(at) {
  cursor = Math.max(0, Math.min(at, cases.length - 1));
  const home = $("list"), tall = rowHeight(), head = table.tHead.offsetHeight;
  if (cursor * tall < home.scrollTop) home.scrollTop = cursor * tall;
  else if ((cursor + 1) * tall + head > home.scrollTop + home.clientHeight) home.scrollTop = (cursor + 1) * tall + head - home.clientHeight;
  drawn = "";
  rows();
  const link = body.querySelector(`[data-at="${cursor}"] a`);
  if (link) link.focus({ preventScroll: true });
}
function keys(event) {
  if (event.target.closest("thead") || event.altKey || event.ctrlKey || event.metaKey) return;
  const page = Math.max(1, Math.floor($("list").clientHeight / rowHeight()) - 2);
  const to = { ArrowDown: cursor + 1, ArrowUp: cursor - 1, Home: 0, End: cases.length - 1, PageDown: cursor + page, PageUp: cursor - page }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  moveTo(to);
}
function toList() { setTimeout(() => $("incidents").focus(), 0); }

// -- one case ---------------------------------------------------------------------------------------------------------------

function showCase() {
  const home = $("case"), one = byId.get(openCase());
  home.hidden = !one;
  if (!one) { put(home); return; }
  const at = cases.indexOf(one);
  const step = (to, text) => to >= 0 && to < cases.length && at >= 0
    ? el("a", { href: address({ id: cases[to].id }) }, text) : null;
  const attempts = one.attempts.map((ident) => [ident, data.failures[ident]]).filter(([, failure]) => failure);
  const asked = `${one.method} ${one.target}`.trim();
  put(home,
    el("nav", { class: "walk", "aria-label": "Incidents" }, el("a", { href: address({ id: "" }), id: "back" }, "Back to the list"), el("span", {}),
      step(at - 1, "← Previous"), at >= 0 ? ` ${number.format(at + 1)} of ${number.format(cases.length)} ` : "", step(at + 1, "Next →")),
    el("p", { class: "eyebrow" }, `${one.id} · ${day(one.time)} ${clock(one.time, 6)} UTC · `, el("b", {}, one.kind || "no verdict")),
    el("h2", { id: "case-title" }, one.summary),
    el("dl", { class: "details" },
      asked && fact("Request", code(asked), "wide"), one.host && fact("Host", code(one.host)),
      fact("Client got", one.got || one.status !== null ? got(one) : "not in the capture"), one.client && fact("Client", code(one.client)),
      fact("At fault", one.fault), fact("Confidence", one.confidence), one.masked && fact("Outcome", "made good by a retry")),
    attempts.map(([ident, failure], index) => attempt(ident, failure, index, attempts.length)));
  if (!attempts.length) home.append(el("p", { class: "aside" }, one.attempts.length ? "Its attempts are not part of this report." : "No attempt of the gateway was seen for it."));
}
const fact = (name, value, mark) => el("div", { class: mark }, el("dt", {}, name), el("dd", {}, value));
const block = (title, ...children) => el("section", { class: "block" }, el("h3", {}, title), children);

function attempt(ident, failure, index, count) {
  const response = failure.response;
  const parts = [];
  const facts = [
    fact("Failure point", el("span", {}, code(failure.frame), ` at ${clock(failure.time, 6)}`)), fact("Gateway", code(failure.gateway)), fact("Upstream", code(failure.upstream)),
    fact("Connection", `tcp.stream ${failure.stream}, ${failure.reused ? `used before, exchange ${failure.exchange}` : "fresh"}`),
    response && fact("Response", `${response[0] === null ? "no status" : response[0]}, ${plural(response[1], "octet")} of head, ${number.format(response[2])}${response[3] === null ? "" : ` of ${number.format(response[3])}`} of body`),
    failure.until !== null && fact("Silence", duration(Math.round(failure.until * 1e6)))];
  parts.push(count > 1 && el("h3", { class: "title" }, `Attempt ${index + 1} of ${count}: ${failure.kind}`), count > 1 && el("p", { class: "aside" }, failure.summary),
    el("dl", { class: "details" }, facts), failure.ladder.length > 0 && block("What happened", ladder(failure)));
  if (failure.causes.length || failure.alternatives.length) parts.push(block("Why", causes(failure)));
  else parts.push(block("Why", el("p", {}, "The frames show what happened, not why. ", code(`wire502 explain ${failure.kind}`), " says what to check.")));
  if (failure.logs.length) {
    parts.push(block("What the gateway logs", failure.logs.map(([name, status, log]) =>
      el("div", { class: "log" }, status === null ? name : `${name}, which answers ${status}`, code(data.texts[log])))));
  }
  if (failure.trace) parts.push(plot(ident, failure), failure.trace.octets && octets(failure));
  if (failure.evidence.length) parts.push(block("What it rests on", el("ul", { class: "seen" }, failure.evidence.map(([frame, note]) => el("li", {}, code(frame), el("span", {}, note))))));
  if (failure.caveats.length) parts.push(block("Doubts", el("ul", { class: "seen" }, failure.caveats.map((note) => el("li", {}, "–", el("span", {}, data.texts[note]))))));
  if (!data.several) {
    const frames = failure.ladder.map((rung) => Number(rung[0].slice(1))).filter(Number.isFinite);
    if (frames.length) parts.push(block("Look closer", el("p", {}, "In Wireshark: ", code(`tcp.stream == ${failure.stream} && frame.number >= ${Math.min(...frames)} && frame.number <= ${Math.max(...frames)}`))));
  }
  return el("div", { class: "attempt", "data-failure": ident }, parts);
}

function ladder(failure) {
  const client = failure.ladder.some((rung) => rung[6]);
  const lanes = client ? 2 : 1;
  const name = (what, where) => el("span", {}, what, el("b", {}, where));
  const heads = [el("th", { scope: "col" }, "Frame"), el("th", { scope: "col", class: "at" }, "Time (UTC)")];
  if (client) heads.push(el("th", { scope: "col" }, name("client", failure.client)));
  heads.push(el("th", { scope: "col" }, ends(name("gateway", failure.gateway), name("upstream", failure.upstream))));
  const made = [];
  let before = null;
  for (const [frame, time, way, label, note, marked, side] of failure.ladder) {
    if (before !== null && time - before >= 1e6) {
      made.push(el("tr", { class: "wait" }, el("td", {}), el("td", { class: "at" }), client && el("td", { class: "lane" }), el("td", { class: "lane last" }, el("span", { class: "word" }, `⋮ ${duration(time - before)}`))));
    }
    before = time;
    const words = el("span", { class: "word" }, label, note && label ? el("small", {}, note) : note, marked ? el("span", { class: "hush" }, " (failure point)") : null);
    const blank = (mark) => el("td", { class: `lane${mark}` });
    let cells;
    if (way) cells = [client && blank(""), lane(words, way, " last")];
    else if (side) cells = [lane(words, side, ""), blank(" last")];
    else cells = [el("td", { class: "lane last", colspan: lanes }, words)];
    made.push(el("tr", { class: marked ? "fatal" : null, "aria-current": marked ? "true" : null },
      el("td", { class: "frame" }, marked ? `▶ ${frame}` : frame), el("td", { class: "at" }, clock(time, 6)), cells));
  }
  const first = el("col", { class: "c-frame" });
  first.style.width = `${Math.min(Math.max(...failure.ladder.map((rung) => rung[0].length)) * 7.6 + 38, 190)}px`;
  return el("table", { class: "ladder" },
    el("caption", { class: "hush" }, "The frames in order; the failure point is marked."),
    el("colgroup", {}, first, el("col", { class: "c-at" }), client && el("col", {}), el("col", {})),
    el("thead", {}, el("tr", {}, heads)), el("tbody", {}, made));
}
const ends = (left, right) => el("span", { class: "ends" }, left, right);
const lane = (words, way, mark) => el("td", { class: `lane${mark}${way === "<" ? " back" : ""}` }, words,
  el("span", { class: "hush" }, way === "<" ? " (leftwards)" : " (rightwards)"), el("span", { class: "arrow", "aria-hidden": "true" }));

function causes(failure) {
  return [...failure.causes.map(([name, group, confidence, because, overturned, advice]) => el("div", { class: "cause" },
    el("h4", {}, name.replaceAll("_", " "), el("span", {}, ` · ${group}, confidence ${confidence}`)),
    because.length ? el("ul", {}, because.map(([frame, note]) => el("li", {}, code(frame), el("span", {}, note)))) : null,
    overturned !== null && data.texts[overturned] && el("p", { class: "doubt" }, `Would be overturned by: ${data.texts[overturned]}`),
    advice !== null && data.texts[advice] && el("p", { class: "advice" }, data.texts[advice]))),
  ...failure.alternatives.map(([kind, frame, confidence, why]) => el("div", { class: "cause" },
    el("h4", {}, `Or else ${kind}`, el("span", {}, `${frame ? ` at ${frame}` : ""} · confidence ${confidence}`)), el("p", { class: "doubt" }, data.texts[why])))];
}

// -- sequence and time --------------------------------------------------------------------------------------------------------

function unpack(trace) {
  let frame = 0, time = trace.first;
  return trace.rows.map(([ahead, wait, gateway, offset, length, ack, window, flags]) => {
    frame += ahead; time += wait;
    return { frame, time, gateway, offset, length, ack, window, flags };
  });
}
// A scale that is linear but for long pauses, which are drawn as narrow strips: at most five.
function timeScale(times, left, right) {
  const sorted = [...new Set(times)].sort((a, b) => a - b);
  const waits = sorted.slice(1).map((time, index) => ({ at: index, wait: time - sorted[index] }));
  let rest = sorted[sorted.length - 1] - sorted[0];
  const pauses = new Set();
  for (const one of [...waits].sort((a, b) => b.wait - a.wait).slice(0, 5)) {
    if (waits.length - pauses.size < 3 || one.wait < 5 * (rest - one.wait)) break;
    pauses.add(one.at);
    rest -= one.wait;
  }
  const strip = Math.min(54, (right - left) * 0.11), room = right - left - pauses.size * strip;
  const places = new Map([[sorted[0], left]]);
  const strips = [];
  let x = left;
  waits.forEach(({ at, wait }) => {
    const wide_ = pauses.has(at) ? strip : rest > 0 ? wait / rest * room : 0;
    if (pauses.has(at)) strips.push([x, strip, wait]);
    x += wide_;
    places.set(sorted[at + 1], x);
  });
  return [(time) => places.get(time), strips];
}
function niceTicks(low, high, most) {
  const raw = Math.max((high - low) / most, 1), power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= raw);
  const ticks = [];
  for (let at = Math.ceil(low / step) * step; at <= high; at += step) ticks.push(at);
  return ticks;
}

let plots = 0;
function plot(ident, failure) {
  const trace = failure.trace, points = unpack(trace), home = el("figure", { class: "block plot" });
  if (!points.length) return null;
  plots += 1;
  const width = Math.max(320, Math.min(1064, ($("case").clientWidth || document.documentElement.clientWidth - 36))), left = 66, right = width - 14;
  const [x, strips] = timeScale([...points.map((point) => point.time), failure.time], left, right);
  const picture = draw("svg", { role: "img", "aria-labelledby": `p${plots}t p${plots}d` });
  let y = 30;
  const marks = [], seen = { again: false, window: false, hole: trace.holes.length > 0, zero: false };
  for (const side of [1, 0]) {
    const tall = panel(side, y, marks, seen);
    y += tall + 18;
  }
  function panel(side, top, out, notes) {
    const mine = points.filter((point) => point.gateway === side), others = points.filter((point) => point.gateway !== side);
    const carrying = mine.filter((point) => point.length > 0 && !(point.flags & RESETS));
    const edges = carrying.flatMap((point) => [point.offset, point.offset + point.length]);
    if (!side && trace.end !== null && carrying.length) edges.push(trace.end);
    const acks = others.filter((point) => point.ack >= 0 && !(point.flags & RESETS));
    const closes = mine.filter((point) => point.flags & (CLOSES | RESETS));
    let low = edges.length ? Math.min(...edges) : 0, high = edges.length ? Math.max(...edges) : 0;
    for (const [where, from, to] of trace.holes) if (where === side && edges.length) { low = Math.min(low, from); high = Math.max(high, to); }
    const span = Math.max(high - low, 1);
    const windows = acks.filter((point) => point.window >= 0).map((point) => [point.time, point.ack + point.window]);
    const near = edges.length > 0 && windows.length > 1 && Math.min(...windows.map((one) => one[1])) <= high + span * 0.6;
    if (near) { high += span * 0.12; notes.window = true; }
    const tall = edges.length ? 138 : 40;
    const place = (offset) => edges.length ? top + 22 + (tall - 32) * (1 - (Math.max(low, Math.min(offset, high)) - low) / Math.max(high - low, 1)) : top + tall - 12;
    out.push(draw("line", { class: "axis", x1: left, x2: right, y1: top + tall, y2: top + tall }),
      draw("text", { class: "lane", x: left, y: top + 8 }, side ? "gateway → upstream" : "upstream → gateway"));
    if (!edges.length) out.push(draw("text", { x: left + 130, y: top + 8 }, "no octet"));
    for (const value of edges.length ? niceTicks(low, high, 3) : []) {
      out.push(draw("line", { class: "grid", x1: left, x2: right, y1: place(value), y2: place(value) }),
        draw("text", { x: left - 8, y: place(value) + 4, "text-anchor": "end" }, number.format(value)));
    }
    for (const [where, from, to] of trace.holes) {
      if (where !== side) continue;
      out.push(draw("rect", { class: "hole", x: left, width: right - left, y: place(to), height: Math.max(3, place(from) - place(to)) },
        draw("title", {}, `${plural(to - from, "octet")} never seen`)));
    }
    if (!side && trace.end !== null && carrying.length) {
      out.push(draw("line", { class: "end", x1: left, x2: right, y1: place(trace.end), y2: place(trace.end) }),
        draw("text", { x: right, y: place(trace.end) - 5, "text-anchor": "end" }, "announced end of the response"));
    }
    const steps = (values) => values.map(([time, value], index) => `${index ? `H${x(time).toFixed(1)}V` : `M${x(time).toFixed(1)} `}${place(value).toFixed(1)}`).join("");
    if (edges.length && acks.length) out.push(draw("path", { class: "ack", d: steps(acks.map((point) => [point.time, point.ack])) }));
    if (near) out.push(draw("path", { class: "window", d: steps(windows) }));
    for (const point of carrying) {
      const again = point.flags & (AGAIN | PROBE);
      if (again) notes.again = true;
      const from = place(point.offset), to = place(point.offset + point.length);
      out.push(draw("line", { class: `data${side ? " g" : ""}${again ? " again" : ""}`, x1: x(point.time).toFixed(1), x2: x(point.time).toFixed(1), y1: from.toFixed(1), y2: Math.min(to, from - 3).toFixed(1) },
        draw("title", {}, `#${point.frame} ${clock(point.time, 6)}: ${plural(point.length, "octet")} at ${number.format(point.offset)}${point.flags & AGAIN ? ", again" : ""}${point.flags & PROBE ? ", keep-alive probe" : ""}${point.flags & AHEAD ? ", behind a hole" : ""}`)));
    }
    let busy = -99;
    const label = (point, text, mark, up) => {
      const at = x(point.time), clash = Math.abs(at - busy) < 30;
      busy = at;
      const edge = at > right - 30 ? "end" : at < left + 30 ? "start" : "middle";
      out.push(draw("text", { class: `flag${mark}`, x: edge === "end" ? Math.min(at, right - 4) : edge === "start" ? at + 7 : at, y: up - (clash ? 18 : 7), "text-anchor": edge }, text));
    };
    for (const point of mine.filter((one) => one.flags & OPENS)) {
      out.push(draw("circle", { class: "flag", cx: x(point.time), cy: top + tall, r: 3 }));
      label(point, point.ack >= 0 ? "SYN ACK" : "SYN", "", top + tall);
    }
    for (const point of others.filter((one) => one.flags & WINDOW_ZERO).slice(0, 3)) {
      notes.zero = true;
      out.push(draw("path", { class: "flag", d: `M${x(point.time) - 5} ${place(point.ack) - 12}h10l-5 8z` }, draw("title", {}, `#${point.frame}: window 0`)));
      label(point, "window 0", "", place(point.ack) - 9);
    }
    const told = new Set();
    for (const point of closes) {
      const cx = x(point.time), cy = place(edges.length ? point.offset + point.length : 0), hot = point.frame === trace.point ? " hot" : "";
      if (point.flags & RESETS) out.push(draw("path", { class: `flag${hot}`, d: `M${cx - 4} ${cy - 4}l8 8M${cx + 4} ${cy - 4}l-8 8` }));
      else out.push(draw("rect", { class: `flag${hot}`, x: cx - 3.5, y: cy - 3.5, width: 7, height: 7, transform: `rotate(45 ${cx} ${cy})` }));
      const text = point.flags & RESETS ? "RST" : "FIN";
      if (!told.has(`${text}${Math.round(cx / 12)}`)) label(point, text, hot, cy);
      told.add(`${text}${Math.round(cx / 12)}`);
    }
    return tall;
  }
  const height = y + 14;
  picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const kinds_ = (bits) => points.filter((point) => point.flags & bits).length;
  picture.append(draw("title", { id: `p${plots}t` }, `Segments of tcp.stream ${failure.stream} over time`),
    draw("desc", { id: `p${plots}d` }, `${plural(points.length, "segment")}, ${kinds_(AGAIN)} of them again, ${kinds_(CLOSES)} FIN, ${kinds_(RESETS)} RST, ${plural(trace.holes.length, "hole")}. The table below lists them.`));
  for (const [at, wide_, wait] of strips) {
    picture.append(draw("rect", { class: "pause", x: at + 3, width: wide_ - 6, y: 22, height: y - 36 }), draw("text", { x: at + wide_ / 2, y: y + 2, "text-anchor": "middle" }, duration(wait)));
  }
  const fatal = x(failure.time);
  picture.append(draw("line", { class: "fatal", x1: fatal, x2: fatal, y1: 20, y2: y - 14 }),
    draw("text", { class: "fatal", x: fatal, y: 14, "text-anchor": fatal > width - 90 ? "end" : fatal < left + 60 ? "start" : "middle" }, `failure point ${failure.frame}`));
  picture.append(...marks);
  const total = points[points.length - 1].time - points[0].time;
  if (!strips.length) picture.append(draw("text", { x: left, y: y + 4 }, clock(points[0].time, 6)), draw("text", { x: right, y: y + 4, "text-anchor": "end" }, `+ ${duration(total)}`));
  const swatch = (name, text) => [el("span", { class: `swatch ${name}` }), text];
  home.append(el("figcaption", {}, el("h3", {}, "Octets over time"), el("p", { class: "key" }, swatch("gateway", "sent by the gateway"), swatch("upstream", "sent by the upstream"),
    seen.again && swatch("again", "sent again"), swatch("ack", "acknowledged"), seen.window && swatch("window", "room the receiver has"))));
  home.append(picture);
  if (trace.omitted) home.append(el("p", { class: "key" }, `${plural(trace.omitted, "segment")} in the middle are not drawn.`));
  home.append(el("details", { on: { toggle: (event) => { if (event.target.open && event.target.childElementCount < 2) event.target.append(segments(points, trace)); } } },
    el("summary", {}, `The ${plural(points.length, "segment")} as a table`)));
  return home;
}
function segments(points, trace) {
  const flags = (point) => [point.flags & OPENS && "SYN", point.flags & CLOSES && "FIN", point.flags & RESETS && "RST", point.flags & AGAIN && "again",
    point.flags & PROBE && "probe", point.flags & AHEAD && "behind a hole", point.flags & WINDOW_ZERO && "window 0"].filter(Boolean).join(", ");
  return el("div", { class: "scroll-x", tabindex: 0, role: "region", "aria-label": "Segments" }, el("table", { class: "plain" },
    el("thead", {}, el("tr", {}, ["Frame", "Time (UTC)", "From", "Offset", "Octets", "Acknowledges", "Window", "Flags"].map((text, index) => el("th", { scope: "col", class: index > 2 && index < 7 ? "n" : null }, text)))),
    el("tbody", {}, points.map((point, index) => el("tr", { class: point.frame === trace.point ? "some" : null }, el("th", { scope: "row", class: "mono" }, `#${point.frame}`), el("td", { class: "mono" }, clock(point.time, 6)),
      el("td", {}, point.gateway ? "gateway" : "upstream"), el("td", { class: "n" }, number.format(point.offset)), el("td", { class: "n" }, number.format(point.length)),
      el("td", { class: "n" }, point.ack < 0 ? "–" : number.format(point.ack)), el("td", { class: "n" }, point.window < 0 ? "–" : number.format(point.window)),
      el("td", {}, flags(point), trace.omitted && index === trace.cut ? ` (after ${plural(trace.omitted, "segment")} left out)` : ""))))));
}

// -- octets -------------------------------------------------------------------------------------------------------------------

function octets(failure) {
  const found = failure.trace.octets, known = new Map();
  for (const [offset, hex] of found.pieces) for (let at = 0; at < hex.length; at += 2) known.set(offset + at / 2, parseInt(hex.slice(at, at + 2), 16));
  const places = [...known.keys()], low = Math.min(...places), high = Math.max(...places) + 1;
  const per = document.documentElement.clientWidth < 720 ? 8 : 16, end = !found.blame && found.mark > low;
  const made = [];
  for (let line = Math.floor(low / per) * per; line < high + (end && high === found.mark && high % per === 0 ? 1 : 0); line += per) {
    const hex = el("td", {}), text = el("td", {});
    for (let at = line; at < line + per; at += 1) {
      const octet = known.get(at), here = found.blame && at === found.mark;
      if (end && at === found.mark) { hex.append(el("mark", { class: "end" }, "▌")); text.append(el("mark", { class: "end" }, "▌")); break; }
      const two = octet === undefined ? (at < low || at >= high ? "  " : "··") : octet.toString(16).padStart(2, "0");
      const one = octet === undefined ? (at < low || at >= high ? " " : "·") : octet > 31 && octet < 127 ? String.fromCharCode(octet) : "·";
      hex.append(here ? el("mark", {}, two) : two, at % 8 === 7 && at < line + per - 1 ? "  " : " ");
      text.append(here ? el("mark", {}, one) : octet !== undefined && (octet < 32 || octet > 126) ? el("span", { class: "gone" }, one) : one);
    }
    made.push(el("tr", {}, el("th", { scope: "row" }, number.format(line)), hex, text));
  }
  const where = found.gateway ? "The end of what the gateway sent; nothing of a response came." : found.blame ? `The octet at offset ${number.format(found.mark)} is the first one that cannot stand there.`
    : end ? `The last octets from the upstream: ${number.format(found.mark)} had come in order, then no more.` : "What the upstream answered.";
  return block("The octets", el("p", { class: "aside" }, where, data.redacted ? " Secrets and bodies are overwritten." : ""),
    el("div", { class: "scroll-x", tabindex: 0, role: "region", "aria-label": "Octets" }, el("table", { class: "octets" },
      el("thead", {}, el("tr", {}, ["Offset", "Hexadecimal", "Text"].map((text) => el("th", { scope: "col" }, text)))), el("tbody", {}, made))));
}

// -- all together ---------------------------------------------------------------------------------------------------------------

let shown = null;
function update() {
  const before = state;
  state = fromAddress();
  const filtered = shown === null || KEYS.some((key) => key !== "id" && before[key] !== state[key]);
  if (filtered) {
    choose();
    if (shown !== null) { $("list").scrollTop = 0; cursor = 0; }
    showFilters();
    list();
    timeline(); kinds(); upstreams();
  }
  if (filtered || before.id !== state.id || shown === null) {
    const one = byId.get(openCase());
    const at = one ? cases.indexOf(one) : -1;
    if (at >= 0) { cursor = at; if (!filtered || shown === null) keepVisible(at); }
    drawn = "";
    rows();
    showCase();
    if (one && before.id !== state.id) { $("case").scrollIntoView({ block: "start" }); $("case").focus({ preventScroll: true }); }
    else if (!one && before.id && !state.id) { $("incidents").scrollIntoView({ block: "start" }); moveTo(cursor); }
  }
  shown = true;
}
function keepVisible(at) {
  const home = $("list"), tall = rowHeight();
  if (at * tall < home.scrollTop || (at + 2) * tall > home.scrollTop + home.clientHeight) home.scrollTop = Math.max(0, at * tall - home.clientHeight / 3);
}
function themes() {
  const order = ["system", "light", "dark"], button = $("theme");
  let now = "system";
  try { now = localStorage.getItem("wire502-theme") || "system"; } catch { /* a page opened from a file may keep nothing */ }
  const set = (name) => {
    now = order.includes(name) ? name : "system";
    if (now === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = now;
    button.textContent = `Theme: ${now}`;
    try { localStorage.setItem("wire502-theme", now); } catch { /* see above */ }
  };
  button.addEventListener("click", () => set(order[(order.indexOf(now) + 1) % order.length]));
  set(now);
}

themes();
$("charts").hidden = false;
$("incidents").hidden = false;
filters();
$("list").addEventListener("scroll", () => requestAnimationFrame(rows), { passive: true });
$("list").addEventListener("keydown", keys);
$("list").addEventListener("click", (event) => {
  const link = event.target.closest("tbody tr[data-at]");
  if (link && !event.target.closest("a")) link.querySelector("a").click();
});
$("list").addEventListener("focusin", (event) => { const line = event.target.closest("tr[data-at]"); if (line) cursor = Number(line.dataset.at); });
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !event.target.closest("input, select, textarea")) { event.preventDefault(); $("filters").elements.q.focus(); }
  else if (event.key === "Escape" && state.id && !event.target.closest("input")) location.hash = address({ id: "" });
});
document.querySelector(".skip").addEventListener("click", (event) => { event.preventDefault(); $("incidents").scrollIntoView(); $("incidents").focus(); });
addEventListener("hashchange", update);
addEventListener("beforeprint", () => { printing = true; drawn = ""; rows(); });
addEventListener("afterprint", () => { printing = false; drawn = ""; rows(); });
let width = 0;
addEventListener("resize", () => requestAnimationFrame(() => {
  if (width === document.documentElement.clientWidth || printing) return;
  width = document.documentElement.clientWidth;
  timeline(); bytes(); drawn = ""; rows(); if (openCase()) showCase();
}));
update();
bytes();
document.documentElement.dataset.ready = "yes";
})();
