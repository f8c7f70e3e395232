// The site of `docs build --html` in a browser, from files: nothing is loaded from elsewhere, search finds, diagrams are drawn, the
// catalog sorts and filters, every link leads somewhere, and axe-core finds nothing, in both colour schemes.
// Then the same from `docs serve` at an address: an open page hears that the catalog has changed.
// usage: node docs-site.mjs CHROMIUM SITE ADDRESS CATALOG [SCREENSHOT.png]

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { accessible, checks, holds, launch, open as opened, same } from "./browser.mjs";

const [executablePath, site, address, catalogFile, screenshot] = process.argv.slice(2);
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
  same(await page.getByText("Context7 Worker").count(), 0, "an open page is loaded anew");
  same(page.requests.filter(url => !url.startsWith(address) && !url.startsWith("data:")), [], "and loads nothing from elsewhere");
  // The page before was told to close its socket, and may say so.
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
    if (screenshot && scheme === "light") await drawing.screenshot({ path: screenshot });
    await drawing.close();
  }
  same(grounds.size, 2, "the reader's colour scheme counts");
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
