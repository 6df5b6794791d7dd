//! Google Cloud: application default credentials, keys of service accounts, and the logins of `gcloud` (floor 5).
//!
//! <https://cloud.google.com/docs/authentication/application-default-credentials>,
//! <https://google.aip.dev/auth/4113>; the databases of `gcloud` as its own `core/credentials/creds.py` makes them.

use deadstop_core::model::Class;
use serde_json::Value;

use super::sqlite::{Cell, rows};
use crate::collector::document::{json, text_at};
use crate::collector::find::{Find, Finds, Node};
use crate::collector::store::{Context, fields, ini, plain};
use crate::secret::Secret;

/// A JSON file of credentials, wherever it lies.
pub(super) fn key(context: &Context<'_>, text: &str, out: &mut Finds) -> bool {
    let Some(value) = json(text) else { return false };
    one(context, &value, "", &|key, secret| context.line_of(text, key, secret), out);
    true
}

/// What one object of credentials holds. `at` stands before its keys.
fn one(context: &Context<'_>, value: &Value, at: &str, line: &dyn Fn(&str, &str) -> Option<u64>, out: &mut Finds) {
    let form = text_at(value, &["type"]).unwrap_or_default();
    if let (Some(key), Some(mail)) = (text_at(value, &["private_key"]), text_at(value, &["client_email"])) {
        // As it stands in the file, so that the same bytes seen by their form are the same secret.
        let key = key.replace('\n', "\\n");
        let place = line("\"private_key\"", "");
        let mut find = context.find("google", "service_account_key", &key, place, &format!("{at}private_key"));
        find.public_id = text_at(value, &["private_key_id"]).map(str::to_owned);
        // The key is made for this one identity; what it may do is not told here.
        find.identity = Some((format!("google:serviceAccount:{mail}"), mail.to_owned()));
        // For a key of another cloud that is built as Google's, or of whoever else issues tokens, there is no account to ask as.
        find.account = of_google(value).then(|| mail.to_owned());
        out.finds.push(find);
    }
    // Of a login through a browser the client's secret is a part, and one that every copy of the client has.
    out.parts.extend(text_at(value, &["client_secret"]).map(|secret| Secret::new(secret.as_bytes())));
    let user = ["authorized_user", "external_account_authorized_user"].contains(&form);
    if let Some(token) = text_at(value, &["refresh_token"]).filter(|_| user) {
        let place = line("refresh_token", token);
        let mut find = context.find("google", "authorized_user", token, place, &format!("{at}refresh_token"));
        find.renewable = true;
        let told = |key: &str| Some(format!("{key} {}", plain(text_at(value, &[key])?)?));
        find.scope = told("account").or_else(|| told("quota_project_id"));
        out.finds.push(find);
    }
    if form == "external_account" {
        // What it exchanges lies elsewhere: a file, an address of the machine, or a program, which is not run.
        let source = ["file", "url", "executable", "environment_id", "certificate"]
            .into_iter()
            .find(|key| value.get("credential_source").is_some_and(|source| source.get(*key).is_some()));
        let place = line("credential_source", "");
        let mut find = context.find("google", "external_account", "", place, &format!("{at}credential_source"));
        find.secret = None;
        find.scope = Some(format!("whoever the {} named there says it is", source.unwrap_or("source")));
        out.finds.push(find);
    }
    if let Some(inner) = value.get("source_credentials") {
        let before = out.finds.len();
        one(context, inner, &format!("{at}source_credentials."), line, out);
        // Programs that take the file act as that account; whoever holds what is in it may act as itself, too.
        if let Some(mail) = impersonated(value) {
            let told = |find: &mut Find| find.scope = Some(format!("acts as {mail} by this file"));
            out.finds.iter_mut().skip(before).for_each(told);
        }
    }
}

/// The service account that a file of `impersonated_service_account` acts as. The address that it names is not asked.
fn impersonated(value: &Value) -> Option<String> {
    let (_, behind) = text_at(value, &["service_account_impersonation_url"])?.split_once("/serviceAccounts/")?;
    plain(behind.split(':').next()?)
}

/// Whether the issuer of tokens that a key names is Google's own. It is not asked by the name that stands there.
fn of_google(value: &Value) -> bool {
    const ISSUERS: [&str; 4] = [
        "https://accounts.google.com/o/oauth2/token",
        "https://oauth2.googleapis.com/token",
        "https://www.googleapis.com/oauth2/v3/token",
        "https://www.googleapis.com/oauth2/v4/token",
    ];
    let issuer = |issuer: &Value| issuer.as_str().is_some_and(|issuer| ISSUERS.contains(&issuer));
    value.get("token_uri").is_none_or(issuer)
        && value.get("universe_domain").is_none_or(|domain| domain.as_str() == Some("googleapis.com"))
}

/// `credentials.db`: the table `credentials`, of an account and an object as in a file.
pub(super) fn credentials(context: &Context<'_>, bytes: &[u8], out: &mut Finds) -> bool {
    let Some(all) = rows(bytes) else { return false };
    for row in &all {
        let [account, value] = row.as_slice() else { continue };
        let (Some(account), Some(text)) = (account.text(), value.text()) else { continue };
        let (Some(account), Some(value)) = (plain(&account), json(&text)) else { continue };
        one(context, &value, &format!("credentials.{account}."), &|_, _| None, out);
    }
    // A line of such a file says nothing; the way to the value does.
    out.parts.extend(out.finds.iter().filter_map(|find| find.secret.clone()));
    true
}

/// `access_tokens.db`: the table `access_tokens`, of an account, a token, its end, and more.
pub(super) fn tokens(context: &Context<'_>, bytes: &[u8], out: &mut Finds) -> bool {
    let Some(all) = rows(bytes) else { return false };
    for row in &all {
        let texts: Vec<Option<String>> = row.iter().map(Cell::text).collect();
        let [Some(account), Some(token), end, ..] = texts.as_slice() else { continue };
        let Some(account) = plain(account).filter(|_| token.len() >= 16 && !token.contains(char::is_whitespace)) else {
            continue;
        };
        let mut find = context.find("google", "access_token", token, None, &format!("access_tokens.{account}"));
        find.expires = end.as_ref().and_then(|end| fields::moment(&Value::from(end.as_str())));
        // `gcloud` keeps what renews it in the database beside it.
        find.renewable = true;
        find.scope = Some(format!("account {account}"));
        out.parts.extend(find.secret.clone());
        out.finds.push(find);
    }
    true
}

/// `configurations/config_NAME`: the project that is worked in.
pub(super) fn configuration(context: &Context<'_>, text: &str, out: &mut Finds) -> bool {
    for section in ini::sections(text).iter().filter(|section| section.name == "core") {
        let Some((project, line)) = section.get("project") else { continue };
        let Some(project) = plain(project) else { continue };
        out.nodes.push(Node {
            id: format!("google:project/{project}"),
            provider: "google".to_owned(),
            kind: "project".to_owned(),
            class: Class::Container,
            name: project,
            parent: None,
            spot: context.spot(Some(line), "core.project"),
        });
    }
    true
}
