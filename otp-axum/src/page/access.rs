//! Who is at the page.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, AUTHORIZATION, HeaderName};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use otp_core::event::OperatorName;
use otp_core::request::RequestContext;

use super::Page;
use super::cookie::{self, Name};
use super::deed::Told;
use super::reference::Use;
use super::session::{Forged, IDLE, Session};
use crate::{Client, Refusal};

const X_ADMIN_TOKEN: HeaderName = HeaderName::from_static("x-admin-token");
/// The script asks by itself, and that is no click.
const X_LIVE: HeaderName = HeaderName::from_static("x-live");

/// An operator, and how they came in.
#[derive(Clone, Debug)]
pub(super) struct Visitor {
    pub(super) name: OperatorName,
    pub(super) context: RequestContext,
    /// `None` where the token itself came with the request.
    pub(super) session: Option<Arc<Session>>,
    /// What they did a moment ago, to be said once.
    pub(super) notice: Option<Told>,
}

impl Visitor {
    /// Checks the token of a form. Who sends the operator's token in a header of its own is no
    /// browser that was led here.
    pub(super) fn check(&self, form: &str) -> Result<(), Forged> {
        match &self.session {
            Some(session) => session.check(form),
            None => Ok(()),
        }
    }

    /// Gives what the forms of a page carry.
    pub(super) fn form(&self) -> String {
        self.session
            .as_ref()
            .map(|it| it.form())
            .unwrap_or_default()
    }
}

/// What a request has of a token.
enum Presented<'a> {
    /// None.
    Nothing,
    /// One in a header.
    Token(&'a str),
    /// Several that differ, or none that can be read.
    Garbled,
}

/// Takes the token from either header; where both are there, they must agree.
fn presented(headers: &HeaderMap) -> Presented<'_> {
    let own = headers.get_all(X_ADMIN_TOKEN).iter();
    let own = own.map(|value| value.to_str().ok());
    let bearers = headers.get_all(AUTHORIZATION).iter().map(|value| {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        let is_bearer = scheme.eq_ignore_ascii_case("bearer");
        is_bearer.then_some(token.trim())
    });
    let mut all = own.chain(bearers);
    match all.next() {
        None => Presented::Nothing,
        Some(Some(first)) if all.all(|other| other == Some(first)) => Presented::Token(first),
        Some(_) => Presented::Garbled,
    }
}

/// Lets operators through; everybody else is asked to sign in.
pub(super) async fn guard(
    State(page): State<Arc<Page>>,
    Client(context): Client,
    mut request: Request,
    next: Next,
) -> Response {
    let visitor = match presented(request.headers()) {
        Presented::Token(token) => page.name_of(token).map(|name| Visitor {
            name,
            context: context.clone(),
            session: None,
            notice: None,
        }),
        Presented::Nothing => match page.of_cookie(request.headers(), &context).await {
            Some(visitor) => Some(visitor),
            // Nobody claims to be anybody: a browser is asked to sign in.
            None => return page.turn_away(&request),
        },
        Presented::Garbled => None,
    };
    let Some(visitor) = visitor else {
        page.note_stranger(&context).await;
        return page.turn_away(&request);
    };
    let clicked = !request.headers().contains_key(X_LIVE);
    let session = visitor.session.clone().filter(|_| clicked);
    let told = visitor.notice.is_some() && clicked && request.method() == Method::GET;
    request.extensions_mut().insert(visitor);
    let mut response = next.run(request).await;
    if let Some(session) = session {
        page.keep(&session, &mut response);
        if told {
            cookie::clear(response.headers_mut(), Name::Notice, session.scheme);
        }
    }
    response
}

impl Page {
    /// Says whose token this is.
    pub(super) fn name_of(&self, token: &str) -> Option<OperatorName> {
        (self.whose)(token)
    }

    /// Puts on record that a token was shown that nobody has. Where it cannot be, the stranger is
    /// turned away all the same.
    pub(super) async fn note_stranger(&self, context: &RequestContext) {
        let address = context.address();
        tracing::warn!(target: "otp_kit", ?address, "an operator's token that nobody has");
        drop(self.verifier.refuse_operator(context).await);
    }

    async fn of_cookie(&self, headers: &HeaderMap, context: &RequestContext) -> Option<Visitor> {
        let cookie = cookie::read(headers, Name::Session)?;
        let keys = self.verifier.keys().snapshot();
        let session = Session::open(cookie, &keys, self.clock.now())?;
        let name = (self.whose)(session.token.expose())?;
        let session = self.unless_ended(session).await?;
        let mut visitor = Visitor {
            name,
            context: context.clone(),
            session: Some(Arc::new(session)),
            notice: None,
        };
        let notice = cookie::read(headers, Name::Notice);
        visitor.notice = notice.and_then(|text| self.open(&visitor, Use::Notice, text).ok());
        Some(visitor)
    }

    /// Writes the session anew where its last click was a while ago, and it was not ended just now.
    fn keep(&self, session: &Session, response: &mut Response) {
        let headers = response.headers_mut();
        let Some(session) = session.seen(self.clock.now()) else {
            return;
        };
        if cookie::is_set(headers, Name::Session) {
            return;
        }
        let keys = self.verifier.keys().snapshot();
        if let Ok(value) = session.sealed(&keys, self.random.as_ref()) {
            cookie::set(headers, Name::Session, &value, IDLE, session.scheme);
        }
    }

    fn turn_away(&self, request: &Request) -> Response {
        let headers = request.headers();
        let accepted = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
        if !accepted.is_some_and(|accepted| accepted.contains("text/html")) {
            return Refusal::UNAUTHORIZED.into_response();
        }
        let reads = request.method() == Method::GET;
        let wanted = request.uri();
        self.ask_for_token(headers, reads.then_some(wanted), None)
            .into_response()
    }
}
