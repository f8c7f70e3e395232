//! The parts of the template that the SOP shows. A page shows exactly what `mcp-kit new` renders.
//!
//! A part lies between `{%- comment %} region: NAME {% endcomment %}` and the same with `end:`, each on its own line.
//! Liquid treats them as comments, so a project contains none of them.

use std::collections::BTreeMap;

const FILES: &[&str] = &[
    include_str!("../../template/src/config.rs"),
    include_str!("../../template/src/handlers/tools.rs"),
    include_str!("../../template/src/coda.rs"),
];

/// Returns the parts by name, without the indentation of their files.
#[must_use]
pub fn parts() -> BTreeMap<&'static str, String> {
    FILES.iter().flat_map(|file| regions(file)).collect()
}

fn regions(file: &'static str) -> impl Iterator<Item = (&'static str, String)> {
    file.split("{%- comment %} region: ").skip(1).filter_map(|rest| {
        let (name, rest) = rest.split_once(" {% endcomment %}\n")?;
        let (text, _) = rest.split_once(&format!("\n{{%- comment %}} end: {name} {{% endcomment %}}"))?;
        let indent = text.len() - text.trim_start().len();
        let line = |line: &'static str| line.get(indent..).unwrap_or_default();
        Some((name, text.lines().map(line).collect::<Vec<_>>().join("\n")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_has_an_end_and_no_liquid() {
        let begun: usize = FILES.iter().map(|file| file.matches(" region: ").count()).sum();
        let ended: usize = FILES.iter().map(|file| file.matches(" end: ").count()).sum();
        let parts = parts();
        assert_eq!((begun, ended), (parts.len(), parts.len()));
        assert_eq!(parts.keys().copied().collect::<Vec<_>>(), ["arguments", "caller", "client", "setting", "tool"]);
        for (name, text) in parts {
            assert!(text.lines().count() > 1 && !text.contains("{%") && !text.contains("{{"), "{name}: {text}");
            assert!(!text.starts_with(' '), "{name}: {text}");
        }
    }
}
