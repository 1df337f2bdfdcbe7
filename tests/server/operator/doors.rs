use reqwest::Method;
use reqwest::header::AUTHORIZATION;
use serde_json::{Value, json};

use super::{BLACKLIST, MIKE, acts, call, get, phone_block, post, server};
use crate::support::{PHONE, Reply, Server};

const ROUTES: [(&str, &str); 28] = [
    ("GET", "/admin/otp/dashboard"),
    ("GET", "/admin/otp/policy"),
    ("PUT", "/admin/otp/policy"),
    ("POST", "/admin/otp/override"),
    ("DELETE", "/admin/otp/override"),
    ("GET", BLACKLIST),
    ("POST", BLACKLIST),
    ("DELETE", BLACKLIST),
    ("GET", "/admin/otp/blacklist/export"),
    ("POST", "/admin/otp/blacklist/import"),
    ("POST", "/admin/api/v1/blocklist/ip"),
    ("POST", "/admin/otp/revoke"),
    ("POST", "/admin/otp/unlock"),
    ("POST", "/admin/otp/limits/clear"),
    ("POST", "/admin/otp/explain"),
    ("GET", "/admin/otp/deliveries/failed"),
    ("POST", "/admin/otp/deliveries/resend"),
    ("GET", "/admin/otp/audit"),
    ("GET", "/admin/otp/keys"),
    ("POST", "/admin/otp/keys/rotate"),
    ("POST", "/admin/otp/session"),
    ("POST", "/admin/otp/notify"),
    ("POST", "/admin/otp/users/test-user/force-password-reset"),
    ("POST", "/admin/otp/users/test-user/logout-all"),
    ("POST", "/api/v1/admin/users/test-user/2fa/disable"),
    ("POST", "/admin/otp/operators/totp/enrol"),
    ("POST", "/admin/otp/operators/totp/confirm"),
    ("GET", "/metrics"),
];
/// Both listeners have it: to a user it ends their own sessions.
const LOGOUT: (&str, &str) = ("POST", "/api/v1/auth/logout-all");

async fn knock(server: &Server, address: &str, route: (&str, &str), token: &str) -> Reply {
    let method = Method::from_bytes(route.0.as_bytes()).unwrap();
    let request = server
        .client
        .request(method, format!("http://{address}{}", route.1));
    Reply::of(request.header("x-admin-token", token).json(&json!({}))).await
}

#[tokio::test]
async fn without_a_token_in_the_configuration_there_are_no_operators_routes() {
    let server = Server::start();
    for route in ROUTES {
        let reply = knock(&server, &server.admin, route, "").await;
        reply.is_error(404, "not_found", "Not found");
    }
}

#[tokio::test]
async fn what_an_operator_is_refused_is_on_record_as_what_they_do_is() {
    let server = server();
    let nobody = json!({ "user_id": "nobody" });
    let url = format!("http://{}/admin/otp/session", server.admin);
    let unknown = server.client.post(url).header("x-admin-token", MIKE);
    let unknown = unknown.header("x-admin-reason", "Ticket 7").json(&nobody);
    Reply::of(unknown)
        .await
        .is_error(404, "unknown_user", "Unknown user");
    assert_eq!(get(&server, "/admin/otp/keys?from=1").await.status, 200);
    let malformed = post(&server, BLACKLIST, &json!({ "type": "phone" })).await;
    assert_eq!(malformed.status, 400, "{malformed:?}");
    let export = get(&server, "/admin/otp/audit").await.body;
    let records = export
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let refused: Vec<String> = records
        .filter(|line: &Value| line["action"] == "OPERATOR_REFUSED")
        .map(|line| format!("{} {} {}", line["operator"], line["reason"], line["why"]))
        .collect();
    assert_eq!(
        refused,
        [
            r#""mike" "POST /admin/otp/session: 404" "Ticket 7""#,
            r#""mike" "POST /admin/otp/blacklist: 400" "no reason given""#,
        ]
    );
}

#[tokio::test]
async fn every_route_asks_for_a_token_and_none_is_on_the_public_listener() {
    let server = server();
    for route in ROUTES {
        for token in ["", "token-of-mike-012345678", "TOKEN-OF-MIKE-0123456789"] {
            let reply = knock(&server, &server.admin, route, token).await;
            reply.is_error(401, "unauthorized", "Operator token required");
        }
        let reply = knock(&server, &server.address, route, MIKE).await;
        reply.is_error(404, "not_found", "Not found");
    }
    let stranger = knock(&server, &server.admin, LOGOUT, "").await;
    stranger.is_error(401, "unauthorized", "Operator token required");
    let lost = knock(&server, &server.address, LOGOUT, MIKE).await;
    lost.is_error(401, "not_signed_in", "Not signed in");
    assert_eq!(
        acts(&server).await.len(),
        0,
        "whoever is turned away does nothing"
    );
}

#[tokio::test]
async fn a_token_comes_as_a_bearers_or_in_its_own_header_and_two_must_agree() {
    let server = server();
    let url = format!("http://{}{BLACKLIST}", server.admin);
    let bearer = format!("Bearer {MIKE}");
    for (own, bearer, status) in [
        (None, Some(bearer.as_str()), 200),
        (Some(MIKE), Some(bearer.as_str()), 200),
        (Some("token-of-anna-0123456789"), Some(bearer.as_str()), 401),
        (Some(MIKE), Some("Basic bWlrZTp4"), 401),
        (None, None, 401),
    ] {
        let mut request = server.client.get(&url);
        if let Some(own) = own {
            request = request.header("x-admin-token", own);
        }
        if let Some(bearer) = bearer {
            request = request.header(AUTHORIZATION, bearer);
        }
        assert_eq!(
            Reply::of(request).await.status,
            status,
            "{own:?} {bearer:?}"
        );
    }
}

#[tokio::test]
async fn the_record_names_who_and_why_from_the_header_or_the_body() {
    let server = server();
    post(&server, BLACKLIST, &phone_block(PHONE)).await;
    let url = format!("http://{}{BLACKLIST}?dry_run=true", server.admin);
    let request = server.client.delete(url).json(&phone_block(PHONE));
    let request = request.header("x-admin-token", "token-of-anna-0123456789");
    let request = request.header("x-admin-reason", "false alarm");
    assert_eq!(Reply::of(request).await.status, 200);
    get(&server, BLACKLIST).await;
    assert_eq!(
        acts(&server).await,
        [
            "mike: block: Incident #123",
            "anna: preview_unblock:1: false alarm",
            "mike: list_blocks: no reason given",
        ]
    );
}

#[tokio::test]
async fn a_reason_or_a_query_that_is_none_does_nothing() {
    let server = server();
    let long = "x".repeat(257);
    for note in ["", " ", "a\nb", long.as_str()] {
        let body = json!({ "type": "phone", "value": PHONE, "note": note });
        let reply = post(&server, BLACKLIST, &body).await;
        assert_eq!(
            (reply.status, reply.text("code").as_str()),
            (400, "invalid_reason")
        );
    }
    for query in [
        "?dryrun=true",
        "?dry_run=yes",
        "?dry_run=true&x=1",
        "?dry_run=true&dry_run=false",
        "?dry_run",
    ] {
        let path = format!("{BLACKLIST}{query}");
        let reply = post(&server, &path, &phone_block(PHONE)).await;
        reply.is_error(400, "unknown_query", "Unknown query");
    }
    assert_eq!(
        get(&server, BLACKLIST).await.json(),
        json!({ "entries": [] })
    );
    let wrong = call(&server, Method::PUT, BLACKLIST, None).await;
    wrong.is_error(405, "method_not_allowed", "Method not allowed");
}

#[tokio::test]
async fn a_token_is_in_no_log_line_of_any_level() {
    let tokens = ("ADMIN_TOKENS", super::TOKENS);
    let server = Server::with(&[tokens, ("RUST_LOG", "trace")]);
    post(&server, BLACKLIST, &phone_block(PHONE)).await;
    knock(
        &server,
        &server.admin,
        ROUTES[0],
        "a-wrong-token-9876543210",
    )
    .await;
    let log = server.whole_log();
    assert!(log.contains("operator=mike why=\"Incident #123\""), "{log}");
    for secret in [
        "token-of-mike",
        "token-of-anna",
        "a-wrong-token",
        "4155550123",
    ] {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret}");
    }
}

#[test]
fn a_token_that_could_be_guessed_or_is_not_clear_stops_the_start() {
    for (settings, key) in [
        (vec![("ADMIN_TOKEN", "short")], "ADMIN_TOKEN"),
        (vec![("ADMIN_TOKENS", "mike")], "ADMIN_TOKENS"),
        (vec![("ADMIN_TOKENS", "mike:short")], "ADMIN_TOKENS"),
        (
            vec![("ADMIN_TOKENS", "a b:0123456789abcdef")],
            "ADMIN_TOKENS",
        ),
        (
            vec![("ADMIN_TOKENS", "a:0123456789abcdef,b:0123456789abcdef")],
            "ADMIN_TOKENS",
        ),
        (
            vec![("ADMIN_TOKENS", "a:change-me-to-a-long-random-token")],
            "ADMIN_TOKENS",
        ),
        (
            vec![("ADMIN_TOKEN", "change-me-to-a-long-random-token")],
            "ADMIN_TOKEN",
        ),
        (
            vec![("ADMIN_TOKENS", super::TOKENS), ("ADMIN_TOKEN", MIKE)],
            "ADMIN_TOKEN",
        ),
    ] {
        let refused = Server::refused(&settings);
        assert_eq!(refused.code, Some(2), "{settings:?}");
        let line = refused.stderr.trim();
        assert!(line.starts_with(&format!("error: {key}: ")), "{line}");
        assert!(
            !line.contains("0123456789") && !line.contains("change-me"),
            "{line}"
        );
    }
}
