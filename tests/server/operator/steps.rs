use reqwest::Method;
use serde_json::json;
use sqlx::Row as _;

use super::{MIKE, START, VERIFY, acts, call, get, post, server};
use crate::support::{PHONE, Reply, Server, body_of_request, body_of_verify, wrong};

#[tokio::test]
async fn revoked_codes_are_worth_nothing_and_nothing_is_revoked_by_leaving_something_out() {
    let server = server();
    let revoke = "/admin/otp/revoke";
    let code = server
        .post(START, &body_of_request(PHONE))
        .await
        .text("preview_code");
    for body in [
        json!({}),
        json!({ "all": true, "phone": PHONE }),
        json!({ "all": false }),
    ] {
        let reply = post(&server, revoke, &body).await;
        reply.is_error(400, "name_something", "Say which codes, or all");
    }
    let soon = json!({ "from": "2026-01-01" });
    assert_eq!(
        post(&server, revoke, &soon).await.text("code"),
        "invalid_time"
    );
    let dry = post(
        &server,
        "/admin/otp/revoke?dry_run=1",
        &json!({ "all": true }),
    )
    .await;
    assert_eq!(
        (
            dry.json()["count"].as_u64(),
            dry.json()["dry_run"].as_bool()
        ),
        (Some(1), Some(true))
    );
    for miss in [
        json!({ "user_id": "nobody" }),
        json!({ "ip": "203.0.113.1" }),
        json!({ "channel": "email" }),
        json!({ "key_id": "other" }),
        json!({ "until": "2020-01-01T00:00:00Z" }),
    ] {
        assert_eq!(
            post(&server, revoke, &miss).await.json()["count"],
            0,
            "{miss}"
        );
    }
    let body = json!({ "phone": PHONE, "from": "2020-01-01T00:00:00Z", "note": "leaked" });
    assert_eq!(post(&server, revoke, &body).await.json()["count"], 1);
    let tried = server.post(VERIFY, &body_of_verify(PHONE, &code)).await;
    tried.is_error(400, "invalid_otp", "Invalid OTP");
    let last = acts(&server).await.pop();
    assert_eq!(last.as_deref(), Some("mike: revoke:1: leaked"));
}

#[tokio::test]
async fn a_locked_person_is_explained_unlocked_and_signs_in() {
    let server = server();
    let code = server
        .post(START, &body_of_request(PHONE))
        .await
        .text("preview_code");
    for _ in 0..5 {
        server
            .post(VERIFY, &body_of_verify(PHONE, &wrong(&code)))
            .await;
    }
    assert_eq!(
        server
            .post(START, &body_of_request(PHONE))
            .await
            .text("code"),
        "locked"
    );
    let whom = json!({ "phone": PHONE, "reason": "she called" });
    let told = post(&server, "/admin/otp/explain", &whom).await.json();
    assert_eq!(told["refused_by"], json!(["locked"]));
    assert_eq!(told["whom"], "+1415•••0123");
    assert!(told["refusals"].as_array().unwrap().len() >= 6, "{told}");

    let unlock = "/admin/otp/unlock";
    post(&server, "/admin/otp/unlock?dry_run=true", &whom).await;
    assert_eq!(
        server
            .post(START, &body_of_request(PHONE))
            .await
            .text("code"),
        "locked"
    );
    assert_eq!(post(&server, unlock, &whom).await.json()["count"], 1);
    let code = server
        .post(START, &body_of_request(PHONE))
        .await
        .text("preview_code");
    let signed_in = server.post(VERIFY, &body_of_verify(PHONE, &code)).await;
    assert_eq!(signed_in.status, 200);
    for body in [json!({}), json!({ "phone": PHONE, "user_id": "x" })] {
        let reply = post(&server, unlock, &body).await;
        reply.is_error(400, "name_one", "user_id, phone, email or ip, exactly one");
    }
    let invalid = post(&server, unlock, &json!({ "phone": "12" })).await;
    invalid.is_error(400, "invalid_phone", "Invalid phone number");
}

#[tokio::test]
async fn limits_are_cleared_for_one_phone() {
    let server = server();
    for _ in 0..5 {
        server.post(START, &body_of_request(PHONE)).await;
    }
    assert_eq!(
        server.post(START, &body_of_request(PHONE)).await.status,
        429
    );
    let body = json!({ "phone": PHONE, "note": "five in an hour is too few for her" });
    let clear = "/admin/otp/limits/clear";
    post(&server, "/admin/otp/limits/clear?dry_run=true", &body).await;
    assert_eq!(
        server.post(START, &body_of_request(PHONE)).await.status,
        429
    );
    assert!(post(&server, clear, &body).await.json()["count"].as_u64() >= Some(1));
    assert_eq!(
        server.post(START, &body_of_request(PHONE)).await.status,
        200
    );
    let wrong = post(&server, clear, &json!({ "ip": "here" })).await;
    wrong.is_error(400, "invalid_ip", "Invalid IP address");
}

#[tokio::test]
async fn the_dashboard_counts_what_happened_and_says_how_everything_is() {
    let server = server();
    let code = server
        .post(START, &body_of_request(PHONE))
        .await
        .text("preview_code");
    for _ in 0..2 {
        server
            .post(VERIFY, &body_of_verify(PHONE, &wrong(&code)))
            .await;
    }
    server.post(VERIFY, &body_of_verify(PHONE, &code)).await;
    let seen = get(&server, "/admin/otp/dashboard").await.json();
    let counters = &seen["counters"];
    assert_eq!(
        (&counters["sent"], &counters["verified"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(counters["not_verified"], 2);
    assert_eq!(seen["rates"]["verification"], "33.3");
    assert_eq!(seen["rates"]["delivery"], "100.0");
    assert_eq!(seen["attackers"]["addresses"][0]["name"], "127.0.0.1");
    assert_eq!(
        seen["engines"][0],
        json!({ "engine": "sqlite", "condition": "connected" })
    );
    let sms = seen["routes"].as_array().unwrap().iter();
    let sms = sms.filter(|route| route["channel"] == "sms").count();
    assert_eq!(sms, 1, "{seen}");
    assert!(!seen.to_string().contains("4155550123"), "{seen}");
}

#[tokio::test]
async fn the_export_is_read_on_from_a_line() {
    let server = server();
    server.post(START, &body_of_request(PHONE)).await;
    server.post(START, &body_of_request(PHONE)).await;
    let first = get(&server, "/admin/otp/audit?limit=1").await;
    assert_eq!(first.header("content-type"), Some("application/x-ndjson"));
    let link = first.header("link");
    assert!(
        link.is_some_and(|link| link.ends_with("rel=\"next\"")),
        "{link:?}"
    );
    let first = first.body.lines().next().unwrap();
    let first: serde_json::Value = serde_json::from_str(first).unwrap();
    let rest = get(
        &server,
        &format!("/admin/otp/audit?after={}", first["sequence"]),
    )
    .await;
    let first = first["sequence"].as_u64();
    let lines = rest
        .body
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let mut lines: Vec<serde_json::Value> = lines.collect();
    let end = lines.pop().unwrap();
    assert_eq!(end["count"].as_u64(), u64::try_from(lines.len()).ok());
    let mut places = lines.iter().map(|line| line["sequence"].as_u64());
    assert!(places.all(|place| place > first));
    assert!(!rest.body.contains("4155550123") && rest.body.contains("+1415•••0123"));
    assert!(
        rest.body.contains("export_audit"),
        "reading is on record too"
    );
    let unknown = get(&server, "/admin/otp/audit?before=1").await;
    unknown.is_error(400, "unknown_query", "Unknown query");
}

#[tokio::test]
async fn keys_rotate_under_codes_that_are_under_way() {
    const KEYS: &str = "old:c2VjcmV0LW9mLXRlc3RzLW9ubHktbm90aGluZy1lbHNl\n";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys");
    std::fs::write(&file, KEYS).unwrap();
    let path = file.to_str().unwrap();
    let tokens = ("ADMIN_TOKENS", super::TOKENS);
    let server = Server::with(&[tokens, ("OTP_KEYS", ""), ("OTP_KEYS_FILE", path)]);
    let code = server
        .post(START, &body_of_request(PHONE))
        .await
        .text("preview_code");

    let rotate = "/admin/otp/keys/rotate";
    let why = json!({ "reason": "quarterly" });
    post(&server, "/admin/otp/keys/rotate?dry_run=true", &why).await;
    assert_eq!(std::fs::read_to_string(&file).unwrap(), KEYS);
    let done = post(&server, rotate, &why).await;
    assert_eq!(done.status, 200, "{done:?}");
    let id = done.json()["sample"][0].as_str().unwrap().to_owned();
    let written = std::fs::read_to_string(&file).unwrap();
    assert!(written.starts_with(&format!("{id}:")) && written.ends_with(KEYS));
    let signed_in = server.post(VERIFY, &body_of_verify(PHONE, &code)).await;
    assert_eq!(signed_in.status, 200, "a code of the old key works");
    server.post(START, &body_of_request(PHONE)).await;
    let body = json!({ "key_id": id });
    let dry = post(&server, "/admin/otp/revoke?dry_run=true", &body).await;
    assert_eq!(dry.json()["count"], 1, "the next code is of the new key");
    let secret = written.split([':', '\n']).nth(1).unwrap().to_owned();
    assert!(!server.whole_log().contains(&secret));
}

#[tokio::test]
async fn keys_that_are_in_no_file_are_not_rotated() {
    let server = server();
    let reply = post(&server, "/admin/otp/keys/rotate", &json!({})).await;
    reply.is_error(409, "no_key_file", "Keys are not kept in a file");
}

#[tokio::test]
async fn a_user_must_choose_another_password_and_a_dry_run_leaves_the_old_one() {
    let server = server();
    let forced = async || {
        let row = "SELECT force_password_reset AS forced FROM users WHERE sub = 'test-user'";
        let row = sqlx::query(row)
            .fetch_one(&mut server.database().await)
            .await;
        row.unwrap().get::<bool, _>("forced")
    };
    let path = "/admin/otp/users/test-user/force-password-reset";
    let dry = format!("{path}?dry_run=true");
    assert_eq!(
        post(&server, &dry, &json!({})).await.json()["dry_run"],
        true
    );
    assert!(!forced().await);
    assert_eq!(post(&server, path, &json!({})).await.status, 200);
    assert!(forced().await);
    let bare = call(&server, Method::POST, path, None).await;
    assert_eq!(bare.status, 200, "forced again, without a body: {bare:?}");
    let why = json!({ "note": "leaked" });
    assert_eq!(post(&server, path, &why).await.status, 200);
    assert_eq!(
        acts(&server).await,
        [
            "mike: preview_force_password_reset: no reason given",
            "mike: force_password_reset: no reason given",
            "mike: force_password_reset: no reason given",
            "mike: force_password_reset: leaked",
        ]
    );
    let unknown = "/admin/otp/users/nobody/force-password-reset";
    let unknown = post(&server, unknown, &json!({})).await;
    unknown.is_error(404, "unknown_user", "Unknown user");
    let body = json!({ "because": "x" });
    let malformed = post(&server, path, &body).await;
    malformed.is_error(400, "malformed", "Malformed request body");
    let get = get(&server, path).await;
    get.is_error(405, "method_not_allowed", "Method not allowed");
}

#[tokio::test]
async fn errors_come_as_problems_where_they_are_asked_for() {
    let server = server();
    let url = format!("http://{}/admin/otp/unlock", server.admin);
    let request = server
        .client
        .post(url)
        .header("accept", "application/problem+json");
    let request = request.header("x-admin-token", MIKE).json(&json!({}));
    let reply = Reply::of(request).await;
    assert_eq!(
        reply.header("content-type"),
        Some("application/problem+json")
    );
    assert_eq!(reply.json()["code"], "name_one");
    for path in ["/healthz", "/readyz"] {
        assert_eq!(get(&server, path).await.status, 200);
    }
}

#[tokio::test]
async fn codes_are_revoked_by_the_times_that_answers_print() {
    let server = server();
    for (from, until, count) in [
        (
            "2020-01-31T12:00:00.000Z",
            "2020-01-31T15:00:00.25+01:00",
            0,
        ),
        (
            "2020-01-31T12:00:00.000Z",
            "2999-01-31T15:00:00.25+01:00",
            1,
        ),
    ] {
        let started = server.post(START, &body_of_request(PHONE)).await;
        assert_eq!(started.status, 200, "{started:?}");
        let body = json!({ "from": from, "until": until, "note": "Incident #123" });
        let done = post(&server, "/admin/otp/revoke?dry_run=true", &body).await;
        assert_eq!(done.json()["count"].as_u64(), Some(count), "{done:?}");
    }
    let printed = get(&server, "/admin/otp/dashboard").await;
    let body = json!({ "until": printed.json()["at"], "note": "Incident #123" });
    let done = post(&server, "/admin/otp/revoke", &body).await;
    assert_eq!(done.status, 200, "{done:?}");
    for bad in ["yesterday", "2026-01-31T12:00:00", "2026-02-30T12:00:00Z"] {
        let body = json!({ "from": bad, "note": "Incident #123" });
        let refused = post(&server, "/admin/otp/revoke", &body).await;
        assert_eq!(refused.text("code"), "invalid_time", "{bad}");
    }
}
