//! Ports for servers of a test's own, which may be killed and started again.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};

/// Below those that a system gives to connections that go out (32768 and up on Linux), so that none
/// of them takes a server's port before it starts or while it is down.
const FIRST: u32 = 10_000;
const COUNT: u32 = 10_000;

/// Finds a port that nobody has; no second call in this process is given it.
pub(crate) fn free() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Test programs that run side by side begin at places of their own.
    let start = std::process::id().wrapping_mul(101);
    (0..COUNT)
        .map(|_| start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT + FIRST)
        .filter_map(|port| u16::try_from(port).ok())
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a port that is free")
}
