// The table of the catalog sorts and filters. Without this script it is a table like any other.
"use strict";

for (const table of document.querySelectorAll(".filtered table")) {
    const body = table.tBodies[0];
    const rows = body ? [...body.rows] : [];
    if (rows.length < 2) continue;
    const text = (row, column) => row.cells[column].textContent.trim();

    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
        const button = document.createElement("button");
        button.type = "button";
        button.append(...head.childNodes);
        head.append(button);
        button.addEventListener("click", () => {
            const down = head.getAttribute("aria-sort") === "ascending";
            for (const other of heads) other.removeAttribute("aria-sort");
            head.setAttribute("aria-sort", down ? "descending" : "ascending");
            rows.sort((one, other) => text(one, column).localeCompare(text(other, column)) * (down ? -1 : 1));
            body.append(...rows);
        });
    });

    const label = document.createElement("label");
    const input = document.createElement("input");
    const count = document.createElement("output");
    input.type = "search";
    // mdBook listens for single keys everywhere else.
    input.addEventListener("keydown", event => event.stopPropagation());
    label.append("Filter ", input);
    const show = () => {
        const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
        let shown = 0;
        for (const row of rows) {
            const all = row.textContent.toLowerCase();
            row.hidden = !words.every(word => all.includes(word));
            if (!row.hidden) shown++;
        }
        count.textContent = `${shown} of ${rows.length} servers`;
    };
    input.addEventListener("input", show);
    show();
    const line = document.createElement("div");
    line.className = "filter";
    line.append(label, count);
    table.closest(".filtered").prepend(line);
}

// What scrolls has to be reachable with the keyboard (WCAG 2.1.1).
for (const box of document.querySelectorAll("main pre, main pre > code, .table-wrapper, .diagram")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
}

// mdBook uses a label as a button, which the keyboard does not reach (WCAG 2.1.1, 4.1.2), and a menu outside of every landmark.
// In a block, as its own scripts have some of these names.
{
    const label = document.getElementById("mdbook-sidebar-toggle");
    const sidebar = document.getElementById("mdbook-sidebar-toggle-anchor");
    if (label && sidebar) {
        const button = document.createElement("button");
        button.type = "button";
        button.className = label.className;
        button.title = label.title;
        button.setAttribute("aria-label", label.title);
        button.setAttribute("aria-controls", "mdbook-sidebar");
        const tell = () => button.setAttribute("aria-expanded", sidebar.checked);
        button.append(...label.childNodes);
        button.addEventListener("click", () => {
            label.click();
            tell();
        });
        tell();
        label.hidden = true;
        label.removeAttribute("aria-label");
        label.removeAttribute("aria-expanded");
        label.after(button);
    }
}
document.getElementById("mdbook-menu-bar")?.setAttribute("role", "banner");
document.getElementById("mdbook-search-wrapper")?.setAttribute("role", "search");
document.getElementById("mdbook-searchbar")?.setAttribute("aria-label", "Search");

// A task's box is named after the task.
for (const box of document.querySelectorAll("main li > input[type=checkbox]")) {
    box.setAttribute("aria-label", box.parentElement.textContent.trim());
}
