use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A connection that gives one byte at a time until TLS is up.
///
/// A reader takes all that has arrived. What somebody on the way put in behind the answer to
/// STARTTLS would then wait in its buffer, and be read as the server's words once the connection is
/// encrypted (<https://nostarttls.secvuln.info>). Byte by byte it stays in the socket, where TLS
/// takes it for a broken handshake.
#[derive(Debug)]
pub(super) struct Wary {
    stream: TcpStream,
    encrypted: Arc<AtomicBool>,
}

impl Wary {
    /// Wraps a connection, and gives what is set once it is encrypted.
    pub(super) fn new(stream: TcpStream) -> (Self, Arc<AtomicBool>) {
        let encrypted = Arc::new(AtomicBool::new(false));
        let wary = Self {
            stream,
            encrypted: Arc::clone(&encrypted),
        };
        (wary, encrypted)
    }
}

impl AsyncTokioStream for Wary {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}

impl AsyncRead for Wary {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.encrypted.load(Ordering::Acquire) || into.remaining() < 2 {
            return Pin::new(&mut self.stream).poll_read(context, into);
        }
        let mut byte = [0];
        let mut one = ReadBuf::new(&mut byte);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut one))?;
        into.put_slice(one.filled());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wary {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
