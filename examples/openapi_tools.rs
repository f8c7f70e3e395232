//! Makes tools of all operations of OpenAPI descriptions, and says how many, how large and how fast.
//!
//! `cargo run --release --example openapi_tools -- api.github.com.json k8s.json`
#![allow(clippy::print_stdout, clippy::expect_used, clippy::panic, reason = "a program for developers")]

use std::time::Instant;

use mcp_kit::scaffold::openapi::document::Description;
use mcp_kit::scaffold::openapi::operation::entry;
use mcp_kit::scaffold::openapi::select::{Selection, operations, select};

fn main() {
    for path in std::env::args().skip(1) {
        let text = std::fs::read_to_string(&path).expect("a file");
        let start = Instant::now();
        let document = Description::parse(&path, &text).unwrap_or_else(|error| panic!("{error}"));
        let parsed = start.elapsed();
        let all = operations(&document).unwrap_or_else(|error| panic!("{error}"));
        let ids = all.iter().map(|operation| operation.id.clone()).collect();
        let wanted = Selection { operations: ids, write: true, ..Selection::default() };
        let selected = select(&all, &wanted).unwrap_or_else(|error| panic!("{error}"));
        let (mut sizes, mut refused, mut tools) = (Vec::new(), Vec::new(), Vec::new());
        for (name, operation) in &selected {
            match entry(&document, operation, name) {
                Ok(entry) => {
                    sizes.push((entry.to_string().len(), name.clone()));
                    tools.push(entry);
                }
                Err(error) => refused.push(error.to_string()),
            }
        }
        sizes.sort();
        println!(
            "{path}: {} operations, {} tools, {} refused; parsed in {parsed:?}, all in {:?}; median {:?}, largest {:?}",
            all.len(),
            sizes.len(),
            refused.len(),
            start.elapsed(),
            sizes.get(sizes.len() / 2),
            sizes.last()
        );
        refused.iter().take(3).for_each(|reason| println!("  {reason}"));
        if let Some(out) = std::env::var_os("OUT") {
            let name = path.rsplit('/').next().unwrap_or("x");
            std::fs::write(
                std::path::Path::new(&out).join(format!("{name}.tools")),
                serde_json::json!({"tools": tools}).to_string(),
            )
            .expect("written");
        }
    }
}
