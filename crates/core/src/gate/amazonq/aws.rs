//! Commands of AWS's client in a line, which a tool of its own may carry as well (floor 2).

use crate::gate::shell::{split, words};

/// Words that may name the service of a call, for each call of AWS's client in a line, and whether the first of them is sure
/// to. A line that is not cut may hold any.
pub(super) fn services(line: &str) -> Vec<(Vec<String>, bool)> {
    let Ok(parts) = split(line) else { return Vec::new() };
    let mut found = Vec::new();
    for part in parts {
        let words = words(&part.text);
        let named = |word: &&str| word.rsplit('/').next() == Some("aws");
        let Some(at) = words.iter().position(named) else { continue };
        let rest: Vec<&str> = words.iter().skip(at + 1).copied().collect();
        let sure = rest.first().is_some_and(|word| !word.starts_with('-'));
        let named: Vec<String> = rest
            .iter()
            .filter(|word| !word.starts_with('-'))
            .map(|word| word.trim_matches(['"', '\'']).to_owned())
            .collect();
        found.push((named, sure));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::services;

    #[test]
    fn services_are_found_behind_options() {
        let named = |line: &str| services(line).into_iter().next();
        assert_eq!(named("aws rds delete-db-instance").unwrap().0[0], "rds");
        assert!(named("aws rds x").unwrap().1 && !named("aws --profile p rds x").unwrap().1);
        assert!(named("X=1 /usr/bin/aws --profile p rds x").unwrap().0.contains(&"rds".to_owned()));
        assert!(named("railway down").is_none());
    }
}
