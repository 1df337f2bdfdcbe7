use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};

use super::Reply;

/// A loopback port that refuses every connection, as long as this lives.
#[derive(Debug)]
pub struct RefusingPort {
    _held: TcpSocket,
    base_url: String,
}

impl RefusingPort {
    /// Gives the base URL.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }
}

/// What a [`Vendor`] does once it has read a request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Behaviour {
    /// Replies, and keeps the connection.
    Answer(Reply),
    /// Replies with the request's own body, as vendors do that quote what they refuse.
    Echo(Reply),
    /// Says nothing and keeps the connection.
    Hang,
    /// Closes without a word.
    Close,
    /// Announces more than it sends, and closes.
    CutShort(Reply),
    /// Sends a body without end, until nobody reads or 32 MiB have gone.
    Endless(Reply),
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct ReceivedRequest {
    /// The method.
    pub method: String,
    /// The path and query.
    pub target: String,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl ReceivedRequest {
    /// Gives the first header of a name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(header, _)| header == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// A vendor's stand-in: an HTTP/1.1 server on a loopback port that ends when it is dropped.
#[derive(Debug)]
pub struct Vendor {
    base_url: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    arrived: Notify,
}

#[derive(Debug)]
struct State {
    behaviour: Behaviour,
    requests: Vec<ReceivedRequest>,
    written: usize,
}

const LARGEST_REQUEST: usize = 1024 * 1024;
const ENDLESS: usize = 32 * 1024 * 1024;

impl Vendor {
    /// Starts to listen.
    ///
    /// # Errors
    /// The operating system's, where there is no loopback port to be had.
    pub async fn start(behaviour: Behaviour) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                behaviour,
                requests: Vec::new(),
                written: 0,
            }),
            arrived: Notify::new(),
        });
        let server = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Ok(Self {
            base_url,
            shared,
            server,
        })
    }

    /// Takes a port on which nobody listens, and nobody else can while it is held.
    ///
    /// # Errors
    /// The operating system's, where there is no loopback port to be had.
    pub fn refusing() -> io::Result<RefusingPort> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let base_url = format!("http://{}", socket.local_addr()?);
        Ok(RefusingPort {
            _held: socket,
            base_url,
        })
    }

    /// Gives the base URL.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Gives the requests so far, in order of arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        self.shared.lock().requests.clone()
    }

    /// Counts the bytes of endless bodies so far.
    #[must_use]
    pub fn written(&self) -> usize {
        self.shared.lock().written
    }

    /// Changes what is done with requests from now on.
    pub fn behave(&self, behaviour: Behaviour) {
        self.shared.lock().behaviour = behaviour;
    }

    /// Waits until a request has arrived since the last call.
    pub async fn arrival(&self) {
        self.shared.arrived.notified().await;
    }
}

impl Drop for Vendor {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    // Connections end with the server, because the set is dropped with it.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(talk(stream, Arc::clone(&shared)));
        while connections.try_join_next().is_some() {}
    }
}

async fn talk(mut stream: TcpStream, shared: Arc<Shared>) {
    let mut unread = Vec::new();
    while let Ok(Some(request)) = read(&mut stream, &mut unread).await {
        let body = request.body.clone();
        let behaviour = {
            let mut state = shared.lock();
            state.requests.push(request);
            state.behaviour.clone()
        };
        shared.arrived.notify_one();
        let sent = match behaviour {
            Behaviour::Answer(reply) => stream.write_all(&reply.bytes(0)).await,
            Behaviour::Echo(reply) => stream.write_all(&reply.body(&body).bytes(0)).await,
            Behaviour::Hang => std::future::pending().await,
            Behaviour::Close => return,
            Behaviour::CutShort(reply) => {
                // What was written arrives before the end of the stream does.
                let _ = stream.write_all(&reply.bytes(1000)).await;
                return;
            }
            Behaviour::Endless(reply) => endless(&mut stream, &reply, &shared).await,
        };
        if sent.is_err() {
            return;
        }
    }
}

async fn endless(stream: &mut TcpStream, reply: &Reply, shared: &Shared) -> io::Result<()> {
    stream.write_all(&reply.head("Connection: close")).await?;
    let chunk = [b' '; 16 * 1024];
    while shared.lock().written < ENDLESS {
        stream.write_all(&chunk).await?;
        shared.lock().written += chunk.len();
    }
    Err(io::ErrorKind::Other.into())
}

/// Reads one request with a `Content-Length` or a chunked body; `None` at the end of the stream.
async fn read(stream: &mut TcpStream, unread: &mut Vec<u8>) -> io::Result<Option<ReceivedRequest>> {
    let malformed = || io::Error::from(io::ErrorKind::InvalidData);
    let head_end = loop {
        if let Some(at) = find(unread, b"\r\n\r\n") {
            break at;
        }
        if !more(stream, unread).await? {
            return Ok(None);
        }
    };
    let mut head: Vec<u8> = unread.drain(..head_end.saturating_add(4)).collect();
    head.truncate(head_end);
    let head = String::from_utf8(head).map_err(|_| malformed())?;
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(target)) = (first.next(), first.next()) else {
        return Err(malformed());
    };
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let mut request = ReceivedRequest {
        method: method.to_owned(),
        target: target.to_owned(),
        headers,
        body: Vec::new(),
    };
    if request.header("expect").is_some() {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
    }
    let chunked = request.header("transfer-encoding").is_some();
    let length: usize = match request.header("content-length") {
        Some(length) => length.parse().map_err(|_| malformed())?,
        None => 0,
    };
    let end = loop {
        let end = if chunked {
            find(unread, b"0\r\n\r\n").map(|at| at.saturating_add(5))
        } else {
            (unread.len() >= length).then_some(length)
        };
        if let Some(end) = end {
            break end;
        }
        if !more(stream, unread).await? {
            return Ok(None);
        }
    };
    // A chunked body is kept with its chunk lines: it is searched, not parsed.
    request.body = unread.drain(..end).collect();
    Ok(Some(request))
}

async fn more(stream: &mut TcpStream, unread: &mut Vec<u8>) -> io::Result<bool> {
    if unread.len() > LARGEST_REQUEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    Ok(stream.read_buf(unread).await? > 0)
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}
