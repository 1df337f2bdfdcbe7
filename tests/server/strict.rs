use reqwest::header::{ACCEPT, ALLOW, CONTENT_ENCODING, CONTENT_TYPE};

use crate::support::{Reply, Server};

const PATHS: [&str; 2] = ["/api/auth/otp/request", "/api/auth/verify-otp"];

async fn send(server: &Server, path: &str, kind: &str, body: impl Into<reqwest::Body>) -> Reply {
    let request = server
        .client
        .post(server.url(path))
        .header(CONTENT_TYPE, kind)
        .body(body);
    Reply::of(request).await
}

#[tokio::test]
async fn d10_a_body_that_can_be_read_in_two_ways_is_refused() {
    let server = Server::start();
    let deep = format!("{{\"phone\":{}{}}}", "[".repeat(1_000), "]".repeat(1_000));
    let bodies: [&[u8]; 15] = [
        br#"{"phone":"+14155550123","phone":"+14155550124"}"#,
        br#"{"phone":"+14155550123","otp":"1","otp":"2"}"#,
        br#"{"phone":"+14155550123","admin":true}"#,
        br#"{"phone":"+14155550123"} {}"#,
        br#"{"phone":"+14155550123",}"#,
        br#"{'phone':'+14155550123'}"#,
        b"\xef\xbb\xbf{\"phone\":\"+14155550123\"}",
        b"{\"phone\":\"+1415555\xff0123\"}",
        br#"{"phone":"\ud800"}"#,
        br#"["+14155550123"]"#,
        br#""+14155550123""#,
        b"null",
        b"",
        b"phone=%2B14155550123",
        deep.as_bytes(),
    ];
    for path in PATHS {
        for body in bodies {
            let reply = send(&server, path, "application/json", body.to_vec()).await;
            reply.is_error(400, "malformed", "Malformed request body");
        }
    }
}

#[tokio::test]
async fn a_body_that_is_not_declared_as_json_is_refused_unread() {
    let server = Server::start();
    let body = r#"{"phone":"+14155550123"}"#;
    let other = [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "application/json; charset=utf-16",
        "",
    ];
    for kind in other {
        let reply = send(&server, PATHS[0], kind, body).await;
        let detail = "Content-Type must be application/json";
        reply.is_error(415, "unsupported_media_type", detail);
    }
    let bare = server.client.post(server.url(PATHS[0])).body(body);
    assert_eq!(Reply::of(bare).await.status, 415);
    let packed = server.client.post(server.url(PATHS[0])).body(body);
    let packed = packed
        .header(CONTENT_TYPE, "application/json")
        .header(CONTENT_ENCODING, "gzip");
    assert_eq!(Reply::of(packed).await.status, 415);
    for fine in ["application/json", "Application/JSON; charset=UTF-8"] {
        assert_eq!(
            send(&server, PATHS[0], fine, body).await.status,
            200,
            "{fine}"
        );
    }
}

#[tokio::test]
async fn a_body_over_16_kib_is_refused() {
    let server = Server::start();
    let padded = |spaces: usize| format!("{{\"phone\":\"+14155550123\"{}}}", " ".repeat(spaces));
    let most = 16 * 1024 - padded(0).len();
    for path in PATHS {
        let reply = send(&server, path, "application/json", padded(most + 1)).await;
        reply.is_error(413, "too_large", "Request body too large");
    }
    let reply = send(&server, PATHS[0], "application/json", padded(most)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
}

#[tokio::test]
async fn wrong_methods_and_unknown_routes_are_errors_of_the_same_form() {
    let server = Server::start();
    let get = server.get(PATHS[0]).await;
    get.is_error(405, "method_not_allowed", "Method not allowed");
    assert_eq!(get.headers[ALLOW], "POST");
    let delete = Reply::of(server.client.delete(server.url("/otp/status"))).await;
    delete.is_error(405, "method_not_allowed", "Method not allowed");
    for path in [
        "/",
        "/api/auth",
        "/api/auth/otp/request/",
        "/admin/otp/dashboard",
    ] {
        server
            .get(path)
            .await
            .is_error(404, "not_found", "Not found");
    }
}

#[tokio::test]
async fn who_asks_for_problem_details_gets_them() {
    let server = Server::start();
    let ask = |accept: &'static str| {
        let request = server
            .client
            .post(server.url(PATHS[0]))
            .header(ACCEPT, accept);
        Reply::of(request.header(CONTENT_TYPE, "application/json").body("{}"))
    };
    for accept in [
        "application/problem+json",
        "application/json;q=0.5, Application/Problem+JSON",
    ] {
        let reply = ask(accept).await;
        assert_eq!(reply.status, 400);
        assert_eq!(
            reply.header("content-type"),
            Some("application/problem+json")
        );
        let expected = serde_json::json!({
            "type": "about:blank",
            "title": "Bad Request",
            "status": 400,
            "detail": "phone required",
            "code": "phone_required",
        });
        assert_eq!(reply.json(), expected);
    }
    for accept in ["*/*", "application/json", "application/problem+json;q=0"] {
        ask(accept)
            .await
            .is_error(400, "phone_required", "phone required");
    }
}

#[tokio::test]
async fn every_answer_has_the_security_headers_and_no_banner() {
    let server = Server::start();
    let replies = [
        server.get("/healthz").await,
        server.get("/otp/status").await,
        server.get("/nowhere").await,
        server.get(PATHS[0]).await,
        send(
            &server,
            PATHS[0],
            "application/json",
            r#"{"phone":"+14155550123"}"#,
        )
        .await,
        send(&server, PATHS[0], "text/plain", "x").await,
        send(&server, PATHS[0], "application/json", " ".repeat(20_000)).await,
    ];
    for reply in replies {
        assert_eq!(reply.header("cache-control"), Some("no-store"), "{reply:?}");
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(reply.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(reply.header("server"), None);
    }
}
