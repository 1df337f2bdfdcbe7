//! What a client does with its tokens, and what a thief can.

use std::collections::BTreeSet;
use std::sync::Arc;

use otp_kit::clock::{Clock as _, SystemClock, Timestamp};
use reqwest::header::{AUTHORIZATION, COOKIE};
use serde_json::json;
use sqlx::query;
use tokio::task::JoinSet;

use crate::support::{PHONE, Reply, Server, body_of_request, body_of_verify};

const REFRESH: &str = "/api/auth/token/refresh";

async fn sign_in(server: &Server) -> Reply {
    let started = server
        .post("/api/auth/otp/request", &body_of_request(PHONE))
        .await;
    let code = started.text("preview_code");
    let body = body_of_verify(PHONE, &code);
    server.post("/api/auth/verify-otp", &body).await
}

async fn refresh(server: &Server, tokens: &Reply) -> Reply {
    let body = json!({ "refresh_token": tokens.text("refresh_token") });
    server.post(REFRESH, &body).await
}

async fn as_bearer(server: &Server, method: &str, path: &str, token: &str) -> Reply {
    let method = method.parse().unwrap();
    let request = server.client.request(method, server.url(path));
    Reply::of(request.header(AUTHORIZATION, format!("Bearer {token}"))).await
}

async fn me(server: &Server, tokens: &Reply) -> Reply {
    as_bearer(server, "GET", "/api/me", &tokens.text("access_token")).await
}

#[tokio::test]
async fn whoever_is_signed_in_is_told_who_they_are_and_nobody_else_is() {
    let server = Server::start();
    let tokens = sign_in(&server).await;
    let reply = me(&server, &tokens).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.json(), tokens.json()["user"]);
    server
        .get("/api/me")
        .await
        .is_error(401, "not_signed_in", "Not signed in");
    // A refresh token lets nobody in, and an access token continues nothing.
    for token in [&tokens.text("refresh_token"), "x", ""] {
        let reply = as_bearer(&server, "GET", "/api/me", token).await;
        reply.is_error(401, "not_signed_in", "Not signed in");
    }
    let body = json!({ "refresh_token": tokens.text("access_token") });
    let reply = server.post(REFRESH, &body).await;
    reply.is_error(401, "invalid_refresh_token", "Invalid refresh token");
}

#[tokio::test]
async fn two_hundred_parallel_refreshes_of_one_token_make_one_successor() {
    let server = Arc::new(Server::start());
    let tokens = Arc::new(sign_in(&server).await);
    let mut tries = JoinSet::new();
    for _ in 0..200 {
        let (server, tokens) = (Arc::clone(&server), Arc::clone(&tokens));
        tries.spawn(async move { refresh(&server, &tokens).await });
    }
    let replies = tries.join_all().await;
    let answers: BTreeSet<_> = replies
        .iter()
        .map(|reply| (reply.status, &reply.body))
        .collect();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(replies[0].status, 200);
    assert_eq!(me(&server, &replies[0]).await.status, 200);
}

#[tokio::test]
async fn attack_a_refresh_token_that_comes_back_ends_the_session_for_thief_and_owner() {
    let server = Server::start();
    let first = sign_in(&server).await;
    let second = refresh(&server, &first).await;
    let third = refresh(&server, &second).await;
    assert_eq!(third.status, 200);
    let stolen = refresh(&server, &first).await;
    stolen.is_error(401, "invalid_refresh_token", "Invalid refresh token");
    for tokens in [&first, &second, &third] {
        let reply = refresh(&server, tokens).await;
        reply.is_error(401, "invalid_refresh_token", "Invalid refresh token");
        let reply = me(&server, tokens).await;
        reply.is_error(401, "not_signed_in", "Not signed in");
    }
}

#[tokio::test]
async fn whoever_logs_out_is_out_at_once_and_stays_in_elsewhere() {
    let server = Server::start();
    let (here, there) = (sign_in(&server).await, sign_in(&server).await);
    assert_eq!(me(&server, &here).await.status, 200);
    let token = here.text("access_token");
    let reply = as_bearer(&server, "POST", "/api/v1/auth/logout", &token).await;
    assert_eq!(reply.status, 204, "{reply:?}");
    me(&server, &here)
        .await
        .is_error(401, "not_signed_in", "Not signed in");
    assert_eq!(refresh(&server, &here).await.status, 401);
    assert_eq!(me(&server, &there).await.status, 200);
}

#[tokio::test]
async fn whoever_logs_out_everywhere_is_out_everywhere_and_may_sign_in_again() {
    let server = Server::start();
    let (here, there) = (sign_in(&server).await, sign_in(&server).await);
    let token = here.text("access_token");
    let reply = as_bearer(&server, "POST", "/api/v1/auth/logout-all", &token).await;
    assert_eq!(reply.json(), json!({ "ended": 2 }));
    for tokens in [&here, &there] {
        assert_eq!(me(&server, tokens).await.status, 401);
        assert_eq!(refresh(&server, tokens).await.status, 401);
    }
    let again = sign_in(&server).await;
    assert_eq!(me(&server, &again).await.status, 200);
}

#[tokio::test]
async fn a_session_outlives_the_process() {
    let server = Server::start();
    let tokens = sign_in(&server).await;
    let server = server.kill_and_restart();
    assert_eq!(me(&server, &tokens).await.status, 200);
    assert_eq!(refresh(&server, &tokens).await.status, 200);
}

/// Starts a sign-in through somebody's page, and gives the state and the browser's cookie.
async fn start_oauth(server: &Server) -> (String, String) {
    let started = server.get("/api/auth/oauth/github/start").await;
    let cookie = started.header("set-cookie").unwrap().to_owned();
    for needed in ["HttpOnly", "Secure", "SameSite=Lax", "Max-Age=600"] {
        assert!(cookie.contains(needed), "{cookie}");
    }
    let (pair, _) = cookie.split_once(';').unwrap();
    (started.text("state"), pair.to_owned())
}

async fn call_back(server: &Server, name: &str, state: &str, cookie: &str) -> Reply {
    let path = format!("/api/auth/oauth/{name}/callback?state={state}");
    let request = server.client.get(server.url(&path));
    Reply::of(request.header(COOKIE, cookie)).await
}

#[tokio::test]
async fn a_state_is_taken_once_in_its_own_browser_and_for_its_own_provider() {
    let server = Server::start();
    let (state, cookie) = start_oauth(&server).await;
    let (_, others) = start_oauth(&server).await;
    let at_google = cookie.replace("github", "google");
    for (name, state, cookie) in [
        ("github", state.as_str(), others.as_str()),
        ("github", &state, "nothing=1"),
        ("google", &state, &at_google),
        ("github", "", &cookie),
        ("github", "made-up.state", &cookie),
    ] {
        let reply = call_back(&server, name, state, cookie).await;
        reply.is_error(400, "invalid_state", "Invalid state token");
    }
    let reply = call_back(&server, "github", &state, &cookie).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let reply = call_back(&server, "github", &state, &cookie).await;
    reply.is_error(400, "invalid_state", "Invalid state token");
}

#[tokio::test]
async fn a_state_is_worth_nothing_after_ten_minutes() {
    let server = Server::start();
    let (state, cookie) = start_oauth(&server).await;
    let mut database = server.database().await;
    let kept: i64 = sqlx::query_scalar("SELECT expires_at FROM otp_states")
        .fetch_one(&mut database)
        .await
        .unwrap();
    let left = Timestamp::from_millis(kept).since(SystemClock.now());
    assert!((500..=600).contains(&left.as_secs()), "{left:?}");
    let aged = "UPDATE otp_states SET expires_at = expires_at - 600000";
    query(aged).execute(&mut database).await.unwrap();
    let reply = call_back(&server, "github", &state, &cookie).await;
    reply.is_error(400, "invalid_state", "Invalid state token");
}

#[tokio::test]
async fn attack_states_that_nobody_takes_back_are_kept_of_an_address_so_often() {
    let server = Server::start();
    let mut answers = Vec::new();
    for _ in 0..80 {
        answers.push(server.get("/api/auth/oauth/github/start").await);
    }
    let refused = answers.iter().find(|reply| reply.status != 200).unwrap();
    refused.is_error(429, "rate_limited", "Too many requests");
    let policy = "\"address-60\";q=60;w=60";
    assert_eq!(refused.header("ratelimit-policy"), Some(policy));
}
