//! Telling a list of users something.

use reqwest::Method;
use serde_json::{Value, json};

use super::{START, TOKENS, VERIFY, acts, call, post, server};
use crate::support::mailer::Mailer;
use crate::support::{PHONE, Server, body_of_request, body_of_verify};

const NOTIFY: &str = "/admin/otp/notify";
const TEMPLATE: &str = "Subject: Security Incident Notification\n\nDear User,\nsign in again.\n";

fn telling(users: &[&str]) -> Value {
    json!({ "users": users, "template": TEMPLATE, "reason": "Incident #123" })
}

fn counted(told: &Value) -> [u64; 6] {
    let names = [
        "users",
        "reached",
        "unknown",
        "unreachable",
        "limited",
        "failed",
    ];
    names.map(|name| told[name].as_u64().unwrap())
}

async fn with_mail(mailer: &Mailer) -> Server {
    let settings = [&[("ADMIN_TOKENS", TOKENS)], &mailer.settings()[..]].concat();
    let server = Server::with(&settings);
    let ann = "INSERT INTO users (sub, email) VALUES ('ann', 'ann@example.com')";
    let ann = sqlx::query(ann).execute(&mut server.database().await).await;
    assert_eq!(ann.unwrap().rows_affected(), 1);
    server
}

#[tokio::test]
async fn a_list_of_users_is_mailed_each_once_after_a_dry_run_that_mails_nobody() {
    let mailer = Mailer::answering(202).await;
    let server = with_mail(&mailer).await;
    let list = telling(&["ann", "nobody", "ann"]);
    let dry = post(&server, "/admin/otp/notify?dry_run=true", &list).await;
    assert_eq!(dry.json()["dry_run"], true);
    assert_eq!(counted(&dry.json()), [2, 1, 1, 0, 0, 0]);
    assert_eq!(mailer.mails().len(), 0);

    let told = post(&server, NOTIFY, &list).await;
    assert_eq!(counted(&told.json()), [2, 1, 1, 0, 0, 0]);
    assert_eq!(told.json()["count"], 1);
    let shown = told.json()["sample"].to_string();
    assert!(!shown.contains("ann@example.com"), "{shown}");
    let mails = mailer.mails();
    assert_eq!(mails.len(), 1);
    let mail = &mails[0];
    assert_eq!(
        mail["personalizations"][0]["to"][0]["email"],
        "ann@example.com"
    );
    assert_eq!(mail["subject"], "Security Incident Notification");
    assert_eq!(mail["content"][0]["value"], "Dear User,\nsign in again.");
    assert_eq!(
        acts(&server).await,
        [
            "mike: preview_notify:2: Incident #123",
            "mike: notify:2: Incident #123"
        ]
    );
    assert!(!server.whole_log().contains("ann@example.com"));
}

#[tokio::test]
async fn a_mail_that_nobody_took_counts_as_failed() {
    let mailer = Mailer::answering(401).await;
    let server = with_mail(&mailer).await;
    let told = post(&server, NOTIFY, &telling(&["ann"])).await;
    assert_eq!(
        (told.status, counted(&told.json())),
        (200, [1, 0, 0, 0, 0, 1])
    );
}

#[tokio::test]
async fn a_user_gets_three_notices_a_day_and_a_dry_run_takes_none_of_them() {
    let server = server();
    let list = telling(&["test-user"]);
    for _ in 0..4 {
        let dry = post(&server, "/admin/otp/notify?dry_run=true", &list).await;
        assert_eq!(dry.json()["reached"], 1);
    }
    for _ in 0..3 {
        assert_eq!(post(&server, NOTIFY, &list).await.json()["reached"], 1);
    }
    let fourth = post(&server, NOTIFY, &list).await.json();
    assert_eq!(counted(&fourth), [1, 0, 0, 0, 1, 0]);
    let dry = post(&server, "/admin/otp/notify?dry_run=true", &list).await;
    assert_eq!(counted(&dry.json()), [1, 0, 0, 0, 1, 0]);
    let heard = server.log().matches("a notice that nobody mails").count();
    assert_eq!(heard, 3);
}

#[tokio::test]
async fn who_has_no_mail_address_is_counted_and_the_synthetic_one_is_none() {
    let server = server();
    let code = server.post(START, &body_of_request(PHONE)).await;
    let body = body_of_verify(PHONE, &code.text("preview_code"));
    let user = server.post(VERIFY, &body).await.json()["user"]["id"].clone();
    let list = telling(&[user.as_str().unwrap()]);
    let told = post(&server, NOTIFY, &list).await.json();
    assert_eq!(counted(&told), [1, 0, 0, 1, 0, 0]);
}

#[tokio::test]
async fn a_list_or_a_template_that_is_none_tells_nobody() {
    let server = server();
    let refused = async |body: Value, code: &str, detail: &str| {
        let reply = post(&server, NOTIFY, &body).await;
        reply.is_error(400, code, detail);
    };
    refused(
        json!({ "template": TEMPLATE }),
        "users_required",
        "users required",
    )
    .await;
    refused(telling(&[]), "users_required", "users required").await;
    refused(telling(&[""]), "invalid_user_id", "Invalid user_id").await;
    let crowd = vec!["x"; 10_001];
    refused(
        telling(&crowd),
        "too_many_users",
        "Up to 10000 users a call",
    )
    .await;
    let one = json!(["test-user"]);
    let unclear = "template, or subject and text";
    for body in [
        json!({ "users": one }),
        json!({ "users": one, "subject": "a" }),
        json!({ "users": one, "template": TEMPLATE, "subject": "a", "text": "b" }),
    ] {
        refused(body, "invalid_notice", unclear).await;
    }
    let no_subject = "a notice begins with a line \"subject: ...\" of 1 to 120 characters";
    let body = json!({ "users": one, "template": "Dear User," });
    refused(body, "invalid_notice", no_subject).await;
    let body = json!({ "users": one, "subject": "a", "text": "b\u{1b}[2J" });
    refused(
        body,
        "invalid_notice",
        "a notice has a text of 1 to 4000 characters",
    )
    .await;
    let body = json!({ "users": "test-user", "template": TEMPLATE });
    refused(body, "malformed", "Malformed request body").await;
    let body = json!({ "users": one, "subject": "a", "text": "b", "reason": "" });
    assert_eq!(
        post(&server, NOTIFY, &body).await.text("code"),
        "invalid_reason"
    );
    assert_eq!(acts(&server).await, [""; 0], "nothing was done");
    let body = json!({ "users": one, "subject": "a", "text": "b" });
    assert_eq!(post(&server, NOTIFY, &body).await.json()["reached"], 1);
    let get = call(&server, Method::GET, NOTIFY, None).await;
    get.is_error(405, "method_not_allowed", "Method not allowed");
}
