//! Commands of AWS's client in a line, which a tool of its own may carry as well (floor 2).

use crate::gate::shell::{split, words};

/// How the names begin of operations that it takes for reading (`crates/chat-cli/src/cli/chat/tools/use_aws.rs`).
const READS: [&str; 6] = ["get", "describe", "list", "ls", "search", "batch_get"];

/// Words that may name the service of a call, for each call of AWS's client in a line, and whether the first of them is sure
/// to. In a line that is not cut any word behind the client may.
pub(super) fn services(line: &str) -> Vec<(Vec<String>, bool)> {
    let Ok(parts) = split(line) else {
        let apart = line.replace(|c: char| !c.is_ascii_alphanumeric() && !"-_./:=@".contains(c), " ");
        let words: Vec<&str> = apart.split_whitespace().collect();
        let named = words.iter().position(|word| client(word));
        return named.map(|at| (services_in(words.get(at + 1..).unwrap_or_default()), false)).into_iter().collect();
    };
    let mut found = Vec::new();
    for part in parts {
        let words = words(&part.text);
        let Some(at) = words.iter().position(|word| client(word)) else { continue };
        let rest = words.get(at + 1..).unwrap_or_default();
        let sure = rest.first().is_some_and(|word| !word.starts_with('-'));
        found.push((services_in(rest), sure));
    }
    found
}

fn client(word: &str) -> bool {
    word.trim_matches(['"', '\'']).rsplit('/').next() == Some("aws")
}

fn services_in(rest: &[&str]) -> Vec<String> {
    let named = rest.iter().filter(|word| !word.starts_with('-'));
    named.map(|word| word.trim_matches(['"', '\'']).to_owned()).collect()
}

/// Whether it takes a call for one that reads.
pub(super) fn reads(named: &[String]) -> bool {
    named.get(1).is_some_and(|operation| READS.iter().any(|begin| operation.starts_with(begin)))
}

#[cfg(test)]
mod tests {
    use super::{reads, services};

    #[test]
    fn services_are_found_behind_options() {
        let named = |line: &str| services(line).into_iter().next();
        assert_eq!(named("aws rds delete-db-instance").unwrap().0[0], "rds");
        assert!(named("aws rds x").unwrap().1 && !named("aws --profile p rds x").unwrap().1);
        assert!(named("X=1 /usr/bin/aws --profile p rds x").unwrap().0.contains(&"rds".to_owned()));
        assert!(named("railway down").is_none());
        for line in ["for x in a; do aws rds y $x; done", "$'aws' rds y", "aws rds y <<EOF\nEOF", "(aws rds y)"] {
            let (words, sure) = named(line).unwrap();
            assert!(words.contains(&"rds".to_owned()) && !sure, "{line}");
        }
        assert!(reads(&named("aws s3 ls").unwrap().0) && !reads(&named("aws rds delete-x").unwrap().0));
    }
}
