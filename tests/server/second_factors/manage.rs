//! Factors listed, renamed and taken away, and a try whose answer was lost.

use reqwest::Method;
use reqwest::header::AUTHORIZATION;
use serde_json::{Value, json};

use super::SHOW;
use crate::support::{PHONE, Reply, Server};

const FACTORS: &str = "/api/v1/2fa/factors";

async fn ask(server: &Server, tokens: &Reply, method: Method, path: &str, body: &Value) -> Reply {
    let bearer = format!("Bearer {}", tokens.text("access_token"));
    let request = server.client.request(method, server.url(path)).json(body);
    Reply::of(request.header(AUTHORIZATION, bearer)).await
}

#[tokio::test]
async fn a_factor_is_listed_renamed_and_taken_away_with_a_code_of_it() {
    let server = Server::start();
    let tokens = server.sign_in(PHONE).await;
    let (phone, confirmed) = server.authenticator_of(&tokens).await;
    let one = format!("{FACTORS}/{}", phone.factor);
    for (method, body) in [
        (Method::PUT, json!({ "name": "work phone" })),
        (Method::DELETE, json!({})),
    ] {
        let weak = ask(&server, &tokens, method, &one, &body).await;
        weak.is_error(403, "fresh_proof_required", "Fresh proof required");
    }
    let body = json!({ "name": "work phone", "otp": phone.next() });
    let renamed = ask(&server, &tokens, Method::PUT, &one, &body).await;
    assert_eq!(renamed.status, 204, "{renamed:?}");
    let listed = server.get_as(&tokens, FACTORS).await.json();
    assert_eq!(listed["factors"][0]["name"], "work phone");
    assert_eq!(listed["recovery_codes_left"], 10);
    let wrong = json!({ "otp": phone.wrong() });
    let kept = ask(&server, &tokens, Method::DELETE, &one, &wrong).await;
    kept.is_error(400, "invalid_otp", "Invalid OTP");
    let proof = json!({ "recovery_code": confirmed.json()["recovery_codes"][0] });
    let gone = ask(&server, &tokens, Method::DELETE, &one, &proof).await;
    assert_eq!(gone.status, 204, "{gone:?}");
    let listed = server.get_as(&tokens, FACTORS).await.json();
    assert_eq!(listed["factors"], json!([]));
}

#[tokio::test]
async fn a_recovery_code_is_not_lost_with_its_answer() {
    let server = Server::start();
    let tokens = server.sign_in(PHONE).await;
    let (_, confirmed) = server.authenticator_of(&tokens).await;
    let code = confirmed.json()["recovery_codes"][0].clone();
    let named = json!({ "recovery_code": code, "attempt_id": "one" });
    let first = server.post_as(&tokens, SHOW, &named).await;
    assert_eq!(first.status, 200, "{first:?}");
    let again = server.post_as(&tokens, SHOW, &named).await;
    assert_eq!(again.json(), first.json(), "the recorded answer");
    for body in [
        json!({ "recovery_code": code, "attempt_id": "two" }),
        json!({ "recovery_code": code }),
    ] {
        let other = server.post_as(&tokens, SHOW, &body).await;
        other.is_error(400, "invalid_otp", "Invalid OTP");
    }
}
