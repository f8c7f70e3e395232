"""Edits a project of an old state as its owner would. `update` beside this file says how it is called."""

import pathlib
import re
import sys

project, edits = pathlib.Path(sys.argv[1]), sys.argv[2:]
TOOLS = "src/handlers/tools.rs"
HINTS = "annotations(read_only_hint = true, idempotent_hint = true, open_world_hint = true)"


def read(path):
    return (project / path).read_text()


def write(path, text):
    (project / path).write_text(text)


def put(path, anchor, text, *, before=False):
    """Puts a text behind an anchor, or before it, which the file must have."""
    old = read(path)
    at = old.index(anchor) + (0 if before else len(anchor))
    write(path, old[:at] + text + old[at:])


def add_tool(name, source):
    """A method at the end of the tools, and its name in the test that lists all of them."""
    text = read(TOOLS)
    end = text.index("\n}\n", text.index("#[tool_router]")) + 1
    write(TOOLS, text[:end] + source + text[end:])
    text = read("tests/mcp.rs")
    names = re.search(r"assert_eq!\(\s*names,\s*\[([^\]]*)\]", text)
    all_names = sorted([*re.findall(r'"(\w+)"', names.group(1)), name])
    write("tests/mcp.rs", text[: names.start(1)] + ", ".join(f'"{n}"' for n in all_names) + text[names.end(1) :])


if "tool" in edits:
    # What a tool of an old state could use, because the server itself did.
    pong = "chrono::Utc::now().timestamp() > 0" if "\nchrono = " in read("Cargo.toml") else "true"
    add_tool(
        "ping",
        f'\n    #[tool(title = "Ping", description = "Answers pong.", {HINTS})]\n'
        f"    async fn ping(&self) -> Result<Json<Pong>, ToolError> {{\n        Ok(Json(Pong {{ pong: {pong} }}))\n    }}\n",
    )
    answer = (
        "/// The answer of `ping`.\n#[derive(Debug, Serialize, JsonSchema)]\n"
        "pub struct Pong {\n    /// Always true.\n    pub pong: bool,\n}\n\n"
    )
    put(TOOLS, "/// Why a tool failed", answer, before=True)
if "token" in edits:
    text = read(TOOLS)
    body = text[text.index("async fn get_doc(") :]
    body = body[: body.index("\n    }\n") + len("\n    }\n")].replace("get_doc", "see_doc")
    add_tool("see_doc", f'\n    #[tool(title = "See", description = "A document again.", {HINTS})]\n    {body}')
if "readme" in edits:
    write("README.md", read("README.md") + "\n## Our own notes\n\nMind the gap.\n")
if "setting" in edits:
    put(
        "src/config/variables.rs",
        "VARIABLES: &[Variable] = &[\n",
        '    plain("GREETING", Some("hello"), "What is said first."),\n',
    )
    put("src/config.rs", "    /// How log lines look.\n", "    /// What is said first.\n    pub greeting: Option<String>,\n", before=True)
    put("src/config.rs", "            log_format: read.log_format(),\n", '            greeting: read.env.text("GREETING"),\n', before=True)
    write(".env.example", read(".env.example") + "\n# What is said first.\nGREETING=hello\n")
