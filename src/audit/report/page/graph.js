
// The graph: a view shows what is in one folder. Whatever is too much for a drawing is one circle, which can be opened.
const FEW = 120, MOST = 80;
const SVG = "http://www.w3.org/2000/svg";

const facts = data.paths.map(() => ({ into: 0, out: 0, count: 0, worst: 3 }));
for (const finding of findings) {
  const fact = facts[finding.path];
  fact.count++;
  fact.worst = Math.min(fact.worst, SEVERITIES.indexOf(finding.severity));
}
for (let at = 0; at < data.edges.length; at += 2) {
  facts[data.edges[at]].out++;
  facts[data.edges[at + 1]].into++;
}

const folder = (name, up) => ({ name, up, folders: new Map(), documents: [], size: 0, count: 0, worst: 3 });
const root = folder(data.root, null);
data.paths.forEach((path, at) => {
  const parts = path.split("/");
  let place = root;
  const add = () => {
    place.size++;
    place.count += facts[at].count;
    place.worst = Math.min(place.worst, facts[at].worst);
  };
  add();
  for (const part of parts.slice(0, -1)) {
    if (!place.folders.has(part)) place.folders.set(part, folder(part, place));
    place = place.folders.get(part);
    add();
  }
  place.documents.push(at);
});

function* documentsIn(place) {
  yield* place.documents;
  for (const inner of place.folders.values()) yield* documentsIn(inner);
}

const single = (at, name) => ({ name, document: at, size: 1, count: facts[at].count, worst: facts[at].worst });

// The most important ones, and one folder for all others.
function most(items, place, noun) {
  items.sort((a, b) => b.count - a.count || b.size - a.size || (b.document === undefined ? 0 : degree(b) - degree(a)));
  if (items.length <= MOST) return items;
  const rest = folder(plural(items.length - MOST, `more ${noun}`), place);
  for (const item of items.slice(MOST)) {
    if (item.document === undefined) rest.folders.set(item.name, item);
    else rest.documents.push(item.document);
    rest.size += item.size;
    rest.count += item.count;
    rest.worst = Math.min(rest.worst, item.worst);
  }
  return [...items.slice(0, MOST), rest];
}

const degree = item => facts[item.document].into + facts[item.document].out;
const fileName = at => data.paths[at].split("/").pop();

function itemsOf(place) {
  if (place.size <= FEW) {
    const path = item => data.paths[item.document];
    const items = [...documentsIn(place)].map(at => single(at, fileName(at)));
    return items.sort((a, b) => b.count - a.count || (path(a) < path(b) ? -1 : 1));
  }
  const documents = place.documents.map(at => single(at, fileName(at)));
  return [...most([...place.folders.values()], place, "folder"), ...most(documents, place, "document")];
}

// Links between items, and how many of them there are.
function linksOf(items) {
  const owner = new Int32Array(data.paths.length).fill(-1);
  items.forEach((item, at) => {
    if (item.document !== undefined) owner[item.document] = at;
    else for (const inside of documentsIn(item)) owner[inside] = at;
  });
  const links = new Map();
  for (let at = 0; at < data.edges.length; at += 2) {
    const from = owner[data.edges[at]], to = owner[data.edges[at + 1]];
    if (from < 0 || to < 0 || from === to) continue;
    const key = from * items.length + to;
    links.set(key, (links.get(key) || 0) + 1);
  }
  return [...links].map(([key, weight]) => ({ from: Math.floor(key / items.length), to: key % items.length, weight }));
}

// Springs along links, repulsion between all, a pull to the middle; then circles that touch are moved apart. It starts from a spiral,
// so that a drawing is the same every time.
function layOut(items, links) {
  const points = items.map((_, at) => {
    const angle = at * 2.399963, far = 26 * Math.sqrt(at + .5);
    return { x: far * Math.cos(angle), y: far * Math.sin(angle), dx: 0, dy: 0 };
  });
  const degrees = items.map(() => 0);
  for (const { from, to } of links) {
    degrees[from]++;
    degrees[to]++;
  }
  const ideal = 60;
  for (let round = 0; round < 180; round++) {
    for (let a = 0; a < points.length; a++) {
      const one = points[a];
      one.dx -= one.x * .04;
      one.dy -= one.y * .04;
      for (let b = a + 1; b < points.length; b++) {
        const other = points[b], x = one.x - other.x || .01, y = one.y - other.y;
        const force = ideal * ideal / Math.max(x * x + y * y, 25);
        one.dx += x * force; one.dy += y * force;
        other.dx -= x * force; other.dy -= y * force;
      }
    }
    // What has many links must not be pulled into one lump by them.
    for (const { from, to } of links) {
      const one = points[from], other = points[to], x = other.x - one.x, y = other.y - one.y;
      const force = Math.hypot(x, y) / ideal * .8 / Math.sqrt(degrees[from] * degrees[to]);
      one.dx += x * force; one.dy += y * force;
      other.dx -= x * force; other.dy -= y * force;
    }
    const heat = 40 * (1 - round / 180);
    for (const point of points) {
      const far = Math.hypot(point.dx, point.dy) || 1, step = Math.min(far, heat) / far;
      point.x += point.dx * step; point.y += point.dy * step;
      point.dx = point.dy = 0;
    }
  }
  fit(points, "x", 410);
  fit(points, "y", 290);
  for (let round = 0; round < 60; round++) {
    for (let a = 0; a < points.length; a++) {
      for (let b = a + 1; b < points.length; b++) {
        const one = points[a], other = points[b], x = one.x - other.x || .01, y = one.y - other.y;
        const far = Math.hypot(x, y), lacking = radius(items[a]) + radius(items[b]) + 12 - far;
        if (lacking <= 0) continue;
        const by = lacking / far / 2;
        one.x += x * by; one.y += y * by;
        other.x -= x * by; other.y -= y * by;
      }
    }
    for (const point of points) {
      point.x = Math.max(-420, Math.min(420, point.x));
      point.y = Math.max(-300, Math.min(290, point.y));
    }
  }
  return points;
}

// Into the frame, with room for labels.
function fit(points, axis, room) {
  const values = points.map(point => point[axis]), low = Math.min(...values), high = Math.max(...values);
  const scale = Math.min(2 * room / Math.max(high - low, 1), 3);
  for (const point of points) point[axis] = (point[axis] - (low + high) / 2) * scale;
}

function shape(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const radius = item => item.document === undefined ? Math.min(40, 9 + 1.6 * Math.sqrt(item.size)) : 6;
const kind = item => [item.document === undefined ? "folder" : "", SEVERITIES[item.worst] || "clean",
  item.document !== undefined && !facts[item.document].into ? "alone" : ""].join(" ").trim();
const short = name => [...name].length > 26 ? `${[...name].slice(0, 25).join("")}…` : name;

function describe(item) {
  const said = item.document === undefined ? [plural(item.size, "document")]
    : [`${facts[item.document].into} in`, `${facts[item.document].out} out`];
  if (item.count) said.push(plural(item.count, "finding"));
  return said.join(", ");
}

function draw(items, links, points) {
  const svg = byId("drawing");
  const arrow = shape("marker", { id: "arrow", viewBox: "0 0 8 8", refX: 8, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto", markerUnits: "userSpaceOnUse" },
    shape("path", { d: "M0 1 L8 4 L0 7 z" }));
  const lines = links.map(({ from, to, weight }) => {
    const a = points[from], b = points[to], far = Math.hypot(b.x - a.x, b.y - a.y) || 1;
    const cut = (point, other, by) => ({ x: point.x + (other.x - point.x) * by / far, y: point.y + (other.y - point.y) * by / far });
    const start = cut(a, b, radius(items[from])), end = cut(b, a, radius(items[to]) + 2);
    return shape("line", { x1: start.x.toFixed(1), y1: start.y.toFixed(1), x2: end.x.toFixed(1), y2: end.y.toFixed(1),
      "stroke-width": (1 + Math.log2(weight) * .6).toFixed(1), "marker-end": "url(#arrow)" });
  });
  const labelled = items.length <= 45 ? () => true : item => item.document === undefined || item.worst === 0;
  const nodes = items.map((item, at) => {
    const { x, y } = points[at], far = radius(item);
    const node = shape("g", { class: kind(item), "data-at": at },
      shape("circle", { cx: x.toFixed(1), cy: y.toFixed(1), r: far.toFixed(1) }, shape("title", {}, `${item.name}: ${describe(item)}`)));
    if (labelled(item)) node.append(shape("text", { x: x.toFixed(1), y: (y + far + 14).toFixed(1) }, short(item.name)));
    node.addEventListener("click", () => choose(item));
    return node;
  });
  const title = byId("drawing-title");
  title.textContent = `${plural(items.length, "circle")}, ${plural(links.length, "arrow")}; the list beside it has the same.`;
  svg.replaceChildren(title, shape("defs", {}, arrow), ...lines, ...nodes);
}

function button(label, action) {
  const element = make("button", "", label);
  element.type = "button";
  element.addEventListener("click", action);
  return element;
}

let view = root, items = [];

function open(place, focus) {
  view = place;
  items = itemsOf(place);
  const links = linksOf(items);
  draw(items, links, layOut(items, links));
  byId("node").replaceChildren();
  byId("nodes-title").textContent = `In ${place.name}`;
  byId("nodes").replaceChildren(...items.map(item =>
    make("li", "", button(item.document === undefined ? `${item.name}/` : item.name, () => choose(item)), " ", make("span", "dim", describe(item)))));
  const crumbs = [];
  for (let up = place; up; up = up.up) crumbs.unshift(up);
  byId("crumbs").replaceChildren(...crumbs.flatMap((up, at) => {
    const here = at === crumbs.length - 1;
    return [at ? " / " : "", here ? make("strong", "", up.name) : button(up.name, () => open(up, true))];
  }));
  byId("crumbs").lastElementChild.tabIndex = -1;
  if (focus) byId("crumbs").lastElementChild.focus();
}

function choose(item) {
  if (item.document === undefined) open(item, true);
  else inspect(item.document);
}

// One document: its neighbours, each a step further.
function inspect(at) {
  const path = data.paths[at], into = [], out = [];
  for (let edge = 0; edge < data.edges.length; edge += 2) {
    if (data.edges[edge] === at) out.push(data.edges[edge + 1]);
    if (data.edges[edge + 1] === at) into.push(data.edges[edge]);
  }
  const neighbours = (title, list) => list.length ? [make("p", "", `${title} ${plural(list.length, "document")}:`),
    make("ul", "", ...list.slice(0, 30).map(other => make("li", "", button(data.paths[other], () => inspect(other)))),
      ...(list.length > 30 ? [make("li", "dim", `and ${number(list.length - 30)} more`)] : []))] : [make("p", "dim", `${title} no document.`)];
  byId("node").replaceChildren(make("p", "path", make("strong", "", path)),
    ...(facts[at].count ? [button(`Show its ${plural(facts[at].count, "finding")}`, () => showDocument(path))] : []),
    ...neighbours("Linked from", into), ...neighbours("Links to", out));
  const chosen = items.findIndex(item => item.document === at);
  for (const node of byId("drawing").querySelectorAll("g")) node.classList.toggle("chosen", Number(node.dataset.at) === chosen);
}

open(root, false);
