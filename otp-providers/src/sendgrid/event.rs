use otp_core::delivery::DeliveryErrorKind;

/// The fields of a webhook event that tell what became of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SendGridEvent<'a> {
    /// The field `event`: `bounce`, `dropped`, ...
    pub event: &'a str,
    /// The field `type` of a bounce: `bounce` or `blocked`.
    pub bounce_type: Option<&'a str>,
    /// The field `bounce_classification`.
    pub bounce_classification: Option<&'a str>,
    /// The field `reason`.
    pub reason: Option<&'a str>,
}

/// Reads an event: `None` where it reports no failure (`processed`, `deferred`, `delivered`,
/// `open`, `click`, and what is not known).
///
/// # Examples
/// ```
/// use otp_core::delivery::DeliveryErrorKind;
/// use otp_providers::sendgrid::{SendGridEvent, classify_event};
///
/// let bounce = SendGridEvent {
///     event: "bounce",
///     bounce_type: Some("bounce"),
///     ..SendGridEvent::default()
/// };
/// assert_eq!(classify_event(&bounce), Some(DeliveryErrorKind::Unreachable));
/// ```
#[must_use]
pub fn classify_event(event: &SendGridEvent<'_>) -> Option<DeliveryErrorKind> {
    match event.event {
        "bounce" if event.bounce_type == Some("blocked") => Some(blocked(event)),
        "bounce" => Some(DeliveryErrorKind::Unreachable),
        "dropped" => Some(dropped(event.reason.unwrap_or_default())),
        "spamreport" | "unsubscribe" | "group_unsubscribe" => Some(DeliveryErrorKind::OptedOut),
        _ => None,
    }
}

/// A block is not suppressed: `SendGrid` sends to the address again when asked.
fn blocked(event: &SendGridEvent<'_>) -> DeliveryErrorKind {
    match event.bounce_classification.unwrap_or_default() {
        "Invalid Address" => DeliveryErrorKind::Unreachable,
        "Content" | "Reputation" => DeliveryErrorKind::Invalid,
        "Frequency or Volume Too High" => DeliveryErrorKind::Throttled,
        _ => DeliveryErrorKind::Unavailable,
    }
}

fn dropped(reason: &str) -> DeliveryErrorKind {
    let starts = |words: &str| {
        reason
            .get(..words.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(words))
    };
    if starts("Unsubscribed Address") || starts("Spam Reporting Address") {
        DeliveryErrorKind::OptedOut
    } else if starts("Invalid SMTPAPI") {
        DeliveryErrorKind::Invalid
    } else if starts("Bounced Address") || starts("Invalid") {
        DeliveryErrorKind::Unreachable
    } else if starts("Recipient List over Package Quota") {
        DeliveryErrorKind::Unauthorized
    } else {
        DeliveryErrorKind::Invalid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounces_and_blocks_are_told_apart() {
        use DeliveryErrorKind as Kind;
        let cases = [
            (Some("bounce"), Some("Invalid Address"), Kind::Unreachable),
            (Some("bounce"), None, Kind::Unreachable),
            (None, None, Kind::Unreachable),
            (Some("blocked"), Some("Technical"), Kind::Unavailable),
            (
                Some("blocked"),
                Some("Mailbox Unavailable"),
                Kind::Unavailable,
            ),
            (
                Some("blocked"),
                Some("Frequency or Volume Too High"),
                Kind::Throttled,
            ),
            (Some("blocked"), Some("Content"), Kind::Invalid),
            (Some("blocked"), Some("Reputation"), Kind::Invalid),
            (Some("blocked"), Some("Unclassified"), Kind::Unavailable),
            (Some("blocked"), None, Kind::Unavailable),
        ];
        for (bounce_type, bounce_classification, kind) in cases {
            let event = SendGridEvent {
                event: "bounce",
                bounce_type,
                bounce_classification,
                reason: Some("550 5.1.1 unknown user"),
            };
            assert_eq!(classify_event(&event), Some(kind), "{event:?}");
        }
    }

    #[test]
    fn what_sendgrid_drops_is_read_by_its_reason() {
        use DeliveryErrorKind as Kind;
        let cases = [
            (Some("Bounced Address"), Kind::Unreachable),
            (Some("Unsubscribed Address"), Kind::OptedOut),
            (Some("Spam Reporting Address"), Kind::OptedOut),
            (Some("Invalid"), Kind::Unreachable),
            (Some("Invalid SMTPAPI header"), Kind::Invalid),
            (
                Some("Spam Content (if Spam Checker app is enabled)"),
                Kind::Invalid,
            ),
            (
                Some("Recipient List over Package Quota"),
                Kind::Unauthorized,
            ),
            (Some("é"), Kind::Invalid),
            (None, Kind::Invalid),
        ];
        for (reason, kind) in cases {
            let event = SendGridEvent {
                event: "dropped",
                reason,
                ..SendGridEvent::default()
            };
            assert_eq!(classify_event(&event), Some(kind), "{event:?}");
        }
    }

    #[test]
    fn complaints_are_refusals_of_the_person_and_progress_is_no_failure() {
        let read = |event| {
            classify_event(&SendGridEvent {
                event,
                ..SendGridEvent::default()
            })
        };
        for event in ["spamreport", "unsubscribe", "group_unsubscribe"] {
            assert_eq!(read(event), Some(DeliveryErrorKind::OptedOut), "{event}");
        }
        for event in [
            "processed",
            "deferred",
            "delivered",
            "open",
            "click",
            "group_resubscribe",
            "",
        ] {
            assert_eq!(read(event), None, "{event}");
        }
    }
}
