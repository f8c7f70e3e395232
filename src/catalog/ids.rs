//! The ids of entries: short names for pages, exports and credentials.

use std::collections::{HashMap, HashSet};

use super::Service;

/// Returns a name in lower-case ASCII letters and digits, with single hyphens between them. It is empty for a name
/// without any.
#[must_use]
pub fn slug(name: &str) -> String {
    let mut slug = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}

/// Returns the id of each entry: its own, or its name as a [`slug`]. A slug that is taken gets a number.
#[must_use]
pub fn ids(services: &[Service]) -> Vec<String> {
    let mut taken: HashSet<String> = services.iter().filter_map(|service| service.id.clone()).collect();
    let mut next: HashMap<String, usize> = HashMap::new();
    let id = |service: &Service| {
        if let Some(id) = &service.id {
            return id.clone();
        }
        let base = Some(slug(&service.name)).filter(|slug| !slug.is_empty()).unwrap_or_else(|| "service".to_owned());
        let number = next.entry(base.clone()).or_insert(1);
        loop {
            let id = if *number == 1 { base.clone() } else { format!("{base}-{number}") };
            *number += 1;
            if taken.insert(id.clone()) {
                return id;
            }
        }
    };
    services.iter().map(id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_ids() {
        for (name, id) in [
            ("GitHub Worker", "github-worker"),
            (" --Notes: #1-- ", "notes-1"),
            ("Café Ünter", "caf-nter"),
            ("日本", ""),
            ("a", "a"),
        ] {
            assert_eq!(slug(name), id, "{name}");
            assert_eq!(slug(&slug(name)), slug(name), "{name}");
        }
    }

    #[test]
    fn every_entry_has_an_id_of_its_own() {
        let named = |name: &str, id: Option<&str>| Service {
            name: name.to_owned(),
            id: id.map(str::to_owned),
            ..Service::default()
        };
        let all = [
            named("Notes", None),
            named("notes!", None),
            named("Other", Some("notes-2")),
            named("日本", None),
            named("中国", None),
            named("N O T E S", Some("x")),
        ];
        assert_eq!(ids(&all), ["notes", "notes-3", "notes-2", "service", "service-2", "x"]);
        let many: Vec<Service> = (0..5000).map(|number| named(&"!".repeat(number + 1), None)).collect();
        let unique: HashSet<String> = ids(&many).into_iter().collect();
        assert_eq!(unique.len(), 5000);
    }
}
