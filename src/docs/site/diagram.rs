//! Renders Mermaid as SVG, in the colours of the page around it.

use mermaid_rs_renderer::{RenderOptions, render_with_options};

/// Draws a diagram. `number` makes its ids unique on the page. `label` is its accessible name.
///
/// # Errors
/// The reason that it cannot be drawn.
pub fn draw(source: &str, number: usize, label: &str) -> Result<String, String> {
    let mut options = RenderOptions::default();
    // Do not measure with the fonts of this machine, so that the same text gives the same bytes everywhere.
    options.layout.fast_text_metrics = true;
    let theme = &mut options.theme;
    // Custom properties of site.css, which follow the reader's theme.
    for (colour, property) in [
        (&mut theme.primary_color, "var(--diagram-box)"),
        (&mut theme.primary_text_color, "var(--diagram-text)"),
        (&mut theme.primary_border_color, "var(--diagram-line)"),
        (&mut theme.line_color, "var(--diagram-line)"),
        (&mut theme.secondary_color, "var(--diagram-box)"),
        (&mut theme.tertiary_color, "var(--diagram-area)"),
        (&mut theme.edge_label_background, "var(--diagram-ground)"),
        (&mut theme.cluster_background, "var(--diagram-area)"),
        (&mut theme.cluster_border, "var(--diagram-line)"),
        (&mut theme.background, "none"),
        (&mut theme.sequence_actor_fill, "var(--diagram-box)"),
        (&mut theme.sequence_actor_border, "var(--diagram-line)"),
        (&mut theme.sequence_actor_line, "var(--diagram-line)"),
        (&mut theme.sequence_note_fill, "var(--diagram-area)"),
        (&mut theme.sequence_note_border, "var(--diagram-line)"),
        (&mut theme.sequence_activation_fill, "var(--diagram-area)"),
        (&mut theme.sequence_activation_border, "var(--diagram-line)"),
        (&mut theme.text_color, "var(--diagram-text)"),
    ] {
        property.clone_into(colour);
    }
    let svg = render_with_options(source, options).map_err(|error| format!("{error:#}"))?;
    let inside = svg.strip_prefix("<svg ").ok_or("it is no SVG")?;
    let prefix = format!("diagram-{number}-");
    let own = inside
        .replace(" id=\"", &format!(" id=\"{prefix}"))
        .replace("url(#", &format!("url(#{prefix}"))
        .replace(" href=\"#", &format!(" href=\"#{prefix}"));
    // One line, because an empty line would end the HTML block in Markdown (CommonMark 4.6).
    let line: String = own.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    Ok(format!("<svg role=\"img\" aria-label=\"{}\" {line}", escape(label)))
}

/// Escapes text for HTML, including attributes.
#[must_use]
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\n', "&#10;")
}

#[cfg(test)]
mod tests {
    use super::draw;

    #[test]
    fn a_diagram_is_one_line_of_svg_with_ids_of_its_own() {
        let svg = draw("flowchart TD\n  a[One] --> b{Two?}\n  b -- yes --> c[(Three)]\n", 7, "A \"name\"").unwrap();
        assert!(svg.starts_with("<svg role=\"img\" aria-label=\"A &quot;name&quot;\" "), "{svg}");
        assert!(svg.ends_with("</svg>") && !svg.contains('\n'));
        assert_eq!(svg.matches(" id=\"").count(), svg.matches(" id=\"diagram-7-").count());
        assert!(svg.contains(">Two?<") && svg.contains("var(--diagram-text)"), "{svg}");
        assert_eq!(
            svg,
            draw("flowchart TD\n  a[One] --> b{Two?}\n  b -- yes --> c[(Three)]\n", 7, "A \"name\"").unwrap()
        );
    }

    #[test]
    fn what_is_no_diagram_is_said() {
        assert!(draw("nothing of the kind", 0, "").is_err());
        assert!(draw("", 0, "").is_err());
    }
}
