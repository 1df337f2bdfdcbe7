use std::collections::BTreeMap;
use std::num::NonZeroU32;

use super::Vip;
use crate::request::{SubjectKey, Tenant};

/// Those who may be sent more. Only overrides put anybody here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vips(BTreeMap<(Tenant, SubjectKey), NonZeroU32>);

impl Vips {
    pub(super) fn add(&mut self, vip: Vip) {
        let key = (vip.tenant().clone(), vip.whom().clone());
        self.0.insert(key, vip.times());
    }

    /// Says how many times as much anybody named by one of the keys is sent.
    #[must_use]
    pub fn times(&self, tenant: &Tenant, keys: [Option<&SubjectKey>; 2]) -> NonZeroU32 {
        if self.0.is_empty() {
            return NonZeroU32::MIN;
        }
        let named = keys.into_iter().flatten().filter_map(|key| {
            let entry = (tenant.clone(), key.clone());
            self.0.get(&entry).copied()
        });
        named.max().unwrap_or(NonZeroU32::MIN)
    }
}
