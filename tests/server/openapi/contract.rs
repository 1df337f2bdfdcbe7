use serde_json::{Value, json};

use super::{Listener, MIKE, server};
use crate::support::{PHONE, Reply, Server, body_of_request, body_of_verify};

const PUBLIC: &[(&str, &str)] = &[
    ("post", "/api/auth/otp/request"),
    ("post", "/api/auth/verify-otp"),
    ("post", "/api/auth/mfa/send-code"),
    ("post", "/api/auth/mfa/verify"),
    ("post", "/api/auth/mfa/webhook"),
    ("post", "/api/auth/webhooks/{vendor}"),
    ("post", "/browser/api/v1/identity/auth/otp/initiate"),
    ("post", "/browser/api/v1/identity/auth/magic-link/initiate"),
    ("get", "/auth/link"),
    ("post", "/auth/link"),
    ("post", "/api/auth/token/refresh"),
    ("post", "/api/v1/auth/logout"),
    ("post", "/api/v1/auth/logout-all"),
    ("post", "/api/v1/2fa/totp/enrol"),
    ("post", "/api/v1/2fa/totp/confirm"),
    ("post", "/api/v1/2fa/totp/verify"),
    ("post", "/api/v1/2fa/recovery-codes"),
    ("get", "/api/v1/2fa/factors"),
    ("put", "/api/v1/2fa/factors/{factor_id}"),
    ("delete", "/api/v1/2fa/factors/{factor_id}"),
    ("post", "/api/auth/telegram"),
    ("post", "/auth/fan/from-onboarding"),
    ("get", "/healthz"),
    ("get", "/readyz"),
    ("get", "/otp/status"),
    ("get", "/api/me"),
    ("get", "/api/auth/oauth/{name}/start"),
    ("get", "/api/auth/oauth/{name}/callback"),
    ("get", "/openapi.json"),
];

const OPERATORS: &[(&str, &str)] = &[
    ("get", "/admin/otp/dashboard"),
    ("get", "/admin/sms/otp"),
    ("post", "/admin/otp/blacklist"),
    ("delete", "/admin/otp/blacklist"),
    ("get", "/admin/otp/blacklist"),
    ("post", "/admin/api/v1/blocklist/ip"),
    ("post", "/admin/otp/revoke"),
    ("post", "/admin/otp/unlock"),
    ("post", "/admin/otp/limits/clear"),
    ("get", "/admin/otp/policy"),
    ("put", "/admin/otp/policy"),
    ("post", "/admin/otp/override"),
    ("get", "/admin/otp/deliveries/failed"),
    ("post", "/admin/otp/deliveries/resend"),
    ("post", "/api/v1/admin/users/{id}/2fa/disable"),
    ("post", "/admin/otp/session"),
    ("post", "/admin/otp/notify"),
    ("post", "/api/v1/auth/logout-all"),
    ("post", "/admin/otp/users/{id}/logout-all"),
    ("post", "/admin/otp/keys/rotate"),
    ("get", "/admin/otp/audit"),
    ("post", "/admin/otp/users/{id}/force-password-reset"),
    ("get", "/metrics"),
    ("get", "/healthz"),
    ("get", "/readyz"),
    ("get", "/openapi.json"),
];

#[tokio::test]
async fn every_route_that_is_promised_is_in_a_document_that_is_sound() {
    let server = server();
    let public = Listener::public(&server).await.document;
    public.is_sound();
    for (method, path) in PUBLIC {
        public.operation(method, path);
    }
    assert!(
        public
            .operations()
            .iter()
            .all(|one| !one.is_for("operator")),
        "the public document tells of operators' routes"
    );
    let operators = Listener::operators(&server).await.document;
    operators.is_sound();
    for (method, path) in OPERATORS {
        operators.operation(method, path);
    }
}

#[tokio::test]
async fn either_way_to_show_an_operators_token_is_in_the_document_and_opens_every_door() {
    let server = server();
    let document = Listener::operators(&server).await.document;
    for one in document.operations() {
        let (bearer, header) = (one.is_for("operator"), one.is_for("operator_header"));
        assert_eq!(bearer, header, "{} {}", one.method, one.path);
    }
    let url = format!("http://{}/admin/otp/dashboard", server.admin);
    let asked = || server.client.get(&url);
    let (bearer, header) = (
        asked().bearer_auth(MIKE),
        asked().header("x-admin-token", MIKE),
    );
    assert_eq!(Reply::of(bearer).await.status, 200);
    assert_eq!(Reply::of(header).await.status, 200);
}

#[tokio::test]
async fn the_operators_document_is_shown_to_operators_alone() {
    let server = server();
    let url = format!("http://{}/openapi.json", server.admin);
    let stranger = Reply::of(server.client.get(&url)).await;
    stranger.is_error(401, "unauthorized", "Operator token required");
    let unguarded = Server::start();
    let url = format!("http://{}/openapi.json", unguarded.admin);
    let nobody = Reply::of(unguarded.client.get(&url)).await;
    nobody.is_error(404, "not_found", "Not found");
}

#[tokio::test]
async fn a_sign_in_answers_what_the_document_promises() {
    let server = server();
    let listener = Listener::public(&server).await;
    let post = async |path: &str, body: &Value, token: Option<&str>| {
        let operation = listener.document.operation("post", path);
        let mut request = listener.ask("post", path).json(body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        listener.keeps_to(&operation, request).await
    };
    let sent = post("/api/auth/otp/request", &body_of_request(PHONE), None).await;
    assert_eq!(sent.status, 200, "{sent:?}");
    let code = sent.text("preview_code");
    let signed_in = post("/api/auth/verify-otp", &body_of_verify(PHONE, &code), None).await;
    assert_eq!(signed_in.status, 200, "{signed_in:?}");
    let spent = json!({ "refresh_token": signed_in.text("refresh_token") });
    let fresh = post("/api/auth/token/refresh", &spent, None).await;
    assert_eq!(fresh.status, 200, "{fresh:?}");
    let token = fresh.text("access_token");
    let me = listener.document.operation("get", "/api/me");
    let shown = listener.ask("get", "/api/me").bearer_auth(&token);
    assert_eq!(listener.keeps_to(&me, shown).await.status, 200);
    let ended = post("/api/v1/auth/logout-all", &json!({}), Some(&token)).await;
    assert_eq!(ended.status, 200, "{ended:?}");
    let gone = post("/api/v1/auth/logout", &json!({}), Some(&token)).await;
    assert_eq!(gone.status, 401, "{gone:?}");
    listener.kept();
}

#[tokio::test]
async fn what_is_refused_by_its_shape_is_in_the_document() {
    let server = server();
    let public = Listener::public(&server).await.document;
    let report = public.operation("post", "/api/auth/webhooks/{vendor}");
    let vendor = &report.said["parameters"][0];
    let vendors = vendor["schema"]["enum"].as_array().unwrap();
    assert_eq!((&vendor["in"], vendors.len()), (&json!("path"), 7));
    let verify = public.operation("post", "/api/auth/verify-otp");
    let otp = &verify.json_body().unwrap()["properties"]["otp"];
    assert_eq!(otp["minLength"], 1);
    let start = public.operation("post", "/api/auth/otp/request");
    let key = &start.said["parameters"][0]["schema"];
    assert_eq!(
        (&key["minLength"], &key["maxLength"]),
        (&json!(1), &json!(128))
    );
}
