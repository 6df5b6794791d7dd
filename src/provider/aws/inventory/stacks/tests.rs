use super::*;

/// The forms of the API reference: `DescribeStacks`, `ListStackResources`.
fn body(action: &str, inner: &str) -> String {
    format!(
        "<{action}Response xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><{action}Result>{inner}</{action}Result></{action}Response>"
    )
}

const SHOP: &str = "arn:aws:cloudformation:eu-west-1:111122223333:stack/shop/51af3dc0-da77-11e4-872e-1234567db123";
const INNER: &str =
    "arn:aws:cloudformation:eu-west-1:111122223333:stack/shop-Inner-1/6a1b2c3d-da77-11e4-872e-1234567db123";

fn stack(inner: &str) -> Option<Told> {
    let text = body("DescribeStacks", &format!("<Stacks><member>{inner}</member></Stacks>"));
    let document = Document::parse(&text).unwrap();
    let result = xml::result(&document).unwrap();
    xml::list(result, "Stacks").map(told).next().unwrap()
}

#[test]
fn stacks_as_they_are_told() {
    let at = format!("<StackName>shop</StackName><StackId>{SHOP}</StackId><StackStatus>UPDATE_COMPLETE</StackStatus>");
    let one = stack(&format!(
        "{at}<RoleARN>arn:aws:iam::111122223333:role/cfn</RoleARN><EnableTerminationProtection>true</EnableTerminationProtection>\
         <Parameters><member><ParameterKey>Password</ParameterKey><ParameterValue>made-up</ParameterValue></member></Parameters>\
         <Outputs><member><OutputKey>Name</OutputKey><ExportName>shop-table</ExportName></member></Outputs>"
    ))
    .unwrap();
    assert_eq!(one.role.as_deref(), Some("arn:aws:iam::111122223333:role/cfn"));
    assert!(one.protected == Some(true) && one.exports && !one.empty && one.root.is_none());
    assert!(!format!("{one:?}").contains("made-up"));
    let plain = stack(&at).unwrap();
    assert!(plain.protected.is_none() && !plain.exports && plain.role.is_none());
    let nested = stack(&format!(
        "<StackName>inner</StackName><StackId>{INNER}</StackId><StackStatus>CREATE_COMPLETE</StackStatus>\
         <ParentId>{SHOP}</ParentId><RootId>{SHOP}</RootId>"
    ));
    assert_eq!(nested.unwrap().root.as_deref(), Some(SHOP));
    assert!(stack(&at.replace("UPDATE_COMPLETE", "REVIEW_IN_PROGRESS")).unwrap().empty);
    assert!(plain.settled);
    for status in
        ["UPDATE_ROLLBACK_FAILED", "UPDATE_IN_PROGRESS", "DELETE_FAILED", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"]
    {
        assert!(!stack(&at.replace("UPDATE_COMPLETE", status)).unwrap().settled, "{status}");
    }
    assert_eq!(stack("<StackName>shop</StackName>"), None);
}

fn listed(members: &str) -> Option<(Vec<Resource>, Option<String>)> {
    page(&body("ListStackResources", &format!("<StackResourceSummaries>{members}</StackResourceSummaries>")))
}

fn member(name: &str, kind: &str, physical: &str, status: &str) -> String {
    format!(
        "<member><LogicalResourceId>{name}</LogicalResourceId><ResourceType>{kind}</ResourceType>\
         <PhysicalResourceId>{physical}</PhysicalResourceId><ResourceStatus>{status}</ResourceStatus></member>"
    )
}

#[test]
fn resources_that_a_stack_has_and_has_no_more() {
    let members = member("Table", "AWS::DynamoDB::Table", "carts", "CREATE_COMPLETE")
        + &member("Old", "AWS::DynamoDB::Table", "old", "DELETE_SKIPPED")
        + &member("New", "AWS::DynamoDB::Table", "", "CREATE_IN_PROGRESS");
    let (all, next) = listed(&members).unwrap();
    assert_eq!(all.iter().map(|one| one.gone).collect::<Vec<_>>(), [false, true, false]);
    assert!(all.iter().any(|one| one.physical.is_none()) && next.is_none());
    // One that cannot be understood may be the one that counts.
    assert_eq!(listed("<member><LogicalResourceId>Table</LogicalResourceId></member>"), None);
    assert_eq!(page(&body("ListStackResources", "")), None);
    assert_eq!(page("<html/>"), None);
}

#[test]
fn stacks_that_own_what_is_listed() {
    let key = |action: &str, arn: &str| (action.to_owned(), arn.to_owned());
    let carts = "arn:aws:dynamodb:eu-west-1:111122223333:table/carts";
    let index = Index::from([(key("dynamodb:DeleteTable", carts), BTreeSet::from([NodeId(carts.to_owned())]))]);
    let one = |kind: &str, physical: &str, gone: bool| Resource {
        name: "One".to_owned(),
        physical: Some(physical.to_owned()),
        kind: kind.to_owned(),
        gone,
    };
    let table = [one("AWS::DynamoDB::Table", "carts", false)];
    let outer = [one(NESTED, INNER, false), one("AWS::Lambda::Function", "carts", false)];
    let other = [one("AWS::DynamoDB::Table", "carts", true), one("AWS::S3::Bucket", "carts", false)];
    // One that was not found may be listed by another name; custom resources do as their code does.
    assert!(!table.iter().any(|one| in_doubt(SHOP, one, &index)));
    for (kind, gone, doubt) in [
        ("AWS::DynamoDB::Table", false, true),
        ("AWS::DynamoDB::Table", true, false),
        ("AWS::DynamoDB::GlobalTable", false, true),
        ("Custom::S3AutoDeleteObjects", false, true),
        ("AWS::CloudFormation::CustomResource", false, true),
        ("AWS::IAM::Role", false, false),
    ] {
        assert_eq!(in_doubt(SHOP, &one(kind, "lost", gone), &index), doubt, "{kind}");
    }
    let owns = |stacks: &[(&str, &[Resource])]| owning(stacks, &index).into_iter().collect::<Vec<_>>();
    assert_eq!(owns(&[(SHOP, &outer), (INNER, &table)]), [INNER, SHOP]);
    assert_eq!(owns(&[(SHOP, &outer), (INNER, &other)]), Vec::<String>::new());
}
