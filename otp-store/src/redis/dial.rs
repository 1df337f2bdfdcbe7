//! How a connection is made: to a server, to whichever server a Sentinel names, or to a cluster.

use std::sync::Arc;
use std::time::Duration;

use otp_core::store::{StoreError, StoreErrorKind};
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster::{ClusterClient, ClusterClientBuilder};
use redis::cluster_async::ClusterConnection;
use redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ErrorKind, Pipeline, RedisError,
    RedisFuture, RedisResult, TlsCertificates, TlsMode, Value,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::options::{Login, RedisOptions, Servers};

/// The share of a deadline that finding one of several servers may take.
const SHARE: u32 = 4;

pub(super) enum Dial {
    Server(Client, Duration),
    Sentinel(Vec<Arc<Mutex<SentinelClient>>>, Duration),
    Cluster(ClusterClient),
}

/// A connection, of which clones are one.
#[derive(Clone)]
pub(super) enum Wire {
    Server(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Dial {
    pub(super) fn new(options: &RedisOptions) -> Result<Self, StoreError> {
        let invalid = |error: RedisError| {
            // Of what is wrong with a URL or a certificate nothing is told: it may be a password.
            drop(error);
            StoreError::from(StoreErrorKind::Invalid)
        };
        let deadline = options.deadline;
        match &options.servers {
            Servers::One(url) => {
                let client = client(url, options.root.as_deref()).map_err(invalid)?;
                Ok(Self::Server(client, deadline))
            }
            Servers::Sentinel { service, urls } => {
                let clients = sentinels(service, urls, options).map_err(invalid)?;
                let clients = clients
                    .into_iter()
                    .map(|client| Arc::new(Mutex::new(client)));
                Ok(Self::Sentinel(clients.collect(), deadline))
            }
            Servers::Cluster { urls, .. } => {
                let client = cluster(urls, options).map_err(invalid)?;
                Ok(Self::Cluster(client))
            }
        }
    }

    pub(super) async fn connect(&self) -> RedisResult<Wire> {
        match self {
            Self::Server(client, deadline) => {
                let config = config(*deadline);
                let opened = client.get_multiplexed_async_connection_with_config(&config);
                opened.await.map(Wire::Server)
            }
            Self::Sentinel(sentinels, deadline) => {
                named(sentinels, *deadline).await.map(Wire::Server)
            }
            Self::Cluster(client) => client.get_async_connection().await.map(Wire::Cluster),
        }
    }
}

/// Asks Sentinel after Sentinel for the primary, each a moment after the one before, and takes the
/// first connection that comes of it: one that hangs costs that moment.
async fn named(
    sentinels: &[Arc<Mutex<SentinelClient>>],
    deadline: Duration,
) -> RedisResult<MultiplexedConnection> {
    let places = u32::try_from(sentinels.len()).unwrap_or(u32::MAX);
    let pause = deadline / SHARE / places.max(1);
    let (mut left, mut asked) = (sentinels.iter(), JoinSet::new());
    let mut failure = RedisError::from((ErrorKind::EmptySentinelList, "no sentinel"));
    loop {
        if let Some(next) = left.next() {
            let (next, config) = (Arc::clone(next), config(deadline));
            asked.spawn(async move {
                let mut sentinel = next.lock().await;
                sentinel.get_async_connection_with_config(&config).await
            });
        }
        let wait = if left.len() > 0 { pause } else { deadline };
        match timeout(wait, asked.join_next()).await {
            Ok(Some(Ok(Ok(wire)))) => return Ok(wire),
            Ok(Some(Ok(Err(error)))) => failure = error,
            Ok(None) if left.len() == 0 => return Err(failure),
            Ok(_) | Err(_) => {}
        }
    }
}

/// Whoever asks keeps the time of an answer, and leaves the connection.
fn config(deadline: Duration) -> AsyncConnectionConfig {
    AsyncConnectionConfig::new()
        .set_connection_timeout(Some(deadline))
        .set_response_timeout(None)
}

fn certificates(root: &str) -> TlsCertificates {
    TlsCertificates {
        client_tls: None,
        root_cert: Some(root.as_bytes().to_vec()),
    }
}

fn client(url: &str, root: Option<&str>) -> RedisResult<Client> {
    let client = match root {
        Some(root) if !has_certificate(root) => Err(RedisError::from((
            ErrorKind::InvalidClientConfig,
            "no certificate",
        ))),
        Some(root) => Client::build_with_tls(url, certificates(root)),
        None => Client::open(url),
    }?;
    if is_secure(&client) {
        provide();
    }
    Ok(client)
}

fn has_certificate(pem: &str) -> bool {
    let mut found = CertificateDer::pem_slice_iter(pem.as_bytes());
    found.next().is_some_and(|found| found.is_ok())
}

fn is_secure(client: &Client) -> bool {
    matches!(
        client.get_connection_info().addr(),
        ConnectionAddr::TcpTls { .. }
    )
}

/// Names the library that encrypts, where the host has named none for its process.
fn provide() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Whoever is faster has named one, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

/// Makes a client of each Sentinel.
fn sentinels(
    service: &str,
    urls: &[String],
    options: &RedisOptions,
) -> RedisResult<Vec<SentinelClient>> {
    let root = options.root.as_deref();
    let clients = urls.iter().map(|url| client(url, root));
    let clients = clients.collect::<RedisResult<Vec<_>>>()?;
    let Some(first) = clients.first() else {
        return Err(RedisError::from((
            ErrorKind::EmptySentinelList,
            "no sentinel",
        )));
    };
    let one = |client| sentinel(service, client, first, options);
    clients.iter().map(one).collect()
}

/// Makes the client of a Sentinel; what the first one's URL says holds for all.
fn sentinel(
    service: &str,
    client: &Client,
    first: &Client,
    options: &RedisOptions,
) -> RedisResult<SentinelClient> {
    let root = options.root.as_deref();
    let address = client.get_connection_info().addr().clone();
    let settings = first.get_connection_info().redis_settings();
    let mut builder = SentinelClientBuilder::new([address], service, SentinelServerType::Master)?;
    if let Some(username) = settings.username() {
        builder = builder.set_client_to_sentinel_username(username);
    }
    if let Some(password) = settings.password() {
        builder = builder.set_client_to_sentinel_password(password);
    }
    let same = || {
        let password = settings.password()?.to_owned();
        let username = settings.username().map(str::to_owned);
        Some(Login { username, password })
    };
    if let Some(login) = options.login.clone().or_else(same) {
        if let Some(username) = &login.username {
            builder = builder.set_client_to_redis_username(username);
        }
        builder = builder.set_client_to_redis_password(&login.password);
    }
    builder = builder.set_client_to_redis_db(settings.db());
    if is_secure(first) {
        builder = builder.set_client_to_redis_tls_mode(TlsMode::Secure);
        if let Some(root) = root {
            builder = builder.set_client_to_redis_certificates(certificates(root));
        }
    }
    builder.build()
}

fn cluster(urls: &[String], options: &RedisOptions) -> RedisResult<ClusterClient> {
    let root = options.root.as_deref();
    for url in urls {
        client(url, root)?;
    }
    let urls = urls.iter().map(String::as_str);
    // No retries: what is sent again may be carried out twice.
    let mut builder = ClusterClientBuilder::new(urls)
        .retries(0)
        .connection_timeout(options.deadline / SHARE)
        .response_timeout(options.deadline);
    if let Some(root) = root {
        builder = builder.certs(certificates(root));
    }
    if let Some(login) = &options.login {
        builder = builder.password(&login.password);
        if let Some(username) = &login.username {
            builder = builder.username(username);
        }
    }
    builder.build()
}

impl ConnectionLike for Wire {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Server(wire) => wire.req_packed_command(cmd),
            Self::Cluster(wire) => wire.req_packed_command(cmd),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        cmd: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Server(wire) => wire.req_packed_commands(cmd, offset, count),
            Self::Cluster(wire) => wire.req_packed_commands(cmd, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Server(wire) => wire.get_db(),
            Self::Cluster(wire) => wire.get_db(),
        }
    }
}
