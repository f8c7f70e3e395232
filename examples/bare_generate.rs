//! What `cargo generate --path TEMPLATE --name NAME --destination FOLDER --define ANSWER=VALUE…` does, and nothing else: the
//! library's own call.
//! `scripts/compare-new` measures mcp-kit against it, and a test compares what both make of our template.

use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(template), Some(name), Some(folder)) = (arguments.next(), arguments.next(), arguments.next()) else {
        return Err("usage: bare_generate TEMPLATE NAME FOLDER [ANSWER=VALUE…]".into());
    };
    cargo_generate::generate(cargo_generate::GenerateArgs {
        template_path: cargo_generate::TemplatePath { path: Some(template), ..Default::default() },
        name: Some(name),
        define: arguments.collect(),
        silent: true,
        vcs: Some(cargo_generate::Vcs::None),
        destination: Some(PathBuf::from(folder)),
        no_workspace: true,
        no_fmt: true,
        ..Default::default()
    })?;
    Ok(())
}
