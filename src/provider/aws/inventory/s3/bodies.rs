//! The answers of S3 (service model `s3/2006-03-01`). Each begins with an element of its own; another one is no answer.

use std::collections::BTreeMap;

use roxmltree::{Document, Node};

use crate::provider::aws::xml::{child, list, text};

/// A bucket, and its Region; empty, if the list does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::provider::aws::inventory) struct Bucket {
    pub(in crate::provider::aws::inventory) name: String,
    pub(in crate::provider::aws::inventory) region: String,
}

/// Whether versions are kept, and whether deleting one asks for a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Versioning {
    pub(super) kept: bool,
    pub(super) by_code: bool,
}

/// How new versions are locked, unless whoever writes them says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Compliance,
    Governance,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lock {
    pub(super) mode: Option<Mode>,
    pub(super) days: Option<u64>,
}

/// What is read of the element that an answer is, if it has this name.
fn of<T>(answer: &str, name: &str, read: impl Fn(Node<'_, '_>) -> Option<T>) -> Option<T> {
    let document = Document::parse(answer).ok()?;
    let root = document.root_element();
    if root.tag_name().name() == name { read(root) } else { None }
}

/// The children of that name: lists of S3 are often flat.
fn all<'a, 'd: 'a>(node: Node<'a, 'd>, name: &'a str) -> impl Iterator<Item = Node<'a, 'd>> {
    node.children().filter(move |child| child.tag_name().name() == name)
}

fn number(node: Node<'_, '_>, name: &str) -> Option<u64> {
    text(node, name)?.parse().ok()
}

/// A page of buckets, and where the next begins.
pub(super) fn buckets(answer: &str) -> Option<(Vec<Bucket>, Option<String>)> {
    of(answer, "ListAllMyBucketsResult", |root| {
        child(root, "Buckets")?;
        let one = |node| {
            let name = text(node, "Name").filter(|name| plain(name))?;
            let region = text(node, "BucketRegion").filter(|region| region.bytes().all(is_plain)).unwrap_or_default();
            Some(Bucket { name: name.to_owned(), region: region.to_owned() })
        };
        let buckets = list(root, "Buckets").map(one).collect::<Option<Vec<_>>>()?;
        Some((buckets, text(root, "ContinuationToken").map(str::to_owned)))
    })
}

const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-')
}

/// A bucket's name has letters, digits, hyphens and dots; older ones underscores (`bucketnamingrules`).
fn plain(name: &str) -> bool {
    let known = |byte: u8| is_plain(byte) || matches!(byte, b'.' | b'_');
    name.bytes().all(known) && !name.bytes().all(|byte| byte == b'.')
}

/// The Region of a bucket: none stands for the oldest, `EU` for the first in Europe (`GetBucketLocation`).
pub(super) fn location(answer: &str) -> Option<String> {
    of(answer, "LocationConstraint", |root| {
        let said = root.text().map(str::trim).unwrap_or_default();
        let region = match said {
            "" => "us-east-1",
            "EU" => "eu-west-1",
            other => other,
        };
        region.bytes().all(is_plain).then(|| region.to_owned())
    })
}

pub(super) fn versioning(answer: &str) -> Option<Versioning> {
    // Some emulators name the element after the call.
    let name = if answer.contains("<GetBucketVersioningResponse") {
        "GetBucketVersioningResponse"
    } else {
        "VersioningConfiguration"
    };
    of(answer, name, |root| {
        let kept = match text(root, "Status") {
            Some("Enabled") => true,
            Some("Suspended") | None => false,
            Some(_) => return None,
        };
        Some(Versioning { kept, by_code: text(root, "MfaDelete") == Some("Enabled") })
    })
}

pub(super) fn lock(answer: &str) -> Option<Option<Lock>> {
    of(answer, "ObjectLockConfiguration", |root| {
        if text(root, "ObjectLockEnabled") != Some("Enabled") {
            return Some(None);
        }
        let rule = child(root, "Rule").and_then(|rule| child(rule, "DefaultRetention"));
        let mode = match rule.and_then(|rule| text(rule, "Mode")) {
            Some("COMPLIANCE") => Some(Mode::Compliance),
            Some("GOVERNANCE") => Some(Mode::Governance),
            Some(_) => return None,
            None => None,
        };
        let days = rule.and_then(|rule| number(rule, "Days").or_else(|| Some(number(rule, "Years")? * 365)));
        Some(Some(Lock { mode, days }))
    })
}

/// What the rules of a lifecycle that are on let expire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lifecycle {
    /// The least number of days after which versions that are no longer the newest do.
    pub(super) expires: Option<u64>,
    /// Whether there is a rule for objects with some tag.
    pub(super) by_tags: bool,
}

pub(super) fn lifecycle(answer: &str) -> Option<Lifecycle> {
    of(answer, "LifecycleConfiguration", |root| {
        let (mut least, mut by_tags): (Option<u64>, bool) = (None, false);
        for rule in all(root, "Rule").filter(|rule| text(*rule, "Status") == Some("Enabled")) {
            let tagged = child(rule, "Filter")
                .is_some_and(|filter| filter.descendants().any(|within| within.tag_name().name() == "Tag"));
            by_tags |=
                tagged && ["Expiration", "NoncurrentVersionExpiration"].iter().any(|name| child(rule, name).is_some());
            let Some(expiration) = child(rule, "NoncurrentVersionExpiration") else { continue };
            // Days may be left out where a number of versions is kept: then the others go at once.
            let days = number(expiration, "NoncurrentDays").unwrap_or_default();
            least = Some(least.map_or(days, |least| least.min(days)));
        }
        Some(Lifecycle { expires: least, by_tags })
    })
}

/// The buckets, by ARN, to which rules that are on copy objects.
pub(super) fn replicas(answer: &str) -> Option<Vec<String>> {
    of(answer, "ReplicationConfiguration", |root| {
        let on = all(root, "Rule").filter(|rule| text(*rule, "Status") != Some("Disabled"));
        let to = |rule| text(child(rule, "Destination")?, "Bucket").filter(|arn| arn.starts_with("arn:"));
        on.map(|rule| to(rule).map(str::to_owned)).collect()
    })
}

/// The key of KMS by which new objects are encrypted, if it is one of the account's own choice.
pub(super) fn key(answer: &str) -> Option<Option<String>> {
    of(answer, "ServerSideEncryptionConfiguration", |root| {
        let rules = all(root, "Rule").filter_map(|rule| child(rule, "ApplyServerSideEncryptionByDefault"));
        let key = rules.filter_map(|rule| text(rule, "KMSMasterKeyID").map(str::to_owned)).next();
        Some(key)
    })
}

pub(super) fn tags(answer: &str) -> Option<BTreeMap<String, String>> {
    of(answer, "Tagging", |root| {
        let tag = |tag| Some((text(tag, "Key")?.to_owned(), text(tag, "Value").unwrap_or_default().to_owned()));
        list(root, "TagSet").map(tag).collect()
    })
}

/// Whether somebody other than the owner may write objects or the list itself (S3 User Guide, `acl-overview`).
pub(super) fn lets_others_write(answer: &str) -> Option<bool> {
    of(answer, "AccessControlPolicy", |root| {
        let owner = text(child(root, "Owner")?, "ID")?;
        child(root, "AccessControlList")?;
        Some(list(root, "AccessControlList").any(|grant| {
            let own = child(grant, "Grantee").and_then(|grantee| text(grantee, "ID")) == Some(owner);
            !own && !matches!(text(grant, "Permission"), Some("READ" | "READ_ACP"))
        }))
    })
}

#[cfg(test)]
mod tests;
