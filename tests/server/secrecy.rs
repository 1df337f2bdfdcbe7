use serde_json::json;

use crate::support::twilio::{Answer, Twilio};
use crate::support::{PHONE, Server, body_of_request, body_of_verify, wrong};

const START: &str = "/api/auth/otp/request";
const VERIFY: &str = "/api/auth/verify-otp";

#[tokio::test]
async fn j03_no_log_line_of_any_level_has_a_code_a_number_or_a_token_in_it() {
    let twilio = Twilio::start(Answer::Accepts).await;
    let mut settings = twilio.settings();
    settings.push(("RUST_LOG", "trace"));
    let server = Server::with(&settings);
    let id = server
        .post(START, &body_of_request(PHONE))
        .await
        .text("challenge_id");
    let code = twilio.posted()[0].code();
    let wrong = wrong(&code);
    server.post(VERIFY, &body_of_verify(PHONE, &wrong)).await;
    let right =
        json!({ "phone": PHONE, "otp": code, "challenge_id": id, "attempt_id": "canary-try" });
    let signed_in = server.post(VERIFY, &right).await;
    assert_eq!(signed_in.status, 200);
    let (access, refresh) = (
        signed_in.text("access_token"),
        signed_in.text("refresh_token"),
    );
    server.post(START, &json!({ "phone": "+1415555012" })).await;
    server
        .post(START, &json!({ "email": "canary.person@example.org" }))
        .await;

    let log = server.whole_log();
    let secrets = [
        code.as_str(),
        wrong.as_str(),
        "4155550123",
        "415555012",
        id.as_str(),
        access.as_str(),
        refresh.as_str(),
        "canary.person",
        "canary-try",
        "first-token-of-two",
        "second-token",
        "c2VjcmV0LW9m",
    ];
    for secret in secrets {
        let line = log.lines().find(|line| contains(line, secret));
        assert_eq!(line, None, "{secret}");
    }
    assert!(
        log.contains("+1415•••0123"),
        "the masked number is there to be searched for"
    );
}

/// Says whether a line shows a secret; digits inside a longer run of digits, such as a time, are
/// not it.
fn contains(line: &str, secret: &str) -> bool {
    line.match_indices(secret).any(|(at, _)| {
        let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        let before = line[..at].chars().next_back();
        let after = line[at + secret.len()..].chars().next();
        secret.len() > 6 || !(digit(before) || digit(after) || after == Some('Z'))
    })
}

#[tokio::test]
async fn what_is_in_the_database_signs_nobody_in() {
    let server = Server::start();
    let code = server
        .post(START, &body_of_request(PHONE))
        .await
        .text("preview_code");
    let signed_in = server.post(VERIFY, &body_of_verify(PHONE, &code)).await;
    let files = server.files();
    assert!(!files.is_empty());
    for token in ["access_token", "refresh_token"] {
        let token = signed_in.text(token);
        for (name, bytes) in &files {
            let found = bytes
                .windows(token.len())
                .any(|window| window == token.as_bytes());
            assert!(!found, "a token is in {name}");
        }
    }
}
