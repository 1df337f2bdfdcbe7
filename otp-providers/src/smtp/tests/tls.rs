//! A mail server on loopback that speaks TLS with a certificate of its own authority.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// A server that was started, and what it needs to be trusted.
pub(super) struct Tls {
    pub(super) address: String,
    pub(super) root: Vec<u8>,
}

/// Starts a server for one mail, with TLS at once or by STARTTLS, whose certificate is for `name`.
pub(super) async fn start(name: &str, at_once: bool) -> Tls {
    start_after(name, at_once, "220 go ahead").await
}

/// Starts a server that answers STARTTLS with these words.
pub(super) async fn start_after(name: &str, at_once: bool, words: &'static str) -> Tls {
    let (config, root) = certified(name);
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.ok()?;
        let stream = if at_once {
            stream
        } else {
            ask(stream, words).await?
        };
        let stream = acceptor.accept(stream).await.ok()?;
        serve(stream, at_once).await
    });
    Tls { address, root }
}

fn certified(name: &str) -> (ServerConfig, Vec<u8>) {
    let key = KeyPair::generate().expect("a key");
    let mut authority = CertificateParams::new(Vec::new()).expect("parameters");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = authority.self_signed(&key).expect("a root").der().to_vec();
    let issuer = Issuer::new(authority, key);
    let key = KeyPair::generate().expect("a key");
    let leaf = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
    let leaf = leaf.signed_by(&key, &issuer).expect("a certificate");
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .expect("a pair");
    (config, root)
}

/// Speaks in the clear until STARTTLS.
async fn ask(stream: TcpStream, words: &str) -> Option<TcpStream> {
    let mut stream = BufReader::new(stream);
    say(&mut stream, "220 stand-in").await?;
    loop {
        let answer = match hear(&mut stream).await?.as_str() {
            "EHLO" => "250-stand-in\r\n250 STARTTLS",
            "STARTTLS" => {
                say(&mut stream, words).await?;
                return Some(stream.into_inner());
            }
            _ => "503 not in the clear",
        };
        say(&mut stream, answer).await?;
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(stream: S, greets: bool) -> Option<()> {
    let mut stream = BufReader::new(stream);
    if greets {
        say(&mut stream, "220 stand-in").await?;
    }
    loop {
        let answer = match hear(&mut stream).await?.as_str() {
            "EHLO" => "250-stand-in\r\n250 AUTH PLAIN",
            "AUTH" => "235 welcome",
            "DATA" => {
                say(&mut stream, "354 go on").await?;
                while hear(&mut stream).await? != "." {}
                "250 taken"
            }
            _ => "250 fine",
        };
        say(&mut stream, answer).await?;
    }
}

async fn say<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufReader<S>,
    words: &str,
) -> Option<()> {
    let line = format!("{words}\r\n");
    stream.get_mut().write_all(line.as_bytes()).await.ok()?;
    stream.get_mut().flush().await.ok()
}

/// Reads a line and gives its first word.
async fn hear<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> Option<String> {
    let mut line = String::new();
    if stream.read_line(&mut line).await.ok()? == 0 {
        return None;
    }
    Some(
        line.split_whitespace()
            .next()
            .unwrap_or_default()
            .to_owned(),
    )
}
