use std::vec;

use super::StandIn;
use crate::clock::Timestamp;
use crate::delivery::{DeliveryState, Report};
use crate::random::{SecureRandom, SeededRandom};

/// What a vendor reports of the messages that it took. A test applies the reports when it likes,
/// and in the order, and as often, as vendors do.
///
/// # Examples
/// ```
/// use otp_core::clock::Timestamp;
/// use otp_core::delivery::DeliveryState;
/// # use otp_core::delivery::{DeliveryProvider, Message, MessageId};
/// # use otp_core::destination::{Channel, PhoneNumber};
/// # use otp_core::challenge::{Code, CodeFormat};
/// use otp_core::testing::{Inbox, StandIn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let vendor = StandIn::new("acme", &Inbox::new());
/// # let code = Code::normalise(CodeFormat::SIX_DIGITS, "000001")?;
/// # let phone = PhoneNumber::parse("+14155550123")?.into();
/// # let id = MessageId::new("c-1");
/// # let message = Message::builder(id, Channel::Sms, phone, "000001".into(), code).build();
/// vendor.deliver(&message).await?;
///
/// let reports = vendor.receipts(Timestamp::from_millis(1_000)).twice().shuffled(7);
/// assert_eq!(reports.len(), 4);
/// let end = reports.fold(DeliveryState::Queued, |state, report| state.advance(report.state()));
/// assert_eq!(end, DeliveryState::Delivered);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "reports do nothing until they are applied"]
pub struct Receipts(vec::IntoIter<Report>);

impl Receipts {
    /// Repeats every report, as a vendor does that did not hear the first answer.
    pub fn twice(self) -> Self {
        let twice = self.0.flat_map(|report| [report.clone(), report]);
        Self(twice.collect::<Vec<_>>().into_iter())
    }

    /// Turns the order round: the last state comes first.
    pub fn reversed(self) -> Self {
        Self(self.0.rev().collect::<Vec<_>>().into_iter())
    }

    /// Mixes the order, in the same way for the same seed.
    pub fn shuffled(self, seed: u64) -> Self {
        let random = SeededRandom::new(seed);
        let mut drawn: Vec<([u8; 8], Report)> = self.0.map(|report| ([0; 8], report)).collect();
        for (place, _) in &mut drawn {
            // The double never fails; were it to, the order would stay.
            drop(random.fill(place));
        }
        drawn.sort_by_key(|(place, _)| *place);
        let reports = drawn.into_iter().map(|(_, report)| report);
        Self(reports.collect::<Vec<_>>().into_iter())
    }
}

impl Iterator for Receipts {
    type Item = Report;

    fn next(&mut self) -> Option<Report> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for Receipts {}

impl StandIn {
    /// Sets what messages end as in the reports about those that it takes from now on. Default:
    /// [`DeliveryState::Delivered`].
    pub fn report_as(&self, end: DeliveryState) {
        self.lock().end = end;
    }

    /// Gives the reports about what was taken since they were last asked for: each message was
    /// sent, and then ended as [`report_as`](Self::report_as) says. Ask late, and they are late.
    ///
    /// A message that was taken though its caller does not know ([`Behaviour::Cut`]) is reported
    /// too; one that was refused or lost is not.
    ///
    /// [`Behaviour::Cut`]: super::Behaviour::Cut
    pub fn receipts(&self, at: Timestamp) -> Receipts {
        let taken = std::mem::take(&mut self.lock().taken);
        let report = |reference: &str, state: DeliveryState| {
            Report::new(&self.name, reference, state.name(), state, at)
        };
        let reports = taken.iter().flat_map(|(reference, end)| {
            [
                report(reference, DeliveryState::Sent),
                report(reference, *end),
            ]
        });
        Receipts(reports.collect::<Vec<_>>().into_iter())
    }
}
