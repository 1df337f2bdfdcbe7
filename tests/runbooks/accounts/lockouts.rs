use serde_json::json;
use sqlx::{Row as _, query};

use crate::desk::{
    Metrics, START, TOKENS, VERIFY, asks, dashboard, get, log_with, otpctl, post, post_from, shell,
    with,
};
use crate::own::Own;
use crate::support::redis::Redis;
use crate::support::{PHONE, Server, body_of_request, body_of_verify, wrong};

const ATTACKER: &str = "203.0.113.66";

/// Guesses at an account until it is locked, and gives what the last guess was answered.
async fn lock(server: &Server, ip: &str, phone: &str) -> String {
    let started = post_from(server, "198.51.100.1", START, &body_of_request(phone)).await;
    let typo = wrong(&started.text("preview_code"));
    for _ in 0..5 {
        post_from(server, ip, VERIFY, &body_of_verify(phone, &typo)).await;
    }
    let refused = post_from(server, "198.51.100.1", START, &body_of_request(phone)).await;
    refused.is_error(429, "locked", "Account temporarily locked");
    typo
}

#[tokio::test(flavor = "multi_thread")]
async fn section_1_user_reports_locked_account() {
    let server = with(&[("TRUSTED_PROXIES", "127.0.0.1")]);
    lock(&server, "198.51.100.1", PHONE).await;

    // It shows: in the answer, in the log, and by whom and how it came to it.
    let log = log_with(&server, "Account temporarily locked", 1).await;
    assert!(!shell("grep 'Account temporarily locked'", &log).contains("4155550123"));
    let shown = otpctl(&server, &format!("limits show --phone {PHONE}"));
    assert!(shown.contains("refused by: locked"), "{shown}");
    let mut database = server.database().await;
    let actor = "SELECT actor_id FROM audit_logs WHERE event_type = 'login_failure' LIMIT 1";
    let actor: String = query(actor).fetch_one(&mut database).await.unwrap().get(0);
    let attempts = "SELECT * FROM audit_logs
        WHERE actor_id = $1 AND event_type = 'login_attempt'
        ORDER BY created_at DESC LIMIT 20";
    let attempts = query(attempts)
        .bind(&actor)
        .fetch_all(&mut database)
        .await
        .unwrap();
    let outcomes: Vec<String> = attempts.iter().map(|row| row.get("outcome")).collect();
    assert_eq!(outcomes, ["refused", "success"]);

    // It is the owner: unlock.
    otpctl(
        &server,
        &format!("unlock --phone {PHONE} --reason she-called"),
    );
    let back = server.post(START, &body_of_request(PHONE)).await;
    let code = back.text("preview_code");
    assert_eq!(
        server
            .post(VERIFY, &body_of_verify(PHONE, &code))
            .await
            .status,
        200
    );

    // It is an attacker: leave it locked, watch, and block the address.
    lock(&server, ATTACKER, "+14155550131").await;
    otpctl(
        &server,
        &format!("block ip {ATTACKER} --for 1d --reason brute-force"),
    );
    let more = body_of_verify("+14155550131", "123456");
    let more = post_from(&server, ATTACKER, VERIFY, &more).await;
    assert_eq!(more.status, 403, "{more:?}");
    let board = dashboard(&server).await;
    assert!(board["counters"]["locked"].as_u64() >= Some(2), "{board}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs redis-server, which it kills (./test.sh runs it)"]
async fn section_2_circuit_breaker_triggered() {
    let mut redis = Redis::start();
    let url = redis.url();
    let server = with(&[("REDIS_URL", &url), ("OTP_REDIS_OUTAGE", "closed")]);
    assert_eq!(
        server.post(START, &body_of_request(PHONE)).await.status,
        200
    );
    let ping = format!("redis-cli -u {url} PING; redis-cli -u {url} INFO server | head -2");
    assert!(asks(&server, &ping).starts_with("PONG"));

    redis.kill();
    for number in 130..145 {
        let phone = format!("+14155550{number}");
        let refused = server.post(START, &body_of_request(&phone)).await;
        refused.is_error(503, "unavailable", "Service unavailable");
    }
    log_with(&server, "Circuit breaker OPEN", 1).await;
    assert_eq!(server.get("/otp/status").await.text("redis"), "unavailable");
    let metrics = Metrics::of(&server).await;
    assert_eq!(
        metrics.sum("otp_http_requests_total", &["status=\"503\""]),
        15.0
    );

    // Redis is started again, and nothing else is done.
    redis.restart();
    log_with(&server, "redis: connected again", 1).await;
    assert_eq!(
        server.get("/otp/status").await.text("redis"),
        "redis connected"
    );
    assert_eq!(
        server.post(START, &body_of_request(PHONE)).await.status,
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn section_3_mass_account_lockouts() {
    let server = with(&[("TRUSTED_PROXIES", "127.0.0.1")]);
    for number in 130..137 {
        lock(&server, ATTACKER, &format!("+14155550{number}")).await;
    }
    let board = dashboard(&server).await;
    let worst = &board["attackers"]["addresses"][0];
    assert_eq!(
        (&worst["name"], &worst["accounts"]),
        (&json!(ATTACKER), &json!(7))
    );
    let metrics = Metrics::of(&server).await;
    let wrong = ["operation=\"verify\"", "reason=\"invalid_otp\""];
    assert_eq!(metrics.sum("otp_refusals_total", &wrong), 35.0);

    otpctl(
        &server,
        &format!("block ip {ATTACKER} --for 1d --reason INC-9"),
    );
    let more = post_from(&server, ATTACKER, START, &body_of_request("+14155550150")).await;
    assert_eq!(more.status, 403, "{more:?}");
    let reset = "/admin/otp/users/test-user/force-password-reset";
    assert_eq!(post(&server, reset, &json!({})).await.status, 200);
    // Whoever was locked out by it is let in again.
    for number in 130..137 {
        otpctl(
            &server,
            &format!("unlock --phone +14155550{number} --reason INC-9"),
        );
    }
    let back = server.post(START, &body_of_request("+14155550130")).await;
    assert_eq!(back.status, 200, "{back:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn section_3_its_queries_as_they_stand() {
    let own = Own::new().await;
    let url = own.url.clone();
    let server = Server::with(&[
        TOKENS,
        ("DATABASE_URL", &url),
        ("TRUSTED_PROXIES", "127.0.0.1"),
        ("RATE_LIMIT_REQUESTS", "10000"),
    ]);
    for number in 130..136 {
        lock(&server, ATTACKER, &format!("+14155550{number}")).await;
    }
    let pattern = "SELECT ip_address, COUNT(*) as attempts
        FROM audit_logs
        WHERE event_type = 'login_failure'
        AND created_at > NOW() - INTERVAL '1 hour'
        GROUP BY ip_address
        ORDER BY attempts DESC
        LIMIT 10;";
    assert_eq!(own.psql(pattern), format!("{ATTACKER}|30"));
    let accounts = "SELECT ip_address, COUNT(DISTINCT actor_id) as accounts
        FROM audit_logs
        WHERE event_type = 'login_failure'
        AND created_at > NOW() - INTERVAL '1 hour'
        GROUP BY ip_address
        HAVING COUNT(DISTINCT actor_id) > 5;";
    assert_eq!(own.psql(accounts), format!("{ATTACKER}|6"));
    drop(server);
    own.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn section_8_legitimate_traffic_being_rate_limited() {
    let server = Server::with(&[TOKENS, ("RATE_LIMIT_REQUESTS", "3")]);
    let guess = body_of_verify(PHONE, "123456");
    for _ in 0..3 {
        assert_eq!(server.post(VERIFY, &guess).await.status, 400);
    }
    let refused = server.post(VERIFY, &guess).await;
    refused.is_error(429, "rate_limited", "Too many requests");

    // What is in force, and why this one was refused.
    let limits = asks(
        &server,
        "curl -s \"$BACKEND_URL/otp/status\" | jq -c '.rateLimits.verify'",
    );
    assert!(
        limits.contains(r#"{"scope":"address","limit":3,"windowSeconds":60}"#),
        "{limits}"
    );
    let why = otpctl(&server, "limits show --ip 127.0.0.1");
    assert!(why.contains("refused by: quota_address"), "{why}");

    // More for an hour, without a restart; it ends by itself.
    let more = "policy override quota --operation verify --scope address --max 200 --window 1m \
        --for 1h --reason INC-8";
    otpctl(&server, more);
    let taken = server.post(VERIFY, &guess).await;
    taken.is_error(400, "invalid_otp", "Invalid OTP");
    let overrides = get(&server, "/admin/otp/dashboard").await.json()["overrides"].clone();
    assert_eq!(overrides.as_array().map(Vec::len), Some(1), "{overrides}");
}
