use serde_json::json;

use crate::support::mailer::Mailer;
use crate::support::twilio::{Answer, Twilio};
use crate::support::{PHONE, Server, body_of_request, body_of_verify};

const START: &str = "/api/auth/otp/request";
const SITE: (&str, &str) = ("PUBLIC_BASE_URL", "https://ID.example.com:8443/otp");

/// Starts with settings and gives the text message that a person gets, and its code.
async fn text(settings: &[(&str, &str)]) -> (String, String) {
    let twilio = Twilio::start(Answer::Accepts).await;
    let server = Server::with(&[&twilio.settings()[..], settings].concat());
    let reply = server.post(START, &body_of_request(PHONE)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let posted = twilio.posted().remove(0);
    let body = body_of_verify(PHONE, &posted.code());
    let verified = server.post("/api/auth/verify-otp", &body).await;
    assert_eq!(verified.status, 200, "{verified:?}");
    (posted.field("Body").unwrap().to_owned(), posted.code())
}

#[tokio::test]
async fn a_text_message_says_whose_code_it_is_and_where_it_belongs() {
    let (sent, code) = text(&[("OTP_BRAND", "Acme"), SITE]).await;
    assert!(
        sent.starts_with(&format!("{code} is your Acme ")),
        "{sent:?}"
    );
    let last = format!("\n@id.example.com #{code}");
    assert!(sent.ends_with(&last), "{sent:?}");
}

#[tokio::test]
async fn pages_at_another_host_are_named_by_themselves_or_by_nobody() {
    let (sent, code) = text(&[SITE, ("OTP_ORIGIN", "app.example.org")]).await;
    assert!(
        sent.ends_with(&format!("\n@app.example.org #{code}")),
        "{sent:?}"
    );
    for settings in [
        &[SITE, ("OTP_ORIGIN", "none")][..],
        &[("PUBLIC_BASE_URL", "http://id.example.com")],
        &[("PUBLIC_BASE_URL", "https://127.0.0.1:8443")],
        &[("PUBLIC_BASE_URL", "https://[::1]:8443")],
        &[("PUBLIC_BASE_URL", "https://localhost")],
        &[("PUBLIC_BASE_URL", "https://otp.localhost")],
    ] {
        let (sent, _) = text(settings).await;
        assert!(!sent.contains('@'), "{settings:?}: {sent:?}");
    }
}

#[tokio::test]
async fn a_mail_names_the_brand_in_its_subject() {
    let mailer = Mailer::answering(202).await;
    let settings = [&mailer.settings()[..], &[("OTP_BRAND", "Acme"), SITE]].concat();
    let server = Server::with(&settings);
    let reply = server
        .post(START, &json!({ "email": "ann@example.org" }))
        .await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let mail = mailer.mails().remove(0);
    assert_eq!(mail["subject"], "Your Acme sign-in code");
}

#[test]
fn names_that_take_a_second_segment_stop_the_start_by_the_setting() {
    let host = format!("{}.example", "h".repeat(130));
    for (code, key, settings) in [
        (2, "OTP_BRAND", &[("OTP_BRAND", "a\u{202e}b")][..]),
        (2, "OTP_BRAND", &[("OTP_BRAND", "x".repeat(31).as_str())]),
        (
            2,
            "OTP_ORIGIN",
            &[("OTP_ORIGIN", "https://app.example.org")],
        ),
        (1, "OTP_ORIGIN", &[("OTP_ORIGIN", host.as_str())]),
        (
            1,
            "OTP_BRAND",
            &[("OTP_BRAND", "Acme"), ("OTP_ORIGIN", &host)],
        ),
    ] {
        let refusal = Server::refused(settings);
        assert_eq!(refusal.code, Some(code), "{settings:?}: {}", refusal.stderr);
        let last = refusal.stderr.lines().last().unwrap_or_default();
        assert!(last.starts_with(&format!("error: {key}: ")), "{last}");
    }
}
