use super::*;

/// A body as the service model describes it.
fn body(root: &str, inner: &str) -> String {
    format!(r#"<{root} xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r</requestId>{inner}</{root}>"#)
}

#[test]
fn volumes_and_what_they_are_attached_to() {
    let inner = "<volumeSet><item><volumeId>vol-1</volumeId><size>8</size><status>in-use</status>\
                 <attachmentSet><item><volumeId>vol-1</volumeId><instanceId>i-1</instanceId><device>/dev/xvda</device>\
                 <status>attached</status><deleteOnTermination>true</deleteOnTermination></item></attachmentSet>\
                 <tagSet><item><key>env</key><value>production</value></item></tagSet>\
                 <kmsKeyId>arn:aws:kms:eu-west-1:111122223333:key/k</kmsKeyId></item></volumeSet><nextToken>n</nextToken>";
    let (volumes, next) = volumes(&body("DescribeVolumesResponse", inner)).unwrap();
    let attached = vec![Attachment { instance: "i-1".into(), device: Some("/dev/xvda".into()), goes: Some(true) }];
    let tags = BTreeMap::from([("env".to_owned(), "production".to_owned())]);
    let key = Some("arn:aws:kms:eu-west-1:111122223333:key/k".to_owned());
    assert_eq!(volumes, [Volume { id: "vol-1".into(), gibibytes: Some(8), key, attached, tags }]);
    assert_eq!(next.as_deref(), Some("n"));
}

#[test]
fn one_item_without_an_id_spoils_the_page() {
    let inner = "<volumeSet><item><size>8</size></item></volumeSet>";
    assert_eq!(volumes(&body("DescribeVolumesResponse", inner)), None);
    assert_eq!(volumes(&body("DescribeSnapshotsResponse", "<volumeSet/>")), None);
    assert_eq!(volumes(&body("DescribeVolumesResponse", "")), None);
    assert_eq!(volumes("{}"), None);
    assert_eq!(volumes(&body("DescribeVolumesResponse", "<volumeSet/>")), Some((Vec::new(), None)));
}

#[test]
fn only_a_lock_in_compliance_mode_is_hard() {
    let lock = |state: &str| {
        let inner = format!(
            "<snapshotSet><item><snapshotId>snap-1</snapshotId><lockState>{state}</lockState>\
             <lockExpiresOn>2030-01-01T00:00:00.000Z</lockExpiresOn></item></snapshotSet>"
        );
        locks(&body("DescribeLockedSnapshotsResponse", &inner)).unwrap().0
    };
    assert_eq!(lock("expired"), []);
    for (state, hard) in [("compliance", true), ("compliance-cooloff", false), ("governance", false)] {
        let until = Some("2030-01-01T00:00:00Z".parse().unwrap());
        assert_eq!(lock(state), [Lock { snapshot: "snap-1".into(), hard, until }], "{state}");
    }
}

#[test]
fn snapshots_of_a_vault_are_told_by_their_tag() {
    let snapshot = |tag: &str| {
        let inner = format!(
            "<snapshotSet><item><snapshotId>snap-1</snapshotId><volumeId>vol-1</volumeId><status>completed</status>\
             <startTime>2026-11-01T00:00:00.000Z</startTime><tagSet><item><key>{tag}</key></item></tagSet></item></snapshotSet>"
        );
        snapshots(&body("DescribeSnapshotsResponse", &inner)).unwrap().0.remove(0)
    };
    assert!(snapshot("aws:backup:source-resource").vaulted);
    assert!(!snapshot("env").vaulted && snapshot("env").complete && snapshot("env").at.is_some());
}

#[test]
fn instances_and_their_termination_protection() {
    let inner = "<reservationSet><item><instancesSet><item><instanceId>i-1</instanceId><rootDeviceName>/dev/xvda</rootDeviceName>\
                 <blockDeviceMapping><item><deviceName>/dev/xvda</deviceName><ebs><volumeId>vol-1</volumeId>\
                 <deleteOnTermination>true</deleteOnTermination></ebs></item></blockDeviceMapping>\
                 <tagSet><item><key>aws:autoscaling:groupName</key><value>g</value></item></tagSet></item></instancesSet></item></reservationSet>";
    let (instances, _) = instances(&body("DescribeInstancesResponse", inner)).unwrap();
    assert_eq!(instances.len(), 1);
    assert_eq!(instances[0].goes.get("vol-1"), Some(&true));
    assert!(instances[0].tags.contains_key("aws:autoscaling:groupName"));
    let answer = |value: &str| {
        body("DescribeInstanceAttributeResponse", &format!("<disableApiTermination>{value}</disableApiTermination>"))
    };
    assert_eq!(kept(&answer("<value>true</value>")), Some(true));
    assert_eq!(kept(&answer("<value>false</value>")), Some(false));
    assert_eq!(kept(&answer("")), None);
}
