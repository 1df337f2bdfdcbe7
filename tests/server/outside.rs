//! TLS, pages of other origins, and what stops the start where they are half configured.

use reqwest::header::{HeaderValue, ORIGIN};
use reqwest::{Certificate, Client, Method};
use tempfile::TempDir;

use crate::support::{PHONE, Reply, Server, body_of_request};

const OURS: &str = "https://app.example.org";

pub(crate) struct Files {
    folder: TempDir,
    certificate: Certificate,
}

impl Files {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let pem = made.cert.pem();
        std::fs::write(folder.path().join("cert.pem"), &pem).unwrap();
        std::fs::write(
            folder.path().join("key.pem"),
            made.signing_key.serialize_pem(),
        )
        .unwrap();
        let certificate = Certificate::from_pem(pem.as_bytes()).unwrap();
        Self {
            folder,
            certificate,
        }
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }
}

#[tokio::test]
async fn both_listeners_speak_tls_and_count_their_clients_by_address() {
    let files = Files::new();
    let (cert, key) = (files.path("cert.pem"), files.path("key.pem"));
    let settings = [("TLS_CERT", cert.as_str()), ("TLS_KEY", key.as_str())];
    let limit = [("RATE_LIMIT_REQUESTS", "1")];
    let server = Server::with(&[&settings[..], &limit[..]].concat());
    let client = Client::builder()
        .no_proxy()
        .tls_certs_only([files.certificate])
        .build()
        .unwrap();
    for address in [&server.address, &server.admin] {
        let (_, port) = address.rsplit_once(':').unwrap();
        let url = format!("https://localhost:{port}/healthz");
        assert_eq!(Reply::of(client.get(url)).await.status, 200);
        let plain = server.client.get(format!("http://{address}/healthz"));
        assert!(plain.send().await.is_err(), "spoke plainly");
    }
    let (_, port) = server.address.rsplit_once(':').unwrap();
    let mut statuses = Vec::new();
    for _ in 0..2 {
        let url = format!("https://localhost:{port}/api/auth/otp/request");
        let request = client.post(url).json(&body_of_request(PHONE));
        statuses.push(Reply::of(request).await);
    }
    assert_eq!(statuses[0].status, 200);
    let policy = statuses[1].header("ratelimit-policy").unwrap();
    assert!(policy.contains("\"address-60\";q=1;w=60"), "{policy}");
}

#[test]
fn a_half_configured_or_unreadable_certificate_stops_the_start() {
    let (files, others) = (Files::new(), Files::new());
    let (cert, key) = (files.path("cert.pem"), files.path("key.pem"));
    let foreign = others.path("key.pem");
    for (settings, line) in [
        (
            vec![("TLS_CERT", cert.as_str())],
            "TLS_KEY: is missing beside TLS_CERT",
        ),
        (
            vec![("TLS_KEY", &key)],
            "TLS_CERT: is missing beside TLS_KEY",
        ),
        (
            vec![("TLS_CERT", "/nowhere"), ("TLS_KEY", &key)],
            "TLS_CERT: must be a file in PEM that can be read",
        ),
        (
            vec![("TLS_CERT", &key), ("TLS_KEY", &key)],
            "TLS_CERT: has no certificate in it",
        ),
        (
            vec![("TLS_CERT", &cert), ("TLS_KEY", &foreign)],
            "TLS_KEY: does not belong to the certificate of TLS_CERT",
        ),
    ] {
        let refusal = Server::refused(&settings);
        assert_eq!(refusal.code, Some(2));
        assert_eq!(refusal.stderr.trim(), format!("error: {line}"));
    }
}

#[tokio::test]
async fn pages_of_named_origins_may_call_and_no_page_calls_an_operators_route() {
    let server = Server::with(&[
        ("CORS_ORIGINS", OURS),
        ("ADMIN_TOKEN", "token-of-an-operator"),
    ]);
    let preflight = |address: &str, path: &str| {
        let url = format!("http://{address}{path}");
        let request = server.client.request(Method::OPTIONS, url);
        let request = request.header(ORIGIN, HeaderValue::from_static(OURS));
        Reply::of(request.header("access-control-request-method", "POST"))
    };
    let reply = preflight(&server.address, "/api/auth/otp/request").await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.header("access-control-allow-origin"), Some(OURS));
    let reply = preflight(&server.admin, "/admin/otp/revoke").await;
    assert_eq!(reply.header("access-control-allow-origin"), None);

    let refused = Server::refused(&[("CORS_ORIGINS", "*")]);
    let line = "error: CORS_ORIGINS: must be origins such as https://app.example.org";
    assert_eq!(refused.stderr.trim(), line);
}
