//! `/admin/otp/policy`: the policy of the fleet, read and put in force as a text.

use axum::Json;
use axum::extract::{FromRequest, Request, State};
use axum::http::header::{
    ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_MATCH,
};
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use otp_core::operator::Mode;
use otp_core::verifier::{FleetTrouble, PolicyText, PublishError, Verifier};
use serde_json::json;

use super::{Desk, Done, overrides};
use crate::json;
use crate::openapi::{Api, Operation, Schema};
use crate::time::Rfc3339;
use crate::{ApiError, Refusal};

/// The most bytes of a body; the library says what is too long for a policy.
const LARGEST: usize = 128 * 1024;
const YAML: &str = "application/yaml";
/// What a file holds that was cut off, or never written, would put every default in force.
const NOTHING: &str = "the document is empty; {} puts the defaults in force";
const LANGUAGES: &str = "Content-Type must be application/yaml or application/toml";

pub(super) fn routes() -> Api<Verifier> {
    const PATH: &str = "/admin/otp/policy";
    let text = || Schema::text().or_null();
    let document = Schema::object([
        ("version", Schema::integer()),
        ("text", Schema::text()),
        ("author", text()),
        ("reason", text()),
        ("at", Schema::time().or_null()),
        ("in_force", Schema::integer().or_null()),
        ("trouble", text()),
        ("overrides", Schema::list(&overrides::schema())),
    ]);
    let show = Operation::get("Shows the policy of the fleet, with its version in ETag")
        // What YAML holds is no text to whoever reads it.
        .gives_as(200, YAML, Schema::any())
        .gives(200, document)
        .at_desk();
    let publish = Operation::put("Puts a policy in force on the whole fleet")
        .takes_as([YAML, "application/toml"], Schema::text())
        .up_to(LARGEST)
        .header(
            "If-Match",
            Schema::text().about("the version that it was written over"),
        )
        .query("version", Schema::integer())
        .gives(200, Done::schema())
        .at_desk()
        .refuses([
            Refusal::INVALID_VERSION,
            Refusal::INVALID_POLICY,
            Refusal::CONFLICT,
        ]);
    Api::new()
        .operation(PATH, show, self::show)
        .operation(PATH, publish, self::publish)
}

/// A policy as it was sent.
pub(super) enum Document {
    Yaml(String),
    Toml(String),
}

impl<S: Send + Sync> FromRequest<S> for Document {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let language = language(request.headers());
        let document = language.ok_or_else(|| Refusal::UNSUPPORTED_MEDIA_TYPE.saying(LANGUAGES))?;
        let body = json::body(request, state).await?;
        let text = String::from_utf8(body.into()).map_err(|_| Refusal::MALFORMED)?;
        if says_nothing(&text) {
            return Err(Refusal::INVALID_POLICY.saying(NOTHING));
        }
        Ok(document(text))
    }
}

fn language(headers: &HeaderMap) -> Option<fn(String) -> Document> {
    let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let kind = kind.split(';').next().unwrap_or_default();
    let kind = kind.trim().to_ascii_lowercase();
    let document = match kind.as_str() {
        YAML | "application/x-yaml" | "text/yaml" | "text/x-yaml" => Document::Yaml,
        "application/toml" | "text/toml" => Document::Toml,
        _ => return None,
    };
    (!headers.contains_key(CONTENT_ENCODING)).then_some(document)
}

/// Says whether a text has nothing but comments and words for nothing.
fn says_nothing(text: &str) -> bool {
    let mut lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
    lines.all(|line| {
        let marks = ["", "---", "...", "~", "null", "Null", "NULL"];
        marks.contains(&line) || line.starts_with('#')
    })
}

impl Document {
    fn text(&self) -> PolicyText<'_> {
        match self {
            Self::Yaml(text) => PolicyText::Yaml(text),
            Self::Toml(text) => PolicyText::Toml(text),
        }
    }
}

/// Shows the document of the fleet; where none was published, the policy that this instance was
/// started with. Either may be changed and put back.
pub(super) async fn show(
    State(verifier): State<Verifier>,
    desk: Desk,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    desk.operator(&verifier, None)?
        .record_look("read_policy")
        .await?;
    let record = verifier.store().current().await?;
    let policies = verifier.policies();
    let status = policies.status();
    let version = record.as_ref().map_or(0, |record| record.version);
    let text = match &record {
        Some(record) => record.document.text().to_owned(),
        None => policies.standing().to_yaml(),
    };
    let wants_json = headers.get_all(ACCEPT).iter().any(|accept| {
        let accept = accept.to_str().unwrap_or_default();
        accept.contains("application/json")
    });
    let mut response = if wants_json {
        let document = record.as_ref().map(|record| &record.document);
        let fleet = policies.fleet();
        Json(json!({
            "version": version,
            "text": text,
            "author": document.map(|document| document.author()),
            "reason": document.map(|document| document.reason()),
            "at": record.as_ref().map(|record| Rfc3339::from(record.at).to_string()),
            "in_force": fleet.version,
            "trouble": fleet.trouble.as_ref().map(trouble),
            "overrides": status.overrides.iter().map(overrides::shown).collect::<Vec<_>>(),
        }))
        .into_response()
    } else {
        let kind = HeaderValue::from_static(YAML);
        ([(CONTENT_TYPE, kind)], text).into_response()
    };
    let (name, tag) = tag(version)?;
    response.headers_mut().insert(name, tag);
    Ok(response)
}

fn trouble(trouble: &FleetTrouble) -> String {
    match trouble {
        FleetTrouble::Refused { version, why } => format!("version {version} is refused: {why}"),
        _ => "the store does not tell which version is in force".to_owned(),
    }
}

/// Puts a document in force here and, within seconds, on every instance of the fleet.
pub(super) async fn publish(
    State(verifier): State<Verifier>,
    desk: Desk,
    uri: Uri,
    headers: HeaderMap,
    document: Document,
) -> Result<Response, ApiError> {
    let operator = desk.operator(&verifier, None)?;
    let policies = verifier.policies();
    let expected = expected(&uri, &headers)?;
    let current = verifier.store().version().await?;
    let expected = expected.unwrap_or(current);
    let in_force = policies.standing();
    let wanted = policies.check(document.text())?;
    let published = match desk.mode() {
        Mode::Preview => {
            operator.record("publish_policy").await?;
            if expected == current {
                Ok(current.saturating_add(1))
            } else {
                Err(PublishError::Conflict { current })
            }
        }
        Mode::Apply => {
            let over = Some(expected).filter(|version| *version > 0);
            policies
                .publish(document.text(), over, desk.act(None)?)
                .await
        }
    };
    let (version, mut response) = match published {
        Ok(version) => {
            // A document takes the place of the whole one before it: what that one had changed, and
            // this one does not name, is as the service was started again. So all of it is said.
            let what = format!("version {version}");
            let done = Done::with(desk.mode(), what, in_force.changes_to(&wanted));
            (version, done.into_response())
        }
        Err(PublishError::Conflict { current }) => {
            let conflict = PublishError::Conflict { current };
            (current, ApiError::from(conflict).into_response())
        }
        Err(error) => return Err(error.into()),
    };
    let (name, tag) = tag(version)?;
    response.headers_mut().insert(name, tag);
    Ok(response)
}

fn tag(version: u64) -> Result<(HeaderName, HeaderValue), Refusal> {
    let tag = HeaderValue::try_from(format!("\"{version}\""));
    Ok((ETAG, tag.map_err(|_| Refusal::INVALID_VERSION)?))
}

/// Reads the version that the document was written over, 0 where there was none. Nobody need say
/// it: then it is whichever is in force.
fn expected(uri: &Uri, headers: &HeaderMap) -> Result<Option<u64>, Refusal> {
    let pairs = uri.query().unwrap_or_default().split('&');
    let queried = pairs.filter_map(|pair| pair.strip_prefix("version="));
    let matched = headers.get_all(IF_MATCH).iter().map(|value| {
        let value = value.to_str().unwrap_or_default().trim();
        let bare = value
            .strip_prefix('"')
            .and_then(|tag| tag.strip_suffix('"'));
        bare.unwrap_or_default()
    });
    let mut all = queried.chain(matched);
    let Some(first) = all.next() else {
        return Ok(None);
    };
    if all.any(|other| other != first) {
        return Err(Refusal::INVALID_VERSION);
    }
    let version = first.parse().map_err(|_| Refusal::INVALID_VERSION)?;
    Ok(Some(version))
}
