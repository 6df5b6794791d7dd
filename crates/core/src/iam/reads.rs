//! Which patterns of actions match nothing but reads.

use super::context::Context;
use super::glob::{Glob, Matched, Wild};

/// What begins like a read and is none.
const NOT_READS: &str = include_str!("../../data/iam-not-reads.txt");

/// Whether a pattern of actions, in lower case, matches nothing but reads: it names one service, and in it actions that
/// begin with `Get`, `List` or `Describe`, none of which AWS counts as anything else.
#[must_use]
pub fn only_reads(pattern: &str) -> bool {
    let Some((service, name)) = pattern.split_once(':') else { return false };
    let plain = !service.is_empty() && !service.contains(['*', '?', '$']);
    let verb = ["get", "list", "describe"].iter().any(|verb| name.starts_with(verb));
    if !plain || !verb {
        return false;
    }
    let glob = Glob::new(pattern, Wild::Text, false);
    let context = Context::partial();
    let mut others = NOT_READS.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(": "));
    !others.any(|(of, actions)| {
        of == service
            && actions.split(' ').any(|action| glob.matches(&format!("{of}:{action}"), &context) == Matched::Is(true))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_but_a_read() {
        for pattern in ["s3:get*", "rds:describedbinstances", "iam:list*", "ec2:describe*", "redshift:describe*"] {
            assert!(only_reads(pattern), "{pattern}");
        }
        for pattern in [
            "*",
            "s3:*",
            "*:get*",
            "s?:get*",
            "s3:*get",
            "s3:g*",
            "rds:deletedbinstance",
            "redshift:get*",
            "redshift:getclustercredentials",
            "sts:getfederationtoken",
            "sts:get?ederationtoken",
            "s3",
            ":get*",
        ] {
            assert!(!only_reads(pattern), "{pattern}");
        }
    }

    #[test]
    fn the_list_is_in_lower_case_and_in_order() {
        let services: Vec<&str> = NOT_READS
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_once(": "))
            .map(|(of, _)| of)
            .collect();
        assert!(services.len() > 20 && services.is_sorted(), "{services:?}");
        assert_eq!(
            NOT_READS.lines().filter(|line| !line.starts_with('#')).collect::<String>(),
            NOT_READS.lines().filter(|line| !line.starts_with('#')).collect::<String>().to_lowercase()
        );
    }
}
