//! Many callers at once.

use std::future::Future;

use tokio::task::JoinSet;

use crate::side::Outcome;

/// Does a thing `count` times, `callers` at once; `number` tells one call from another.
pub(crate) async fn crowd<F, W>(callers: u64, count: u64, work: W) -> Outcome
where
    F: Future<Output = Outcome> + Send + 'static,
    W: Fn(u64) -> F + Clone + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for caller in 0..callers {
        let work = work.clone();
        tasks.spawn(async move {
            let mut number = caller;
            while number < count {
                work(number).await?;
                number += callers;
            }
            Outcome::Ok(())
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(())
}
