//! S3 buckets, with versions, locks, policies and keys (S3 API reference: `ListBuckets` and the `GetBucket…` calls; S3 User
//! Guide: `DeletingObjectVersions`, `MultiFactorAuthenticationDelete`, `object-lock`, `intro-lifecycle-rules`,
//! `replication-what-is-isnt-replicated`).

mod bodies;

use deadstop_core::fact::{Fact, Gap, Listed};
use deadstop_core::iam::{Kind, Policy};
use deadstop_core::id::{NodeId, ProtectionId, StepId};
use deadstop_core::model::{Atom, Basis, Class, Copy, CopyKind, End, Lift, Protection, Side, Step};
use deadstop_core::time::Span;
use serde_json::Value;

use super::{DRILLS, Desk, Seen, kms, one_call};
use crate::provider::aws::client::{Client, Fault};
use crate::provider::aws::pages::pages;
use crate::provider::aws::partition;
use crate::provider::aws::rights::{Opens, ResourcePolicy};
pub(super) use bodies::Bucket;
use bodies::{Lock, Mode, Versioning};

const LIST: &str = "s3:ListAllMyBuckets";
const VERSIONING: &str = "s3:GetBucketVersioning";
const LOCK: &str = "s3:GetBucketObjectLockConfiguration";
/// What takes a version away for good.
const VERSIONS: [&str; 2] = ["s3:DeleteObjectVersion", "s3:PutLifecycleConfiguration"];

const TAGGING: [&str; 2] = ["s3:PutObjectTagging", "s3:PutObjectVersionTagging"];

/// What is told of a bucket, each part or why it is not.
struct Told {
    versioning: Result<Versioning, Gap>,
    lock: Result<Option<Lock>, Gap>,
    /// The days after which versions that are no longer the newest expire.
    expires: Result<Option<u64>, Gap>,
    /// Whether objects with some tag may expire.
    by_tags: bool,
}

/// Lists the buckets of the account, whatever their Region, by way of the first of these Regions that answers.
pub(super) fn list_all(desk: &mut Desk<'_>, homes: &[&str]) -> Vec<Bucket> {
    let mut gaps = Vec::new();
    for home in homes {
        let at = |client: &Client<'_>| Client { region: home, ..*client }.list();
        match desk.ask(LIST, None, at) {
            Ok(buckets) => return buckets.into_iter().filter_map(|bucket| placed(desk, bucket, home)).collect(),
            Err(gap) => gaps.push(gap),
        }
    }
    desk.unlisted.extend(gaps);
    Vec::new()
}

/// With its Region. A bucket of which that is not told counts as not listed.
fn placed(desk: &mut Desk<'_>, bucket: Bucket, home: &str) -> Option<Bucket> {
    if !bucket.region.is_empty() {
        return Some(bucket);
    }
    let at = |client: &Client<'_>| Client { region: home, ..*client }.about(&bucket.name, "location", bodies::location);
    match desk.ask("s3:GetBucketLocation", Some(&bucket.name), at) {
        Ok(region) => Some(Bucket { region, ..bucket }),
        Err(gap) => {
            desk.unlisted.push(gap);
            None
        }
    }
}

impl Client<'_> {
    fn list(&self) -> Result<Vec<Bucket>, Fault> {
        pages(|place| {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            query.append_pair("max-buckets", "1000");
            query.extend_pairs(place.map(|place| ("continuation-token", place)));
            let answer = self.get_xml("s3", &format!("/?{}", query.finish()))?;
            bodies::buckets(&answer).ok_or_else(Fault::malformed)
        })
    }

    /// One of the settings of a bucket.
    fn about<T>(&self, bucket: &str, setting: &str, read: fn(&str) -> Option<T>) -> Result<T, Fault> {
        let answer = self.get_xml("s3", &format!("/{bucket}?{setting}"))?;
        read(&answer).ok_or_else(Fault::malformed)
    }

    /// The same, where there may be none.
    fn perhaps<T>(
        &self,
        bucket: &str,
        setting: &str,
        none: &str,
        read: fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Fault> {
        match self.about(bucket, setting, read) {
            Err(fault) if fault.says(&[none]) => Ok(None),
            other => other.map(Some),
        }
    }
}

/// The bucket's ARN.
pub(super) fn arn(bucket: &Bucket) -> String {
    format!("arn:{}:s3:::{}", partition(&bucket.region), bucket.name)
}

/// Describes one bucket of these.
pub(super) fn describe(desk: &mut Desk<'_>, bucket: &Bucket, buckets: &[Bucket]) {
    let name = bucket.name.as_str();
    let arn = arn(bucket);
    desk.holdings.homes.insert(bucket.region.clone());
    let lifecycle = desk.ask("s3:GetLifecycleConfiguration", Some(name), |c| {
        c.perhaps(name, "lifecycle", "NoSuchLifecycleConfiguration", bodies::lifecycle)
    });
    let told = Told {
        versioning: desk.ask(VERSIONING, Some(name), |c| c.about(name, "versioning", bodies::versioning)),
        lock: desk.ask(LOCK, Some(name), |c| {
            c.perhaps(name, "object-lock", "ObjectLockConfigurationNotFoundError", bodies::lock).map(Option::flatten)
        }),
        by_tags: lifecycle.as_ref().map_or(true, |rules| rules.is_some_and(|rules| rules.by_tags)),
        expires: lifecycle.map(|rules| rules.and_then(|rules| rules.expires)),
    };
    let key = desk.ask("s3:GetEncryptionConfiguration", Some(name), |c| {
        c.perhaps(name, "encryption", "ServerSideEncryptionConfigurationNotFoundError", bodies::key)
            .map(Option::flatten)
    });
    let tags =
        desk.ask("s3:GetBucketTagging", Some(name), |c| c.perhaps(name, "tagging", "NoSuchTagSet", bodies::tags));
    let (policy, open) = policy(desk, name);
    let replicas = desk.ask("s3:GetReplicationConfiguration", Some(name), |c| {
        c.perhaps(name, "replication", "ReplicationConfigurationNotFoundError", bodies::replicas)
            .map(Option::unwrap_or_default)
    });
    let copies = copies(desk, name, &arn, told.versioning.as_ref().err(), &replicas);
    let named = key.as_ref().ok().and_then(Option::as_deref).map(|key| desk.key(key));
    let id = desk.asset(Seen {
        arn: &arn,
        kind: "bucket",
        class: Class::Bucket,
        name,
        tags: &tags.ok().flatten().unwrap_or_default(),
        protections: told.lock.as_ref().err().map_or(Fact::Known(Listed::Complete), |gap| Fact::Unknown(gap.clone())),
        copies: copies.map_or(Fact::Known(Listed::Complete), Fact::Unknown),
        holds: None,
        operation: LIST,
        key: named.as_deref(),
        policy,
    });
    if let Some(why) = open {
        desk.beside(&id, "delete its objects without a key of anybody's", why);
    }
    if key.is_err() {
        kms::not_read(desk, &id, name);
    }
    desk.policy_calls(
        &id,
        &[
            ("s3:PutBucketPolicy", Opens::Gives),
            ("s3:DeleteBucketPolicy", Opens::Frees),
            ("s3:PutBucketAcl", Opens::Public),
        ],
    );
    if told.by_tags {
        tagged(desk, &id);
    }
    replicated(desk, &id, &replicas, buckets);
    not_empty(desk, &id, &told);
    if let Ok(Some(lock)) = &told.lock {
        locked(desk, &id, lock);
    }
    if let Ok(Versioning { kept: true, by_code }) = told.versioning {
        if by_code {
            asks_a_code(desk, &id);
        }
        versions(desk, &id, &told, named.map(NodeId));
        suspended(desk, &id);
    }
}

/// Why it is not known whether all copies are listed. A replica outlives the deletion of versions, and holds what was
/// written since replication was set up, as far as its rules go: no copy that is known to be whole.
fn copies(
    desk: &mut Desk<'_>,
    name: &str,
    arn: &str,
    unread: Option<&Gap>,
    replicas: &Result<Vec<String>, Gap>,
) -> Option<Gap> {
    let elsewhere = desk.kept_elsewhere(name, arn);
    let replicas = match replicas {
        Ok(to) if to.is_empty() => None,
        Ok(_) => Some(desk.facts.doubt(desk.account, "what replication has put elsewhere was not compared")),
        Err(gap) => Some(gap.clone()),
    };
    unread.cloned().or(replicas).or(elsewhere)
}

/// What is written to a bucket is written to those that it is replicated to, and what is deleted may be deleted there
/// (`replication-what-is-isnt-replicated`). Where it was not read which these are, it may be any.
fn replicated(desk: &mut Desk<'_>, bucket: &NodeId, replicas: &Result<Vec<String>, Gap>, buckets: &[Bucket]) {
    let to: Vec<NodeId> = match replicas {
        Ok(to) => to.iter().cloned().map(NodeId).collect(),
        Err(_) => buckets.iter().map(arn).filter(|other| other != bucket.as_str()).map(NodeId).collect(),
    };
    if to.is_empty() {
        return;
    }
    for action in TAGGING.into_iter().chain(["s3:PutObject", "s3:DeleteObject"]) {
        let possible = desk.unread("what replication does to the objects of its destination was not worked out");
        desk.facts.steps.push(Step {
            id: StepId(format!("{bucket}#replicated:{action}")),
            session: None,
            needs: vec![Atom::Can { action: action.to_owned(), target: bucket.clone() }],
            gains: to.iter().cloned().map(Atom::Destroyed).collect(),
            changes: false,
            possible,
            because: format!("have replication carry what {action} does"),
            sources: Vec::new(),
        });
    }
}

/// A tag may put an object under a rule by which it expires (`intro-lifecycle-filters`).
fn tagged(desk: &mut Desk<'_>, bucket: &NodeId) {
    for action in TAGGING {
        desk.also_below(bucket, action, &format!("{bucket}/"));
        let why = "which objects the rules of its lifecycle then expire was not worked out";
        desk.perhaps_after(bucket, action, "tag its objects so that they expire", why);
    }
}

/// The bucket's policy, and its access list, by which other accounts may write; and why somebody may write who has signed
/// nothing (S3 User Guide, `access-control-block-public-access`).
fn policy(desk: &mut Desk<'_>, name: &str) -> (ResourcePolicy, Option<&'static str>) {
    let policy =
        desk.ask("s3:GetBucketPolicy", Some(name), |client| match client.get("s3", &format!("/{name}?policy")) {
            Err(fault) if fault.says(&["NoSuchBucketPolicy"]) => Ok(None),
            other => other.map(Some),
        });
    let shared = desk.ask("s3:GetBucketAcl", Some(name), |client| client.about(name, "acl", bodies::lets_others_write));
    let policy = match policy {
        Ok(None) => None,
        Ok(Some(document)) => match read_policy(&document) {
            Some(policy) => Some(policy),
            None => return (ResourcePolicy::NotKnown("bucket's policy"), Some("the bucket's policy was not read")),
        },
        Err(_) => return (ResourcePolicy::NotKnown("bucket's policy"), Some("the bucket's policy was not read")),
    };
    let everyone = policy.as_ref().is_some_and(Policy::lets_in_everyone);
    let open = match (everyone, &shared) {
        (true, _) => Some("what the bucket's policy lets everyone do was not worked out"),
        (false, Ok(true)) => Some("whom the bucket's access list lets write was not worked out"),
        (false, Err(_)) => Some("the bucket's access list was not read"),
        (false, Ok(false)) => None,
    };
    let policy = match (policy, shared) {
        (policy, Ok(true)) => ResourcePolicy::Abroad(policy, "bucket's access list lets others write; for whom"),
        (policy, Err(_)) => ResourcePolicy::Abroad(policy, "bucket's access list"),
        (Some(policy), Ok(false)) => ResourcePolicy::Read(policy),
        (None, Ok(false)) => ResourcePolicy::None,
    };
    (policy, open)
}

fn read_policy(document: &Value) -> Option<Policy> {
    Policy::new(document, Kind::Resource).ok()
}

/// "All objects (including all object versions and delete markers) in the bucket must be deleted before the bucket itself
/// can be deleted" (`DeleteBucket`). Where there are none, no data is lost.
fn not_empty(desk: &mut Desk<'_>, bucket: &NodeId, told: &Told) {
    let source = desk.facts.source(LIST, &desk.scope());
    let mut empties = vec!["s3:DeleteObjectVersion", "s3:PutLifecycleConfiguration"];
    if !told.versioning.as_ref().is_ok_and(|versioning| versioning.kept) {
        empties.push("s3:DeleteObject");
    }
    let lifts = empties.iter().map(|action| one_call(action, bucket, "empty it first")).collect();
    desk.facts.protections.push(Protection {
        id: ProtectionId(format!("{bucket}#not-empty")),
        on: bucket.clone(),
        side: Side::Protect,
        kind: "only an empty bucket is deleted".to_owned(),
        covers: vec!["s3:DeleteBucket".to_owned()],
        enabled: Fact::Known(true),
        whole: Fact::Known(true),
        holds_parent: false,
        only_ways: Vec::new(),
        lifts: Fact::Known(lifts),
        basis: Basis::Inferred,
        because: "a bucket with objects in it is not deleted".to_owned(),
        sources: vec![source],
    });
}

/// Object Lock. A bucket has a default for new versions alone; which versions are locked, and how, each of them says.
fn locked(desk: &mut Desk<'_>, bucket: &NodeId, lock: &Lock) {
    let source = desk.facts.source(LOCK, &format!("{}/{}", desk.scope(), short(bucket)));
    let lifts = if lock.mode == Some(Mode::Governance) {
        desk.also_below(bucket, "s3:BypassGovernanceRetention", &format!("{bucket}/"));
        vec![one_call("s3:BypassGovernanceRetention", bucket, "bypass governance mode")]
    } else {
        Vec::new()
    };
    let (kind, said) = match lock.mode {
        Some(Mode::Compliance) => ("Object Lock, compliance mode", "new versions are locked in compliance mode"),
        Some(Mode::Governance) => ("Object Lock, governance mode", "new versions are locked in governance mode"),
        None => ("Object Lock", "versions can be locked one by one"),
    };
    let days = lock.days.map_or_else(String::new, |days| format!(" for {days} days"));
    let whole = desk.unread("whether every version is locked, and until when, was not read");
    desk.facts.protections.push(Protection {
        id: ProtectionId(format!("{bucket}#object-lock")),
        on: bucket.clone(),
        side: Side::Protect,
        kind: kind.to_owned(),
        covers: VERSIONS.map(str::to_owned).to_vec(),
        enabled: Fact::Known(true),
        whole,
        holds_parent: false,
        only_ways: Vec::new(),
        lifts: Fact::Known(lifts),
        basis: Basis::Observed,
        because: format!("{said}{days}"),
        sources: vec![source],
    });
}

/// MFA delete: a version goes with a code of the root user's device alone, and no lifecycle rule can be set.
fn asks_a_code(desk: &mut Desk<'_>, bucket: &NodeId) {
    let source = desk.facts.source(VERSIONING, &format!("{}/{}", desk.scope(), short(bucket)));
    desk.facts.protections.push(Protection {
        id: ProtectionId(format!("{bucket}#mfa-delete")),
        on: bucket.clone(),
        side: Side::Confirm,
        kind: "MFA delete".to_owned(),
        covers: VERSIONS.map(str::to_owned).to_vec(),
        enabled: Fact::Known(true),
        whole: Fact::Known(true),
        holds_parent: false,
        only_ways: Vec::new(),
        lifts: Fact::Known(Vec::new()),
        basis: Basis::Observed,
        because: "a version is deleted only with a code of the device that the root user has".to_owned(),
        sources: vec![source],
    });
}

/// Earlier versions. To delete an object hides it behind a marker; to overwrite it keeps what was there.
fn versions(desk: &mut Desk<'_>, bucket: &NodeId, told: &Told, key: Option<NodeId>) {
    let source = desk.facts.source(VERSIONING, &format!("{}/{}", desk.scope(), short(bucket)));
    let ends = match &told.expires {
        Ok(Some(days)) => Fact::Known(End::After(Span::days(*days))),
        Ok(None) => Fact::Known(End::Never),
        Err(gap) => Fact::Unknown(gap.clone()),
    };
    let call = |action: &str, because: &str| -> Lift { one_call(action, bucket, because) };
    desk.facts.copies.push(Copy {
        id: NodeId(format!("{bucket}#versions")),
        of: bucket.clone(),
        kind: CopyKind::Versions,
        name: format!("earlier versions in {}", short(bucket)),
        place: Some(desk.parent.clone()),
        lag: Fact::Known(Span(0)),
        ends,
        dies_with: Fact::Known(VERSIONS.map(str::to_owned).to_vec()),
        destroyed_by: Fact::Known(vec![
            call("s3:DeleteObjectVersion", "delete the versions themselves"),
            call("s3:PutLifecycleConfiguration", "let the versions expire"),
        ]),
        needs: key.into_iter().chain(desk.any_key.clone()).collect(),
        drills: DRILLS,
        basis: Basis::Observed,
        because: "versions are kept, so a delete hides an object and an overwrite adds to it".to_owned(),
        sources: vec![source],
    });
}

/// A version of an object that is older than versioning is the `null` version: while versioning is suspended, a delete or
/// an overwrite takes it away (S3 User Guide, `DeletingObjectsfromVersioningSuspendedBuckets`).
fn suspended(desk: &mut Desk<'_>, bucket: &NodeId) {
    const SUSPEND: &str = "s3:PutBucketVersioning";
    desk.also(bucket, SUSPEND, bucket.as_str());
    for action in ["s3:DeleteObject", "s3:PutObject"] {
        let possible = desk.unread("whether objects are older than versioning was not read");
        let can = |action: &str| Atom::Can { action: action.to_owned(), target: bucket.clone() };
        desk.facts.steps.push(Step {
            id: StepId(format!("{bucket}#suspended:{action}")),
            session: None,
            needs: vec![can(SUSPEND), can(action)],
            gains: vec![Atom::Destroyed(NodeId(format!("{bucket}#versions")))],
            changes: true,
            possible,
            because: format!("suspend versioning and lose the oldest versions with {action}"),
            sources: Vec::new(),
        });
    }
}

fn short(bucket: &NodeId) -> &str {
    bucket.as_str().rsplit(':').next().unwrap_or_default()
}
