//! The default transport on its own.

use std::time::Duration;

use otp_core::testing::provider::{Behaviour, Reply, Vendor};
use otp_providers::http::{
    BaseUrl, HttpRequest, HttpResponse, HttpTransport, ReqwestTransport, TransportError,
    TransportErrorKind,
};

async fn ask(transport: &ReqwestTransport, base: &str) -> Result<HttpResponse, TransportError> {
    let endpoint = BaseUrl::parse(base).expect("a base").endpoint(&["send"]);
    let call = transport.send(HttpRequest::post(endpoint, "text/plain", "canary-body"));
    tokio::time::timeout(Duration::from_secs(10), call)
        .await
        .expect("the transport's own deadline")
}

fn quick() -> ReqwestTransport {
    let limit = Duration::from_millis(300);
    ReqwestTransport::builder()
        .timeout(limit)
        .build()
        .expect("a transport")
}

async fn outcome(behaviour: Behaviour) -> Result<HttpResponse, TransportError> {
    let vendor = Vendor::start(behaviour).await.expect("a port");
    ask(&quick(), vendor.base_url()).await
}

#[tokio::test]
async fn a_reply_of_64_kib_is_read_and_one_byte_more_is_not() {
    let body = vec![b'a'; 64 * 1024];
    let whole = outcome(Behaviour::Answer(Reply::new(200).body(&body)))
        .await
        .expect("a reply");
    assert_eq!(whole.body().len(), body.len());
    let over = [body.as_slice(), b"a"].concat();
    let error = outcome(Behaviour::Answer(Reply::new(200).body(&over)))
        .await
        .expect_err("too large");
    assert_eq!(error.kind(), TransportErrorKind::TooLarge);
}

#[tokio::test]
async fn each_failure_says_what_may_have_happened() {
    let refusing = Vendor::refusing().expect("a port");
    let cases = [
        (
            ask(&quick(), refusing.base_url()).await,
            TransportErrorKind::NotConnected,
            "not connected: connection refused",
        ),
        (
            outcome(Behaviour::Hang).await,
            TransportErrorKind::Timeout,
            "no reply in time: deadline passed",
        ),
        (
            outcome(Behaviour::Close).await,
            TransportErrorKind::Interrupted,
            "the connection ended early",
        ),
        (
            outcome(Behaviour::CutShort(Reply::new(200))).await,
            TransportErrorKind::Interrupted,
            "the connection ended early",
        ),
    ];
    for (outcome, kind, words) in cases {
        let error = outcome.expect_err(words);
        assert_eq!(error.kind(), kind, "{words}");
        assert!(error.to_string().starts_with(words), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_was_sent_nothing() {
    let vendor = Vendor::start(Behaviour::Answer(Reply::new(200)))
        .await
        .expect("a port");
    let base = vendor.base_url().replace("http://", "https://");
    let error = ask(&quick(), &base).await.expect_err("no tls there");
    assert!(vendor.requests().is_empty());
    assert!(
        matches!(
            error.kind(),
            TransportErrorKind::NotConnected | TransportErrorKind::Timeout
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_redirect_is_a_reply_and_goes_nowhere() {
    let elsewhere = Vendor::start(Behaviour::Answer(Reply::new(200)))
        .await
        .expect("a port");
    let redirect = Reply::new(307).header("Location", elsewhere.base_url());
    let reply = outcome(Behaviour::Answer(redirect)).await.expect("a reply");
    assert_eq!(reply.status(), 307);
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn cookies_are_not_kept_and_headers_arrive() {
    let cookie = Reply::new(200)
        .header("Set-Cookie", "a=b")
        .header("X-Message-Id", "m-1");
    let vendor = Vendor::start(Behaviour::Answer(cookie))
        .await
        .expect("a port");
    let transport = quick();
    for _ in 0..2 {
        let reply = ask(&transport, vendor.base_url()).await.expect("a reply");
        assert_eq!(reply.headers()["x-message-id"], "m-1");
    }
    let requests = vendor.requests();
    assert_eq!(requests.len(), 2);
    assert!(
        requests
            .iter()
            .all(|request| request.header("cookie").is_none())
    );
    assert!(
        requests
            .iter()
            .all(|request| request.body == b"canary-body")
    );
}

#[test]
fn no_crypto_provider_is_installed_for_the_process() {
    assert!(ReqwestTransport::new().is_ok());
    assert!(rustls::crypto::CryptoProvider::get_default().is_none());
}

/// A host's client as it comes: it follows redirects.
fn hosts_own() -> reqwest::Client {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("protocol versions")
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let client = reqwest::Client::builder().tls_backend_preconfigured(tls);
    client.build().expect("a client")
}

#[tokio::test]
async fn a_hosts_client_serves_and_a_redirect_that_it_follows_is_no_reply() {
    let transport = ReqwestTransport::from_client(hosts_own());
    let vendor = Vendor::start(Behaviour::Answer(Reply::new(200)))
        .await
        .expect("a port");
    let reply = ask(&transport, vendor.base_url()).await.expect("a reply");
    assert_eq!(reply.status(), 200);
    let redirect = Reply::new(307).header("Location", vendor.base_url());
    let first = Vendor::start(Behaviour::Answer(redirect))
        .await
        .expect("a port");
    let error = ask(&transport, first.base_url())
        .await
        .expect_err("it was followed");
    assert_eq!(error.kind(), TransportErrorKind::Other);
}
