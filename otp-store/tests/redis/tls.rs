use std::path::Path;
use std::process::Command;
use std::time::Duration;

use otp_core::challenge::ConsumeOutcome;
use otp_core::store::{ChallengeStore as _, StoreErrorKind};
use otp_core::testing::store::kit;
use otp_store::RedisStore;
use otp_store::redis::RedisOptions;
use tempfile::TempDir;

use crate::fixture::{attempt, issued};
use crate::port;
use crate::server::Server;

fn openssl(home: &Path, arguments: &str) {
    let ran = Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(home)
        .output()
        .expect("openssl runs");
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
}

/// Makes an authority.
fn authority(home: &Path, name: &str) -> String {
    openssl(
        home,
        &format!(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN={name} \
             -keyout {name}.key -out {name}.pem -addext basicConstraints=critical,CA:TRUE"
        ),
    );
    std::fs::read_to_string(home.join(format!("{name}.pem"))).expect("a certificate")
}

/// Starts a server whose certificate an authority has signed for 127.0.0.1.
fn server_of(home: &Path, authority: &str) -> (Server, u16) {
    openssl(
        home,
        "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=server \
         -keyout server.key -out server.csr",
    );
    std::fs::write(home.join("names"), "subjectAltName=IP:127.0.0.1\n").expect("a file");
    openssl(
        home,
        &format!(
            "x509 -req -in server.csr -CA {authority}.pem -CAkey {authority}.key -CAcreateserial \
             -days 2 -extfile names -out server.pem"
        ),
    );
    let path = |name: &str| home.join(name).display().to_string();
    let port = port::free();
    let server = Server::with(&[
        "--port",
        "0",
        "--tls-port",
        &port.to_string(),
        "--tls-cert-file",
        &path("server.pem"),
        "--tls-key-file",
        &path("server.key"),
        "--tls-ca-cert-file",
        &path(&format!("{authority}.pem")),
        "--tls-auth-clients",
        "no",
    ]);
    (server, port)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server and openssl"]
async fn a_server_is_believed_by_the_authority_that_was_named_and_by_no_other() {
    let home = TempDir::new().unwrap();
    let [ours, another] = ["ours", "another"].map(|name| authority(home.path(), name));
    let (_server, port) = server_of(home.path(), "ours");
    let options = |url: &str, root: Option<&str>| {
        let options = RedisOptions::new(url).deadline(Duration::from_secs(5));
        match root {
            Some(root) => options.root_certificate(root),
            None => options,
        }
    };
    let url = format!("rediss://127.0.0.1:{port}");
    let store = RedisStore::with_options(options(&url, Some(&ours)))
        .await
        .unwrap();
    let challenge = issued(&store, "ann").await;
    attempt(&store, challenge.id, None).await.unwrap();
    let won = store.consume(kit::consume(&challenge, None)).await.unwrap();
    assert_eq!(won, ConsumeOutcome::Won);

    let both = format!("{another}{ours}");
    assert!(
        RedisStore::with_options(options(&url, Some(&both)))
            .await
            .is_ok()
    );
    let named = format!("rediss://localhost:{port}");
    let plain = format!("redis://127.0.0.1:{port}");
    for (what, url, root, kind) in [
        (
            "another authority",
            &url,
            Some(another.as_str()),
            StoreErrorKind::Unavailable,
        ),
        (
            "the platform's authorities",
            &url,
            None,
            StoreErrorKind::Unavailable,
        ),
        (
            "another name",
            &named,
            Some(ours.as_str()),
            StoreErrorKind::Unavailable,
        ),
        ("no encryption", &plain, None, StoreErrorKind::Unavailable),
        (
            "an authority without encryption",
            &plain,
            Some(ours.as_str()),
            StoreErrorKind::Invalid,
        ),
        (
            "no certificate",
            &url,
            Some("none"),
            StoreErrorKind::Invalid,
        ),
    ] {
        let refused = RedisStore::with_options(options(url, root)).await;
        assert_eq!(
            refused.map_err(|error| error.kind()).err(),
            Some(kind),
            "{what}"
        );
    }
}
