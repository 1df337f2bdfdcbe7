//! Those who call as operators and are none: on record, and never so often that the record fills.

use serde_json::Value;

use super::{BLACKLIST, get, server};
use crate::support::{Reply, Server};

const STRANGE: &str = "a-wrong-token-9876543210";

async fn knock(server: &Server, path: &str) -> Reply {
    let request = server.client.get(format!("http://{}{path}", server.admin));
    Reply::of(request.header("x-admin-token", STRANGE)).await
}

async fn refused(server: &Server) -> Vec<Value> {
    let export = get(server, "/admin/otp/audit").await.body;
    assert!(!export.contains(STRANGE));
    let lines = export
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    lines
        .filter(|line: &Value| line["action"] == "OPERATOR_REFUSED")
        .collect()
}

#[tokio::test]
async fn attack_a_stranger_is_on_record_a_hundred_times_a_minute_and_shuts_no_operator_out() {
    let server = server();
    for _ in 0..100 {
        let reply = knock(&server, BLACKLIST).await;
        reply.is_error(401, "unauthorized", "Operator token required");
    }
    for _ in 0..20 {
        let reply = knock(&server, BLACKLIST).await;
        reply.is_error(429, "rate_limited", "Too many requests");
        let wait = reply.header("retry-after").unwrap();
        assert!((1..=60).contains(&wait.parse::<u64>().unwrap()), "{wait}");
    }
    assert_eq!(get(&server, BLACKLIST).await.status, 200);
    let refused = refused(&server).await;
    assert_eq!(refused.len(), 100);
    for line in &refused {
        assert_eq!(line["ip"], "127.0.0.1");
        assert_eq!(line["outcome"], "refused");
        assert_eq!(line["reason"], "unknown_operator");
        assert_eq!(line["operator"], Value::Null);
    }
}

#[tokio::test]
async fn a_stranger_at_the_page_is_on_record_and_a_browser_that_is_asked_to_sign_in_is_not() {
    let server = server();
    let page = "/admin/sms/otp";
    assert_eq!(knock(&server, page).await.status, 401);
    let bare = server.client.get(format!("http://{}{page}", server.admin));
    assert_eq!(Reply::of(bare).await.status, 401);
    assert_eq!(refused(&server).await.len(), 1);
}
