//! Which Regions of an account are read where the user names none: those that are enabled for it, which is what
//! `DescribeRegions` tells unless it is asked for all (EC2 API reference).

use deadstop_core::fact::{Gap, GapReason};
use roxmltree::{Document, Node};

use super::client::{Client, Fault};
use super::reads::EC2;
use super::xml::{list, text};
use crate::provider::facts::Facts;

const REGIONS: &str = "ec2:DescribeRegions";

/// The Regions that are enabled, as told to the first of these who may ask.
pub(super) fn enabled(clients: &[Client<'_>], number: &str, facts: &mut Facts) -> Result<Vec<String>, Gap> {
    let mut last = Fault::of(GapReason::Denied);
    for client in clients {
        let answer = client.form("ec2", "DescribeRegions", EC2, &[]);
        match answer.and_then(|answer| regions(&answer).ok_or_else(Fault::malformed)) {
            Ok(regions) => {
                facts.source(REGIONS, number);
                return Ok(regions);
            }
            Err(fault) => last = fault,
        }
    }
    Err(facts.refused(REGIONS, number, &last))
}

/// One that cannot be understood spoils the whole: it may be the one that counts.
fn regions(answer: &str) -> Option<Vec<String>> {
    let document = Document::parse(answer).ok()?;
    let all: Vec<Option<String>> = list(document.root_element(), "regionInfo").map(region).collect::<Option<_>>()?;
    let mut all: Vec<String> = all.into_iter().flatten().collect();
    all.sort();
    all.dedup();
    (!all.is_empty()).then_some(all)
}

/// A Region by name; none, if it is not enabled.
fn region(node: Node<'_, '_>) -> Option<Option<String>> {
    let name = text(node, "regionName")?;
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let off = text(node, "optInStatus") == Some("not-opted-in");
    name.bytes().all(plain).then(|| (!off).then(|| name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(items: &str) -> Option<Vec<String>> {
        regions(&format!(
            "<DescribeRegionsResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>r</requestId><regionInfo>{items}</regionInfo></DescribeRegionsResponse>"
        ))
    }

    #[test]
    fn those_that_are_enabled_and_no_others() {
        let one = "<item><regionName>us-east-1</regionName><regionEndpoint>ec2.us-east-1.amazonaws.com</regionEndpoint><optInStatus>opt-in-not-required</optInStatus></item>";
        let off = "<item><regionName>af-south-1</regionName><regionEndpoint>ec2.af-south-1.amazonaws.com</regionEndpoint><optInStatus>not-opted-in</optInStatus></item>";
        assert_eq!(told(&format!("{one}{off}")), Some(vec!["us-east-1".to_owned()]));
        // Nothing, something strange and something without a name are no answer.
        assert_eq!(told(""), None);
        assert_eq!(told(&format!("{one}<item><regionName>evil.example/</regionName></item>")), None);
        assert_eq!(told(&format!("{one}<item/>")), None);
        assert_eq!(regions("<DescribeRegionsResponse/>"), None);
        assert_eq!(regions("?"), None);
    }
}
