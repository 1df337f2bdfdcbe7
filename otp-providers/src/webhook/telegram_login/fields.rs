use std::time::Duration;

use otp_core::clock::Timestamp;
use otp_core::delivery::ReplayKey;

use super::super::form::{self, Pair};
use super::super::freshness::{self, Tolerance};
use super::super::json;
use super::{TelegramLogin, TelegramRefusal};

/// Fields whose names are all different.
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    pub(super) fn of(mut fields: Vec<(String, String)>) -> Result<Self, TelegramRefusal> {
        fields.sort_unstable();
        let twice = |pair: &[(String, String)]| matches!(pair, [one, other] if one.0 == other.0);
        // Of what is signed as lines, a line within a field could be another field.
        let breaks = |(key, value): &(String, String)| key.contains('\n') || value.contains('\n');
        if fields.windows(2).any(twice) || fields.iter().any(breaks) {
            return Err(TelegramRefusal::Unsigned);
        }
        Ok(Self(fields))
    }

    pub(super) fn parse(query: &str) -> Result<Self, TelegramRefusal> {
        if query.len() > 16 * 1024 {
            return Err(TelegramRefusal::TooLarge);
        }
        let text = |bytes| String::from_utf8(bytes).map_err(|_| TelegramRefusal::Unsigned);
        let fields = form::pairs(query.as_bytes())
            .map_err(|_| TelegramRefusal::TooLarge)?
            .into_iter()
            .map(|Pair { key, value }| Ok((text(key)?, text(value)?)))
            .collect::<Result<_, _>>()?;
        Self::of(fields)
    }

    pub(super) fn required(&self, name: &'static str) -> Result<&str, TelegramRefusal> {
        let mut fields = self.0.iter();
        fields
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
            .ok_or(TelegramRefusal::Unsigned)
    }

    /// Writes `key=value` of every other field, a line each, sorted as lines.
    pub(super) fn lines(&self, without: &[&str]) -> String {
        let fields = self.0.iter();
        let mut lines: Vec<String> = fields
            .filter(|(key, _)| !without.contains(&key.as_str()))
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        lines.sort_unstable();
        lines.join("\n")
    }

    /// Reads the id in the field `user`, a JSON object.
    pub(super) fn user_id(&self) -> Option<u64> {
        let user = self.required("user").ok()?;
        json::parse(user.as_bytes(), "user")
            .ok()?
            .get("id")?
            .as_u64()
    }

    pub(super) fn settle(
        &self,
        user_id: Option<u64>,
        scheme: &str,
        once: &str,
        now: Timestamp,
        max_age: Duration,
    ) -> Result<TelegramLogin, TelegramRefusal> {
        let signed_at = self.required("auth_date").ok().and_then(freshness::seconds);
        let signed_at = signed_at.ok_or(TelegramRefusal::Undated)?;
        let dated = Tolerance::new(max_age).check(signed_at, now);
        dated.map_err(|_| TelegramRefusal::Stale)?;
        // The last moment of believing is not yet one of forgetting.
        let remembered = max_age
            .saturating_mul(2)
            .saturating_add(Duration::from_secs(1));
        Ok(TelegramLogin {
            user_id,
            signed_at,
            replay: ReplayKey::new("telegram", &[scheme, once]).with_life(remembered),
            fields: self.0.clone(),
        })
    }
}
