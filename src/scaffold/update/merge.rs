//! The three-way merge of a text, line by line. Pure.
//!
//! In: base, ours, theirs. Out: what `git merge-file --diff3` prints, byte for byte. The property test in `tests/merge.rs`
//! compares the two.

use std::ops::Range;

use gix_imara_diff::{Algorithm, Diff, InternedInput, Interner};

/// The number of bytes at the beginning in which git looks for a NUL to tell that a file is no text.
const FIRST_BYTES: usize = 8000;

/// The words behind the conflict markers.
#[derive(Clone, Debug)]
pub struct MarkerLabels {
    /// Behind `<<<<<<<`.
    pub ours: String,
    /// Behind `|||||||`.
    pub base: String,
    /// Behind `>>>>>>>`.
    pub theirs: String,
}

/// A merged text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// The text, with markers around each conflict.
    pub bytes: Vec<u8>,
    /// The number of conflicts.
    pub conflicts: usize,
}

/// Returns whether git would treat the file as binary.
#[must_use]
pub fn is_binary(bytes: &[u8]) -> bool {
    memchr::memchr(0, &bytes[..bytes.len().min(FIRST_BYTES)]).is_some()
}

/// Returns the merge of `ours` and `theirs`, which both come from `base`.
#[must_use]
pub fn merge(base: &[u8], ours: &[u8], theirs: &[u8], labels: &MarkerLabels) -> Merged {
    let (base, ours, theirs) = (lines(base), lines(ours), lines(theirs));
    let regions = regions(&hunks(&base, &ours), &hunks(&base, &theirs), &ours, &theirs);
    let mut text = Vec::new();
    let (mut next, mut conflicts) = (0, 0);
    for region in regions {
        copy(&mut text, &ours[next..region.ours.start], None);
        match region.side {
            RegionSide::Ours => copy(&mut text, &ours[region.ours.clone()], None),
            RegionSide::Theirs => copy(&mut text, &theirs[region.theirs.clone()], None),
            RegionSide::Conflict => {
                conflicts += 1;
                let end: &[u8] = if needs_cr(&base, &ours, &theirs, &region) { b"\r\n" } else { b"\n" };
                let marker = |text: &mut Vec<u8>, sign: u8, label: &str| {
                    text.extend([sign; 7]);
                    if !label.is_empty() {
                        text.push(b' ');
                        text.extend(label.as_bytes());
                    }
                    text.extend(end);
                };
                marker(&mut text, b'<', &labels.ours);
                copy(&mut text, &ours[region.ours.clone()], Some(end));
                marker(&mut text, b'|', &labels.base);
                copy(&mut text, &base[region.base.clone()], Some(end));
                marker(&mut text, b'=', "");
                copy(&mut text, &theirs[region.theirs.clone()], Some(end));
                marker(&mut text, b'>', &labels.theirs);
            }
        }
        next = region.ours.end;
    }
    copy(&mut text, &ours[next..], None);
    Merged { bytes: text, conflicts }
}

/// Appends the lines. With `end`, the last one ends with it when it has no end of its own.
fn copy(text: &mut Vec<u8>, lines: &[&[u8]], end: Option<&[u8]>) {
    text.extend(lines.iter().copied().flatten());
    if let (Some(end), Some(last)) = (end, lines.last())
        && !last.ends_with(b"\n")
    {
        text.extend(end);
    }
}

/// Splits a text into lines with their ends.
fn lines(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|byte| *byte == b'\n').collect()
}

/// One change of a side: lines of the base, and what stands in their place.
#[derive(Clone, Debug)]
struct Hunk {
    base: Range<usize>,
    side: Range<usize>,
}

fn hunks(base: &[&[u8]], side: &[&[u8]]) -> Vec<Hunk> {
    let mut input = InternedInput { before: Vec::new(), after: Vec::new(), interner: Interner::new(base.len()) };
    input.update_before(base.iter().copied());
    input.update_after(side.iter().copied());
    let mut diff = Diff::compute(Algorithm::Myers, &input);
    diff.postprocess_no_heuristic(&input);
    let range = |range: Range<u32>| range.start as usize..range.end as usize;
    diff.hunks().map(|hunk| Hunk { base: range(hunk.before), side: range(hunk.after) }).collect()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RegionSide {
    Ours,
    Theirs,
    Conflict,
}

/// The lines of the three texts that belong to one change.
#[derive(Clone, Debug)]
struct MergeRegion {
    side: RegionSide,
    base: Range<usize>,
    ours: Range<usize>,
    theirs: Range<usize>,
}

/// Walks both lists of changes, as git does for markers that show the base: changes that touch each other are one conflict,
/// unless both sides changed the same lines to the same.
fn regions(ours: &[Hunk], theirs: &[Hunk], our_lines: &[&[u8]], their_lines: &[&[u8]]) -> Vec<MergeRegion> {
    let (mut regions, mut i, mut j) = (Vec::new(), 0, 0);
    // Where an untouched line of the base stands on the other side: the shift after the last change before it.
    let shifted = |at: usize, hunks: &[Hunk], next: usize| {
        let shift = next.checked_sub(1).and_then(|last| hunks.get(last));
        shift.map_or(at, |hunk| (at + hunk.side.end).saturating_sub(hunk.base.end))
    };
    while i < ours.len() || j < theirs.len() {
        let side = match (ours.get(i), theirs.get(j)) {
            (Some(our), Some(their)) if our.base.end < their.base.start => RegionSide::Ours,
            (Some(our), Some(their)) if their.base.end < our.base.start => RegionSide::Theirs,
            (Some(_), Some(_)) => RegionSide::Conflict,
            (Some(_), None) => RegionSide::Ours,
            (None, _) => RegionSide::Theirs,
        };
        match side {
            RegionSide::Ours => {
                let our = &ours[i];
                let (start, end) = (shifted(our.base.start, theirs, j), shifted(our.base.end, theirs, j));
                push(
                    &mut regions,
                    MergeRegion { side, base: our.base.clone(), ours: our.side.clone(), theirs: start..end },
                );
                i += 1;
            }
            RegionSide::Theirs => {
                let their = &theirs[j];
                let (start, end) = (shifted(their.base.start, ours, i), shifted(their.base.end, ours, i));
                push(
                    &mut regions,
                    MergeRegion { side, base: their.base.clone(), ours: start..end, theirs: their.side.clone() },
                );
                j += 1;
            }
            RegionSide::Conflict => {
                let (our, their) = (&ours[i], &theirs[j]);
                let same = our.base == their.base && our_lines[our.side.clone()] == their_lines[their.side.clone()];
                if !same {
                    let base = our.base.start.min(their.base.start)..our.base.end.max(their.base.end);
                    let widened = |hunk: &Hunk| {
                        let start = hunk.side.start.saturating_sub(hunk.base.start - base.start);
                        start..hunk.side.end + (base.end - hunk.base.end)
                    };
                    let (ours, theirs) = (widened(our), widened(their));
                    push(&mut regions, MergeRegion { side, base, ours, theirs });
                }
                let (our_end, their_end) = (our.base.end, their.base.end);
                i += usize::from(our_end <= their_end);
                j += usize::from(their_end <= our_end);
            }
        }
    }
    regions
}

/// Appends a region, or joins it with the last one when they touch each other.
fn push(regions: &mut Vec<MergeRegion>, region: MergeRegion) {
    match regions.last_mut() {
        Some(last) if region.ours.start <= last.ours.end || region.theirs.start <= last.theirs.end => {
            if last.side != region.side {
                last.side = RegionSide::Conflict;
            }
            last.base.end = region.base.end;
            last.ours.end = region.ours.end;
            last.theirs.end = region.theirs.end;
        }
        _ => regions.push(region),
    }
}

/// Returns whether the markers end with CRLF: when the lines before the conflict do on both sides.
fn needs_cr(base: &[&[u8]], ours: &[&[u8]], theirs: &[&[u8]], region: &MergeRegion) -> bool {
    let votes = [(ours, region.ours.start), (theirs, region.theirs.start), (base, 0)];
    let mut known = votes.iter().map(|(lines, start)| ends_with_crlf(lines, start.saturating_sub(1)));
    // The first side that says LF decides. One that does not know leaves it to the others.
    let mut any = None;
    known.all(|vote| {
        any = vote;
        vote != Some(false)
    });
    any == Some(true)
}

/// Returns whether the line ends with CRLF, or `None` when the text has no line end that could tell.
fn ends_with_crlf(lines: &[&[u8]], at: usize) -> Option<bool> {
    let line = lines.get(at)?;
    let line = if line.ends_with(b"\n") { line } else { lines.get(at.checked_sub(1)?)? };
    Some(line.ends_with(b"\r\n"))
}
