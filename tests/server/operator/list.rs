use reqwest::Method;
use serde_json::json;

use super::{BLACKLIST, START, VERIFY, call, get, phone_block, post, server};
use crate::support::{OTHER_PHONE, PHONE, Reply, Server, body_of_request, body_of_verify};

async fn start(server: &Server, phone: &str) -> u16 {
    server.post(START, &body_of_request(phone)).await.status
}

#[tokio::test]
async fn a_blocked_phone_is_refused_until_the_entry_is_removed_and_a_dry_run_blocks_nobody() {
    let server = server();
    let dry = post(
        &server,
        "/admin/otp/blacklist?dry_run=true",
        &phone_block(PHONE),
    )
    .await;
    assert_eq!(
        dry.json(),
        json!({ "status": "ok", "dry_run": true, "count": 1, "sample": ["phone +1415•••0123"] })
    );
    assert_eq!(start(&server, PHONE).await, 200);

    let done = post(&server, BLACKLIST, &phone_block(PHONE)).await;
    assert_eq!(
        (done.status, done.json()["dry_run"].as_bool()),
        (200, Some(false))
    );
    let refused = server.post(START, &body_of_request(PHONE)).await;
    refused.is_error(403, "blocked", "Request refused");
    assert_eq!(start(&server, OTHER_PHONE).await, 200);
    let entry = &get(&server, BLACKLIST).await.json()["entries"][0];
    assert_eq!(entry["value"], PHONE);
    assert_eq!(
        (&entry["author"], &entry["note"]),
        (&json!("mike"), &json!("Incident #123"))
    );

    // As the runbook removes it: without a note.
    let bare = json!({ "type": "phone", "value": PHONE });
    let gone = call(&server, Method::DELETE, BLACKLIST, Some(&bare)).await;
    assert_eq!((gone.status, gone.json()["count"].as_u64()), (200, Some(1)));
    assert_eq!(start(&server, PHONE).await, 200);
}

#[tokio::test]
async fn an_address_is_blocked_by_either_route_from_asking_and_from_trying() {
    for (path, body) in [
        (
            "/admin/api/v1/blocklist/ip",
            json!({ "ip": "127.0.0.1", "reason": "Mass token validation attempts" }),
        ),
        (
            BLACKLIST,
            json!({ "type": "ip", "value": "127.0.0.0/8", "expires_in": 3600 }),
        ),
    ] {
        let server = server();
        assert_eq!(post(&server, path, &body).await.status, 200);
        let refused = server.post(START, &body_of_request(PHONE)).await;
        refused.is_error(403, "blocked", "Request refused");
        let tried = server.post(VERIFY, &body_of_verify(PHONE, "123456")).await;
        tried.is_error(403, "blocked", "Request refused");
        let health = server.get("/healthz").await;
        assert_eq!(health.status, 200);
    }
}

#[tokio::test]
async fn what_is_no_entry_is_refused() {
    let server = server();
    for body in [
        json!({ "type": "fax", "value": PHONE }),
        json!({ "type": "phone", "value": "12" }),
        json!({ "type": "ip", "value": "0.0.0.0/0" }),
        json!({ "type": "email", "value": PHONE }),
    ] {
        let reply = post(&server, BLACKLIST, &body).await;
        reply.is_error(400, "invalid_block", "Invalid type or value");
    }
    let never = json!({ "type": "phone", "value": PHONE, "expires_in": 0 });
    assert_eq!(
        post(&server, BLACKLIST, &never).await.text("code"),
        "invalid_expiry"
    );
    let extra = json!({ "type": "phone", "value": PHONE, "expire_in": 60 });
    assert_eq!(
        post(&server, BLACKLIST, &extra).await.text("code"),
        "malformed"
    );
    let ip = post(
        &server,
        "/admin/api/v1/blocklist/ip",
        &json!({ "ip": "localhost" }),
    )
    .await;
    ip.is_error(400, "invalid_ip", "Invalid IP address");
}

#[tokio::test]
async fn a_list_is_imported_whole_or_not_at_all_and_comes_out_again() {
    let server = server();
    let import = "/admin/otp/blacklist/import";
    let wrong = json!({ "list": format!("phone,{PHONE}\nfax,1\n") });
    let reply = post(&server, import, &wrong).await;
    reply.is_error(400, "invalid_list", "Malformed list, the line is in x-line");
    assert_eq!(reply.header("x-line"), Some("2"));
    assert_eq!(start(&server, PHONE).await, 200);

    let list = format!("phone,{PHONE},\"calls, mostly\",24h\nprefix,+8835\n");
    let body = json!({ "list": list, "reason": "from the other region" });
    assert_eq!(post(&server, import, &body).await.json()["count"], 2);
    assert_eq!(start(&server, PHONE).await, 403);
    let export = get(&server, "/admin/otp/blacklist/export").await;
    assert_eq!(
        export.header("content-type"),
        Some("text/csv; charset=utf-8")
    );
    assert!(export.body.contains("\"calls, mostly\""), "{export:?}");
    let huge = json!({ "list": "#".repeat(2 * 1024 * 1024) });
    assert_eq!(post(&server, import, &huge).await.status, 413);
}

#[tokio::test]
async fn a_blocked_device_is_known_by_the_header_that_its_app_sends() {
    let server = server();
    let block = json!({ "type": "device", "value": "install-7", "note": "Incident #123" });
    let done = post(&server, BLACKLIST, &block).await;
    assert_eq!(done.status, 200, "{done:?}");
    let longest = "d".repeat(128);
    let too_long = "d".repeat(129);
    for (ids, status) in [
        (vec!["install-7"], 403),
        (vec!["install-8"], 200),
        (vec![], 200),
        (vec!["two words"], 200),
        (vec![longest.as_str()], 200),
        (vec![too_long.as_str()], 200),
    ] {
        let request = server.client.post(server.url(START));
        let request = request.json(&body_of_request(PHONE));
        let request = ids
            .iter()
            .fold(request, |request, id| request.header("x-device-id", *id));
        let reply = Reply::of(request).await;
        assert_eq!(reply.status, status, "{ids:?} {reply:?}");
    }
}
