//! A person, a mail scanner and another browser, over a real socket.

use std::error::Error;

use otp_kit::prelude::*;
use otp_kit::testing::Outbox;
use reqwest::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use reqwest::{Client, RequestBuilder, StatusCode};

const MAIL: &str = "someone@example.org";

/// Plays it all, and ends where an answer is not as it should be.
pub(crate) async fn play(here: &str, outbox: &Outbox) -> Result<(), Box<dyn Error>> {
    // The first to decide which TLS a process uses wins; this process needs none.
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = Client::builder().no_proxy().build()?;

    let started = client.post(format!("{here}/sign-in")).body(MAIL);
    let started = started.send().await?.error_for_status()?;
    let cookie = started.headers().get(SET_COOKIE).ok_or("no cookie")?;
    let cookie = cookie.to_str()?.split(';').next().unwrap_or_default();
    let cookie = cookie.to_owned();

    let address = Destination::parse(MAIL, None)?;
    let link = outbox.last_link_for(&address).ok_or("no link was sent")?;
    let query = link.open().split_once('?').ok_or("no token")?.1.to_owned();
    println!("the mail has a code and a link to {}", page(link.open()));

    let page = format!("{here}/auth/link");
    let opened = || client.get(format!("{page}?{query}"));
    let pressed = |cookie: Option<&str>| {
        let press = client.post(&page).body(query.clone());
        let press = press.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        match cookie {
            Some(cookie) => press.header(COOKIE, cookie),
            None => press,
        }
    };
    expect(
        "a mail scanner opens it",
        opened(),
        StatusCode::OK,
        "Sign in",
    )
    .await?;
    expect(
        "the button, in another browser",
        pressed(None),
        StatusCode::OK,
        "One more step",
    )
    .await?;
    expect(
        "the button, where it began",
        pressed(Some(&cookie)),
        StatusCode::OK,
        "Signed in",
    )
    .await?;
    expect(
        "the button again",
        pressed(Some(&cookie)),
        StatusCode::BAD_REQUEST,
        "Link not accepted",
    )
    .await
}

async fn expect(
    what: &str,
    request: RequestBuilder,
    status: StatusCode,
    title: &str,
) -> Result<(), Box<dyn Error>> {
    let answer = request.send().await?;
    let (got, body) = (answer.status(), answer.text().await?);
    println!("{what}: {got}, \"{title}\"");
    if got == status && body.contains(&format!("<h1>{title}</h1>")) {
        Ok(())
    } else {
        Err(format!("{what}: {got} instead of {status}: {body}").into())
    }
}

/// The part of a link that is no secret.
fn page(link: &str) -> &str {
    link.split('?').next().unwrap_or_default()
}
