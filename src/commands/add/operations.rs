//! `mcp-kit add tool --from-openapi`.

use std::path::Path;

use crate::cli::AddTool;
use crate::error::Failure;
use crate::scaffold::extend::files::ProjectFiles;
use crate::scaffold::extend::upstream::{self, NewUpstream};
use crate::scaffold::extend::{self, ExtendError};
use crate::scaffold::openapi::OpenApiError;
use crate::scaffold::openapi::document::Description;
use crate::scaffold::openapi::operation::entry;
use crate::scaffold::openapi::schema::sentence;
use crate::scaffold::openapi::select::{Selection, operations, select};

/// The number of tools from which on models lose their way.
const MANY: usize = 40;

/// Adds the operations to the project. Returns what they are called, and what is left to the user.
///
/// # Errors
/// When the description or the selection is not valid, or a name is taken.
pub(super) fn add(files: &mut ProjectFiles, command: &AddTool, path: &Path) -> Result<(String, Vec<String>), Failure> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| OpenApiError::Unreadable { path: shown.clone(), reason: error.to_string() })?;
    let document = Description::parse(&shown, &text)?;
    let all = operations(&document)?;
    let wanted = Selection {
        operations: command.operation.clone(),
        tags: command.tag.clone(),
        write: command.write,
        prefix: command.prefix.clone().unwrap_or_default(),
    };
    let name = command.upstream.clone().unwrap_or_default();
    let (mut entries, mut next) = (Vec::new(), Vec::new());
    for (tool, operation) in select(&all, &wanted)? {
        match entry(&document, &operation, &tool) {
            Ok(entry) => {
                extend::identifier::check(extend::identifier::NameKind::Tool, &tool).map_err(ExtendError::from)?;
                entries.push(entry);
            }
            // One of a tag does not stand in the way of the others.
            Err(OpenApiError::Unsupported { id, reason }) if !wanted.operations.contains(&id) => {
                next.push(format!("{id} is left out: {reason}"));
            }
            Err(error) => return Err(error.into()),
        }
    }
    let count = entries.len();
    match upstream::find(files, &name) {
        Ok(()) => {}
        Err(ExtendError::NoUpstream { .. }) => {
            let base = match &command.base {
                Some(base) => base.trim_end_matches('/').to_owned(),
                None => document.server()?,
            };
            let new = NewUpstream {
                name: name.clone(),
                base: Some(base),
                token_header: document.token_header(),
                access: command.access,
                ..NewUpstream::default()
            };
            upstream::add(files, &new)?;
            next.push(super::token_step(&name));
        }
        Err(error) => return Err(error.into()),
    }
    let source = sentence(&document.title(), 100);
    extend::operations::add(files, &name, &source, entries)?;
    if count > MANY {
        next.push(format!("{count} tools are more than models choose from well: fewer operations make better answers"));
    }
    next.push("scripts/test.sh".to_owned());
    Ok((format!("{} of {name}", crate::text::plural::plural(count, "tool")), next))
}
