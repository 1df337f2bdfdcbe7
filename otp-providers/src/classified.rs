use otp_core::delivery::{DeliveryError, DeliveryErrorKind, DispatchCertainty};

/// What a vendor's refusal means: what to do next, and whether the message may be on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Classified {
    /// What the caller does next.
    pub kind: DeliveryErrorKind,
    /// Whether the message may reach the person all the same.
    pub certainty: DispatchCertainty,
    /// The vendor's own code, where the reply had one; the HTTP status otherwise.
    pub code: String,
}

impl Classified {
    /// Reads an HTTP status alone, for replies whose body says nothing: 401 and 403 are
    /// `Unauthorized`, 408 `Timeout`, 429 `Throttled`, other 4xx `Invalid`, 5xx `Unavailable`,
    /// and what is no error at all `Protocol`.
    ///
    /// A 4xx other than 408 is surely not sent; everything else may have been.
    #[must_use]
    pub fn by_status(status: u16) -> Self {
        let kind = match status {
            401 | 403 => DeliveryErrorKind::Unauthorized,
            408 => DeliveryErrorKind::Timeout,
            429 => DeliveryErrorKind::Throttled,
            400..=499 => DeliveryErrorKind::Invalid,
            500..=599 => DeliveryErrorKind::Unavailable,
            _ => DeliveryErrorKind::Protocol,
        };
        let certainty = match status {
            408 => DispatchCertainty::Unknown,
            400..=499 => DispatchCertainty::NotSent,
            _ => DispatchCertainty::Unknown,
        };
        Self {
            kind,
            certainty,
            code: status.to_string(),
        }
    }

    /// Turns the reading into the error that a provider returns.
    #[must_use]
    pub fn into_error(self, provider: &str) -> DeliveryError {
        let error = DeliveryError::new(self.kind, provider).with_code(&self.code);
        match self.certainty {
            DispatchCertainty::NotSent => error.not_sent(),
            DispatchCertainty::Unknown => error.maybe_sent(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_alone_tells_what_to_do_and_whether_it_may_be_sent() {
        use DeliveryErrorKind as Kind;
        use DispatchCertainty::{NotSent, Unknown};
        let cases = [
            (400, Kind::Invalid, NotSent),
            (401, Kind::Unauthorized, NotSent),
            (403, Kind::Unauthorized, NotSent),
            (404, Kind::Invalid, NotSent),
            (408, Kind::Timeout, Unknown),
            (413, Kind::Invalid, NotSent),
            (429, Kind::Throttled, NotSent),
            (500, Kind::Unavailable, Unknown),
            (503, Kind::Unavailable, Unknown),
            (302, Kind::Protocol, Unknown),
            (999, Kind::Protocol, Unknown),
        ];
        for (status, kind, certainty) in cases {
            let error = Classified::by_status(status).into_error("acme");
            assert_eq!(
                (error.kind(), error.certainty()),
                (kind, certainty),
                "{status}"
            );
        }
    }
}
