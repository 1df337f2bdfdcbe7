use thiserror::Error;

use crate::ConfigError;
use crate::http::InvalidBaseUrl;

/// Says which part of a vendor's description is wrong. It never holds a secret's value.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InvalidVendor {
    /// The name is empty, too long, or not of `a-z 0-9 - _`.
    #[error("name is 1 to 32 of a-z, 0-9, - and _")]
    Name,
    /// No channel is named, or one that there is not.
    #[error("channels names at least one of sms, whatsapp, telegram, voice and email")]
    Channels,
    /// The address is none, or plain HTTP to another machine.
    #[error("base_url: {0}")]
    BaseUrl(#[from] InvalidBaseUrl),
    /// The path does not start with a slash, or holds a query, a fragment or dots alone.
    #[error("path starts with a slash and has no query, fragment or dot segments")]
    Path,
    /// A template has a brace without its partner, or an unknown placeholder.
    #[error("{part} has a malformed or unknown placeholder")]
    Template {
        /// Where: `path`, `headers` or `body`.
        part: &'static str,
    },
    /// A placeholder stands where it would be logged on the way: the person's address, the text
    /// and the code belong in the body.
    #[error("{part} may hold no address, text or code")]
    Misplaced {
        /// Where: `path` or `headers`.
        part: &'static str,
    },
    /// A secret that the description names was not given.
    #[error("the secret {name} is named and not given")]
    SecretMissing {
        /// The secret's name.
        name: String,
    },
    /// A header's name or value is not one, or is the transport's own.
    #[error("headers holds a name or a value that is not allowed")]
    Header,
    /// The body has no place for the address, or none for the code.
    #[error("body holds {{to}} or {{to_digits}}, and {{text}} or {{code}}")]
    BodyIncomplete,
    /// No status is accepted, or one that is no success.
    #[error("accepted names at least one status from 200 to 299")]
    Accepted,
    /// A JSON pointer is malformed, or has no values to compare with.
    #[error("a pointer is empty or starts with a slash, and has values where they are compared")]
    Pointer,
    /// The transport could not be made.
    #[error(transparent)]
    Config(#[from] ConfigError),
}
