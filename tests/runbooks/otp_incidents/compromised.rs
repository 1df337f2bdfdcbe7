use serde_json::json;
use sqlx::{Row as _, query};

use crate::desk::{
    Metrics, START, TOKENS, VERIFY, dashboard, log_with, otpctl, post, post_from, records, shell,
    with,
};
use crate::support::mailer::Mailer;
use crate::support::{OTHER_PHONE, PHONE, Server, body_of_request, body_of_verify, wrong};

/// Who tries codes in masses.
const ATTACKER: &str = "192.168.1.100";
const KEYS: &str = "old:c2VjcmV0LW9mLXRlc3RzLW9ubHktbm90aGluZy1lbHNl\n";

#[tokio::test(flavor = "multi_thread")]
async fn section_1_compromised_token_discovery() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    std::fs::write(&keys, KEYS).unwrap();
    let server = with(&[
        ("TRUSTED_PROXIES", "127.0.0.1"),
        ("OTP_KEYS", ""),
        ("OTP_KEYS_FILE", keys.to_str().unwrap()),
    ]);

    // The incident: one code is used by somebody else, and many are tried from one address.
    let stolen = server.post(START, &body_of_request(PHONE)).await;
    let code = stolen.text("preview_code");
    let body = body_of_verify(PHONE, &code);
    let let_in = post_from(&server, ATTACKER, VERIFY, &body).await;
    assert_eq!(let_in.status, 200, "{let_in:?}");
    let mut codes = vec![code];
    for number in 130..140 {
        let phone = format!("+14155550{number}");
        let started = server.post(START, &body_of_request(&phone)).await;
        let code = started.text("preview_code");
        let guess = body_of_verify(&phone, &wrong(&code));
        let guessed = post_from(&server, ATTACKER, VERIFY, &guess).await;
        guessed.is_error(400, "invalid_otp", "Invalid OTP");
        codes.push(code);
    }

    // It shows: on the dashboard, in the metrics, and by the lines of the runbook over the log.
    let board = dashboard(&server).await;
    let worst = &board["attackers"]["addresses"][0];
    assert_eq!(
        (&worst["name"], &worst["accounts"]),
        (&json!(ATTACKER), &json!(10))
    );
    let metrics = Metrics::of(&server).await;
    let refused = ["operation=\"verify\"", "reason=\"invalid_otp\""];
    assert_eq!(metrics.sum("otp_refusals_total", &refused), 10.0);
    let log = log_with(&server, "reason=invalid_otp", 10).await;
    let export = "grep 'identity.auth.validation_attempt'";
    let tries = shell(export, &log);
    assert_eq!(tries.lines().count(), 11, "{tries}");
    let line = format!("{export} | grep outcome=success | awk '{{print $NF}}' | sort | uniq -c");
    assert_eq!(shell(&line, &log).trim(), format!("1 ip={ATTACKER}"));
    let anomalies = shell(
        &format!("{export} | awk '{{print $NF}}' | sort | uniq -c"),
        &log,
    );
    assert_eq!(anomalies.trim(), format!("11 ip={ATTACKER}"));

    // The forensics: its statements as they stand.
    let mut database = server.database().await;
    let many = "SELECT user_id, COUNT(*) as challenge_count, MIN(created_at), MAX(created_at)
        FROM auth_challenges GROUP BY user_id HAVING COUNT(*) > 10 ORDER BY challenge_count DESC";
    assert!(
        query(many)
            .fetch_all(&mut database)
            .await
            .unwrap()
            .is_empty()
    );
    for _ in 0..5 {
        server.post(START, &body_of_request(OTHER_PHONE)).await;
    }
    let sixth = server.post(START, &body_of_request(OTHER_PHONE)).await;
    sixth.is_error(429, "rate_limited", "Too many requests");
    let many = many.replace("> 10", "> 4");
    let found = query(sqlx::AssertSqlSafe(many))
        .fetch_all(&mut database)
        .await
        .unwrap();
    assert_eq!(
        found.len(),
        1,
        "who asked five times is found, and asks no more"
    );
    let user: String = found[0].get("user_id");
    let late = "UPDATE auth_challenges SET expires_at = created_at, ended_at = created_at
        WHERE state = 'live' AND user_id <> $1";
    query(late)
        .bind(&user)
        .execute(&mut database)
        .await
        .unwrap();
    let expired = body_of_verify("+14155550130", &codes[1]);
    let expired = post_from(&server, ATTACKER, VERIFY, &expired).await;
    expired.is_error(400, "invalid_otp", "Invalid OTP");

    // Isolate the affected: their codes end, and their passwords.
    let code = server.post(START, &body_of_request("+14155550150")).await;
    let code = code.text("preview_code");
    let whose = "SELECT user_id FROM auth_challenges ORDER BY created_at DESC, id LIMIT 1";
    let whose: String = query(whose).fetch_one(&mut database).await.unwrap().get(0);
    let delete = "DELETE FROM auth_challenges WHERE user_id IN ($1, 'user2')";
    let deleted = query(delete)
        .bind(&whose)
        .execute(&mut database)
        .await
        .unwrap();
    assert_eq!(deleted.rows_affected(), 1);
    let tried = server
        .post(VERIFY, &body_of_verify("+14155550150", &code))
        .await;
    tried.is_error(400, "invalid_otp", "Invalid OTP");
    let revoked = otpctl(
        &server,
        &format!("revoke --phone {OTHER_PHONE} --reason INC-1"),
    );
    assert!(revoked.starts_with("1 revoked"), "{revoked}");
    let force = "UPDATE users SET force_password_reset = true WHERE sub IN ('test-user', 'user2')";
    let forced = query(force).execute(&mut database).await.unwrap();
    assert_eq!(forced.rows_affected(), 1);
    let route = "/admin/otp/users/test-user/force-password-reset";
    assert_eq!(post(&server, route, &json!({})).await.status, 200);

    // Block the address.
    let block = json!({ "ip": ATTACKER, "reason": "Mass token validation attempts" });
    let blocked = post(&server, "/admin/api/v1/blocklist/ip", &block).await;
    assert_eq!(blocked.status, 200, "{blocked:?}");
    let again = post_from(&server, ATTACKER, START, &body_of_request("+14155550151")).await;
    assert_eq!(again.status, 403, "{again:?}");
    let others = post_from(
        &server,
        "192.168.1.101",
        START,
        &body_of_request("+14155550151"),
    )
    .await;
    assert_eq!(others.status, 200, "{others:?}");

    // Somebody signs in and enrols meanwhile: events name them, and an id is not taken for a token.
    let user = server.sign_in("+14155550160").await;
    server.authenticator_of(&user).await;
    let id = user.json()["user"]["id"].as_str().unwrap().to_owned();
    log_with(&server, &format!("user_id={id}"), 1).await;

    // Rotate the keys.
    let rotated = otpctl(&server, "keys rotate --reason INC-1");
    assert!(rotated.starts_with("1 made current"), "{rotated}");
    let log = log_with(&server, "keys were rotated", 1).await;

    // No code and no token is anywhere: the search of the runbook finds nothing.
    codes.extend(["access_token", "refresh_token"].map(|name| let_in.text(name)));
    let found = shell(r"grep -E '\b[0-9]{6}\b|\b[a-f0-9]{32,}\b'", &log);
    assert_eq!(found, "");
    let metrics = Metrics::of(&server).await;
    for secret in &codes {
        assert!(!metrics.text().contains(secret.as_str()), "{secret}");
    }

    // Who did what, and why, for the report.
    let records = records(&server).await;
    for deed in ["revoke:1", "force_password_reset", "rotate_keys"] {
        let done = records.iter().find(|record| record["reason"] == deed);
        let done = done.unwrap_or_else(|| panic!("{deed} in {records:?}"));
        assert_eq!(
            (&done["action"], &done["operator"]),
            (&json!("OPERATOR_ACTION"), &json!("mike"))
        );
    }
}

/// Its text, as it stands.
const NOTICE: &str = "Subject: Security Incident Notification

Dear User,

We recently detected unauthorized access attempts on your account.
";

#[tokio::test(flavor = "multi_thread")]
async fn section_1_notify_affected_users() {
    let mailer = Mailer::answering(202).await;
    let settings = [&mailer.settings()[..], &[TOKENS]].concat();
    let server = Server::with(&settings);
    let ann = "INSERT INTO users (sub, email) VALUES ('ann', 'ann@example.com')";
    let ann = query(ann).execute(&mut server.database().await).await;
    assert_eq!(ann.unwrap().rows_affected(), 1);
    let list = json!({ "users": ["ann"], "template": NOTICE, "reason": "INC-1" });
    let told = post(&server, "/admin/otp/notify", &list).await;
    assert_eq!((told.status, &told.json()["count"]), (200, &json!(1)));
    let mails = mailer.mails();
    assert_eq!(mails[0]["subject"], "Security Incident Notification");
}
