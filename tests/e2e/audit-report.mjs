// The page of `audit-docs --format html` in a browser: nothing hostile runs, nothing is loaded, filters and graph work with the
// mouse and with the keyboard, and axe-core finds nothing, in both colour schemes.
// usage: node audit-report.mjs CHROMIUM SMALL.html LARGE.html

import { accessible, checks, holds, launch, open as opened, same } from "./browser.mjs";

const [executablePath, small, large] = process.argv.slice(2);
const browser = await launch(executablePath);
const open = (file, colorScheme, width) => opened(browser, file, colorScheme, width);

const text = (page, selector) => page.locator(selector).innerText();
const shown = async page => Number((await text(page, "#status")).split(" ")[0].replaceAll(",", ""));

async function nothingHostileRuns(page) {
  same(await page.evaluate(() => window.hostile), undefined, "a document's name or text ran as a script");
  same(await page.locator("img").count(), 0, "a document's text became markup");
  same(await page.locator("script").count(), 2, "there are the data and the script");
  same(page.requests.filter(url => !url.startsWith("data:") && url.split("#")[0] !== page.url().split("#")[0]), [], "the page loads nothing");
  same(page.complaints, []);
}

// Errors stand first, notes wait until they are asked for.
async function opens(page) {
  const first = await shown(page);
  same(await page.locator("#list .finding.note").count(), 0, "notes are hidden at first");
  same(new URL(page.url()).hash, "", "a page as it opens has a plain address");
  holds(/\berror\b/.test(await page.locator("#list .finding").first().getAttribute("class")), "errors stand first");
  await page.getByRole("checkbox", { name: "note" }).check();
  const all = await shown(page);
  holds(all > first, "notes are there when they are asked for");
  const classes = await page.locator("#list .finding").evaluateAll(items => items.map(item => item.className));
  const order = ["finding error", "finding warning", "finding note"];
  holds(classes.every((name, at) => !at || order.indexOf(classes[at - 1]) <= order.indexOf(name)), "one severity stands behind the other");
  await page.reload();
  same(await shown(page), all, "that notes are shown stands in the address");
  await page.evaluate(() => { location.hash = "#?severity=error"; });
  await page.waitForFunction(() => !document.querySelector("#list .finding.note"));
  holds(await page.locator("#list .finding.error").count() > 0, "errors");
  same(await page.locator("#list .finding:not(.error)").count(), 0, "an address that is opened later counts, too");
  await page.getByRole("button", { name: "Show everything" }).click();
  same(await shown(page), all);
}

async function filters(page) {
  const all = await shown(page);
  holds(all > 20, "there are findings");
  same(await page.locator("#list .finding").count(), Math.min(all, 200));
  await page.getByRole("checkbox", { name: "warning" }).uncheck();
  same(await page.locator("#list .finding.warning").count(), 0);
  const without = await shown(page);
  holds(without < all && without > 0, "a severity is a filter");
  await page.getByRole("checkbox", { name: "path-case" }).uncheck();
  const codes = await page.locator("#list .finding code").allInnerTexts();
  holds(!codes.includes("path-case") && codes.includes("broken-link"), "a check is a filter");
  await page.getByRole("button", { name: "Show everything" }).click();
  same(await shown(page), all);

  await page.getByRole("searchbox", { name: "Document" }).fill("AREA 0");
  const headings = await page.locator("#list h3").allInnerTexts();
  holds(headings.length > 1 && headings.every(heading => heading.startsWith("area 0")), "a path is a filter");
  await page.getByRole("searchbox", { name: "Text" }).fill("onerror=");
  const some = await shown(page);
  holds(some > 0 && some < all, "text is a filter");
  await page.getByRole("checkbox", { name: "only what" }).check();
  same(await page.locator("#list .finding:not(:has-text('Fix:'))").count(), 0, "repairs are a filter");
  const few = await shown(page);
  await page.reload();
  same(await shown(page), few, "the filters stand in the address");
  same(await page.getByRole("searchbox", { name: "Document" }).inputValue(), "AREA 0");
  await page.getByRole("button", { name: "Show everything" }).click();
  same(await shown(page), all);
  same(new URL(page.url()).hash, "#?severity=error+warning+note");
}

async function marks(page) {
  await page.getByRole("searchbox", { name: "Text" }).fill("日本語");
  const [mark] = await page.locator("#list mark").allInnerTexts();
  same(mark, "日本語 🎉 e\u0301", "columns are counted in characters, not in UTF-16");
  await page.getByRole("searchbox", { name: "Text" }).fill("");
}

async function graph(page) {
  holds(await page.locator("#drawing circle").count() > 20 && await page.locator("#drawing line").count() > 20, "the graph is drawn");
  const boxes = await page.locator("#drawing circle").evaluateAll(circles => circles.map(circle =>
    ["cx", "cy"].map(name => Number(circle.getAttribute(name)))));
  holds(boxes.every(([x, y]) => Math.abs(x) <= 500 && Math.abs(y) <= 350), "everything is in the frame");
  same(new Set(boxes.map(String)).size, boxes.length, "no two circles are in one place");
  await page.getByRole("list", { name: /^In / }).getByRole("button", { name: "README.md" }).click();
  same(await text(page, "#node strong"), "README.md");
  holds(await page.locator("#node").getByRole("button").count() > 1, "its neighbours are there");
  await page.getByRole("button", { name: /^Show its/ }).click();
  same(await page.locator("#list h3").allInnerTexts(), ["README.md"]);
  same(await page.evaluate(() => document.activeElement.id), "findings-title", "the focus follows");
  await page.getByRole("button", { name: "Show everything" }).click();
}

// Ten thousand documents: folders are circles, which open with the keyboard.
async function folders(page) {
  const circles = await page.locator("#drawing circle").count();
  holds(circles > 20 && circles < 170, `10,000 documents are ${circles} circles`);
  const enter = async name => {
    await page.getByRole("list", { name: /^In / }).getByRole("button", { name }).focus();
    await page.keyboard.press("Enter");
  };
  await enter("area 05/");
  same(await text(page, "#crumbs"), "docs / area 05");
  same(await page.evaluate(() => document.activeElement.textContent), "area 05", "the focus follows");
  same(await page.locator("#drawing circle").count(), 7);
  await enter("3/");
  holds(await page.locator("#drawing circle").count() > 30, "the documents of a folder");
  await page.locator("#drawing circle").first().click();
  holds((await text(page, "#node strong")).startsWith("area 05/3/page "), "a circle is a document");
  await page.locator("#crumbs").getByRole("button", { name: "docs" }).click();
  same(await page.locator("#drawing circle").count(), circles);
}

async function pages(page) {
  same(await page.locator("#list .finding").count(), 200);
  await page.getByRole("button", { name: /^Show 200 more/ }).press("Enter");
  same(await page.locator("#list .finding").count(), 400);
  holds(await page.evaluate(() => document.activeElement === document.querySelectorAll("#list .finding")[200]), "the focus is where reading goes on");
  same(await page.locator("#decisions tbody tr").count(), 200);
  await page.getByRole("button", { name: "Show more", exact: true }).click();
  same(await page.locator("#decisions tbody tr").count(), 250);
}

// Even if a document's text became an element, the page's policy would not let it run.
async function policy(page) {
  const ran = await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "window.hostile = 'policy'";
    document.body.append(script);
    return window.hostile;
  });
  same(ran, undefined);
  holds(page.complaints.some(complaint => /Content Security Policy/.test(complaint)), "the policy is in force");
}

try {
  for (const scheme of ["light", "dark"]) {
    const page = await open(small, scheme);
    await nothingHostileRuns(page);
    await accessible(page, `${scheme}, as it opens`);
    await opens(page);
    await graph(page);
    await filters(page);
    await marks(page);
    await page.getByRole("list", { name: /^In / }).getByRole("button", { name: "README.md" }).click();
    await accessible(page, `${scheme}, with a document chosen`);
    same(page.complaints, []);
    await page.close();
  }
  const narrow = await open(small, "light", 320);
  holds(await narrow.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "320 pixels are wide enough (WCAG 1.4.10)");
  const page = await open(large, "light");
  await opens(page);
  await filters(page);
  await pages(page);
  await folders(page);
  await nothingHostileRuns(page);
  await policy(page);
  console.log(`the page of a report in Chromium ${browser.version().split(".")[0]}: ${checks} checks`);
} finally {
  await browser.close();
}
