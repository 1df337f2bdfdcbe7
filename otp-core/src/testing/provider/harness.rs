use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime;

use super::fixture::{ProviderFixture, Setup, message};
use super::{Behaviour, Vendor};
use crate::delivery::{DeliveryError, DeliveryProvider, Receipt};
use crate::destination::Channel;

pub(super) type Outcome = Result<Receipt, DeliveryError>;

/// How long a provider may take where its vendor answers.
pub(super) const AMPLE: Duration = Duration::from_secs(10);
/// How long a provider may take where its vendor never will.
pub(super) const SHORT: Duration = Duration::from_millis(300);
/// How long a case may take before it counts as hung.
const HUNG: Duration = Duration::from_secs(30);

pub(super) fn run<T>(case: impl Future<Output = T>) -> T {
    // One thread, so that the thread's subscriber sees what the provider's own tasks log.
    on(runtime::Builder::new_current_thread(), case)
}

pub(super) fn run_on_threads<T>(case: impl Future<Output = T>) -> T {
    on(runtime::Builder::new_multi_thread(), case)
}

fn on<T>(mut runtime: runtime::Builder, case: impl Future<Output = T>) -> T {
    let runtime = must(runtime.enable_all().build(), "a runtime");
    let ended = runtime.block_on(async { tokio::time::timeout(HUNG, case).await });
    must(ended, "an end to the case")
}

pub(super) async fn start(behaviour: Behaviour) -> Vendor {
    must(Vendor::start(behaviour).await, "a loopback port")
}

pub(super) fn build(
    fixture: &ProviderFixture,
    base_url: &str,
    deadline: Duration,
) -> Arc<dyn DeliveryProvider> {
    let setup = Setup {
        base_url: base_url.to_owned(),
        deadline,
    };
    must(fixture.build(&setup), "a provider")
}

pub(super) async fn send(fixture: &ProviderFixture, base_url: &str, deadline: Duration) -> Outcome {
    first_channel(&build(fixture, base_url, deadline)).await
}

pub(super) async fn first_channel(provider: &Arc<dyn DeliveryProvider>) -> Outcome {
    let channel = provider.channels().first().ok_or("no channel");
    deliver(provider, *must(channel, "a channel")).await
}

pub(super) async fn deliver(provider: &Arc<dyn DeliveryProvider>, channel: Channel) -> Outcome {
    let message = must(message(channel, channel.destination_kind()), "a message");
    provider.deliver(&message).await
}

pub(super) fn must<T, E: Debug>(result: Result<T, E>, wanted: &str) -> T {
    match result {
        Ok(value) => value,
        Err(error) => fault(&format!("wanted {wanted}, got {error:?}")),
    }
}

pub(super) fn fail(outcome: Outcome, what: &str) -> DeliveryError {
    match outcome {
        Ok(_) => fault(&format!("{what} gave a receipt")),
        Err(error) => error,
    }
}

#[expect(clippy::panic, reason = "a failed case is a failed test")]
#[track_caller]
pub(super) fn fault(message: &str) -> ! {
    panic!("{message}")
}
