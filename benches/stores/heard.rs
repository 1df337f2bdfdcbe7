//! What a store was heard to send while it signed people in, and how it is sent again by hand.

use std::future::Future;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::contest::crowd;
use crate::service::Part;

/// The steps of each sign-in, in their order. Clones are one.
pub(crate) struct Heard<S>(Arc<Vec<Vec<Arc<S>>>>);

impl<S> Clone for Heard<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: Send + Sync + 'static> Heard<S> {
    /// Takes what so many sign-ins sent, one after the other.
    pub(crate) fn new(steps: Vec<S>, calls: usize) -> Self {
        assert_eq!(
            steps.len(),
            calls * Part::STEPS,
            "a round of all parts each"
        );
        let steps: Vec<Arc<S>> = steps.into_iter().map(Arc::new).collect();
        let sign_ins = steps.chunks(Part::STEPS);
        Self(Arc::new(sign_ins.map(<[Arc<S>]>::to_vec).collect()))
    }

    /// Sends a part of each again, and takes the time of it alone; what is verified is issued first.
    pub(crate) async fn again<F, W>(&self, part: Part, callers: usize, send: W) -> Duration
    where
        F: Future<Output = ()> + Send + 'static,
        W: Fn(Arc<S>) -> F + Clone + Send + Sync + 'static,
    {
        if part == Part::Verify {
            let issue = Part::Issue.places();
            self.send(issue, callers, send.clone()).await;
        }
        self.send(part.places(), callers, send).await
    }

    async fn send<F, W>(&self, part: Range<usize>, callers: usize, send: W) -> Duration
    where
        F: Future<Output = ()> + Send + 'static,
        W: Fn(Arc<S>) -> F + Clone + Send + Sync + 'static,
    {
        let heard = self.clone();
        let calls = self.0.len();
        let work = move |number: usize| {
            let (heard, part, send) = (heard.clone(), part.clone(), send.clone());
            async move {
                let sign_in = heard.0.get(number).expect("one each");
                for step in sign_in.get(part).expect("all of them") {
                    send(Arc::clone(step)).await;
                }
            }
        };
        crowd(callers, calls, work).await
    }
}
