use std::future::Future;

use tokio::runtime::Builder;

/// Runs a case on a runtime of its own, with four threads.
pub fn run(case: impl Future<Output = ()>) {
    Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .expect("a runtime starts")
        .block_on(case);
}
