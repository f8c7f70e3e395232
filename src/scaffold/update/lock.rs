//! Cargo.lock after an update, without cargo and without the network. Pure.
//!
//! In: the three lock files. Out: the template's, with the packages that the owner added, and with the higher version
//! where the owner raised one that the template has, too. Cargo completes it at the next build when the owner's
//! Cargo.toml needs more.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;

use crate::scaffold::lockfile::sort_packages;

const PACKAGE: &str = "[[package]]\n";

/// One package of a lock file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Package {
    name: String,
    version: String,
    source: String,
    checksum: Option<String>,
    dependencies: Vec<String>,
}

/// Returns the merged lock file. Without an owner's change it is the template's, byte for byte.
#[must_use]
pub(super) fn merge(base: &str, ours: &str, theirs: &str) -> String {
    let (Some(before), Some(mine), Some((head, new))) =
        (parse(base).map(|lock| lock.1), parse(ours).map(|lock| lock.1), parse(theirs))
    else {
        return theirs.to_owned();
    };
    // The owner's own: packages that the project did not begin with. The root and the path dependencies are the template's.
    let added: Vec<&Package> =
        mine.iter().filter(|package| !package.source.is_empty() && !has(&before, package)).collect();
    let own_roots = root_dependencies(&before, &mine);
    if added.is_empty() && own_roots.0.is_empty() && own_roots.1.is_empty() {
        return theirs.to_owned();
    }
    let mut all = new;
    for package in added {
        match all.iter_mut().find(|other| other.name == package.name && is_compatible(other, package)) {
            Some(other) if is_higher(package, other) => *other = package.clone(),
            Some(_) => {}
            None => all.push(package.clone()),
        }
    }
    for package in &mine {
        // What the owner's packages need, and the template no longer has.
        if !package.source.is_empty() && !all.iter().any(|other| other.name == package.name) {
            all.push(package.clone());
        }
    }
    // By the new packages: the owner's lock file does not know a library that the template has added.
    let root = (0..all.len()).find(|at| is_root(&all, &all[*at]));
    if let Some(root) = root.and_then(|at| all.get_mut(at)) {
        let names: BTreeSet<&str> = own_roots.1.iter().map(String::as_str).collect();
        root.dependencies.retain(|line| !names.contains(name_of(line)));
        root.dependencies.extend(own_roots.0);
        root.dependencies.sort();
        root.dependencies.dedup_by(|one, other| name_of(one) == name_of(other));
    }
    relink(&mut all);
    let all = reachable(&all);
    write(&head, &all)
}

/// Does the same, and keeps these direct dependencies of the project, which the template no longer has.
#[must_use]
pub(super) fn merge_keeping(base: &str, ours: &str, theirs: &str, names: &BTreeSet<&str>) -> String {
    let Some((head, mut before)) = parse(base) else { return theirs.to_owned() };
    let root = (0..before.len()).find(|at| is_root(&before, &before[*at]));
    // As if the owner had added them.
    if let Some(root) = root.and_then(|at| before.get_mut(at)) {
        root.dependencies.retain(|line| !names.contains(name_of(line)));
    }
    merge(&write(&head, &before), ours, theirs)
}

fn has(list: &[Package], package: &Package) -> bool {
    list.iter()
        .any(|other| other.name == package.name && other.version == package.version && other.source == package.source)
}

/// The root is the path package that nothing depends on.
fn is_root(list: &[Package], package: &Package) -> bool {
    package.source.is_empty()
        && !list.iter().any(|other| other.dependencies.iter().any(|line| name_of(line) == package.name))
}

/// Returns the direct dependencies that the owner added, and those that the owner removed.
fn root_dependencies(before: &[Package], mine: &[Package]) -> (Vec<String>, Vec<String>) {
    let lines = |list: &[Package]| -> Vec<String> {
        list.iter().find(|package| is_root(list, package)).map(|root| root.dependencies.clone()).unwrap_or_default()
    };
    let (old, new) = (lines(before), lines(mine));
    let lacks = |list: &[String], line: &String| !list.iter().any(|other| name_of(other) == name_of(line));
    let added = new.iter().filter(|line| lacks(&old, line)).cloned().collect();
    (added, old.iter().filter(|line| lacks(&new, line)).map(|line| name_of(line).to_owned()).collect())
}

fn name_of(line: &str) -> &str {
    line.split(' ').next().unwrap_or(line)
}

/// Returns whether cargo would take one for the other.
fn is_compatible(one: &Package, other: &Package) -> bool {
    let (Ok(one), Ok(other)) = (Version::parse(&one.version), Version::parse(&other.version)) else { return false };
    match (one.major, other.major) {
        (0, 0) if one.minor == 0 && other.minor == 0 => one.patch == other.patch,
        (0, 0) => one.minor == other.minor,
        (one, other) => one == other,
    }
}

fn is_higher(one: &Package, other: &Package) -> bool {
    match (Version::parse(&one.version), Version::parse(&other.version)) {
        (Ok(one), Ok(other)) => one > other,
        _ => false,
    }
}

/// Writes the references as cargo does: with the version only where a name stands for several packages.
fn relink(all: &mut [Package]) {
    let mut versions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in all.iter() {
        versions.entry(package.name.clone()).or_default().push(package.version.clone());
    }
    for package in all.iter_mut() {
        for line in &mut package.dependencies {
            let mut parts = line.split(' ');
            let (Some(name), version) = (parts.next(), parts.next()) else { continue };
            let known = versions.get(name).map(Vec::as_slice).unwrap_or_default();
            let parsed = |version: &str| Version::parse(version).ok();
            let new = match (known, version) {
                ([_], _) | ([], _) => name.to_owned(),
                (_, Some(version)) if known.iter().any(|other| other == version) => line.clone(),
                (known, version) => {
                    let near = |other: &&String| match (version.and_then(parsed), parsed(other)) {
                        (Some(one), Some(other)) => {
                            one.major == other.major && (one.major > 0 || one.minor == other.minor)
                        }
                        _ => false,
                    };
                    let highest = known.iter().max_by_key(|version| parsed(version));
                    match known.iter().find(near).or(highest) {
                        Some(version) => format!("{name} {version}"),
                        None => name.to_owned(),
                    }
                }
            };
            *line = new;
        }
    }
}

/// Returns the packages that the path packages need.
fn reachable(all: &[Package]) -> Vec<Package> {
    let mut wanted: Vec<&Package> = all.iter().filter(|package| package.source.is_empty()).collect();
    let mut seen: BTreeSet<(&str, &str)> =
        wanted.iter().map(|package| (package.name.as_str(), package.version.as_str())).collect();
    while let Some(package) = wanted.pop() {
        for line in &package.dependencies {
            let mut parts = line.split(' ');
            let (name, version) = (parts.next().unwrap_or_default(), parts.next());
            for found in
                all.iter().filter(|other| other.name == name && version.is_none_or(|version| other.version == version))
            {
                if seen.insert((&found.name, &found.version)) {
                    wanted.push(found);
                }
            }
        }
    }
    all.iter().filter(|package| seen.contains(&(package.name.as_str(), package.version.as_str()))).cloned().collect()
}

/// Splits a lock file into its head and its packages. Returns `None` when it is not of cargo's form.
fn parse(text: &str) -> Option<(String, Vec<Package>)> {
    let text = text.replace("\r\n", "\n");
    let mut parts = text.split(PACKAGE);
    let head = parts.next()?.to_owned();
    let package = |block: &str| {
        let table: toml::Table = block.parse().ok()?;
        let string = |key: &str| table.get(key).and_then(toml::Value::as_str).map(str::to_owned);
        let list = table.get("dependencies").and_then(toml::Value::as_array);
        let dependencies = list.into_iter().flatten().filter_map(|line| line.as_str().map(str::to_owned)).collect();
        Some(Package {
            name: string("name")?,
            version: string("version")?,
            source: string("source").unwrap_or_default(),
            checksum: string("checksum"),
            dependencies,
        })
    };
    let packages: Option<Vec<Package>> = parts.map(package).collect();
    packages.filter(|packages| !packages.is_empty()).map(|packages| (head, packages))
}

fn write(head: &str, packages: &[Package]) -> String {
    let block = |package: &Package| {
        let mut block = format!("{PACKAGE}name = \"{}\"\nversion = \"{}\"\n", package.name, package.version);
        if !package.source.is_empty() {
            block.push_str(&format!("source = \"{}\"\n", package.source));
        }
        if let Some(checksum) = &package.checksum {
            block.push_str(&format!("checksum = \"{checksum}\"\n"));
        }
        if !package.dependencies.is_empty() {
            let lines: String = package.dependencies.iter().map(|line| format!(" \"{line}\",\n")).collect();
            block.push_str(&format!("dependencies = [\n{lines}]\n"));
        }
        block
    };
    let blocks: Vec<String> = packages.iter().map(block).collect();
    sort_packages(&format!("{head}{}", blocks.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "version = 4\n\n";

    fn lock(packages: &[(&str, &str, &[&str])]) -> String {
        let package = |(name, version, dependencies): &(&str, &str, &[&str])| Package {
            name: (*name).to_owned(),
            version: (*version).to_owned(),
            source: if ["root", "library"].contains(name) { String::new() } else { "registry".to_owned() },
            checksum: None,
            dependencies: dependencies.iter().map(|line| (*line).to_owned()).collect(),
        };
        write(HEAD, &packages.iter().map(package).collect::<Vec<_>>())
    }

    #[test]
    fn the_templates_lock_without_an_owners_change() {
        let base = lock(&[("root", "0.1.0", &["a"]), ("a", "1.0.0", &[])]);
        let theirs = lock(&[("root", "0.1.0", &["a", "b"]), ("a", "1.1.0", &[]), ("b", "2.0.0", &[])]);
        assert_eq!(merge(&base, &base, &theirs), theirs);
        assert_eq!(merge("", "x", &theirs), theirs, "a lock file that is none");
    }

    #[test]
    fn what_the_owner_added_and_raised_stays() {
        let base = lock(&[("root", "0.1.0", &["a"]), ("a", "1.0.0", &["c"]), ("c", "0.3.1", &[])]);
        let ours = lock(&[
            ("root", "0.1.0", &["a", "x"]),
            ("a", "1.5.0", &["c", "y"]),
            ("c", "0.3.1", &[]),
            ("x", "1.0.0", &["c"]),
            ("y", "1.0.0", &[]),
        ]);
        let theirs = lock(&[
            ("root", "0.1.0", &["a", "b"]),
            ("a", "1.2.0", &["c"]),
            ("b", "1.0.0", &["c"]),
            ("c", "0.4.0", &[]),
        ]);
        let merged = merge(&base, &ours, &theirs);
        let expected = lock(&[
            ("root", "0.1.0", &["a", "b", "x"]),
            ("a", "1.5.0", &["c", "y"]),
            ("b", "1.0.0", &["c"]),
            ("c", "0.4.0", &[]),
            ("x", "1.0.0", &["c"]),
            ("y", "1.0.0", &[]),
        ]);
        assert_eq!(merged, expected);
    }

    /// A library of the template, new in this step, is a package of a path, too, and comes before the project by its name.
    #[test]
    fn what_is_added_or_kept_is_the_projects_own() {
        let base = lock(&[("root", "0.1.0", &["a", "b"]), ("a", "1.0.0", &[]), ("b", "1.0.0", &[])]);
        let ours =
            lock(&[("root", "0.1.0", &["a", "b", "x"]), ("a", "1.0.0", &[]), ("b", "1.0.0", &[]), ("x", "1.0.0", &[])]);
        let theirs = lock(&[
            ("library", "0.1.0", &["a", "b"]),
            ("root", "0.1.0", &["library"]),
            ("a", "1.0.0", &[]),
            ("b", "1.0.0", &[]),
        ]);
        let expected = |root: &[&str]| {
            lock(&[
                ("library", "0.1.0", &["a", "b"]),
                ("root", "0.1.0", root),
                ("a", "1.0.0", &[]),
                ("b", "1.0.0", &[]),
                ("x", "1.0.0", &[]),
            ])
        };
        assert_eq!(merge(&base, &ours, &theirs), expected(&["library", "x"]));
        assert_eq!(merge_keeping(&base, &ours, &theirs, &BTreeSet::from(["b"])), expected(&["b", "library", "x"]));
    }
}
