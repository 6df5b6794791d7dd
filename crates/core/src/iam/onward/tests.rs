use super::*;

fn ways(pattern: &str) -> Vec<(&'static str, Way)> {
    lead_on(pattern).map(|leading| (leading.action.as_str(), leading.way)).collect()
}

/// Service Authorization Reference: the actions and what they say of themselves.
#[test]
fn where_actions_lead() {
    assert_eq!(ways("dlm:updatelifecyclepolicy"), [("dlm:UpdateLifecyclePolicy", Way::Anywhere)]);
    assert_eq!(ways("rds-db:connect"), [("rds-db:connect", Way::Sql)]);
    assert_eq!(ways("s3:updateobject*"), [("s3:UpdateObjectEncryption", Way::Keyed)]);
    assert_eq!(ways("s3:getdata*"), [("s3:GetDataAccess", Way::Objects)]);
    assert_eq!(ways("autoscaling:exit*"), [("autoscaling:ExitStandby", Way::At("autoscaling"))]);
    assert_eq!(ways("acm:export*"), [("acm:ExportCertificate", Way::Anywhere)]);
    assert_eq!(ways("rds:delete*instance"), []);
    assert_eq!(ways("braket:*"), []);
    assert!(ways("*").len() > 4000 && ways("s?m:sendcommand").len() == 1);
    for action in ["synthetics:UpdateCanary", "ecs:Poll", "ssm:SendAutomationSignal", "cloudwatch:PutMetricAlarm"] {
        assert_eq!(ways(&action.to_lowercase()), [(action, Way::Anywhere)]);
    }
}

/// What leads by what somebody else does with it: the ways are documented of each (S3 User Guide, `access-grants`,
/// `NotificationHowTo`; CloudWatch User Guide, `UsingAlarmActions`; Route 53 Developer Guide,
/// `resolver-dns-firewall-rule-settings`; RDS User Guide, `Overview.Encryption.Keys`; EC2 Auto Scaling User Guide,
/// `ec2-auto-scaling-health-checks`; KMS Developer Guide, `grants`).
#[test]
fn calls_that_lead_by_others() {
    let anywhere = "route53resolver:UpdateFirewallRule ec2:ImportKeyPair ec2:CreateKeyPair ec2:CreateLaunchTemplate \
                    ssm:CreateDocument ssm:DeleteAssociation cloudwatch:PutMetricData logs:PutMetricFilter \
                    logs:PutLogEvents s3:PutBucketNotification elasticloadbalancing:RegisterInstancesWithLoadBalancer \
                    rds:ModifyDBSnapshotAttribute rds:ModifyOptionGroup route53domains:DisableDomainAutoRenew \
                    payments:DeletePaymentInstrument codebuild:BatchGetProjects glue:BatchGetJobs \
                    rds:DownloadDBLogFilePortion codecommit:GitPull ecr:BatchGetImage kms:Decrypt kms:CreateGrant \
                    appconfig:GetConfiguration appconfig:GetLatestConfiguration";
    for action in anywhere.split_whitespace() {
        assert_eq!(ways(&action.to_lowercase()), [(action, Way::Anywhere)]);
    }
    for action in ["s3:CreateAccessGrant", "s3:UpdateAccessGrantsLocation", "s3:PutAccessGrantsInstanceResourcePolicy"]
    {
        assert_eq!(ways(&action.to_lowercase()), [(action, Way::Objects)]);
    }
    for (action, service) in [
        ("kms:DisableKey", "kms"),
        ("ec2:RevokeSecurityGroupIngress", "autoscaling"),
        ("ec2:RebootInstances", "autoscaling"),
        ("vpc-lattice:DeregisterTargets", "autoscaling"),
        ("backup:CancelLegalHold", "backup"),
        ("es:UpgradeElasticsearchDomain", "es"),
    ] {
        assert_eq!(ways(&action.to_lowercase()), [(action, Way::At(service))]);
    }
}

#[test]
fn what_is_known() {
    for pattern in ["s3:*", "s3:putobject", "rds:delete*", "ecr:batchget*", "braket:get*", "dlm:updatelifecyclepolicy"]
    {
        assert!(known_onward(pattern), "{pattern}");
    }
    // Of no service that was gone through, of any, not in the list, or like nothing in it.
    for pattern in
        ["*", "*:get*", "s?:*", "braket:createjob", "braket:*", "rds:deleteeverything", "rds:foo*", "q:*", "s3"]
    {
        assert!(!known_onward(pattern), "{pattern}");
    }
    // Of a service that was not gone through, nothing but a read is known.
    assert!(!known_onward("connect:*") && ways("connect:getfederationtoken").len() == 1);
}

#[test]
fn the_list_is_in_order_and_knows_every_action_once() {
    let all: Vec<(&str, &str)> = lines().map(|(service, class, _)| (service, class)).collect();
    assert!(all.len() > 300 && all.iter().map(|(service, _)| service).is_sorted(), "{all:?}");
    assert_eq!(all.len(), DATA.lines().filter(|line| !line.starts_with('#')).count());
    for (service, class, actions) in lines() {
        assert!(way(class).is_some(), "{service} {class}");
        let plain = |name: &str| name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        assert!(plain(service) && class.strip_prefix("at ").is_none_or(plain), "{service} {class}");
        let actions: Vec<&str> = actions.collect();
        assert!(actions.iter().all(|action| !action.is_empty()) && actions.is_sorted(), "{service} {class}");
        // What is but a read is in no list, unless it hands something out.
        if class == "harmless" {
            let read = actions.iter().find(|action| only_reads(&format!("{service}:{action}").to_lowercase()));
            assert_eq!(read, None, "{service}");
        }
    }
    for (service, of) in SERVICES.iter() {
        let mut names: Vec<&str> = of.actions.iter().map(|leading| leading.name.as_str()).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair.first() != pair.get(1)), "{service} has an action twice");
    }
}

/// What `ReadOnlyAccess`-like patterns of these services match hands nothing out.
#[test]
fn reads_by_pattern_lead_nowhere() {
    let services = ["backup", "billing", "dynamodb", "ebs", "ecr", "eks", "elasticache", "fsx", "kms", "rds"];
    for service in services {
        for verb in ["get", "list", "describe"] {
            assert_eq!(ways(&format!("{service}:{verb}*")), [], "{service}:{verb}*");
        }
    }
    assert_eq!(ways("ec2:get*"), [("ec2:GetPasswordData", Way::Anywhere)]);
}
