//! `~/.aws`: profiles, role chains and the caches of the command-line client (floor 5).

use serde_json::Value;

use crate::collector::document::{json, text_at};
use crate::collector::find::{Chain, Finds};
use crate::collector::store::{Context, fields, ini};
use crate::secret::Secret;

/// The access key id that a setting begins with; nothing, if it is none (a secret in its place, say).
fn key_id(value: &str) -> Option<&str> {
    let id = value.split(|c: char| !c.is_ascii_alphanumeric()).next()?;
    let form = (16..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    (form && id.starts_with('A')).then_some(id)
}

/// `credentials` and `config`: both may hold keys, roles and programs.
pub(super) fn profiles(context: &Context<'_>, text: &str, out: &mut Finds) -> bool {
    let all = ini::sections(text);
    for section in &all {
        let name = section.name.strip_prefix("profile ").map_or(section.name, str::trim);
        let secret = section.get("aws_secret_access_key").filter(|(secret, _)| !secret.is_empty());
        if let (Some((id, line)), Some((secret, _))) = (section.get("aws_access_key_id"), secret) {
            out.parts.extend(section.get("aws_session_token").map(|(token, _)| part(token)));
            if crate::collector::scan::is_dummy(id.as_bytes()) {
                out.dummies += 1;
            } else {
                let mut find = context.find("aws", "access_key", secret, Some(line), name);
                find.public_id = key_id(id).map(str::to_owned);
                find.token = section.get("aws_session_token").map(|(token, _)| Secret::new(token.as_bytes()));
                out.profiles.extend(key_id(id).map(|id| (name.to_owned(), id.to_owned())));
                out.finds.push(find);
            }
        }
        // A role is assumed from a profile, or from what `credential_source` or a web identity gives.
        if let Some((role, line)) = section.get("role_arn") {
            out.chains.push(Chain {
                profile: name.to_owned(),
                role: role.to_owned(),
                source: section.get("source_profile").map(|(source, _)| source.to_owned()).unwrap_or_default(),
                spot: context.spot(Some(line), name),
            });
        }
        if let Some((command, line)) = section.get("credential_process") {
            let mut find = context.find("aws", "credential_process", "", Some(line), name);
            find.secret = None;
            let program = command.split_whitespace().find(|word| !word.contains('=')).unwrap_or_default();
            find.scope = Some(format!("whatever the program {program} gives; it was not run"));
            out.finds.push(find);
        }
        if let Some((account, _)) = section.get("sso_account_id") {
            let role = section.get("sso_role_name").map_or("", |(role, _)| role);
            out.notes.insert(format!("AWS profile {} signs in to account {account} as {role}", name));
        }
    }
    !all.is_empty() || text.trim().is_empty()
}

/// A value that is none by itself.
fn part(value: &str) -> Secret {
    Secret::new(value.as_bytes())
}

/// The caches of single sign-on, of `aws login` and of assumed roles.
pub(super) fn cache(context: &Context<'_>, text: &str, out: &mut Finds) -> bool {
    let Some(value) = json(text) else { return false };
    let line = |key: &str, value: &str| context.line_of(text, key, value);
    let refresh = text_at(&value, &["refreshToken"]);
    let ends = |key: &str, holder: &Value| holder.get(key).and_then(fields::moment);
    if let Some(token) = text_at(&value, &["accessToken"]) {
        let mut find = context.find("aws", "sso_token", token, line("accessToken", token), "accessToken");
        // What has expired is renewed by what lies beside it, so the pair is as good as live.
        find.renewable = refresh.is_some();
        find.expires = ends("expiresAt", &value);
        find.region = text_at(&value, &["region"]).map(str::to_owned);
        find.scope = text_at(&value, &["startUrl"]).map(|url| format!("every account and role that {url} lists"));
        out.finds.push(find);
    }
    if let Some(token) = refresh {
        let mut find = context.find("aws", "sso_refresh_token", token, line("refreshToken", token), "refreshToken");
        find.renewable = true;
        out.finds.push(find);
    }
    if let Some(secret) = text_at(&value, &["clientSecret"]) {
        // The registration of the client, no login: known here so that it is not listed as a guess.
        out.finds.push(context.find("aws", "sso_client_secret", secret, line("clientSecret", secret), "clientSecret"));
    }
    for (holder, id_key, secret_key) in [
        ("Credentials", "AccessKeyId", "SecretAccessKey"),
        ("accessToken", "accessKeyId", "secretAccessKey"),
        ("", "accessKeyId", "secretAccessKey"),
    ] {
        let inner = if holder.is_empty() { Some(&value) } else { value.get(holder) };
        let Some(inner) = inner else { continue };
        let (Some(id), Some(secret)) = (text_at(inner, &[id_key]), text_at(inner, &[secret_key])) else { continue };
        out.parts.extend(["SessionToken", "sessionToken"].iter().filter_map(|key| text_at(inner, &[key])).map(part));
        let mut find = context.find("aws", "access_key", secret, line(id_key, id), id_key);
        find.public_id = key_id(id).map(str::to_owned);
        let token = text_at(inner, &["SessionToken"]).or_else(|| text_at(inner, &["sessionToken"]));
        find.token = token.map(|token| Secret::new(token.as_bytes()));
        find.renewable = refresh.is_some();
        find.expires = ends("Expiration", inner).or_else(|| ends("expiresAt", inner));
        find.scope = text_at(&value, &["AssumedRoleUser", "Arn"]).map(str::to_owned);
        out.finds.push(find);
    }
    true
}
