use super::*;

/// A body as the service model describes it.
fn body(root: &str, inner: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><{root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{inner}</{root}>"#
    )
}

#[test]
fn buckets_with_and_without_their_region() {
    let inner = "<Owner><ID>o</ID></Owner><Buckets>\
                 <Bucket><Name>a.b</Name><CreationDate>2019-12-11T23:32:47Z</CreationDate><BucketRegion>eu-west-1</BucketRegion></Bucket>\
                 <Bucket><Name>c</Name></Bucket></Buckets><ContinuationToken>next</ContinuationToken>";
    let (buckets, next) = buckets(&body("ListAllMyBucketsResult", inner)).unwrap();
    let bucket = |name: &str, region: &str| Bucket { name: name.to_owned(), region: region.to_owned() };
    assert_eq!(buckets, [bucket("a.b", "eu-west-1"), bucket("c", "")]);
    assert_eq!(next.as_deref(), Some("next"));
}

#[test]
fn a_name_that_leads_elsewhere_is_no_bucket() {
    for name in ["a/b", "..", ".", "a?policy", "a b", ""] {
        let inner = format!("<Buckets><Bucket><Name>{name}</Name></Bucket></Buckets>");
        assert_eq!(buckets(&body("ListAllMyBucketsResult", &inner)), None, "{name}");
    }
    assert_eq!(buckets(&body("ListAllMyBucketsResult", "")), None);
}

#[test]
fn an_answer_of_another_kind_is_none() {
    assert_eq!(versioning(&body("Error", "<Code>AccessDenied</Code>")), None);
    assert_eq!(versioning("{}"), None);
    assert_eq!(versioning(""), None);
    assert_eq!(lets_others_write(&body("AccessControlPolicy", "")), None);
}

#[test]
fn regions_of_old() {
    assert_eq!(location(&body("LocationConstraint", "")).as_deref(), Some("us-east-1"));
    assert_eq!(location(&body("LocationConstraint", "EU")).as_deref(), Some("eu-west-1"));
    assert_eq!(location(&body("LocationConstraint", "ap-south-2")).as_deref(), Some("ap-south-2"));
    assert_eq!(location(&body("LocationConstraint", "evil.example/")), None);
}

#[test]
fn versions_are_kept_only_where_that_is_on() {
    let read = |inner: &str| versioning(&body("VersioningConfiguration", inner));
    assert_eq!(read(""), Some(Versioning { kept: false, by_code: false }));
    assert_eq!(read("<Status>Suspended</Status>"), Some(Versioning { kept: false, by_code: false }));
    let with_code = "<Status>Enabled</Status><MfaDelete>Enabled</MfaDelete>";
    assert_eq!(read(with_code), Some(Versioning { kept: true, by_code: true }));
    assert_eq!(read("<Status>Perhaps</Status>"), None);
}

#[test]
fn locks_with_and_without_a_default() {
    let read = |inner: &str| lock(&body("ObjectLockConfiguration", inner));
    let enabled = "<ObjectLockEnabled>Enabled</ObjectLockEnabled>";
    assert_eq!(read(enabled), Some(Some(Lock { mode: None, days: None })));
    let rule = "<Rule><DefaultRetention><Mode>COMPLIANCE</Mode><Years>2</Years></DefaultRetention></Rule>";
    let locked = Lock { mode: Some(Mode::Compliance), days: Some(730) };
    assert_eq!(read(&format!("{enabled}{rule}")), Some(Some(locked)));
    assert_eq!(read(""), Some(None));
}

#[test]
fn the_shortest_expiry_counts() {
    let rule = |status: &str, inner: &str| {
        format!("<Rule><Filter><Prefix>logs/</Prefix></Filter><Status>{status}</Status>{inner}</Rule>")
    };
    let days = |days: u64| {
        format!("<NoncurrentVersionExpiration><NoncurrentDays>{days}</NoncurrentDays></NoncurrentVersionExpiration>")
    };
    let read = |rules: &[String]| lifecycle(&body("LifecycleConfiguration", &rules.concat())).map(|all| all.expires);
    assert_eq!(
        read(&[rule("Enabled", &days(30)), rule("Enabled", &days(5)), rule("Disabled", &days(1))]),
        Some(Some(5))
    );
    assert_eq!(read(&[rule("Enabled", "<Expiration><Days>3</Days></Expiration>")]), Some(None));
    let newest = "<NoncurrentVersionExpiration><NewerNoncurrentVersions>3</NewerNoncurrentVersions></NoncurrentVersionExpiration>";
    assert_eq!(read(&[rule("Enabled", newest)]), Some(Some(0)));
}

/// S3 User Guide, `intro-lifecycle-filters`: a tag alone, or with a prefix in `And`.
#[test]
fn rules_for_objects_with_a_tag() {
    let by_tags = |filter: &str, status: &str, action: &str| {
        let rule = format!(
            "<Rule><Filter>{filter}</Filter><Status>{status}</Status><{action}><Days>1</Days></{action}></Rule>"
        );
        lifecycle(&body("LifecycleConfiguration", &rule)).unwrap().by_tags
    };
    let tag = "<Tag><Key>keep</Key><Value>no</Value></Tag>";
    assert!(by_tags(tag, "Enabled", "Expiration"));
    assert!(by_tags(&format!("<And><Prefix>logs/</Prefix>{tag}</And>"), "Enabled", "NoncurrentVersionExpiration"));
    assert!(!by_tags(tag, "Disabled", "Expiration"));
    assert!(!by_tags(tag, "Enabled", "Transition"));
    assert!(!by_tags("<Prefix>logs/</Prefix>", "Enabled", "Expiration"));
}

#[test]
fn keys_tags_and_replicas() {
    let by_default = |inner: &str| {
        let inner =
            format!("<Rule><ApplyServerSideEncryptionByDefault>{inner}</ApplyServerSideEncryptionByDefault></Rule>");
        key(&body("ServerSideEncryptionConfiguration", &inner))
    };
    assert_eq!(by_default("<SSEAlgorithm>AES256</SSEAlgorithm>"), Some(None));
    let kms = "<SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>alias/data</KMSMasterKeyID>";
    assert_eq!(by_default(kms), Some(Some("alias/data".to_owned())));
    let set = "<TagSet><Tag><Key>env</Key><Value>production</Value></Tag></TagSet>";
    assert_eq!(tags(&body("Tagging", set)).unwrap().get("env").map(String::as_str), Some("production"));
    let rule = |status: &str| {
        let to = "<Destination><Bucket>arn:aws:s3:::there</Bucket></Destination>";
        replicas(&body("ReplicationConfiguration", &format!("<Rule><Status>{status}</Status>{to}</Rule>")))
    };
    assert_eq!(rule("Enabled"), Some(vec!["arn:aws:s3:::there".to_owned()]));
    assert_eq!(rule("Disabled"), Some(Vec::new()));
    // A rule without a destination is no answer.
    let rule = "<Rule><Status>Enabled</Status></Rule>";
    assert_eq!(replicas(&body("ReplicationConfiguration", rule)), None);
}

#[test]
fn an_access_list_that_lets_others_write() {
    let read = |grantee: &str, permission: &str| {
        let own = "<Grant><Grantee><ID>owner</ID></Grantee><Permission>FULL_CONTROL</Permission></Grant>";
        let other = format!("<Grant><Grantee>{grantee}</Grantee><Permission>{permission}</Permission></Grant>");
        let inner = format!("<Owner><ID>owner</ID></Owner><AccessControlList>{own}{other}</AccessControlList>");
        lets_others_write(&body("AccessControlPolicy", &inner))
    };
    let everybody = "<URI>http://acs.amazonaws.com/groups/global/AllUsers</URI>";
    assert_eq!(read(everybody, "READ"), Some(false));
    assert_eq!(read(everybody, "WRITE"), Some(true));
    assert_eq!(read("<ID>somebody</ID>", "FULL_CONTROL"), Some(true));
    assert_eq!(read("<ID>owner</ID>", "WRITE"), Some(false));
}
