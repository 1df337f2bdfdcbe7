//! The operators' page in a real browser.

mod browser;
mod looks;
mod story;

use browser::Browser;

use crate::support::{PHONE, Server, body_of_request};

const TOKENS: &str = "mike:token-of-mike-0123456789,anna:token-of-anna-0123456789";
const MIKE: &str = "token-of-mike-0123456789";
const PAGE: &str = "/admin/sms/otp";
const START: &str = "/api/auth/otp/request";

fn server() -> Server {
    Server::with(&[("ADMIN_TOKENS", TOKENS)])
}

fn url(server: &Server, rest: &str) -> String {
    format!("http://{}{PAGE}{rest}", server.admin)
}

/// Opens the page and signs in, as a person does.
fn sign_in(browser: &mut Browser, server: &Server) {
    browser.open(&url(server, ""));
    browser.write("#token", MIKE);
    browser.press("button.main");
    assert_eq!(browser.text("h1"), "Overview");
}

/// Asks for a code as a person does, and gives the stable word of a refusal.
async fn start(server: &Server, phone: &str) -> Option<String> {
    let reply = server.post(START, &body_of_request(phone)).await;
    (reply.status != 200).then(|| reply.text("code"))
}
