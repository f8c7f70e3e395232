//! A file with rules for who may call which tools.

use std::path::PathBuf;

use secrecy::{ExposeSecret as _, SecretString};

use super::Reader;
use crate::policy::Policy;

/// A file with rules for who may call which tools.
#[derive(Debug, Clone)]
pub(crate) struct PolicyFile {
    pub(crate) policy: Policy,
    pub(super) path: PathBuf,
    /// As it was read: no secret, but files that change are followed in that form.
    pub(super) text: SecretString,
}

impl Reader<'_> {
    pub(super) fn policy(&mut self) -> Option<PolicyFile> {
        let path = PathBuf::from(self.env.text("POLICY_FILE")?);
        let read = crate::secret_files::read(&path);
        let parsed = read.and_then(|text| Ok((Policy::parse(text.expose_secret())?, text)));
        match parsed {
            Ok((policy, text)) => Some(PolicyFile { policy, path, text }),
            Err(problem) => {
                self.problems.add("POLICY_FILE", format!("the file {}: {problem}", path.display()));
                None
            }
        }
    }
}
