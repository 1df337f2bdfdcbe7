//! What one policy says otherwise than another.

use std::collections::BTreeMap;

use super::node::{Node, Value};
use super::{PolicyFile, write};

/// Stands for a setting that one of the two does not have.
const UNSET: &str = "unset";

impl PolicyFile {
    /// Lists the settings that another policy has otherwise, as they are written:
    /// `auth.sms_otp.enabled: true -> false`. Empty where both are the same policy.
    #[must_use]
    pub fn changes_to(&self, other: &Self) -> Vec<String> {
        let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
        settings(&self.root(), "", &mut before);
        settings(&other.root(), "", &mut after);
        let paths = before.keys().chain(after.keys());
        let mut paths: Vec<&String> = paths.collect();
        paths.sort_unstable();
        paths.dedup();
        let of = |all: &BTreeMap<String, String>, path: &str| {
            all.get(path).map_or(UNSET.to_owned(), String::clone)
        };
        let both = paths
            .into_iter()
            .map(|path| (path, of(&before, path), of(&after, path)));
        let changed = both.filter(|(_, was, is)| was != is);
        changed
            .map(|(path, was, is)| format!("{path}: {was} -> {is}"))
            .collect()
    }
}

/// Lists every setting by its path.
fn settings(node: &Node, path: &str, all: &mut BTreeMap<String, String>) {
    match &node.value {
        Value::Map(fields) if !fields.is_empty() => {
            for (key, field) in fields {
                let path = match path {
                    "" => key.name.clone(),
                    path => format!("{path}.{}", key.name),
                };
                settings(field, &path, all);
            }
        }
        _ => {
            all.insert(path.to_owned(), write::line(node));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_setting_that_differs_is_named_with_both_values() {
        let read = |text: &str| PolicyFile::from_yaml(text).expect("a policy");
        let off = read("auth:\n  sms_otp:\n    enabled: false\n");
        let tight = read("rate_limiting:\n  per_ip: [{ window: 5m, max: 10 }]\n");
        assert!(off.changes_to(&off).is_empty());
        let changes = off.changes_to(&tight);
        assert!(
            changes.contains(&"auth.sms_otp.enabled: false -> true".to_owned()),
            "{changes:?}"
        );
        let of_starts = "rate_limiting.issue.per_ip: ";
        assert!(
            changes
                .iter()
                .any(|one| one.starts_with(of_starts)
                    && one.ends_with("-> [{ window: 5m, max: 10 }]")),
            "{changes:?}"
        );
    }
}
