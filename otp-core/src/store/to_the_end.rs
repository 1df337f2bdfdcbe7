use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::Handle;

/// Work that is done where it is waited for, without a task of its own, and that goes on as one
/// where whoever waits leaves. Its answer is `None` where it panicked.
///
/// For a store whose intent must be heard to its end, and which a switch of tasks each time would
/// cost more than the asking. Like every future it stands still while it is neither polled nor
/// dropped: what holds something meanwhile that others wait for (a transaction, say) belongs in a
/// task instead. Outside of a Tokio runtime it ends where it is dropped.
///
/// # Examples
/// ```
/// use otp_core::store::ToTheEnd;
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let asked = ToTheEnd::new(Box::pin(async { 42 }));
/// assert_eq!(asked.await, Some(42));
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use = "it is begun by who waits for it"]
pub struct ToTheEnd<F: Future<Output: Send> + Unpin + Send + 'static> {
    work: Option<F>,
    /// Of the beginning: it may be dropped where there is none.
    runtime: Option<Handle>,
}

impl<F: Future<Output: Send> + Unpin + Send + 'static> ToTheEnd<F> {
    /// Takes the work; it begins when it is waited for.
    pub fn new(work: F) -> Self {
        Self {
            work: Some(work),
            runtime: Handle::try_current().ok(),
        }
    }
}

impl<F: Future<Output: Send> + Unpin + Send + 'static> Future for ToTheEnd<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<F::Output>> {
        let Some(work) = &mut self.work else {
            return Poll::Ready(None);
        };
        let polled = catch_unwind(AssertUnwindSafe(|| Pin::new(work).poll(context)));
        let ended = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(answer)) => Some(answer),
            Err(_panic) => None,
        };
        self.work = None;
        Poll::Ready(ended)
    }
}

impl<F: Future<Output: Send> + Unpin + Send + 'static> fmt::Debug for ToTheEnd<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToTheEnd")
            .field("ended", &self.work.is_none())
            .finish_non_exhaustive()
    }
}

impl<F: Future<Output: Send> + Unpin + Send + 'static> Drop for ToTheEnd<F> {
    fn drop(&mut self) {
        if let (Some(work), Some(runtime)) = (self.work.take(), &self.runtime) {
            drop(runtime.spawn(work));
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn work_that_is_waited_for_is_no_task_and_gives_its_answer() {
        let tasks = || Handle::current().metrics().num_alive_tasks();
        let before = tasks();
        let work = ToTheEnd::new(Box::pin(async move { tasks() }));
        assert_eq!(work.await, Some(before));
    }

    #[tokio::test]
    async fn whoever_leaves_half_way_does_not_stop_it() {
        let (go, gone) = oneshot::channel::<()>();
        let (tell, told) = oneshot::channel();
        let mut work = ToTheEnd::new(Box::pin(async move {
            let _ = gone.await;
            let _ = tell.send("done");
        }));
        let polled = std::future::poll_fn(|context| {
            Poll::Ready(Pin::new(&mut work).poll(context).is_pending())
        });
        assert!(polled.await);
        drop(work);
        go.send(()).expect("somebody waits");
        assert_eq!(told.await, Ok("done"));
    }

    #[test]
    fn it_goes_on_in_its_own_runtime_where_it_is_dropped_outside_of_one() {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.expect("a runtime");
        let (tell, told) = oneshot::channel();
        let inside = runtime.enter();
        let work = ToTheEnd::new(Box::pin(async move {
            let _ = tell.send("done");
        }));
        drop(inside);
        drop(work);
        assert_eq!(runtime.block_on(told), Ok("done"));
    }

    #[tokio::test]
    async fn a_panic_is_no_answer_and_ends_it() {
        let mut work = ToTheEnd::new(Box::pin(async { panic!("half-way") }));
        let ended: Option<()> = (&mut work).await;
        assert_eq!((ended, work.work.is_some()), (None, false));
    }
}
