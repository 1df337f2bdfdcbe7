//! Who acts, why, and whether in earnest.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use otp_kit::event::{Act, OperatorName, Reason};
use otp_kit::operator::{Count, Effect, Mode, Operator};
use otp_kit::request::RequestContext;
use serde::Serialize;

use crate::answer::Refusal;
use crate::app::App;
use crate::client::Client;

const TOKEN: &str = "x-admin-token";
const REASON: &str = "x-admin-reason";
/// What is on record where nobody says why.
const UNSAID: &str = "no reason given";

/// Lets operators through, and nobody else.
pub(super) async fn guard(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Response {
    let token = token(request.headers());
    let Some(name) = token.and_then(|token| app.operators.whose(token)) else {
        tracing::warn!("an operator's route was asked for without a token that is known");
        return Refusal::UNAUTHORIZED.into_response();
    };
    request.extensions_mut().insert(name.clone());
    next.run(request).await
}

/// Takes the token from either header; where both are there, they must agree.
fn token(headers: &HeaderMap) -> Option<&str> {
    let mut tokens = headers
        .get_all(TOKEN)
        .iter()
        .map(|value| value.to_str().ok());
    let bearers = headers.get_all(AUTHORIZATION).iter().map(|value| {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        scheme
            .eq_ignore_ascii_case("bearer")
            .then_some(token.trim())
    });
    let mut all = tokens.by_ref().chain(bearers);
    let first = all.next()??;
    all.all(|other| other == Some(first)).then_some(first)
}

/// An operator at work: what a handler acts through.
pub(crate) struct Desk {
    name: OperatorName,
    reason: Option<Reason>,
    mode: Mode,
    context: RequestContext,
}

impl FromRequestParts<Arc<App>> for Desk {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Refusal> {
        let name = parts.extensions.get::<OperatorName>().cloned();
        let name = name.ok_or(Refusal::UNAUTHORIZED)?;
        let reason = match parts.headers.get(REASON) {
            None => None,
            Some(text) => Some(reason(text.to_str().unwrap_or_default())?),
        };
        let query = parts.uri.query().unwrap_or_default();
        let mode = mode(&parts.method, query)?;
        let Client(context) = Client::of(parts);
        Ok(Self {
            name,
            reason,
            mode,
            context,
        })
    }
}

fn reason(text: &str) -> Result<Reason, Refusal> {
    Reason::new(text).map_err(|_| Refusal::INVALID_REASON)
}

/// Reads `dry_run`. On what changes things anything else in the query is refused, but the version
/// that is put in place of: a misspelt one must not act in earnest.
fn mode(method: &Method, query: &str) -> Result<Mode, Refusal> {
    let mut mode = Mode::Apply;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        mode = match pair {
            "dry_run=true" | "dry_run=1" => Mode::Preview,
            "dry_run=false" | "dry_run=0" => Mode::Apply,
            _ if method == Method::GET => mode,
            _ if method == Method::PUT && pair.starts_with("version=") => mode,
            _ => return Err(Refusal::UNKNOWN_QUERY),
        };
    }
    Ok(mode)
}

impl Desk {
    /// Gives the calls. What the body says of the reason counts where no header does.
    pub(crate) fn operator(&self, app: &App, said: Option<&str>) -> Result<Operator, Refusal> {
        let act = self.act(said)?;
        let operator = app.verifier.operator(act).from(&self.context);
        Ok(match self.mode {
            Mode::Apply => operator,
            Mode::Preview => operator.preview(),
        })
    }

    /// Says who acts, and why.
    pub(crate) fn act(&self, said: Option<&str>) -> Result<Act, Refusal> {
        let reason = match (&self.reason, said) {
            (Some(reason), _) => reason.clone(),
            (None, Some(said)) => reason(said)?,
            (None, None) => reason(UNSAID)?,
        };
        Ok(Act {
            operator: self.name.clone(),
            reason,
        })
    }

    /// Says whether the call is one in earnest.
    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }
}

/// What was done, or would be.
#[derive(Serialize)]
pub(crate) struct Done {
    status: &'static str,
    dry_run: bool,
    count: u64,
    /// There are more than were counted.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    more: bool,
    sample: Vec<String>,
}

impl Done {
    pub(crate) fn of(effect: Effect) -> Json<Self> {
        Json(Self {
            status: "ok",
            dry_run: effect.mode == Mode::Preview,
            count: effect.count.number(),
            more: matches!(effect.count, Count::AtLeast(_)),
            sample: effect.sample,
        })
    }

    /// One thing, that no call of the library counts.
    pub(crate) fn one(mode: Mode, what: String) -> Json<Self> {
        Json(Self {
            status: "ok",
            dry_run: mode == Mode::Preview,
            count: 1,
            more: false,
            sample: vec![what],
        })
    }
}
