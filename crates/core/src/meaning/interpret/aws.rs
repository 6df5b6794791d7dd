//! The client of AWS: every operation of the catalogue, by the name that the client gives it (floor 2).

use super::{Given, Reader, names, trusted};
use crate::catalogue;
use crate::meaning::Target;
use crate::meaning::forms::{self, values};
use crate::meaning::syntax::Word;
use crate::model::Action;

impl Reader<'_> {
    /// `aws SERVICE OPERATION`: by the forms, then by the name of the operation.
    pub(super) fn aws(&mut self, path: &str, rest: &[Word], context: &Given) -> bool {
        let Some(group) = forms::of("aws").first() else { return false };
        let formed = group.forms.iter().any(|form| group.fits(&form.form, rest).is_some());
        if formed {
            return false;
        }
        let sure = group.fits("* *", rest).is_some_and(|fit| fit.sure);
        let (words, _) = group.positional(rest);
        let mut start: Vec<&Word> = words.iter().take(2).copied().collect();
        if !sure {
            // What follows an option that is not known may be its value: every two words may be the operation.
            let known = |pair: &&[&Word]| matches!(pair, [a, b] if !operations(&a.text, &b.text).is_empty());
            if let Some(pair) = words.windows(2).find(known) {
                start = pair.to_vec();
            }
        }
        let [service, operation] = start.as_slice() else { return false };
        if service.open || operation.open {
            self.doubt("the operation is in a variable");
            return true;
        }
        let entries = operations(&service.text, &operation.text);
        if entries.is_empty() {
            const VERBS: [&str; 9] =
                ["describe-", "list-", "get-", "head-", "lookup-", "search-", "simulate-", "validate-", "check-"];
            // These write what they get into a file.
            let writes = ["get-object", "get-job-output", "get-export", "get-sdk", "get-layer-version"];
            let read = VERBS.iter().any(|verb| operation.text.starts_with(verb))
                && !writes.contains(&operation.text.as_str())
                && service.text != "s3"
                && service.text != "configure";
            if read && sure && trusted(path) && !context.changed && known_service(&service.text) {
                return true;
            }
            return false;
        }
        let named = aws_names(&operation.text, rest);
        let sources = format!("{}{}/{}.html", group.source, service.text, operation.text);
        for action in entries {
            self.meaning.amount("aws", &action.action, named.clone(), true, &sources);
        }
        true
    }
}

/// The entries of the catalogue for an operation of AWS, by how its clients write it.
pub(in crate::meaning) fn operations(service: &str, operation: &str) -> Vec<Action> {
    let prefix = match service {
        "s3api" | "s3control" => "s3",
        "opensearch" | "opensearchservice" => "es",
        "efs" => "elasticfilesystem",
        "emr" => "elasticmapreduce",
        "opensearchserverless" => "aoss",
        "docdb" | "neptune" => "rds",
        other => other,
    };
    let plain = |text: &str| -> String {
        text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
    };
    let wanted = match (prefix, plain(operation).as_str()) {
        ("s3", "deleteobjects") => "deleteobject".to_owned(),
        ("s3", "putbucketlifecycleconfiguration" | "putbucketlifecycle") => "putlifecycleconfiguration".to_owned(),
        ("route53" | "dynamodb" | _, other) => other.to_owned(),
    };
    let fits = |action: &Action| {
        action.provider == "aws"
            && action.action.split_once(':').is_some_and(|(own, name)| own == prefix && plain(name) == wanted)
    };
    let mut found: Vec<Action> = catalogue::actions().into_iter().filter(fits).collect();
    found.dedup_by(|a, b| a.action == b.action);
    found
}

fn known_service(service: &str) -> bool {
    service.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// The names that options of an operation give: those of the thing that it is called on first.
fn aws_names(operation: &str, rest: &[Word]) -> Target {
    let noun = operation.split_once('-').map_or(operation, |(_, noun)| noun);
    let single = noun.trim_end_matches('s');
    let options: Vec<&str> = rest.iter().map(|word| word.text.split('=').next().unwrap_or_default()).collect();
    let own = |option: &&&str| option.starts_with("--") && option.trim_start_matches('-').starts_with(single);
    let ends = ["-identifier", "-id", "-ids", "-arn", "-name", "-url"];
    let general = |option: &&&str| {
        (ends.iter().any(|end| option.ends_with(end)) && !option.starts_with("--final-"))
            || ["--name", "--id", "--bucket", "--arn", "--graph-identifier"].contains(*option)
    };
    let mut chosen: Vec<&&str> = options.iter().filter(own).collect();
    if chosen.is_empty() {
        chosen = options.iter().filter(general).collect();
    }
    names(chosen.into_iter().flat_map(|option| values(option, rest)))
}
