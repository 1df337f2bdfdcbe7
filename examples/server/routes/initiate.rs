//! `POST /browser/api/v1/identity/auth/otp/initiate` and `.../magic-link/initiate`: sends a code to
//! a user who is named, and says nothing of whether there is such a user. The mail carries a link
//! beside the code, for the browser that asks.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use otp_axum::openapi::{Api, Operation, Schema};
use otp_axum::{Browser, IdempotencyKey};
use otp_kit::delivery::ReturnAddress;
use otp_kit::destination::Channel;
use otp_kit::random::OsRandom;
use otp_kit::request::Purpose;
use otp_kit::verifier::{Dispatch, Issue, Link};
use serde::Deserialize;

use crate::answer::{Declined, Refusal};
use crate::app::App;
use crate::client::Client;
use crate::json::{Given, Member, Strict};
use otp_axum::member;
use otp_axum::sign_in::{NOT_ISSUED, Started};

/// The longest id that a user of this server has.
const LONGEST: usize = 64;

/// The body.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Named {
    user_id: Member,
    return_to: Member,
    locale: Member,
    captcha_token: Member,
    #[serde(rename = "h-captcha-response")]
    h_captcha: Member,
    #[serde(rename = "cf-turnstile-response")]
    turnstile: Member,
    #[serde(rename = "g-recaptcha-response")]
    recaptcha: Member,
}

pub(crate) fn routes() -> Api<Arc<App>> {
    const OF: &str = "/browser/api/v1/identity/auth";
    let user = Schema::object(
        [
            ("user_id", Schema::text_up_to(LONGEST)),
            ("locale?", Schema::text().or_null()),
        ]
        .into_iter()
        .chain(member::captcha_members()),
    );
    let start = |summary: &str| {
        Operation::post(summary)
            .header("Idempotency-Key", Schema::text_up_to(128))
            .gives(200, Started::schema())
            .refuses([
                Refusal::USER_REQUIRED,
                Refusal::INVALID_USER,
                Refusal::INVALID_LOCALE,
            ])
            .refuses(NOT_ISSUED)
    };
    let by_phone = start("Sends a code to the phone of a user who is named").takes(user.clone());
    let by_email = start("Sends a link and a code to the address of a user who is named")
        .takes(user.with("return_to?", Schema::text().or_null()))
        .refuses([Refusal::INVALID_RETURN]);
    Api::new()
        .operation(&format!("{OF}/otp/initiate"), by_phone, self::by_phone)
        .operation(
            &format!("{OF}/magic-link/initiate"),
            by_email,
            self::by_email,
        )
}

/// Sends it to the user's phone.
pub(crate) async fn by_phone(
    State(app): State<Arc<App>>,
    client: Client,
    key: Option<IdempotencyKey>,
    Strict(named): Strict<Named>,
) -> Result<Json<Started>, Declined> {
    if !matches!(named.return_to, Member::Missing) {
        return Err(Refusal::MALFORMED.into());
    }
    start(&app, Channel::Sms, client, key, &named, None).await
}

/// What a start by mail answers: the cookie that the link is for, where there is a link.
type Mailed = (Option<[(HeaderName, HeaderValue); 1]>, Json<Started>);

/// Sends it to the user's e-mail address, with a link where the server has an outside address.
pub(crate) async fn by_email(
    State(app): State<Arc<App>>,
    client: Client,
    key: Option<IdempotencyKey>,
    headers: HeaderMap,
    Strict(named): Strict<Named>,
) -> Result<Mailed, Declined> {
    let return_to = named.return_to(&app)?;
    if app.verifier.links().is_none() {
        let started = start(&app, Channel::Email, client, key, &named, None).await?;
        return Ok((None, started));
    }
    let (browser, cookie) =
        Browser::known_or_new(&headers, &OsRandom).map_err(|_| Refusal::UNAVAILABLE)?;
    let link = Link::for_browser(browser.binding().clone());
    let link = match return_to {
        Some(address) => link.returning_to(address),
        None => link,
    };
    let started = start(&app, Channel::Email, client, key, &named, Some(link)).await?;
    Ok((Some([(SET_COOKIE, cookie)]), started))
}

/// Starts for the user's address, or for nobody: whoever asks is not told which. Where codes are shown
/// the answer waits for its code.
async fn start(
    app: &App,
    channel: Channel,
    Client(context): Client,
    key: Option<IdempotencyKey>,
    named: &Named,
    link: Option<Link>,
) -> Result<Json<Started>, Declined> {
    let id = named.user_id()?;
    let tokens = [
        &named.captcha_token,
        &named.h_captcha,
        &named.turnstile,
        &named.recaptcha,
    ];
    let context = member::with_captcha(context, tokens)?;
    let locale = member::locale(&named.locale)?.unwrap_or_default();
    let address = app.users.address(id, channel).await;
    let address = address.map_err(|_| Refusal::UNAVAILABLE)?;
    let is_linked = link.is_some();
    let mut issue = Issue::by_name(id, first(app, channel), address)
        .for_purpose(Purpose::LOGIN.as_str())
        .in_locale(locale)
        .from(context);
    if app.outbox.is_showing() {
        issue = issue.dispatch(Dispatch::Await);
    }
    if let Some(link) = link {
        issue = issue.with_link(link);
    }
    if let Some(key) = key {
        issue = issue.idempotency_key(key.as_str());
    }
    let issued = app.verifier.issue(issue).await?;
    let shown = app.shown_of_name(&issued, is_linked);
    Ok(Json(Started::new(&issued, shown)))
}

/// Says where a start begins: at the first channel of the order that goes to such an address. For
/// nobody it is the same one.
fn first(app: &App, channel: Channel) -> Channel {
    let kind = channel.destination_kind();
    let order = app.verifier.routes().order();
    let mut fitting = order
        .into_iter()
        .filter(|one| one.destination_kind() == kind);
    fitting.next().unwrap_or(channel)
}

impl Named {
    /// Gives the allowed address that is named to go on to.
    fn return_to(&self, app: &App) -> Result<Option<ReturnAddress>, Refusal> {
        match self.return_to.given() {
            Given::Nothing => Ok(None),
            Given::Text(address) => {
                let links = app.verifier.links();
                let allowed = links.and_then(|links| links.return_address(address));
                allowed.cloned().map(Some).ok_or(Refusal::INVALID_RETURN)
            }
            Given::Wrong => Err(Refusal::INVALID_RETURN),
        }
    }

    fn user_id(&self) -> Result<&str, Refusal> {
        match self.user_id.given() {
            Given::Nothing => Err(Refusal::USER_REQUIRED),
            Given::Text(id) if id.len() <= LONGEST && !id.contains(char::is_control) => Ok(id),
            Given::Text(_) | Given::Wrong => Err(Refusal::INVALID_USER),
        }
    }
}
