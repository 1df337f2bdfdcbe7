use otp_core::delivery::DeliveryErrorKind;

/// Reads a code of Twilio's error dictionary; `None` where it is not one about sending.
///
/// In doubt the gentler reading for the person is taken: what protects them ends the route.
pub(super) const fn kind(code: u32) -> Option<DeliveryErrorKind> {
    use DeliveryErrorKind as Kind;
    Some(match code {
        // Credentials refused, account inactive, suspended or on trial; WhatsApp account.
        20003 | 20005 | 21608 | 30002 | 63001 | 63020 => Kind::Unauthorized,

        // Concurrency, a sender's queue, the day's cap of a campaign or channel.
        20429 | 21611 | 30001 | 30022 | 30023 | 30027 | 60212 | 63017 | 63018 | 63038 => {
            Kind::Throttled
        }
        // Twilio or the carrier failed; 30003 is a handset that is off for now.
        20500 | 20503 | 30003 | 30008 | 30017 | 63009 | 63010 | 63012 => Kind::Unavailable,
        // The message was not handed over while it was valid.
        30036 | 30410 => Kind::Timeout,

        // No such number, no mobile, a landline, not on the channel, blocked at the number.
        21211 | 21614 | 21635 | 30004 | 30005 | 30006 | 60205 | 63003 | 63024 | 63032 | 63033 => {
            Kind::Unreachable
        }
        // STOP, or the sender blocked by the person.
        21610 | 63014 => Kind::OptedOut,
        // SMS pumping protection, Fraud Guard, attempt limits of Verify.
        30450 | 30453 | 60202 | 60203 | 60238 | 60308 | 60310 | 60312 | 60410 => Kind::Protected,

        // The request: parameters, resource, callback, length.
        20404 | 21602 | 21603 | 21604 | 21609 | 21617 | 21656 | 21910 | 60200 | 63028 | 63030
        | 63031 => Kind::Invalid,
        // The sender: not ours, not for this country or pair, not registered, no template.
        21212
        | 21408
        | 21606
        | 21612
        | 21655
        | 21659
        | 21660
        | 21701
        | 21703
        | 21705
        | 30018
        | 30024
        | 30032..=30035
        | 63007
        | 63015
        | 63027
        | 63040..=63042 => Kind::Invalid,
        // The content: refused, filtered, against policy, outside the window.
        21618 | 30007 | 63005 | 63013 | 63016 | 63026 | 63049 => Kind::Invalid,

        _ => return None,
    })
}
