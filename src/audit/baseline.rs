//! Accepted findings of an old tree, so that only new ones fail. In: a file and the findings. Out: the findings that
//! remain, the stale entries, or the text of a new file. This module writes nothing.
//!
//! An entry matches by document, code, target and source line. It ignores the line number, so an edit elsewhere in the
//! document changes nothing. For a link, a reworded line still matches. An entry has a count: one more copy of the same
//! defect is new.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize};

use super::finding::{Code, Finding, Report};
use super::report::{line_digest, lines};
use crate::error::Explain;

const SCHEMA: &str = "mcp-kit/audit-baseline/1";

/// The reason that a baseline cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// The file cannot be read.
    #[error("cannot read the baseline {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file is not a baseline.
    #[error("{}:{line}:{column}: {reason}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// The error at that place.
        reason: String,
    },
}

/// The parts of a finding that stay the same when lines move. The order is that of the file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Known {
    path: String,
    code: Code,
    target: Option<String>,
    /// The digest of the source line. The line itself can be long, or contain a secret.
    text: String,
}

impl From<&Finding> for Known {
    fn from(finding: &Finding) -> Self {
        Self {
            path: finding.path.clone(),
            code: finding.code,
            target: finding.target.clone(),
            text: line_digest(finding),
        }
    }
}

/// A stale entry: it matches fewer findings than it accepts, because some were fixed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stale {
    /// The document.
    pub path: String,
    /// The code.
    pub code: Code,
    /// The target of the link.
    pub target: Option<String>,
    /// The number of accepted findings that no longer exist.
    pub count: u32,
}

/// The accepted findings, each with its count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline(BTreeMap<Known, u32>);

#[derive(Serialize)]
struct Written<E: Serialize> {
    schema: &'static str,
    findings: E,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BaselineFile {
    #[serde(rename = "schema", deserialize_with = "schema")]
    _schema: (),
    findings: Vec<BaselineEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BaselineEntry {
    path: String,
    #[serde(serialize_with = "write_code", deserialize_with = "read_code")]
    code: Code,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    text: String,
    count: u32,
}

fn schema<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    match String::deserialize(deserializer)? {
        schema if schema == SCHEMA => Ok(()),
        other => Err(serde::de::Error::custom(format!("this version reads the schema {SCHEMA:?}, not {other:?}"))),
    }
}

fn read_code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Code, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn write_code<S: serde::Serializer>(code: &Code, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(code.as_str())
}

impl Baseline {
    /// Reads a baseline file.
    ///
    /// # Errors
    /// When it cannot be read, or is no baseline.
    pub fn load(path: &Path) -> Result<Self, BaselineError> {
        let bytes = std::fs::read(path).map_err(|source| BaselineError::Read { path: path.to_owned(), source })?;
        Self::parse(path, &bytes)
    }

    /// Reads the contents of the file `path`.
    ///
    /// # Errors
    /// When they are no baseline.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, BaselineError> {
        let read: BaselineFile = serde_json::from_slice(bytes).map_err(|error| {
            let (line, column) = (error.line().max(1), error.column().max(1));
            let said = error.to_string();
            let reason = said.split(" at line ").next().unwrap_or(&said).to_owned();
            BaselineError::Invalid { path: path.to_owned(), line, column, reason }
        })?;
        let mut known = BTreeMap::new();
        // A merge of two branches can leave the same entry twice.
        for BaselineEntry { path, code, target, text, count } in read.findings {
            let entry: &mut u32 = known.entry(Known { path, code, target, text }).or_default();
            *entry = entry.saturating_add(count);
        }
        Ok(Self(known))
    }

    /// Returns the baseline that accepts `findings`. It also keeps the entries that this run could not see. `covers`
    /// returns whether the run looked for findings of a code in a document.
    #[must_use]
    pub fn updated(&self, findings: &[Finding], covers: &dyn Fn(Code, &str) -> bool) -> Self {
        let unseen = self.0.iter().filter(|(known, _)| !covers(known.code, &known.path));
        let mut entries: BTreeMap<_, _> = unseen.map(|(known, count)| (known.clone(), *count)).collect();
        for finding in findings.iter().filter(|finding| is_stable(finding)) {
            *entries.entry(finding.into()).or_default() += 1;
        }
        Self(entries)
    }

    /// Removes the accepted findings from `report` and counts them as hidden. Returns the stale entries, as far as this
    /// run could see them.
    pub fn hide(&self, report: &mut Report, covers: &dyn Fn(Code, &str) -> bool) -> Vec<Stale> {
        let mut left = self.0.clone();
        let mut known: Vec<bool> = Vec::with_capacity(report.findings.len());
        for finding in &report.findings {
            known.push(is_stable(finding) && left.get_mut(&finding.into()).is_some_and(take));
        }
        let mut reworded: HashMap<_, Vec<&mut u32>> = HashMap::new();
        for (entry, count) in &mut left {
            if entry.target.is_some() && *count > 0 {
                reworded.entry((&*entry.path, entry.code, entry.target.as_deref())).or_default().push(count);
            }
        }
        for (finding, known) in report.findings.iter().zip(&mut known) {
            let same = (&*finding.path, finding.code, finding.target.as_deref());
            *known = *known || reworded.get_mut(&same).is_some_and(|counts| counts.iter_mut().any(|count| take(count)));
        }
        let all = report.findings.len();
        let mut known = known.into_iter();
        report.findings.retain(|_| !known.next().unwrap_or_default());
        report.hidden += all - report.findings.len();
        left.into_iter()
            .filter(|(entry, count)| *count > 0 && covers(entry.code, &entry.path))
            .map(|(Known { path, code, target, .. }, count)| Stale { path, code, target, count })
            .collect()
    }

    /// Returns the number of accepted findings.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.values().map(|count| *count as usize).sum()
    }

    /// Returns whether no finding is accepted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Writes the file: one entry per line, sorted, so that version control shows each entry that was added or fixed.
    ///
    /// # Errors
    /// When `out` refuses.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let entry = |(Known { path, code, target, text }, count): (&Known, &u32)| BaselineEntry {
            path: path.clone(),
            code: *code,
            target: target.clone(),
            text: text.clone(),
            count: *count,
        };
        let findings = lines::Each(|| self.0.iter().map(entry));
        lines::write(&Written { schema: SCHEMA, findings }, 2, out)
    }
}

/// Returns whether the next run would report the finding again.
fn is_stable(finding: &Finding) -> bool {
    finding.code != Code::UndecidedUrl
}

fn take(count: &mut u32) -> bool {
    let some = *count > 0;
    *count -= u32::from(some);
    some
}

impl Explain for BaselineError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        let hint = match self {
            Self::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                "add --update-baseline to make it of what is found now"
            }
            Self::Read { .. } => "give a readable file, or add --update-baseline to make a new one elsewhere",
            Self::Invalid { .. } => "correct the line, or delete the file and make a new one with --update-baseline",
        };
        Some(hint.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::finding::Severity;
    use crate::audit::report::tests::{finding, report_of};

    fn everything(_: Code, _: &str) -> bool {
        true
    }

    fn baseline_of(findings: &[Finding]) -> Baseline {
        Baseline::default().updated(findings, &everything)
    }

    fn text(baseline: &Baseline) -> String {
        let mut out = Vec::new();
        baseline.write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// Returns the findings that remain, the number of hidden ones, and the counts of stale entries.
    fn left(baseline: &Baseline, findings: Vec<Finding>) -> (Vec<Finding>, usize, Vec<u32>) {
        let mut report = report_of(findings);
        let stale = baseline.hide(&mut report, &everything);
        (report.findings, report.hidden, stale.iter().map(|stale| stale.count).collect())
    }

    #[test]
    fn the_file_has_one_entry_a_line_and_reads_back() {
        let mut other = finding();
        other.target = None;
        other.path = "a \"b\"\n.md".to_owned();
        let baseline = baseline_of(&[finding(), finding(), other]);
        let digest = line_digest(&finding());
        insta::assert_snapshot!(text(&baseline).replace(&digest, "[DIGEST]"), @r#"
        {
         "schema": "mcp-kit/audit-baseline/1",
         "findings": [
          {"path": "a \"b\"\n.md", "code": "broken-link", "text": "[DIGEST]", "count": 1},
          {"path": "guide/setup.md", "code": "broken-link", "target": "instal.md", "text": "[DIGEST]", "count": 2}
         ]
        }
        "#);
        assert_eq!(Baseline::parse(Path::new("b.json"), text(&baseline).as_bytes()).unwrap(), baseline);
        assert_eq!(baseline.len(), 3);
    }

    #[test]
    fn moved_and_reworded_lines_are_known_and_one_more_of_the_same_is_new() {
        let baseline = baseline_of(&[finding(), finding()]);
        let mut moved = finding();
        moved.line = 99;
        let mut reworded = finding();
        reworded.excerpt.text = "Otherwise, see [guide](instal.md).".to_owned();
        assert_eq!(left(&baseline, vec![reworded.clone(), moved.clone()]), (vec![], 2, vec![]));
        let (new, hidden, stale) = left(&baseline, vec![reworded.clone(), moved.clone(), moved]);
        assert_eq!((new, hidden, stale), (vec![reworded], 2, vec![]));
    }

    #[test]
    fn another_target_document_or_code_is_new_and_the_entry_is_stale() {
        let baseline = baseline_of(&[finding()]);
        let changes: [fn(&mut Finding); 3] = [
            |finding| finding.target = Some("other.md".to_owned()),
            |finding| finding.path = "b.md".to_owned(),
            |finding| finding.code = Code::PathCase,
        ];
        for change in changes {
            let mut other = finding();
            change(&mut other);
            assert_eq!(left(&baseline, vec![other.clone()]), (vec![other], 0, vec![1]));
        }
    }

    #[test]
    fn without_a_target_the_line_must_be_the_same() {
        let mut orphan = finding();
        orphan.target = None;
        let mut reworded = orphan.clone();
        reworded.excerpt.text.push('!');
        assert_eq!(left(&baseline_of(&[orphan]), vec![reworded.clone()]), (vec![reworded], 0, vec![1]));
    }

    #[test]
    fn what_a_run_does_not_look_for_is_neither_stale_nor_forgotten() {
        let mut url = finding();
        url.code = Code::BrokenUrl;
        let baseline = baseline_of(&[finding(), url.clone()]);
        let offline = |code: Code, _: &str| code != Code::BrokenUrl;
        let mut report = report_of(vec![]);
        let stale = baseline.hide(&mut report, &offline);
        assert_eq!(stale.iter().map(|stale| stale.code).collect::<Vec<_>>(), [Code::BrokenLink]);
        assert_eq!(baseline.updated(&[], &offline), baseline_of(&[url]));
    }

    #[test]
    fn what_may_be_gone_tomorrow_is_not_recorded() {
        let mut passing = finding();
        passing.code = Code::UndecidedUrl;
        passing.severity = Severity::Note;
        assert!(baseline_of(&[passing]).is_empty());
    }

    #[test]
    fn mistakes_are_said_with_their_place() {
        let whole = text(&baseline_of(&[finding()]));
        let cases = [
            whole.replace("audit-baseline/1", "audit-baseline/9"),
            whole.replace("broken-link", "broken-lnik"),
            whole.replace("\"count\": 1", "\"count\": -1"),
            whole.replace("\"count\": 1", "\"cuont\": 1"),
            whole.replace("}\n", "\n"),
            "<<<<<<< ours\n".to_owned(),
            String::new(),
        ];
        let said: Vec<_> = cases
            .iter()
            .map(|case| Baseline::parse(Path::new("known.json"), case.as_bytes()).unwrap_err().to_string())
            .collect();
        insta::assert_snapshot!(said.join("\n"), @r#"
        known.json:2:37: this version reads the schema "mcp-kit/audit-baseline/1", not "mcp-kit/audit-baseline/9"
        known.json:4:50: there is no check "broken-lnik"
        known.json:4:114: invalid value: integer `-1`, expected u32
        known.json:4:110: unknown field `cuont`, expected one of `path`, `code`, `target`, `text`, `count`
        known.json:5:2: expected `,` or `}`
        known.json:1:1: expected value
        known.json:1:1: EOF while parsing a value
        "#);
        let missing = Baseline::load(Path::new("no/such.json")).unwrap_err().to_string();
        assert_eq!(missing, "cannot read the baseline no/such.json: No such file or directory (os error 2)");
    }
}
