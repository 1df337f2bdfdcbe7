//! Clients that begin and never go on: none of them keeps a connection.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::outside::Files;
use crate::support::Server;

/// Long enough for a slow machine; nothing waits for it that works.
const PATIENCE: Duration = Duration::from_secs(60);
const HALF_A_HEAD: &str = "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Ha";

/// Sends something, says nothing more, and gives what came until the server hung up.
fn stall<S: Read + Write + Send + 'static>(mut stream: S, sent: &str) -> JoinHandle<String> {
    stream.write_all(sent.as_bytes()).unwrap();
    stream.flush().unwrap();
    thread::spawn(move || {
        let mut heard = Vec::new();
        let mut part = [0; 1024];
        loop {
            match stream.read(&mut part) {
                Ok(0) => break,
                Ok(read) => heard.extend_from_slice(&part[..read]),
                // A connection that is dropped with something unread is reset.
                Err(error) => match error.kind() {
                    std::io::ErrorKind::WouldBlock => panic!("still open: {heard:?}"),
                    _ => break,
                },
            }
        }
        String::from_utf8(heard).unwrap()
    })
}

fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn post(path: &str, headers: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: 20\r\n\r\nhalf")
}

#[test]
fn an_attacker_who_never_ends_a_head_or_a_body_keeps_no_connection() {
    let server = Server::with(&[("ADMIN_TOKENS", "mike:token-of-mike-that-is-long-enough")]);
    let heads = [&server.address, &server.admin]
        .into_iter()
        .flat_map(|address| ["", HALF_A_HEAD].map(|sent| stall(connect(address), sent)));
    let heads: Vec<_> = heads.collect();
    let form = "Origin: http://x\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    let bodies = [
        (&server.address, post("/api/auth/webhooks/twilio", "")),
        (&server.address, post("/api/auth/mfa/webhook", "")),
        (&server.admin, post("/admin/sms/otp/sign-in", form)),
    ];
    let bodies = bodies.map(|(address, sent)| stall(connect(address), &sent));
    for head in heads {
        let answer = head.join().unwrap();
        assert!(!answer.starts_with("HTTP/1.1 2"), "{answer}");
    }
    for body in bodies {
        let answer = body.join().unwrap();
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    }
}

#[test]
fn over_tls_it_is_the_same() {
    let files = Files::new();
    let (cert, key) = (files.path("cert.pem"), files.path("key.pem"));
    let server = Server::with(&[("TLS_CERT", cert.as_str()), ("TLS_KEY", key.as_str())]);
    let mut trusted = RootCertStore::empty();
    trusted
        .add(CertificateDer::from_pem_file(&cert).unwrap())
        .unwrap();
    let config =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(trusted)
            .with_no_client_auth();
    let config = Arc::new(config);
    let stalled = [&server.address, &server.admin].map(|address| {
        let name = ServerName::try_from("localhost").unwrap();
        let session = ClientConnection::new(Arc::clone(&config), name).unwrap();
        stall(StreamOwned::new(session, connect(address)), HALF_A_HEAD)
    });
    for stream in stalled {
        let answer = stream.join().unwrap();
        assert!(!answer.starts_with("HTTP/1.1 2"), "{answer}");
    }
}
