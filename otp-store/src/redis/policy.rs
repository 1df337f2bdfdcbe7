//! Whether the server may drop what it was told to keep.

use otp_core::store::{StoreError, StoreErrorKind};
use redis::{FromRedisValue as _, cmd};

use super::link::Link;

/// What is thought of a server that evicts keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Eviction {
    Refused,
    Allowed,
}

#[derive(Debug, thiserror::Error)]
enum Forgetful {
    #[error("the server's maxmemory-policy is not noeviction")]
    Evicts,
    #[error("the server does not tell its maxmemory-policy")]
    Silent,
}

/// Refuses a server that evicts keys, and one that does not say.
pub(super) async fn check(link: &Link) -> Result<(), StoreError> {
    let refused = match named(link).await?.as_deref() {
        Some("noeviction") => return Ok(()),
        Some(_) => Forgetful::Evicts,
        None => Forgetful::Silent,
    };
    Err(StoreError::new(StoreErrorKind::Invalid).with_source(refused))
}

async fn named(link: &Link) -> Result<Option<String>, StoreError> {
    let mut config = cmd("CONFIG");
    config.arg("GET").arg("maxmemory-policy");
    if let Some(value) = link.try_tell(config).await? {
        let pairs = Vec::<String>::from_redis_value(value).unwrap_or_default();
        if let [_, policy] = &pairs[..] {
            return Ok(Some(policy.clone()));
        }
    }
    let mut info = cmd("INFO");
    info.arg("memory");
    let Some(value) = link.try_tell(info).await? else {
        return Ok(None);
    };
    let text = String::from_redis_value(value).unwrap_or_default();
    let policy = text
        .lines()
        .find_map(|line| line.strip_prefix("maxmemory_policy:"));
    Ok(policy.map(str::to_owned))
}
