//! The contracts of devices and of what hangs on keys over an engine's intents, for every engine
//! alike.

/// Implements `DeviceStore` and `KeyUseStore` for a type that is an [`Engine`](super::Engine), as
/// [`keep_in_rows`](super::keep_in_rows) does the rest.
macro_rules! keep_devices_in_rows {
    ($store:ty) => {
        const _: () = {
            use otp_core::event::Event;
            use otp_core::factor::RememberedDevice;
            use otp_core::store::{
                DeviceQuery, DeviceStore, FactorOwner, KeyUse, KeyUseStore, NewDevice, StoreError,
            };
            use $crate::sql::{self, Engine as _};

            #[async_trait::async_trait]
            impl DeviceStore for $store {
                async fn remember_device(
                    &self,
                    new: NewDevice,
                ) -> Result<RememberedDevice, StoreError> {
                    self.write(sql::Remember(new)).await
                }

                async fn devices(
                    &self,
                    owner: &FactorOwner,
                ) -> Result<Vec<RememberedDevice>, StoreError> {
                    self.read(sql::Devices(owner.clone())).await
                }

                async fn forget_devices(
                    &self,
                    owner: &FactorOwner,
                    query: &DeviceQuery,
                    event: Event,
                ) -> Result<u64, StoreError> {
                    self.write(sql::Forget(owner.clone(), *query, event)).await
                }
            }

            #[async_trait::async_trait]
            impl KeyUseStore for $store {
                async fn key_uses(&self) -> Result<Vec<KeyUse>, StoreError> {
                    self.read(sql::KeyUses).await
                }
            }
        };
    };
}

pub(crate) use keep_devices_in_rows;
