//! `--explain-profile`: the renderer of each part of the tree, the settings that were read from each file, and the
//! links that are not judged.

use std::io::{self, Write};

use crate::audit::finding::{NotJudged, Report, SiteReport};
use crate::fs::terminal::{Paint, Role};
use crate::text::escape::escape_control;
use crate::text::plural::{grouped, plural};

/// Writes it for people. The JSON report has the same data under `sites`.
///
/// # Errors
/// When `out` refuses.
pub fn write(report: &Report, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    for site in &report.sites {
        one(site, paint, out)?;
    }
    writeln!(
        out,
        "{}, {}: {} not judged",
        plural(report.documents, "document"),
        plural(report.links, "link"),
        grouped(report.not_judged)
    )
}

fn one(site: &SiteReport, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let folder = if site.folder.is_empty() { "." } else { &site.folder };
    writeln!(out, "{}  {}", paint.paint(Role::Strong, &escape_control(folder)), site.generator)?;
    writeln!(out, "  taken because {}", escape_control(&site.reason))?;
    let roots: Vec<&str> = site.roots.iter().map(|root| if root.is_empty() { "." } else { root }).collect();
    if site.judged {
        writeln!(out, "  / in front of a link means {}", escape_control(&roots.join(", ")))?;
    }
    for (file, name, value) in &site.settings {
        writeln!(out, "  {} says {}: {}", escape_control(file), escape_control(name), escape_control(value))?;
    }
    if site.not_judged.is_empty() {
        writeln!(out, "  all its links are judged")?;
    }
    site.not_judged.iter().try_for_each(|of| not_judged(of, paint, out))?;
    writeln!(out)
}

fn not_judged(of: &NotJudged, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let counted = format!("{} {}", grouped(of.count), of.form.noun(of.count));
    writeln!(out, "  not judged: {}, because {}", paint.paint(Role::Strong, &counted), escape_control(&of.why))?;
    let (path, target) = &of.example;
    writeln!(out, "    such as {} in {}", escape_control(target), escape_control(path))?;
    if of.remedy.is_empty() {
        return Ok(());
    }
    writeln!(out, "    {} {}", paint.paint(Role::Hint, "help:"), escape_control(&of.remedy))
}
