//! Signed requests in the name of one key (AWS Signature Version 4), and what their answers say.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode,
    sign,
};
use aws_sigv4::sign::v4;
use deadstop_core::fact::GapReason;
use roxmltree::Document;
use serde_json::Value;
use ureq::http::Request;

use super::reads::READS;
use crate::collector::AwsKey;
pub(super) use crate::provider::facts::Fault;
use crate::readonly::{Answer, ReadOnly};
use crate::secret::Secret;

/// Speaks to AWS as one key.
#[derive(Clone, Copy)]
pub(super) struct Client<'a> {
    pub(super) door: &'a ReadOnly,
    pub(super) key: &'a AwsKey,
    pub(super) region: &'a str,
}

impl Client<'_> {
    /// A call of the query protocol; the answer is XML.
    pub(super) fn form(
        &self,
        service: &str,
        action: &str,
        version: &str,
        fields: &[(&str, &str)],
    ) -> Result<String, Fault> {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.append_pair("Action", action).append_pair("Version", version).extend_pairs(fields);
        let answer = self.send(service, "POST", "/", &[("content-type", FORM)], body.finish().into_bytes())?;
        String::from_utf8(answer.body).map_err(|_| Fault::of(GapReason::Malformed))
    }

    /// A call of a JSON protocol.
    pub(super) fn target(&self, service: &str, target: &str, version: &str, body: &Value) -> Result<Value, Fault> {
        let kind = format!("application/x-amz-json-{version}");
        let headers = [("content-type", kind.as_str()), ("x-amz-target", target)];
        let answer = self.send(service, "POST", "/", &headers, body.to_string().into_bytes())?;
        json(&answer)
    }

    /// A call of the REST JSON protocol.
    pub(super) fn get(&self, service: &str, path: &str) -> Result<Value, Fault> {
        let answer = self.send(service, "GET", path, &[], Vec::new())?;
        json(&answer)
    }

    /// A call of the REST JSON protocol that reads by `POST`.
    pub(super) fn post(&self, service: &str, path: &str, body: &Value) -> Result<Value, Fault> {
        let headers = [("content-type", "application/json")];
        let answer = self.send(service, "POST", path, &headers, body.to_string().into_bytes())?;
        json(&answer)
    }

    /// A call of the REST XML protocol.
    pub(super) fn get_xml(&self, service: &str, path: &str) -> Result<String, Fault> {
        let answer = self.send(service, "GET", path, &[], Vec::new())?;
        String::from_utf8(answer.body).map_err(|_| Fault::of(GapReason::Malformed))
    }

    /// A call of the query protocol that is made with what is in it, so that no key signs it.
    pub(super) fn unsigned(
        &self,
        service: &str,
        action: &str,
        version: &str,
        fields: &[(&str, &str)],
    ) -> Result<String, Fault> {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.append_pair("Action", action).append_pair("Version", version).extend_pairs(fields);
        let uri = format!("{}/", self.door.base("aws", &self.host(service).0));
        let request = Request::post(uri).header("content-type", FORM).body(body.finish().into_bytes());
        let answer = self.asked(&request.map_err(|_| Fault::of(GapReason::Unsupported))?)?;
        String::from_utf8(answer.body).map_err(|_| Fault::of(GapReason::Malformed))
    }

    /// A call of the portal of single sign-on, with the token of a sign-in.
    pub(super) fn portal(&self, path: &str, token: &Secret) -> Result<Value, Fault> {
        let host = format!("portal.sso.{}.amazonaws.com{}", self.region, china(self.region));
        let request = Request::get(format!("{}{path}", self.door.base("aws", &host)))
            .header("x-amz-sso_bearer_token", token.expose())
            .body(Vec::new());
        json(&self.asked(&request.map_err(|_| Fault::of(GapReason::Unsupported))?)?)
    }

    /// The host of a service, and the region that it signs for.
    fn host(&self, service: &str) -> (String, &str) {
        // IAM and Organizations have one endpoint for a partition (AWS General Reference).
        match service {
            "iam" | "organizations" => (format!("{service}.{}", global(service, self.region)), home(self.region)),
            _ => (format!("{}.{}.amazonaws.com{}", named(service), self.region, china(self.region)), self.region),
        }
    }

    fn send(
        &self,
        service: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Answer, Fault> {
        let unsupported = || Fault::of(GapReason::Unsupported);
        let (host, region) = self.host(service);
        let uri = format!("{}{path}", self.door.base("aws", &host));
        let mut request = Request::builder().method(method).uri(&uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(body).map_err(|_| unsupported())?;
        self.sign(service, region, &mut request).ok_or_else(unsupported)?;
        self.asked(&request)
    }

    fn asked(&self, request: &Request<Vec<u8>>) -> Result<Answer, Fault> {
        let answer = self.door.send(&READS, self.key.credential.as_str(), request).map_err(Fault::of)?;
        if (200..300).contains(&answer.status) {
            return Ok(answer);
        }
        let code = code(&answer);
        let reason = match code.as_deref() {
            Some(code) if REFUSALS.contains(&code) => GapReason::Denied,
            Some(_) => GapReason::Unsupported,
            None if answer.status == 403 || answer.status == 401 => GapReason::Denied,
            None if answer.status == 404 || answer.status == 501 => GapReason::Unsupported,
            None => GapReason::Malformed,
        };
        Err(Fault { reason, code })
    }

    fn sign(&self, service: &str, region: &str, request: &mut Request<Vec<u8>>) -> Option<()> {
        let text = |secret: &Secret| String::from_utf8(secret.expose().to_vec()).ok();
        let token = match &self.key.token {
            Some(token) => Some(text(token)?),
            None => None,
        };
        let identity = Credentials::new(self.key.id.clone(), text(&self.key.secret)?, token, None, "deadstop").into();
        let mut settings = SigningSettings::default();
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        // S3 signs the path as it is sent (IAM User Guide, `reference_sigv-create-signed-request`).
        if service == "s3" {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        }
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name(service)
            .time(SystemTime::now())
            .settings(settings)
            .build()
            .ok()?;
        let params = params.into();
        let instructions = {
            let headers =
                request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap_or_default()));
            let signable = SignableRequest::new(
                request.method().as_str(),
                request.uri().to_string(),
                headers,
                SignableBody::Bytes(request.body()),
            );
            sign(signable.ok()?, &params).ok()?.into_parts().0
        };
        instructions.apply_to_request_http1x(request);
        Some(())
    }
}

const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

/// What follows the name of a host in China.
fn china(region: &str) -> &'static str {
    if region.starts_with("cn-") { ".cn" } else { "" }
}

/// Codes that refuse the caller, or the key (common errors of the query and JSON protocols).
const REFUSALS: [&str; 12] = [
    "UnauthorizedException",
    "ForbiddenException",
    "InvalidIdentityToken",
    "AccessDenied",
    "AccessDeniedException",
    "AuthFailure",
    "UnauthorizedOperation",
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "ExpiredTokenException",
];

/// What a service is called in its hosts, where that is not what it is signed for (service models, `endpointPrefix`).
fn named(service: &str) -> &str {
    match service {
        "ecr" => "api.ecr",
        "memorydb" => "memory-db",
        other => other,
    }
}

/// The host of a service that has one for a partition.
fn global(service: &str, region: &str) -> String {
    match (service, region) {
        (_, region) if region.starts_with("cn-") => "cn-north-1.amazonaws.com.cn".to_owned(),
        ("organizations", region) if region.starts_with("us-gov-") => "us-gov-west-1.amazonaws.com".to_owned(),
        ("organizations", _) => "us-east-1.amazonaws.com".to_owned(),
        (_, region) if region.starts_with("us-gov-") => "us-gov.amazonaws.com".to_owned(),
        _ => "amazonaws.com".to_owned(),
    }
}

/// The region that such a service signs for.
fn home(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "cn-north-1"
    } else if region.starts_with("us-gov-") {
        "us-gov-west-1"
    } else {
        "us-east-1"
    }
}

fn json(answer: &Answer) -> Result<Value, Fault> {
    serde_json::from_slice(&answer.body).map_err(|_| Fault::of(GapReason::Malformed))
}

/// The code of an error: `<Code>` in XML, `__type` or `code` in JSON. Nothing but letters, digits and dots is kept.
pub(super) fn code(answer: &Answer) -> Option<String> {
    if (200..300).contains(&answer.status) {
        return None;
    }
    let text = std::str::from_utf8(&answer.body).ok()?;
    let word = if let Ok(value) = serde_json::from_str::<Value>(text) {
        let said = ["__type", "code", "Code"].iter().find_map(|key| value.get(key)?.as_str().map(str::to_owned));
        said?.rsplit('#').next()?.split(':').next()?.to_owned()
    } else {
        let document = Document::parse(text).ok()?;
        document
            .descendants()
            .find(|node| node.has_tag_name("Code") || node.tag_name().name() == "Code")?
            .text()?
            .to_owned()
    };
    let plain = word.len() <= 80 && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.');
    plain.then_some(word)
}
