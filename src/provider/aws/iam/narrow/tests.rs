use deadstop_core::fact::{Gap, GapReason};

use super::*;

/// A document as IAM encodes it (RFC 3986).
const ALL: &str = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C\
                   %22Action%22%3A%22*%22%2C%22Resource%22%3A%22*%22%7D%5D%7D";

fn answer(name: &str, result: &str) -> String {
    format!(
        "<{name}Response xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><{name}Result>{result}</{name}Result>\
         <ResponseMetadata><RequestId>7a62c49f-347e-4fc4-9331-6e8eEXAMPLE</RequestId></ResponseMetadata></{name}Response>"
    )
}

/// The form of `ListUserPolicies` (IAM API Reference).
#[test]
fn a_list_that_is_not_there_is_no_empty_one() {
    let names =
        |result: &str| told(&answer("ListUserPolicies", result), |result| page(result, "PolicyNames", own_text));
    let two = "<PolicyNames><member>AllAccessPolicy</member><member>KeyPolicy</member></PolicyNames>";
    let all = vec!["AllAccessPolicy".to_owned(), "KeyPolicy".to_owned()];
    assert_eq!(names(&format!("{two}<IsTruncated>false</IsTruncated>")), Some((all.clone(), None)));
    assert_eq!(names(two), Some((all.clone(), None)));
    let more = format!("{two}<IsTruncated>true</IsTruncated><Marker>m</Marker>");
    assert_eq!(names(&more), Some((all, Some("m".to_owned()))));
    assert_eq!(names("<PolicyNames/><IsTruncated>false</IsTruncated>"), Some((Vec::new(), None)));
    for odd in [
        "<IsTruncated>false</IsTruncated>",
        "<PolicyNames/><IsTruncated>true</IsTruncated>",
        "<PolicyNames/><IsTruncated>perhaps</IsTruncated>",
        "<PolicyNames/><Marker>m</Marker>",
        "<PolicyNames><member/></PolicyNames><IsTruncated>false</IsTruncated>",
    ] {
        assert_eq!(names(odd), None, "{odd}");
    }
    assert_eq!(told("<html>a proxy says hello</html>", |result| page(result, "PolicyNames", own_text)), None);
    let attached = |one: &str| {
        let body =
            format!("<AttachedPolicies><member>{one}</member></AttachedPolicies><IsTruncated>false</IsTruncated>");
        told(&answer("ListAttachedUserPolicies", &body), |result| page(result, "AttachedPolicies", attached_policy))
    };
    let arn = "arn:aws:iam::aws:policy/AdministratorAccess";
    let one = format!("<PolicyName>AdministratorAccess</PolicyName><PolicyArn>{arn}</PolicyArn>");
    assert_eq!(attached(&one), Some((vec![arn.to_owned()], None)));
    assert_eq!(attached("<PolicyName>AdministratorAccess</PolicyName>"), None);
    let groups = "<Groups><member><Path>/</Path><GroupName>Admins</GroupName><GroupId>AGPACKCEVSQ6C2EXAMPLE</GroupId>\
                  <Arn>arn:aws:iam::123456789012:group/Admins</Arn></member></Groups><IsTruncated>false</IsTruncated>";
    let admins = ("Admins".to_owned(), "arn:aws:iam::123456789012:group/Admins".to_owned());
    let groups = told(&answer("ListGroupsForUser", groups), |result| page(result, "Groups", group));
    assert_eq!(groups, Some((vec![admins], None)));
}

/// The forms of `GetUserPolicy` and `GetPolicyVersion`.
#[test]
fn a_policy_is_the_one_that_was_asked_for_and_holds() {
    let asked = [("UserName", "Bob"), ("PolicyName", "AllAccessPolicy")];
    let own = |user: &str, document: &str| {
        let body = format!(
            "<UserName>{user}</UserName><PolicyName>AllAccessPolicy</PolicyName><PolicyDocument>{document}</PolicyDocument>"
        );
        told(&answer("GetUserPolicy", &body), |result| own_policy(result, &asked)).is_some()
    };
    assert!(own("Bob", ALL) && own("Bob", "{\"Version\":\"2012-10-17\",\"Statement\":[]}"));
    assert!(!own("Alice", ALL) && !own("Bob", "") && !own("Bob", "%7B%22Version%22") && !own("Bob", "%7B%7D%7D"));
    let version = |id: &str, holds: &str| {
        let body = format!(
            "<PolicyVersion><Document>{ALL}</Document><VersionId>{id}</VersionId><IsDefaultVersion>{holds}</IsDefaultVersion>\
             <CreateDate>2014-09-15T20:31:47Z</CreateDate></PolicyVersion>"
        );
        told(&answer("GetPolicyVersion", &body), |result| version_document(result, "v2")).is_some()
    };
    assert!(version("v2", "true"));
    assert!(!version("v1", "true") && !version("v2", "false") && !version("v2", ""));
    let arn = "arn:aws:iam::123456789012:policy/S3-read-only-example-bucket";
    let body =
        format!("<Policy><PolicyName>p</PolicyName><DefaultVersionId>v2</DefaultVersionId><Arn>{arn}</Arn></Policy>");
    let policy = |asked: &str| told(&answer("GetPolicy", &body), |result| default_version(result, asked));
    assert_eq!(policy(arn).as_deref(), Some("v2"));
    assert_eq!(policy("arn:aws:iam::123456789012:policy/another"), None);
}

/// The forms of `GetUser` and `GetRole`.
#[test]
fn identities_and_their_boundaries() {
    let bounds = "arn:aws:iam::123456789012:policy/ManageRolePermissions";
    let arn = "arn:aws:iam::123456789012:user/division_abc/Bob";
    let user = |of: &str, more: &str| {
        let body = format!("<User><Path>/division_abc/</Path><UserName>Bob</UserName><Arn>{of}</Arn>{more}</User>");
        told(&answer("GetUser", &body), |result| boundary_of_user(result, arn))
    };
    let boundary = |arn: &str| {
        format!(
            "<PermissionsBoundary><PermissionsBoundaryType>Policy</PermissionsBoundaryType>{arn}</PermissionsBoundary>"
        )
    };
    let named = boundary(&format!("<PermissionsBoundaryArn>{bounds}</PermissionsBoundaryArn>"));
    assert_eq!(user(arn, ""), Some(None));
    assert_eq!(user(arn, &named), Some(Some(bounds.to_owned())));
    assert_eq!(user(arn, &boundary("")), None);
    assert_eq!(user("arn:aws:iam::123456789012:user/Bob", ""), None);
    let role = |name: &str| {
        let body = format!(
            "<Role><Path>/application_abc/</Path><Arn>arn:aws:iam::123456789012:role/application_abc/S3Access</Arn>\
             <RoleName>{name}</RoleName><AssumeRolePolicyDocument>{ALL}</AssumeRolePolicyDocument></Role>"
        );
        told(&answer("GetRole", &body), |result| trusting(child(result, "Role")?))
    };
    let found = role("S3Access").unwrap();
    assert!(!found.is_user() && found.is_read());
    assert!(role("Another").is_none());
}

fn gap(name: &str) -> Gap {
    Gap { source: name.into(), reason: GapReason::Denied }
}

#[test]
fn one_policy_that_is_missing_leaves_the_rights_unknown() {
    let mut all = Directory::of(Extent::Roles);
    let document = policy(ALL, Kind::Identity);
    let mut bob = Identity { attached: vec!["policy/own".to_owned()], ..Identity::default() };
    bob.boundary = Some("policy/bounds".to_owned());
    let groups = [("Admins".to_owned(), "group/Admins".to_owned())];
    let why = |all: &Directory, bob: &Identity| all.missing(bob, &groups).map(|gap| gap.map(|gap| gap.source.0));
    all.refused.insert("group/Admins".to_owned(), gap("of the group"));
    assert_eq!(why(&all, &bob), Some(Some("of the group".to_owned())));
    let attached = vec!["policy/of-the-group".to_owned()];
    all.groups.insert("Admins".to_owned(), Group { arn: "group/Admins".to_owned(), inline: Vec::new(), attached });
    for arn in ["policy/own", "policy/bounds", "policy/of-the-group"] {
        assert!(why(&all, &bob).is_some(), "without {arn}");
        all.managed.insert(arn.to_owned(), document.clone());
    }
    assert_eq!(why(&all, &bob), None);
    all.managed.insert("policy/bounds".to_owned(), Err(()));
    assert_eq!(why(&all, &bob), Some(None));
}

#[test]
fn callers_are_users_and_roles_and_nobody_else() {
    let caller = |arn: &str| Wanted::caller(arn, Vec::new()).map(|one| one.target);
    assert!(matches!(caller("arn:aws:iam::123456789012:user/a/Bob"), Some(Target::User(_))));
    let session = "arn:aws:sts::123456789012:assumed-role/deployer/session";
    assert!(matches!(caller(session), Some(Target::Role(name)) if name == "deployer"));
    assert!(caller("arn:aws:iam::123456789012:root").is_none());
    assert!(caller("arn:aws:sts::123456789012:federated-user/Bob").is_none());
    let mut all = Directory::of(Extent::Named(gap("of the list")));
    all.refuse("123456789012", &Target::Role("deployer".to_owned()), gap("of the role"));
    assert_eq!(all.why_not(session), Some(&gap("of the role")));
    assert_eq!(all.why_not("arn:aws:sts::123456789012:assumed-role/another/session"), None);
    assert!(!all.is_whole() && all.unlisted().is_some());
}
