// What the scripts that drive Chromium share: a page that remembers what it complained of and asked for, axe-core, counted checks.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export let checks = 0;

export const same = (actual, expected, what) => {
  assert.deepEqual(actual, expected, what);
  checks++;
};

export const holds = (condition, what) => {
  assert.ok(condition, what);
  checks++;
};

export const launch = executablePath => chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-quic"] });

// `at` is a file or an address.
export async function open(browser, at, colorScheme, width = 1200) {
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
  page.complaints = [];
  page.requests = [];
  page.on("console", message => page.complaints.push(message.text()));
  page.on("pageerror", error => page.complaints.push(error.message));
  page.on("dialog", dialog => page.complaints.push(dialog.message()));
  page.on("request", request => page.requests.push(request.url()));
  await page.goto(at.includes("://") ? at : pathToFileURL(at).href);
  return page;
}

export async function accessible(page, what) {
  const violations = await page.evaluate(async source => {
    if (!window.axe) (0, eval)(source);
    // Without preload: it fetches style sheets again, which a page in a file may not.
    const { violations } = await window.axe.run(document, { preload: false, runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(node => `${node.html} ${node.failureSummary}`).join("\n")}`);
  }, axe);
  same(violations, [], `axe-core: ${what}`);
}
