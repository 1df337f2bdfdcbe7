//! Second factors: enrolled, confirmed and shown by whoever is signed in.

mod disable;
mod manage;
mod operators;

use std::collections::BTreeSet;
use std::sync::Arc;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::authenticator::{Authenticator, CONFIRM, ENROL, SHOW, claims};
use crate::support::{OTHER_PHONE, PHONE, Reply, Server};

const CODES: &str = "/api/v1/2fa/recovery-codes";
const ROUTES: [&str; 4] = [ENROL, CONFIRM, SHOW, CODES];

fn otp(code: &str) -> Value {
    json!({ "otp": code })
}

#[track_caller]
fn is_wrong(reply: &Reply) {
    reply.is_error(400, "invalid_otp", "Invalid OTP");
}

#[tokio::test]
async fn an_app_is_enrolled_confirmed_and_shown_and_the_session_says_so() {
    let server = Server::start();
    let tokens = server.sign_in(PHONE).await;
    assert_eq!(claims(&tokens)["amr"], json!(["sms"]));
    let enrolled = server
        .post_as(&tokens, ENROL, &json!({ "name": "phone" }))
        .await;
    assert_eq!(enrolled.status, 200, "{enrolled:?}");
    assert_eq!(enrolled.header("cache-control"), Some("no-store"));
    let (secret, uri) = (enrolled.text("secret"), enrolled.text("otpauth_uri"));
    assert!(secret.len() == 32 && uri.contains(&secret), "{uri}");
    assert!(uri.starts_with("otpauth://totp/"), "{uri}");
    assert!(enrolled.text("qr_svg").starts_with("<svg"));
    assert_eq!(enrolled.text("name"), "phone");
    assert!(enrolled.text("expires_at").ends_with('Z'));

    let phone = Authenticator::scan(&enrolled);
    is_wrong(&server.post_as(&tokens, SHOW, &otp(&phone.code())).await);
    let confirmed = server.post_as(&tokens, CONFIRM, &otp(&phone.code())).await;
    assert_eq!(confirmed.status, 200, "{confirmed:?}");
    let codes = confirmed.json()["recovery_codes"].clone();
    let codes: BTreeSet<String> = serde_json::from_value(codes).unwrap();
    assert_eq!(codes.len(), 10);
    assert_eq!(claims(&confirmed)["amr"], json!(["sms", "otp", "mfa"]));

    let shown = server
        .post_as(&tokens, SHOW, &json!({ "code": phone.next() }))
        .await;
    assert_eq!(shown.status, 200, "{shown:?}");
    assert_eq!(shown.text("token_type"), "bearer");
    assert!(shown.text("refresh_token").len() >= 90);
    assert_eq!(shown.json()["user"], tokens.json()["user"]);
    let said = claims(&shown);
    assert_eq!(said["amr"], json!(["sms", "otp", "mfa"]));
    assert_eq!(said["acr"], "mfa-restricted");
    assert_eq!(said["sub"], claims(&tokens)["sub"]);
    assert_ne!(said["sid"], claims(&tokens)["sid"]);
    assert_eq!(server.get_as(&shown, "/api/me").await.status, 200);
}

#[tokio::test]
async fn without_a_token_that_holds_nothing_is_said_of_a_body() {
    let server = Server::start();
    let refresh = server.sign_in(PHONE).await.text("refresh_token");
    let mut routes = ROUTES.to_vec();
    routes.extend(["/api/auth/mfa/send-code", "/api/auth/mfa/verify"]);
    for route in routes {
        for bearer in [None, Some(""), Some("x.y.z"), Some(refresh.as_str())] {
            for body in ["{}", "{\"otp\":\"123456\"}", "nonsense"] {
                let mut request = server.client.post(server.url(route)).body(body);
                request = request.header(CONTENT_TYPE, "application/json");
                if let Some(bearer) = bearer {
                    request = request.header(AUTHORIZATION, format!("Bearer {bearer}"));
                }
                let reply = Reply::of(request).await;
                reply.is_error(401, "not_signed_in", "Not signed in");
                assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
            }
        }
    }
}

#[tokio::test]
async fn a_body_that_may_be_missing_may_be_missing_and_may_not_be_nonsense() {
    let server = Server::start();
    let tokens = server.sign_in(PHONE).await;
    let bearer = format!("Bearer {}", tokens.text("access_token"));
    let bare = server.client.post(server.url(ENROL));
    let bare = Reply::of(bare.header(AUTHORIZATION, &bearer)).await;
    assert_eq!(bare.status, 200, "{bare:?}");
    assert_eq!(bare.text("name"), "authenticator");
    let empty = server.client.post(server.url(ENROL)).body("");
    let empty = empty.header(CONTENT_TYPE, "application/json");
    let empty = Reply::of(empty.header(AUTHORIZATION, &bearer)).await;
    assert_eq!(empty.status, 200, "JSON that is not there: {empty:?}");
    for body in [
        json!({ "who": 1 }),
        json!({ "name": "a", "otp": "1" }),
        json!([]),
    ] {
        let reply = server.post_as(&tokens, ENROL, &body).await;
        reply.is_error(400, "malformed", "Malformed request body");
    }
    for name in [json!(7), json!("two\nlines"), json!("x".repeat(1_000))] {
        let reply = server
            .post_as(&tokens, ENROL, &json!({ "name": name }))
            .await;
        reply.is_error(400, "invalid_name", "Invalid name");
    }
    for route in [CONFIRM, SHOW] {
        let reply = server.post_as(&tokens, route, &json!({})).await;
        reply.is_error(400, "otp_required", "otp required");
        let twice = json!({ "otp": "123456", "code": "123456" });
        let reply = server.post_as(&tokens, route, &twice).await;
        reply.is_error(400, "malformed", "Malformed request body");
    }
    let reply = server
        .post_as(
            &tokens,
            SHOW,
            &json!({ "otp": "123456", "recovery_code": "K7-0123-4567-89AB-CDEF" }),
        )
        .await;
    reply.is_error(400, "malformed", "Malformed request body");
}

#[tokio::test]
async fn a_code_that_was_taken_is_refused_wherever_it_is_shown_again() {
    let server = Server::start();
    let tokens = server.sign_in(PHONE).await;
    let enrolled = server.post_as(&tokens, ENROL, &json!({})).await;
    let phone = Authenticator::scan(&enrolled);
    let code = phone.code();
    let first = json!({ "factor_id": phone.factor, "otp": code });
    assert_eq!(server.post_as(&tokens, CONFIRM, &first).await.status, 200);
    is_wrong(&server.post_as(&tokens, CONFIRM, &first).await);
    is_wrong(&server.post_as(&tokens, SHOW, &otp(&code)).await);
    let code = phone.next();
    assert_eq!(server.post_as(&tokens, SHOW, &otp(&code)).await.status, 200);
    let spaced = format!(" {} {}", &code[..3], &code[3..]);
    for again in [&code, &spaced] {
        is_wrong(&server.post_as(&tokens, SHOW, &otp(again)).await);
    }
    let elsewhere = server.sign_in(PHONE).await;
    is_wrong(&server.post_as(&elsewhere, SHOW, &otp(&code)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_200_parallel_right_codes_one_is_taken() {
    let server = Arc::new(Server::with(&[("RATE_LIMIT_REQUESTS", "10000")]));
    let tokens = Arc::new(server.sign_in(PHONE).await);
    let (phone, _) = server.authenticator_of(&tokens).await;
    let code = phone.next();
    let mut tries = JoinSet::new();
    for _ in 0..200 {
        let (server, tokens, body) = (Arc::clone(&server), Arc::clone(&tokens), otp(&code));
        tries.spawn(async move { server.post_as(&tokens, SHOW, &body).await });
    }
    let replies = tries.join_all().await;
    let with = |status| {
        replies
            .iter()
            .filter(|reply| reply.status == status)
            .count()
    };
    assert_eq!(with(200), 1);
    assert_eq!(with(400) + with(429), 199);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_50_parallel_first_codes_one_confirms() {
    let server = Arc::new(Server::with(&[("RATE_LIMIT_REQUESTS", "10000")]));
    let tokens = Arc::new(server.sign_in(PHONE).await);
    let enrolled = server.post_as(&tokens, ENROL, &json!({})).await;
    let phone = Authenticator::scan(&enrolled);
    let body = json!({ "factor_id": phone.factor, "otp": phone.code() });
    let mut tries = JoinSet::new();
    for _ in 0..50 {
        let (server, tokens, body) = (Arc::clone(&server), Arc::clone(&tokens), body.clone());
        tries.spawn(async move { server.post_as(&tokens, CONFIRM, &body).await.status });
    }
    let statuses = tries.join_all().await;
    let confirmed = statuses.iter().filter(|status| **status == 200);
    assert_eq!(confirmed.count(), 1, "{statuses:?}");
}

/// Shows wrong codes until the account takes none, and answers how many were taken, with what was
/// said then.
async fn spent(server: &Server, tokens: &Reply, route: &str, code: &str) -> (u32, Vec<Reply>) {
    let mut said = Vec::new();
    for number in 0..20 {
        let reply = server.post_as(tokens, route, &otp(code)).await;
        let locked = reply.status == 429;
        if locked {
            reply.is_error(429, "locked", "Account temporarily locked");
            assert!(reply.header("retry-after").is_some(), "{reply:?}");
        } else {
            is_wrong(&reply);
        }
        said.push(reply);
        if locked {
            return (number, said);
        }
    }
    panic!("it takes guesses for ever: {said:?}");
}

#[tokio::test]
async fn guesses_run_out_and_neither_the_right_code_nor_another_enrolment_opens_the_account() {
    let server = Server::start();
    let tokens = server.sign_in(PHONE).await;
    let (phone, confirmed) = server.authenticator_of(&tokens).await;
    let wrong = phone.wrong();
    for body in [json!({ "otp": 123_456 }), otp("12345"), otp("12345a")] {
        is_wrong(&server.post_as(&tokens, SHOW, &body).await);
    }
    assert_eq!(spent(&server, &tokens, SHOW, &wrong).await.0, 8);
    let right = server.post_as(&tokens, SHOW, &otp(&phone.next())).await;
    right.is_error(429, "locked", "Account temporarily locked");
    let again = server.sign_in(PHONE).await;
    let right = server.post_as(&again, SHOW, &otp(&phone.next())).await;
    right.is_error(429, "locked", "Account temporarily locked");
    let another = server.post_as(&confirmed, ENROL, &json!({})).await;
    let another = Authenticator::scan(&another);
    let right = server.post_as(&again, CONFIRM, &otp(&another.code())).await;
    right.is_error(429, "locked", "Account temporarily locked");
    // The recovery codes have a budget of their own.
    let code = confirmed.json()["recovery_codes"][0].clone();
    let shown = server
        .post_as(&tokens, SHOW, &json!({ "recovery_code": code }))
        .await;
    assert_eq!(shown.status, 200, "{shown:?}");
}

#[tokio::test]
async fn whoever_has_no_authenticator_is_answered_as_one_with_a_wrong_code_is() {
    let server = Server::with(&[("RATE_LIMIT_REQUESTS", "1000")]);
    let (with, without) = (
        server.sign_in(PHONE).await,
        server.sign_in(OTHER_PHONE).await,
    );
    let (phone, _) = server.authenticator_of(&with).await;
    let wrong = phone.wrong();
    let recovery = json!({ "recovery_code": "K7-0123-4567-89AB-CDEF" });
    let of_with = server.post_as(&with, SHOW, &recovery).await;
    let of_without = server.post_as(&without, SHOW, &recovery).await;
    is_wrong(&of_with);
    assert_eq!(shape(&of_with), shape(&of_without));
    let (taken, one) = spent(&server, &with, SHOW, &wrong).await;
    let (same, other) = spent(&server, &without, SHOW, &wrong).await;
    assert_eq!(taken, same);
    for (one, other) in one.iter().zip(&other) {
        assert_eq!(shape(one), shape(other));
    }
    let (confirm, _) = spent(&server, &without, CONFIRM, &wrong).await;
    assert_eq!(confirm, 0, "one budget for every door");
}

/// All of an answer but how many seconds are left.
fn shape(reply: &Reply) -> (u16, Vec<String>, String) {
    let names = reply.headers.keys().map(ToString::to_string).collect();
    (reply.status, names, reply.body.clone())
}

#[tokio::test]
async fn what_is_of_one_account_is_worth_nothing_to_another() {
    let server = Server::start();
    let (ann, bob) = (
        server.sign_in(PHONE).await,
        server.sign_in(OTHER_PHONE).await,
    );
    let waiting = server.post_as(&ann, ENROL, &json!({})).await;
    let waiting = Authenticator::scan(&waiting);
    let first = json!({ "factor_id": waiting.factor, "otp": waiting.code() });
    is_wrong(&server.post_as(&bob, CONFIRM, &first).await);
    let unknown = json!({ "factor_id": "no-id", "otp": waiting.code() });
    is_wrong(&server.post_as(&ann, CONFIRM, &unknown).await);
    let confirmed = server.post_as(&ann, CONFIRM, &first).await;
    assert_eq!(confirmed.status, 200);
    is_wrong(&server.post_as(&bob, SHOW, &otp(&waiting.next())).await);
    let code = json!({ "recovery_code": confirmed.json()["recovery_codes"][0] });
    is_wrong(&server.post_as(&bob, SHOW, &code).await);
    assert_eq!(server.post_as(&ann, SHOW, &code).await.status, 200);
}

#[tokio::test]
async fn a_recovery_code_stands_in_once_and_a_new_set_voids_the_old_one() {
    let server = Server::start();
    let tokens = server.sign_in(PHONE).await;
    let (phone, confirmed) = server.authenticator_of(&tokens).await;
    let old: Vec<String> =
        serde_json::from_value(confirmed.json()["recovery_codes"].clone()).unwrap();
    let typed = old[0].to_lowercase().replace('-', " ");
    let show = async |code: &str| {
        let body = json!({ "recovery_code": code });
        server.post_as(&tokens, SHOW, &body).await
    };
    let shown = show(&typed).await;
    assert_eq!(shown.status, 200, "{shown:?}");
    assert_eq!(claims(&shown)["amr"], json!(["sms", "recovery", "mfa"]));
    is_wrong(&show(&typed).await);

    let weak = server.post_as(&tokens, CODES, &json!({})).await;
    weak.is_error(403, "fresh_proof_required", "Fresh proof required");
    is_wrong(&server.post_as(&tokens, CODES, &otp(&phone.wrong())).await);
    let renewed = server.post_as(&tokens, CODES, &otp(&phone.next())).await;
    assert_eq!(renewed.status, 200, "{renewed:?}");
    is_wrong(&show(&old[1]).await);
    let set: Vec<String> =
        serde_json::from_value(renewed.json()["recovery_codes"].clone()).unwrap();
    assert_eq!(set.len(), 10);
    assert_eq!(show(&set[0]).await.status, 200);
    let by_session = server.post_as(&confirmed, CODES, &json!({})).await;
    assert_eq!(by_session.status, 200, "{by_session:?}");
    is_wrong(&show(&set[1]).await);
}

#[tokio::test]
async fn a_stolen_session_without_the_factor_enrols_none_and_draws_no_codes() {
    let server = Server::start();
    let tokens = server.sign_in(PHONE).await;
    let (_, confirmed) = server.authenticator_of(&tokens).await;
    let stolen = server.sign_in(PHONE).await;
    for route in [ENROL, CODES] {
        for tokens in [&tokens, &stolen] {
            let reply = server.post_as(tokens, route, &json!({})).await;
            reply.is_error(403, "fresh_proof_required", "Fresh proof required");
        }
    }
    let second = server.post_as(&confirmed, ENROL, &json!({})).await;
    assert_eq!(second.text("name"), "authenticator 2");
    let same = json!({ "name": "authenticator" });
    let taken = server.post_as(&confirmed, ENROL, &same).await;
    taken.is_error(409, "name_taken", "Another authenticator has this name");
}

#[tokio::test]
async fn neither_the_log_nor_the_files_show_a_secret() {
    let server = Server::with(&[("RUST_LOG", "debug")]);
    let tokens = server.sign_in(PHONE).await;
    let enrolled = server.post_as(&tokens, ENROL, &json!({})).await;
    let secret = enrolled.text("secret");
    let phone = Authenticator::scan(&enrolled);
    let confirmed = server.post_as(&tokens, CONFIRM, &otp(&phone.code())).await;
    let codes: Vec<String> =
        serde_json::from_value(confirmed.json()["recovery_codes"].clone()).unwrap();
    let shown = json!({ "recovery_code": codes[0] });
    assert_eq!(server.post_as(&tokens, SHOW, &shown).await.status, 200);
    let files = server.files();
    let log = server.whole_log();
    for kept in codes.iter().chain([&secret]) {
        let bare = kept.replace('-', "");
        for text in [kept, &bare] {
            assert!(!log.contains(text.as_str()), "{text} in {log}");
            for (path, bytes) in &files {
                let found = bytes
                    .windows(text.len())
                    .any(|window| window == text.as_bytes());
                assert!(!found, "{text} in {path}");
            }
        }
    }
}
