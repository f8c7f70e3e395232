
"use strict";
// Everything that comes from documents is put into the page as text, never as markup; and none of it may turn the direction of
// writing around.
const data = JSON.parse(document.getElementById("data").textContent.replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "\ufffd"));
const byId = id => document.getElementById(id);
const SEVERITIES = ["error", "warning", "note"];
const PAGE = 200;

// An element with a class, and children that are elements or text.
function make(tag, name, ...children) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.append(...children);
  return element;
}

const number = count => count.toLocaleString("en");
const plural = (count, noun) => `${number(count)} ${noun}${count === 1 ? "" : "s"}`;

const findings = data.findings.map(([code, severity, path, line, column, message, target, suggestion, fix, text, start, end]) =>
  ({ code: data.codes[code][0], severity: SEVERITIES[severity], path, line, column, message, target, suggestion, fix, text, start, end }));
// Those of one severity keep the order of their documents.
findings.sort((one, other) => SEVERITIES.indexOf(one.severity) - SEVERITIES.indexOf(other.severity));
const counts = Object.fromEntries(SEVERITIES.map((severity, at) => [severity, data.summary[at]]));

function lead() {
  const said = SEVERITIES.filter(severity => counts[severity]).map(severity => plural(counts[severity], severity)).join(", ");
  byId("lead").textContent = `${plural(data.documents, "document")}, ${plural(data.links, "link")} in ${data.root}: ${said || "no findings"}${data.accepted}.`;
  byId("profiles").append(...data.profiles.map(profile => make("li", "", profile)));
  byId("made-by").textContent = data.madeBy;
  byId("findings-count").textContent = number(findings.length + data.leftOut);
  byId("proposals-count").textContent = number(data.decisions.length);
  byId("graph-count").textContent = number(data.documentCount);
}

function choice(name, value, label, count, checked = true) {
  const box = make("input");
  Object.assign(box, { type: "checkbox", name, value, checked, defaultChecked: checked });
  return make("label", "choice", box, label, make("span", "count", number(count)));
}

function choices() {
  const named = new Map();
  for (const finding of findings) named.set(finding.code, (named.get(finding.code) || 0) + 1);
  // Notes wait until somebody asks for them, unless there is nothing else.
  const isOpen = severity => severity !== "note" || counts.note === findings.length + data.leftOut;
  byId("severities").append(...SEVERITIES.filter(severity => counts[severity]).map(severity =>
    choice("severity", severity, make("span", `severity ${severity}`, severity), counts[severity], isOpen(severity))));
  const known = data.codes.filter(([code]) => named.has(code));
  byId("codes").append(...known.map(([code, summary]) => {
    const label = choice("code", code, make("code", "", code), named.get(code));
    label.title = summary;
    return label;
  }));
}

const boxes = name => [...byId("filters").querySelectorAll(`input[name="${name}"]`)];

function filters() {
  const wanted = name => new Set(boxes(name).filter(box => box.checked).map(box => box.value));
  return {
    severities: wanted("severity"), codes: wanted("code"), fixable: byId("fixable").checked,
    path: byId("path").value.toLowerCase(), text: byId("text").value.toLowerCase(),
  };
}

function matches(finding, wanted) {
  const has = text => text !== null && text.toLowerCase().includes(wanted.text);
  return wanted.severities.has(finding.severity) && wanted.codes.has(finding.code) && (!wanted.fixable || finding.fix !== null)
    && (!wanted.path || data.paths[finding.path].toLowerCase().includes(wanted.path))
    && (!wanted.text || has(finding.message) || has(finding.target) || has(finding.suggestion) || has(finding.text));
}

function item(finding) {
  const { severity, code, line, column, message, suggestion, fix, start, end } = finding;
  const head = make("p", "", make("span", `severity ${severity}`, severity), " ", make("code", "", code), " ",
    make("span", "dim", `${line}:${column}`), " ", make("span", "said", message));
  const element = make("li", `finding ${severity}`, head);
  // Columns are in Unicode scalar values; a string is in UTF-16.
  const text = [...finding.text];
  if (text.length) {
    const part = (from, to) => text.slice(from, to).join("");
    element.append(make("pre", "", make("code", "", part(0, start), make("mark", "", part(start, end)), part(end))));
  }
  if (fix !== null) element.append(make("p", "dim", "Fix: ", make("span", "said", fix)));
  else if (suggestion !== null) element.append(make("p", "dim", "Did you mean ", make("code", "said", suggestion), "?"));
  return element;
}

let shown = [], drawn = 0;

function more() {
  const list = byId("list"), until = Math.min(drawn + PAGE, shown.length);
  let first = null;
  for (; drawn < until; drawn++) {
    const finding = shown[drawn];
    if (!drawn || shown[drawn - 1].path !== finding.path) {
      list.append(make("h3", "", data.paths[finding.path]), make("ul"));
    }
    const element = item(finding);
    list.lastElementChild.append(element);
    first ||= element;
  }
  byId("more").hidden = drawn === shown.length;
  byId("more").textContent = `Show ${number(Math.min(PAGE, shown.length - drawn))} more of ${number(shown.length)}`;
  return first;
}

function show() {
  const wanted = filters();
  shown = findings.filter(finding => matches(finding, wanted));
  drawn = 0;
  byId("list").replaceChildren();
  more();
  const leftOut = data.leftOut ? ` ${plural(data.leftOut, "finding")} of lower severity are not on this page: it would be too large. The json format has all of them.` : "";
  byId("status").textContent = (findings.length ? `${number(shown.length)} of ${plural(findings.length, "finding")}.` : "No findings.") + leftOut;
  remember(wanted);
}

// The filters stand in the address, so that a selection can be passed on.
function remember(wanted) {
  const query = new URLSearchParams();
  for (const [name, set] of [["severity", wanted.severities], ["code", wanted.codes]]) {
    if (boxes(name).some(box => box.checked !== box.defaultChecked)) query.set(name, [...set].join(" "));
  }
  if (wanted.path) query.set("path", byId("path").value);
  if (wanted.text) query.set("text", byId("text").value);
  if (wanted.fixable) query.set("fixable", "1");
  const hash = query.size ? `#?${query}` : "";
  if (hash || location.hash.startsWith("#?")) history.replaceState(null, "", hash || location.pathname + location.search);
}

function recall() {
  if (!location.hash.startsWith("#?")) return;
  const query = new URLSearchParams(location.hash.slice(2));
  for (const name of ["severity", "code"]) {
    if (!query.has(name)) {
      for (const box of boxes(name)) box.checked = box.defaultChecked;
      continue;
    }
    const values = new Set(query.get(name).split(" "));
    for (const box of boxes(name)) box.checked = values.has(box.value);
  }
  byId("path").value = query.get("path") || "";
  byId("text").value = query.get("text") || "";
  byId("fixable").checked = query.has("fixable");
}

// Without any filter, notes included.
function everything() {
  byId("filters").reset();
  for (const box of [...boxes("severity"), ...boxes("code")]) box.checked = true;
}

// The findings of one document, from elsewhere on the page.
function showDocument(path) {
  everything();
  byId("path").value = path;
  show();
  byId("findings-title").focus();
}

let decided = 0;

function moreDecisions() {
  const rows = byId("decisions").tBodies[0];
  for (const [path, verdict, reasons] of data.decisions.slice(decided, decided + PAGE)) {
    const why = make("ul", "", ...reasons.map(reason => make("li", "said", reason)));
    rows.append(make("tr", "", make("td", "path", data.paths[path]), make("td", "", verdict), make("td", "", why)));
  }
  decided = Math.min(decided + PAGE, data.decisions.length);
  byId("decisions").hidden = !data.decisions.length;
  byId("no-proposals").hidden = data.decisions.length > 0;
  byId("more-decisions").hidden = decided === data.decisions.length;
}

lead();
choices();
recall();
show();
moreDecisions();
byId("filters").addEventListener("input", show);
byId("filters").addEventListener("submit", event => event.preventDefault());
byId("everything").addEventListener("click", () => {
  everything();
  show();
});
// An address that somebody opens on a page that is open already, and the way back.
addEventListener("hashchange", () => {
  if (!location.hash.startsWith("#?")) return;
  recall();
  show();
});
byId("more").addEventListener("click", () => {
  const first = more();
  if (first) {
    first.tabIndex = -1;
    first.focus();
  }
});
byId("more-decisions").addEventListener("click", moreDecisions);
