// The site of `docs build --html` in a browser, from files: nothing is loaded from elsewhere, search finds, diagrams are drawn, the
// catalog sorts and filters, every link leads somewhere, and axe-core finds nothing, in both colour schemes.
// Then the same from `docs serve` at an address: an open page hears that the catalog has changed.
// usage: node docs-site.mjs CHROMIUM SITE ADDRESS CATALOG PICTURES, a folder with the pictures of the documents. With TAKE_PICTURES=1
// they are taken again.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { accessible, checks, holds, launch, open as opened, same } from "./browser.mjs";

const [executablePath, site, address, catalogFile, pictures] = process.argv.slice(2);
const browser = await launch(executablePath);
const open = (path, colorScheme = "light", width) => opened(browser, join(site, path), colorScheme, width);
const root = pathToFileURL(site).href;

const quiet = page => {
  same(page.requests.filter(url => !url.startsWith(root) && !url.startsWith("data:")), [], "the site loads nothing from elsewhere");
  same(page.complaints, [], "nothing on the console");
};

const chapters = async page => {
  const links = await page.locator("#mdbook-sidebar .chapter a[href*='.html']").evaluateAll(links => links.map(link => link.href.split("#")[0]));
  return [...new Set(links)].map(url => fileURLToPath(url).slice(site.length + 1));
};

// Every link within the site, and its fragment.
async function links(paths) {
  const ids = new Map();
  const wanted = [];
  for (const path of paths) {
    const page = await open(path);
    ids.set(pathToFileURL(join(site, path)).href, new Set(await page.locator("[id]").evaluateAll(all => all.map(one => one.id))));
    for (const href of await page.locator("main a[href]").evaluateAll(all => all.map(one => one.href))) {
      if (href.startsWith("file:")) wanted.push([path, href]);
    }
    quiet(page);
    await page.close();
  }
  const dead = wanted.filter(([, href]) => {
    const [file, fragment] = href.split("#");
    return !existsSync(fileURLToPath(file)) || (fragment && !ids.get(file)?.has(decodeURIComponent(fragment)));
  });
  same(dead, [], "every link leads somewhere");
  holds(wanted.length > 40, `${wanted.length} links within the site`);
}

async function search(page) {
  await page.keyboard.press("/");
  // The index is loaded when the search is opened.
  await page.waitForFunction(() => document.getElementById("mdbook-search-index") && !document.querySelector(".searching"));
  await page.keyboard.type("encryption key mismatch");
  const found = page.locator("#mdbook-searchresults a").first();
  await found.waitFor();
  holds((await found.getAttribute("href")).includes("OAUTH_TROUBLESHOOTING.html"), "the runbook is found");
  await accessible(page, "with results");
  await found.click();
  await page.waitForURL(/OAUTH_TROUBLESHOOTING\.html.*#encryption-key-mismatch/);
  holds(await page.getByRole("heading", { name: "Encryption key mismatch" }).isVisible(), "the result leads to the section");
}

// What people look up by its name leads to the page that explains it: one of the first three results.
const WANTED = [
  ["MCP-AUTH-013", "OAUTH_TROUBLESHOOTING.html", "#index-by-error-code"],
  ["TOKEN_STORE", "TEMPLATE_GUIDE.html", "#the-servers-own-tokens-for-what-it-calls"],
  ["CF_ACCESS_AUD", "OAUTH_SOP.html", "#modes"],
  ["mcp-kit update", "commands.html", "#mcp-kit-update"],
  ["catalog verify", "commands.html", "#mcp-kit-catalog-verify"],
  ["broken-anchor", "checks.html", "#broken-anchor"],
  ["template-drift", "fleet.html", "#template-drift"],
];

async function names() {
  for (const [words, file, place] of WANTED) {
    const page = await open("index.html");
    await page.keyboard.press("/");
    await page.waitForFunction(() => document.getElementById("mdbook-search-index") && !document.querySelector(".searching"));
    await page.keyboard.type(words);
    const results = page.locator("#mdbook-searchresults a");
    await results.first().waitFor();
    const found = await results.evaluateAll(all => all.slice(0, 3).map(one => one.getAttribute("href")));
    holds(found.some(href => href.includes(file) && href.endsWith(place)), `${words} is not found in ${file}${place}, but in ${found.join(" ")}`);
    quiet(page);
    await page.close();
  }
}

// The pictures of the documents: each a page of this site, of a size that a document has room for. A page that is gone fails here;
// one that has changed is taken again by a person, who looks at it.
const PICTURES = [
  ["docs-site.png", "ARCHITECTURE", 900],
  ["catalog.png", "MCP_SERVER_CATALOG", 520],
  ["service.png", "services/coda", 900],
  ["tutorial.png", "first-server", 700],
];

async function photographs(find) {
  const folder = process.env.TAKE_PICTURES ? pictures : mkdtempSync(join(tmpdir(), "pictures-"));
  try {
    for (const [name, chapter, height] of PICTURES) {
      const page = await open(find(chapter));
      await page.setViewportSize({ width: 1200, height });
      await page.screenshot({ path: join(folder, name) });
      await page.close();
      // Width and height of a PNG are in its first chunk.
      const size = file => [16, 20].map(at => readFileSync(file).readUInt32BE(at));
      const kept = join(pictures, name);
      holds(existsSync(kept), `there is no ${name}: take it with TAKE_PICTURES=1`);
      same(size(kept), size(join(folder, name)), `${name} is of another size: take it again with TAKE_PICTURES=1`);
    }
  } finally {
    if (folder !== pictures) rmSync(folder, { recursive: true });
  }
}

async function catalog(page) {
  const names = () => page.locator(".filtered tbody tr:visible td:first-child").allInnerTexts();
  const all = await names();
  holds(all.length > 3, "the servers of the catalog");
  await page.getByRole("button", { name: "Service Name" }).focus();
  await page.keyboard.press("Enter");
  same(await names(), all.toSorted((one, other) => one.localeCompare(other)), "a column sorts");
  same(await page.locator("th[aria-sort=ascending]").count(), 1);
  await page.keyboard.press("Enter");
  same(await names(), all.toSorted((one, other) => other.localeCompare(one)), "and backwards");
  // "s" is mdBook's key for its search.
  await page.getByRole("searchbox", { name: "Filter" }).fill("workers");
  await page.keyboard.type(" kv");
  const few = await names();
  holds(few.length > 0 && few.length < all.length, "words are a filter");
  same(await page.locator(".filter output").innerText(), `${few.length} of ${all.length} servers`);
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.press("Delete");
  same((await names()).length, all.length);
}

async function diagrams(page) {
  const drawn = page.locator("figure.diagram > svg");
  same(await drawn.count(), 1);
  same(await page.locator("code.language-mermaid").count(), 0, "no diagram is left as text");
  const box = await drawn.boundingBox();
  holds(box.width > 200 && box.height > 200, "the diagram is to be seen");
  holds((await drawn.textContent()).includes("Token storage"), "its text is in it");
  same(await page.getByRole("img", { name: /^Diagram: MCP Authentication/ }).count(), 1);
  // Letters that can be read on the ground that they stand on.
  const [ink, ground] = await page.evaluate(() => [
    getComputedStyle(document.querySelector("figure.diagram text")).fill,
    getComputedStyle(document.documentElement).backgroundColor,
  ]);
  holds(ink !== ground && ink.startsWith("rgb"), `${ink} on ${ground}`);
}

async function served(path) {
  const page = await opened(browser, address + path, "light");
  await page.getByText("Context7 Worker").first().waitFor();
  writeFileSync(catalogFile, readFileSync(catalogFile, "utf8").replace("Context7 Worker", "Renamed Worker"));
  await page.getByText("Renamed Worker").first().waitFor();
  same(await page.getByText("Context7 Worker").count(), 0, "an open page is loaded again");
  same(page.requests.filter(url => !url.startsWith(address) && !url.startsWith("data:")), [], "and loads nothing from elsewhere");
  // The page before was asked to close its socket, and may say so.
  same(page.complaints.filter(text => !text.includes("WebSocket")), []);
}

try {
  const first = await open("index.html");
  const paths = await chapters(first);
  holds(paths.length >= 9, `${paths.length} chapters`);
  const find = name => paths.find(path => path.endsWith(`${name}.html`));
  const grounds = new Set();
  for (const scheme of ["light", "dark"]) {
    for (const path of paths) {
      const page = await open(path, scheme);
      await accessible(page, `${path}, ${scheme}`);
      quiet(page);
      grounds.add(await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor));
      await page.close();
    }
    const page = await open("index.html", scheme);
    await search(page);
    quiet(page);
    await page.close();
    const drawing = await open(find("ARCHITECTURE"), scheme);
    await diagrams(drawing);
    await drawing.close();
  }
  same(grounds.size, 2, "the reader's colour scheme counts");
  await names();
  await photographs(find);
  const servers = await open(find("MCP_SERVER_CATALOG"));
  await catalog(servers);
  await accessible(servers, "a sorted catalog");
  quiet(servers);
  // The keyboard alone: the first stop is what skips to or shows the rest, arrows turn pages.
  await first.keyboard.press("ArrowRight");
  await first.waitForURL(url => url.pathname.endsWith(paths[1]));
  await links(paths);
  const narrow = await open(find("MCP_SERVER_CATALOG"), "light", 320);
  holds(await narrow.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "320 pixels are wide enough (WCAG 1.4.10)");
  await served(find("MCP_SERVER_CATALOG"));
  console.log(`the site of the documents in Chromium ${browser.version().split(".")[0]}: ${checks} checks of ${paths.length} pages`);
} finally {
  await browser.close();
}
