//! A TCP proxy that misbehaves as it is told.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What becomes of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// They pass.
    Whole,
    /// Connections are reset, new ones at once.
    Reset,
    /// Connections stay open and nothing passes.
    Silent,
    /// Requests pass, replies are swallowed.
    Deaf,
    /// This many bytes of replies pass; then the connection is reset, and the line is whole again.
    CutAfter(u64),
    /// Every reply is this instead; what was asked does not reach the server.
    Answers(&'static [u8]),
}

/// A proxy before a server; it ends when it is dropped.
pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    listening: JoinHandle<()>,
}

struct Shared {
    line: watch::Sender<Line>,
    /// How many bytes of replies have passed.
    replied: AtomicU64,
}

impl Proxy {
    pub(crate) async fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            line: watch::Sender::new(Line::Whole),
            replied: AtomicU64::new(0),
        });
        let state = Arc::clone(&shared);
        let listening = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, server, Arc::clone(&state)));
            }
        });
        Self {
            address,
            shared,
            listening,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes the line of every connection, those that are open too.
    pub(crate) fn set(&self, line: Line) {
        self.shared.line.send_replace(line);
    }

    pub(crate) fn replied(&self) -> u64 {
        self.shared.replied.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
        self.set(Line::Reset);
    }
}

/// What to do after some bytes.
enum Next {
    GoOn,
    End,
}

async fn carry(mut client: TcpStream, server: SocketAddr, shared: Arc<Shared>) {
    let Ok(mut server) = TcpStream::connect(server).await else {
        return;
    };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let mut line = shared.line.subscribe();
    let (mut asked, mut answered) = (vec![0; 16_384], vec![0; 16_384]);
    loop {
        let now = *line.borrow_and_update();
        if now == Line::Reset {
            break;
        }
        let next = tokio::select! {
            _ = line.changed() => Next::GoOn,
            read = client.read(&mut asked) => match read {
                Ok(read) if read > 0 => {
                    ask(now, &asked[..read], &mut client, &mut server).await
                }
                _ => Next::End,
            },
            read = server.read(&mut answered) => match read {
                Ok(read) if read > 0 => answer(&shared, &answered[..read], &mut client).await,
                _ => Next::End,
            },
        };
        if matches!(next, Next::End) {
            break;
        }
    }
    // A reset, not an orderly end: the other side loses what it has not read.
    let _ = client.set_zero_linger();
}

async fn ask(line: Line, bytes: &[u8], client: &mut TcpStream, server: &mut TcpStream) -> Next {
    let written = match line {
        Line::Silent => return Next::GoOn,
        Line::Reset => return Next::End,
        Line::Answers(answer) => client.write_all(answer).await,
        Line::Whole | Line::Deaf | Line::CutAfter(_) => server.write_all(bytes).await,
    };
    written.map_or(Next::End, |()| Next::GoOn)
}

async fn answer(shared: &Shared, bytes: &[u8], client: &mut TcpStream) -> Next {
    let size = u64::try_from(bytes.len()).expect("a size");
    let mut passes = size;
    shared.line.send_if_modified(|line| match *line {
        Line::Silent | Line::Deaf | Line::Answers(_) | Line::Reset => {
            passes = 0;
            false
        }
        Line::CutAfter(left) => {
            passes = left.min(size);
            *line = match left.checked_sub(size) {
                Some(left) => Line::CutAfter(left),
                None => Line::Whole,
            };
            // Those who wait need not look: nothing changes for them until it is spent.
            false
        }
        Line::Whole => false,
    });
    let part = &bytes[..usize::try_from(passes).expect("a size")];
    shared.replied.fetch_add(passes, Ordering::Relaxed);
    let sent = client.write_all(part).await;
    let cut = passes < size && shared.line.borrow().eq(&Line::Whole);
    match sent {
        Ok(()) if !cut => Next::GoOn,
        _ => Next::End,
    }
}
