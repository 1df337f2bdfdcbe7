use otp_core::delivery::DeliveryErrorKind;

/// The fields of an SES event (publishing or feedback) that tell what became of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SesEvent<'a> {
    /// `eventType`, or `notificationType` of the older form.
    pub event: &'a str,
    /// `bounce.bounceType`.
    pub bounce_type: Option<&'a str>,
    /// `bounce.bounceSubType`.
    pub bounce_sub_type: Option<&'a str>,
}

/// Reads an SES event: what a failure means, or `None` where it tells of none.
///
/// A bounce is read by its type, with the sub types that are about the message or the sender set
/// apart. `Open` and `Click` are nothing: machines open and click.
///
/// # Examples
/// ```
/// use otp_core::delivery::DeliveryErrorKind;
/// use otp_providers::ses::{SesEvent, classify_event};
///
/// let bounce = SesEvent {
///     event: "Bounce",
///     bounce_type: Some("Permanent"),
///     ..SesEvent::default()
/// };
/// assert_eq!(classify_event(&bounce), Some(DeliveryErrorKind::Unreachable));
/// ```
#[must_use]
pub fn classify_event(event: &SesEvent<'_>) -> Option<DeliveryErrorKind> {
    use DeliveryErrorKind as Kind;
    match event.event {
        "Bounce" => Some(match (event.bounce_type, event.bounce_sub_type) {
            (
                Some("Transient"),
                Some("MessageTooLarge" | "ContentRejected" | "AttachmentRejected"),
            ) => Kind::Invalid,
            (Some("Permanent"), _) => Kind::Unreachable,
            // Transient ones, and those that Amazon could not read: worth one more try.
            _ => Kind::Unavailable,
        }),
        "Complaint" => Some(Kind::OptedOut),
        "Reject" | "Rendering Failure" => Some(Kind::Invalid),
        _ => None,
    }
}
