//! The parts of the template that the SOP shows, cut out of its files when the program is built: what a page shows is what
//! `mcp-kit new` renders.

/// A part of a file of the template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cut {
    name: &'static str,
    file: &'static str,
    /// The part begins with this text, and ends with the first `end` after it.
    begin: &'static str,
    end: &'static str,
}

const TOOLS: &str = include_str!("../../template/src/handlers/tools.rs");

const CUTS: &[Cut] = &[
    Cut {
        name: "layer",
        file: include_str!("../../template/src/middleware/auth.rs"),
        begin: "    // The server's own token for the Coda API",
        end: "UPSTREAM_TOKEN);\n",
    },
    Cut { name: "arguments", file: TOOLS, begin: "/// Arguments of `get_doc`.", end: "\n}\n" },
    Cut { name: "tool", file: TOOLS, begin: "    #[tool(\n        title = \"Get a document\"", end: "\n    }\n" },
    Cut { name: "caller", file: TOOLS, begin: "/// The caller that the authentication layer", end: "\n}\n" },
    Cut {
        name: "client",
        file: include_str!("../../template/src/coda.rs"),
        begin: "    /// One object: `GET",
        end: "\n    }\n",
    },
];

/// The parts by name, without the indentation that they have in their files.
pub fn parts() -> impl Iterator<Item = (&'static str, String)> {
    CUTS.iter().map(|cut| (cut.name, cut.text().unwrap_or_default()))
}

impl Cut {
    fn text(&self) -> Option<String> {
        let start = self.file.find(self.begin)?;
        let end = start + self.file[start..].find(self.end)? + self.end.len();
        let indent = self.begin.len() - self.begin.trim_start().len();
        let line = |line: &str| line.get(indent..).unwrap_or_default().to_owned();
        Some(self.file[start..end].trim_end().lines().map(line).collect::<Vec<_>>().join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_there_and_has_no_liquid() {
        for cut in CUTS {
            let text = cut.text().unwrap_or_default();
            // Empty where it is not in its file any more.
            assert!(text.len() > 60 && !text.contains("{%") && !text.contains("{{"), "{}: {text}", cut.name);
        }
    }
}
