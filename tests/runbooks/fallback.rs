//! OTP Fallback & Manual Recovery Runbook.

use serde_json::{Value, json};

use crate::desk::{
    START, TOKENS, VERIFY, asks, dashboard, get, log_with, otpctl, post, records, server, shell,
    with,
};
use crate::support::redis::Redis;
use crate::support::{OTHER_PHONE, PHONE, Reply, Server, body_of_request, body_of_verify, wrong};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server, which it kills (./test.sh runs it)"]
async fn section_1_situation_assessment() {
    let mut redis = Redis::start();
    let server = with(&[("REDIS_URL", &redis.url()), ("OTP_REDIS_OUTAGE", "memory")]);
    assert_eq!(
        server.post(START, &body_of_request(PHONE)).await.status,
        200
    );
    let redis_is = async || server.get("/otp/status").await.text("redis");
    assert_eq!(redis_is().await, "redis connected");
    redis.kill();
    log_with(&server, "redis: memory fallback", 1).await;
    assert_eq!(redis_is().await, "memory fallback");

    // Its lines.
    let board = "curl -s -H \"x-admin-token: $ADMIN_TOKEN\" $ADMIN_URL/admin/otp/dashboard";
    let board: Value = serde_json::from_str(&asks(&server, board)).unwrap();
    let engines = board["engines"].as_array().unwrap();
    let is = |engine: &Value| engine["condition"] == "memory fallback";
    assert!(engines.iter().any(is), "{board}");
    let recent = shell("grep 'otp' | tail -n 50", &server.log());
    assert!(recent.lines().count() >= 3, "{recent}");
}

#[tokio::test(flavor = "multi_thread")]
async fn section_2_manual_session_provisioning() {
    let server = server();
    // An operator issues the session id; one that anybody made up is worth nothing.
    let whom = json!({ "user_id": "test-user", "reason": "Incident #123" });
    let issued = post(&server, "/admin/otp/session", &whom).await;
    let session = issued.text("sessionId");
    let folder = tempfile::tempdir().unwrap();
    let bring = |session: &str| {
        let cookies = folder.path().join("fan-session-cookie.txt");
        let line = format!(
            "curl -s -o /dev/null -w '%{{http_code}}' -X POST \"$BACKEND_URL/auth/fan/from-onboarding\" \
            -H \"content-type: application/json\" -d '{{\"sessionId\": \"{session}\"}}' -c {}",
            cookies.display()
        );
        let status = asks(&server, &line);
        (status, std::fs::read_to_string(cookies).unwrap_or_default())
    };
    let made_up = asks(&server, "cat /proc/sys/kernel/random/uuid");
    assert_eq!(bring(made_up.trim()).0, "401");
    let (status, cookies) = bring(&session);
    assert_eq!(status, "200");
    let line = cookies.lines().find(|line| line.starts_with("#HttpOnly_"));
    let pair: Vec<&str> = line.unwrap().split('\t').collect();
    let me = async || {
        let request = server.client.get(server.url("/api/me"));
        let cookie = format!("{}={}", pair[5], pair[6]);
        Reply::of(request.header("cookie", cookie)).await
    };
    assert_eq!(me().await.text("id"), "test-user");
    assert_eq!(bring(&session).0, "401", "it is brought once");

    // Delivery is restored: the manual sessions end, and all of it is on record.
    let out = post(&server, "/api/v1/auth/logout-all", &whom).await;
    assert_eq!(out.status, 200, "{out:?}");
    assert_eq!(me().await.status, 401);
    let all = records(&server).await;
    let deeds = all
        .iter()
        .filter(|record| record["reason"] == "provision_session");
    assert_eq!(deeds.count(), 1, "{all:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server (./test.sh runs it)"]
async fn section_3_redis_flush_and_health_validation() {
    let redis = Redis::start();
    let url = redis.url();
    let server = with(&[("REDIS_URL", &url)]);
    let started = server.post(START, &body_of_request(PHONE)).await;
    let code = started.text("preview_code");
    // One account is locked, which the flush must not open.
    let theirs = server.post(START, &body_of_request(OTHER_PHONE)).await;
    let typo = body_of_verify(OTHER_PHONE, &wrong(&theirs.text("preview_code")));
    for _ in 0..5 {
        server.post(VERIFY, &typo).await;
    }
    let replication = format!("redis-cli -u {url} INFO replication");
    let before = asks(&server, &replication);

    let flush = format!(
        "redis-cli -u \"{url}\" --scan --pattern \"otp:*\" | xargs -r redis-cli -u \"{url}\" del"
    );
    assert!(asks(&server, &flush).trim().parse::<u32>().unwrap() > 0);
    assert_eq!(
        asks(&server, &format!("redis-cli -u \"{url}\" PING")).trim(),
        "PONG"
    );
    let status = "curl -s \"$BACKEND_URL/otp/status\" | jq -c '{redis, rateLimits}'";
    let status: Value = serde_json::from_str(&asks(&server, status)).unwrap();
    assert_eq!(status["redis"], "redis connected");
    assert!(status["rateLimits"]["issue"].as_array().is_some());
    let line = |text: &str| {
        let found = text.lines().find(|line| line.starts_with("master_replid:"));
        found.map(str::to_owned)
    };
    assert_eq!(line(&before), line(&asks(&server, &replication)));

    // What was live ended, what was locked stays locked, and the service goes on.
    let tried = server.post(VERIFY, &body_of_verify(PHONE, &code)).await;
    tried.is_error(400, "invalid_otp", "Invalid OTP");
    let locked = server.post(START, &body_of_request(OTHER_PHONE)).await;
    locked.is_error(429, "locked", "Account temporarily locked");
    let again = server.post(START, &body_of_request(PHONE)).await;
    let code = again.text("preview_code");
    assert_eq!(
        server
            .post(VERIFY, &body_of_verify(PHONE, &code))
            .await
            .status,
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn section_4_whatsapp_template_compliance() {
    let settings = [
        ("DEV_MODE", "false"),
        ("WHATSAPP_TOKEN", "token"),
        ("WHATSAPP_PHONE_NUMBER_ID", "106540352242922"),
        ("WHATSAPP_TEMPLATE", "sign_in_code"),
        ("WHATSAPP_BASE_URL", "http://127.0.0.1:9"),
        TOKENS,
    ];
    let approved = "curl -s \"$BACKEND_URL/otp/status\" | jq -r .templates.whatsapp";
    let server = Server::with(&settings);
    assert_ne!(asks(&server, approved).trim(), "approved");
    drop(server);
    let flags = [
        ("OTP_WHATSAPP_TEMPLATE_APPROVED", "1"),
        (
            "OTP_WHATSAPP_RATE_LIMIT_DOC",
            "https://wiki.example.com/whatsapp",
        ),
    ];
    let server = Server::with(&[&settings[..], &flags].concat());
    assert_eq!(asks(&server, approved).trim(), "approved");
}

#[tokio::test(flavor = "multi_thread")]
async fn section_5_abuse_controls_and_emergency_blacklists() {
    const NUMBER: &str = "+250788000000";
    let server = server();
    let page = get(&server, "/admin/sms/otp").await;
    assert_eq!(page.status, 200, "{page:?}");
    assert!(page.body.contains("Rate limited") || page.body.contains("rate limited"));
    assert!(dashboard(&server).await["counters"]["rate_limited"].is_u64());

    // Its lines, on the operators' listener.
    let line = |method: &str, body: &str| {
        format!(
            "curl -s -o /dev/null -w '%{{http_code}}' -X {method} \"$ADMIN_URL/admin/otp/blacklist\" \
            -H \"content-type: application/json\" -H \"x-admin-token: $ADMIN_TOKEN\" -d '{body}'"
        )
    };
    let add = r#"{"type":"phone","value":"+250788000000","note":"Incident #123"}"#;
    let status = asks(&server, &line("POST", add));
    assert!(status.starts_with("20"), "{status}");
    let refused = server.post(START, &body_of_request(NUMBER)).await;
    assert_eq!(refused.status, 403, "{refused:?}");
    assert!(otpctl(&server, "block list").contains(NUMBER));
    let remove = r#"{"type":"phone","value":"+250788000000"}"#;
    let status = asks(&server, &line("DELETE", remove));
    assert!(status.starts_with("20"), "{status}");
    assert_eq!(
        server.post(START, &body_of_request(NUMBER)).await.status,
        200
    );

    // Both changes are on record, with the note.
    let all = records(&server).await;
    let deeds = all
        .iter()
        .filter(|record| record["action"] == "OPERATOR_ACTION");
    let notes: Vec<&Value> = deeds.map(|record| &record["why"]).collect();
    assert!(
        notes.iter().any(|note| *note == "Incident #123"),
        "{notes:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn section_6_post_incident_checklist() {
    let server = server();
    let started = server.post(START, &body_of_request(PHONE)).await;
    let code = started.text("preview_code");
    assert_eq!(
        server
            .post(VERIFY, &body_of_verify(PHONE, &code))
            .await
            .status,
        200
    );
    let status = otpctl(&server, "status");
    assert!(status.contains("connected"), "{status}");
    let smoke = "curl -s -o /dev/null -w '%{http_code}' $BACKEND_URL/healthz";
    assert_eq!(asks(&server, smoke), "200");
}
