//! Listening, and stopping without cutting anybody off.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower::Service as _;

use crate::app::{self, App};
use crate::config::{Listen, Refused};
use crate::tls::TlsListener;

/// How long requests in flight may take once the process is told to stop.
pub(crate) const GRACE: Duration = Duration::from_secs(15);

/// How long a client may take to send a request's head, and to begin the next one on a connection
/// that it keeps. Without an end to it anybody could hold all connections that a process may have.
const PATIENCE: Duration = Duration::from_secs(10);

/// The open listeners; one alone where both have the same address.
pub(crate) struct Listeners {
    public: TcpListener,
    admin: Option<TcpListener>,
}

/// Opens the listeners.
pub(crate) async fn bind(listen: &Listen) -> Result<Listeners, Refused> {
    let public = open("BIND_ADDR", listen.public).await?;
    let admin = if listen.is_shared() {
        None
    } else {
        Some(open("ADMIN_BIND_ADDR", listen.admin).await?)
    };
    Ok(Listeners { public, admin })
}

async fn open(key: &str, address: SocketAddr) -> Result<TcpListener, Refused> {
    TcpListener::bind(address)
        .await
        .map_err(|error| Refused::new(key, &format!("cannot be listened on: {}", error.kind())))
}

/// Serves until the process is told to stop and the requests in flight have ended.
pub(crate) async fn until_stopped(
    listeners: Listeners,
    tls: Option<Arc<ServerConfig>>,
    app: Arc<App>,
) -> io::Result<()> {
    // Heard from before anybody is told that it listens: whoever waits for that may stop it at once.
    let told_to_stop = told_to_stop()?;
    tracing::info!("listening on {}", listeners.public.local_addr()?);
    let (stop, stopped) = watch::channel(());
    let public = serve(
        listeners.public,
        tls.clone(),
        app::public(&app),
        stopped.clone(),
    );
    let admin = async {
        match listeners.admin {
            None => Ok(()),
            Some(listener) => {
                tracing::info!("operators: listening on {}", listener.local_addr()?);
                serve(listener, tls, app::admin(&app), stopped).await
            }
        }
    };
    let served = async { tokio::try_join!(public, admin).map(drop) };
    tokio::pin!(served);
    tokio::select! {
        ended = &mut served => return ended,
        () = told_to_stop => drop(stop),
    }
    tracing::info!("stopping");
    match tokio::time::timeout(GRACE, served).await {
        Ok(ended) => ended,
        Err(_) => {
            tracing::warn!("some requests did not end in time");
            Ok(())
        }
    }
}

async fn serve(
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    routes: Router,
    stopped: watch::Receiver<()>,
) -> io::Result<()> {
    match tls {
        None => answer(listener, routes, stopped).await,
        Some(config) => answer(TlsListener::new(listener, config)?, routes, stopped).await,
    }
    Ok(())
}

async fn answer(
    mut listener: impl Listener<Addr = SocketAddr>,
    routes: Router,
    mut stopped: watch::Receiver<()>,
) {
    let mut http = Builder::new(TokioExecutor::new()).http1_only();
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE);
    let mut services = routes.into_make_service_with_connect_info::<SocketAddr>();
    let open = GracefulShutdown::new();
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => accepted,
            // The sender is dropped to stop, and never sends.
            _ = stopped.changed() => break,
        };
        let Ok(service) = services.call(peer).await;
        let service = TowerToHyperService::new(service);
        let connection = http.serve_connection(TokioIo::new(stream), service);
        let connection = open.watch(connection.into_owned());
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection broke");
            }
        });
    }
    drop(listener);
    open.shutdown().await;
}

/// Begins to hear SIGTERM and SIGINT, and gives what waits for the first.
#[cfg(unix)]
fn told_to_stop() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Waits for Ctrl-C. A process that cannot hear it is stopped by other means.
#[cfg(not(unix))]
fn told_to_stop() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
