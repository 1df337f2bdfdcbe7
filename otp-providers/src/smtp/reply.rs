use otp_core::delivery::DeliveryErrorKind;

/// Where in the conversation a server refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SmtpStage {
    /// The greeting, EHLO and STARTTLS.
    Greeting,
    /// AUTH.
    Auth,
    /// MAIL.
    Sender,
    /// RCPT.
    Recipient,
    /// DATA, and what follows it.
    Content,
}

/// Reads a refusal: the enhanced status at the head of its text (RFC 3463) where there is one,
/// else the code and the stage (RFC 5321 section 4.2).
///
/// # Examples
/// ```
/// use otp_core::delivery::DeliveryErrorKind;
/// use otp_providers::smtp::{SmtpStage, classify_reply};
///
/// let gone = classify_reply(SmtpStage::Recipient, 550, "5.1.1 no such user");
/// assert_eq!(gone, DeliveryErrorKind::Unreachable);
/// ```
#[must_use]
pub fn classify_reply(stage: SmtpStage, code: u16, text: &str) -> DeliveryErrorKind {
    use DeliveryErrorKind as Kind;
    if stage == SmtpStage::Auth && code >= 500 {
        return Kind::Unauthorized;
    }
    match enhanced(text) {
        // A status of another class than its code is none.
        Some((class, subject, detail)) if u16::from(class) == code / 100 => {
            by_status(class, subject, detail)
        }
        _ => by_code(stage, code),
    }
}

const fn by_status(class: u8, subject: u16, detail: u16) -> DeliveryErrorKind {
    use DeliveryErrorKind as Kind;
    match (class, subject, detail) {
        // Policies that pass: greylisting, rates, too many recipients.
        (4, 7, _) | (4, 5, 3) => Kind::Throttled,
        (4, ..) => Kind::Unavailable,
        // The sender's address.
        (_, 1, 7 | 8) => Kind::Invalid,
        // No such mailbox or domain, moved, disabled, full.
        (_, 1, _) => Kind::Unreachable,
        (_, 2, 3) => Kind::Invalid,
        (_, 2, _) => Kind::Unreachable,
        (_, 3, 2) => Kind::Unavailable,
        (_, 4, 6) => Kind::Invalid,
        (_, 4, 7) => Kind::Timeout,
        (_, 4, _) => Kind::Unreachable,
        // Credentials, their mechanism, encryption; RFC 4954 and RFC 5248.
        (_, 7, 8 | 9 | 11 | 12 | 13 | 14) => Kind::Unauthorized,
        // Size, protocol, content, policy.
        _ => Kind::Invalid,
    }
}

const fn by_code(stage: SmtpStage, code: u16) -> DeliveryErrorKind {
    use DeliveryErrorKind as Kind;
    match (code, stage) {
        (400..=499, _) => Kind::Unavailable,
        (530 | 534 | 535 | 538, _) => Kind::Unauthorized,
        (550 | 551 | 553 | 556, SmtpStage::Recipient) => Kind::Unreachable,
        (500..=599, _) => Kind::Invalid,
        _ => Kind::Protocol,
    }
}

/// Writes the code for the operator: the enhanced status where there is one. Nothing else of the
/// text is kept, since servers quote addresses.
pub(super) fn shown(code: u16, text: &str) -> String {
    match enhanced(text) {
        Some((class, subject, detail)) => format!("{class}.{subject}.{detail}"),
        None => code.to_string(),
    }
}

fn enhanced(text: &str) -> Option<(u8, u16, u16)> {
    let word = text.split_whitespace().next()?;
    let mut parts = word.split('.');
    let (class, subject, detail) = (parts.next()?, parts.next()?, parts.next()?);
    let short = |part: &str| {
        (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    if parts.next().is_some() || !matches!(class, "4" | "5") || !short(subject) || !short(detail) {
        return None;
    }
    Some((
        class.parse().ok()?,
        subject.parse().ok()?,
        detail.parse().ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use DeliveryErrorKind as Kind;

    #[test]
    fn an_enhanced_status_decides() {
        let cases = [
            (550, "5.1.1 no such user", Kind::Unreachable),
            (550, "5.1.2 no such domain", Kind::Unreachable),
            (550, "5.1.10 null MX", Kind::Unreachable),
            (550, "5.1.8 bad sender", Kind::Invalid),
            (550, "5.2.1 disabled", Kind::Unreachable),
            (552, "5.2.2 full", Kind::Unreachable),
            (452, "4.2.2 full", Kind::Unavailable),
            (552, "5.2.3 too long", Kind::Invalid),
            (554, "5.3.2 not accepting", Kind::Unavailable),
            (552, "5.3.4 too big", Kind::Invalid),
            (550, "5.4.1 access denied", Kind::Unreachable),
            (554, "5.4.6 loop", Kind::Invalid),
            (554, "5.6.0 content", Kind::Invalid),
            (550, "5.7.1 policy", Kind::Invalid),
            (530, "5.7.11 encrypt", Kind::Unauthorized),
            (535, "5.7.8 credentials", Kind::Unauthorized),
            (451, "4.7.1 greylisted", Kind::Throttled),
            (452, "4.5.3 too many", Kind::Throttled),
            (421, "4.3.2 shutting down", Kind::Unavailable),
        ];
        for (code, text, kind) in cases {
            assert_eq!(
                classify_reply(SmtpStage::Recipient, code, text),
                kind,
                "{text}"
            );
        }
    }

    #[test]
    fn a_code_alone_is_read_by_where_it_came() {
        use SmtpStage::{Auth, Content, Greeting, Recipient, Sender};
        let cases = [
            (Recipient, 550, Kind::Unreachable),
            (Recipient, 553, Kind::Unreachable),
            (Recipient, 450, Kind::Unavailable),
            (Sender, 550, Kind::Invalid),
            (Sender, 530, Kind::Unauthorized),
            (Content, 554, Kind::Invalid),
            (Content, 451, Kind::Unavailable),
            (Auth, 504, Kind::Unauthorized),
            (Auth, 454, Kind::Unavailable),
            (Greeting, 421, Kind::Unavailable),
            (Greeting, 554, Kind::Invalid),
            (Greeting, 299, Kind::Protocol),
        ];
        for (stage, code, kind) in cases {
            for text in [
                "",
                "no",
                "4.1.1 of another class",
                "5.1",
                "5.1.1.1",
                "5.x.1",
                "5.1.9999",
                "904173",
            ] {
                if code / 100 == 4 && text.starts_with('4') {
                    continue;
                }
                assert_eq!(
                    classify_reply(stage, code, text),
                    kind,
                    "{stage:?} {code} {text}"
                );
            }
        }
        assert_eq!(shown(550, "904173 someone@example.org"), "550");
        assert_eq!(shown(550, "5.1.1 someone@example.org"), "5.1.1");
    }
}
