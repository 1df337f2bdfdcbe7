use serde_json::json;
use sqlx::query;

use crate::desk::{
    Metrics, START, VERIFY, dashboard, log_with, otpctl, post_from, set_policy, shell, with,
};
use crate::support::{PHONE, body_of_request, body_of_verify};

const ATTACKER: &str = "192.168.1.100";
/// Its YAML, as it stands.
const STRICT: &str = "
   # Reduce rate limits during attack
   rate_limiting:
     per_user:
       window: 5m
       max_attempts: 3  # Reduced from 10
     per_ip:
       window: 5m
       max_attempts: 10  # Reduced from 50
";
const NORMAL: &str = "
   # Return to standard rate limits once attack subsides
   rate_limiting:
     per_user:
       window: 5m
       max_attempts: 10
     per_ip:
       window: 5m
       max_attempts: 50
";

/// Sends starts for people of an address until one is refused, and gives how many were taken.
async fn taken(server: &crate::support::Server, ip: &str, from: u32) -> u32 {
    for number in from..from + 60 {
        let phone = format!("+1415555{number:04}");
        let reply = post_from(server, ip, START, &body_of_request(&phone)).await;
        match reply.status {
            200 => {}
            429 => return number - from,
            _ => panic!("{reply:?}"),
        }
    }
    60
}

#[tokio::test(flavor = "multi_thread")]
async fn section_3_abuse_detection_rate_limiting_violations() {
    let server = with(&[
        ("TRUSTED_PROXIES", "127.0.0.1"),
        ("RATE_LIMIT_REQUESTS", "55"),
    ]);

    // The incident: one address asks for codes again and again, and tries codes that nobody has.
    assert_eq!(taken(&server, ATTACKER, 1000).await, 55);
    for _ in 0..4 {
        post_from(&server, ATTACKER, START, &body_of_request(PHONE)).await;
    }
    let nobody = body_of_verify("+14155550199", "123456");
    let unknown = post_from(&server, ATTACKER, VERIFY, &nobody).await;
    unknown.is_error(400, "invalid_otp", "Invalid OTP");

    // It shows: the metric, the dashboard, and its lines over the log.
    let metrics = Metrics::of(&server).await;
    let exceeded = ["event=\"identity.ratelimit.exceeded\""];
    assert_eq!(metrics.sum("otp_events_total", &exceeded), 5.0);
    assert_eq!(
        metrics.sum("otp_http_requests_total", &["status=\"429\""]),
        5.0
    );
    let board = dashboard(&server).await;
    assert_eq!(board["attackers"]["addresses"][0]["name"], ATTACKER);
    let log = log_with(&server, "identity.ratelimit.exceeded", 5).await;
    let top = "grep 'identity.ratelimit.exceeded' | awk '{print $NF}' | sort | uniq -c | sort -rn | head -20";
    assert_eq!(shell(top, &log).trim(), format!("5 ip={ATTACKER}"));
    let users = r"grep 'identity.ratelimit.exceeded' | grep -oP 'user_id=\K[^ ]+' | sort | uniq -c | sort -rn | head -20";
    let users = shell(users, &log);
    assert!(users.trim_start().starts_with("4 "), "{users}");
    let timeline = "grep 'identity.ratelimit.exceeded' | awk '{print $1, $2}' | uniq -c";
    assert!(!shell(timeline, &log).is_empty());
    let targets =
        r"grep 'invalid_otp' | grep -oP 'user_id=\K[^ ]+' | sort | uniq -c | sort -rn | head -50";
    assert!(
        !log.contains("4155550199"),
        "the target is there by a name of its own"
    );
    assert!(shell(targets, &log).lines().count() <= 1);

    // Block it before the application; others go on.
    otpctl(
        &server,
        &format!("block ip {ATTACKER} --for 2h --reason INC-3"),
    );
    let out = post_from(&server, ATTACKER, START, &body_of_request(PHONE)).await;
    assert_eq!(out.status, 403, "{out:?}");
    let other = post_from(&server, "192.168.1.7", START, &body_of_request(PHONE)).await;
    assert_eq!(other.status, 200, "{other:?}");

    // Stricter limits by its YAML, without a restart, and back.
    set_policy(&server, STRICT);
    assert_eq!(taken(&server, "192.168.1.8", 2000).await, 10);
    set_policy(&server, NORMAL);
    assert_eq!(taken(&server, "192.168.1.9", 3000).await, 50);

    // Somebody was refused by mistake: the statement as it stands, and the call.
    let whose = "SELECT DISTINCT user_id FROM rate_limit_attempts WHERE user_id IS NOT NULL";
    let mut database = server.database().await;
    let known = query(whose).fetch_all(&mut database).await.unwrap().len();
    assert!(known > 0);
    let clear = "DELETE FROM rate_limit_attempts WHERE user_id IN ('user1', 'user2')";
    query(clear).execute(&mut database).await.unwrap();
    let mut last = 200;
    while last == 200 {
        last = post_from(&server, "192.168.1.10", START, &body_of_request(PHONE))
            .await
            .status;
    }
    assert_eq!(last, 429);
    otpctl(
        &server,
        &format!("limits clear --phone {PHONE} --reason INC-3"),
    );
    let back = post_from(&server, "192.168.1.10", START, &body_of_request(PHONE)).await;
    assert_eq!(back.status, 200, "{back:?}");

    // It is over.
    otpctl(&server, &format!("unblock ip {ATTACKER} --reason INC-3"));
    let back = post_from(
        &server,
        ATTACKER,
        VERIFY,
        &json!({ "phone": PHONE, "otp": "123456" }),
    )
    .await;
    back.is_error(400, "invalid_otp", "Invalid OTP");
}
