//! The contract of sessions over an engine's intents, for every engine alike.

/// Implements `SessionStore` for a type that is an [`Engine`](super::Engine), as
/// [`keep_in_rows`](super::keep_in_rows) does the rest.
macro_rules! keep_sessions_in_rows {
    ($store:ty) => {
        const _: () = {
            use otp_core::event::Event;
            use otp_core::request::{SessionBinding, SubjectId, Tenant};
            use otp_core::session::SessionId;
            use otp_core::store::{
                KeyUse, NewSession, Opened, PutState, Rotate, Rotated, SessionQuery, SessionRecord,
                SessionStore, StoreError,
            };
            use $crate::sql::{self, Engine as _};

            #[async_trait::async_trait]
            impl SessionStore for $store {
                async fn open(&self, session: NewSession) -> Result<Opened, StoreError> {
                    self.write(session).await
                }

                async fn rotate(&self, rotate: Rotate) -> Result<Rotated, StoreError> {
                    self.write(rotate).await
                }

                async fn live(&self, id: &SessionId) -> Result<Option<SessionRecord>, StoreError> {
                    self.read(sql::LiveSession(*id)).await
                }

                async fn sessions(
                    &self,
                    tenant: &Tenant,
                    subject: &SubjectId,
                    limit: usize,
                ) -> Result<Vec<SessionRecord>, StoreError> {
                    let (tenant, subject) = (tenant.clone(), subject.clone());
                    let intent = sql::ListSessions {
                        tenant,
                        subject,
                        limit,
                    };
                    self.read(intent).await
                }

                async fn end(&self, query: &SessionQuery, event: Event) -> Result<u64, StoreError> {
                    self.write(sql::EndSessions(query.clone(), event)).await
                }

                async fn session_keys(&self) -> Result<Vec<KeyUse>, StoreError> {
                    self.read(sql::SessionKeys).await
                }

                async fn put_state(&self, state: PutState) -> Result<(), StoreError> {
                    self.write(state).await
                }

                async fn take_state(
                    &self,
                    key: &[u8; 32],
                    binding: &SessionBinding,
                ) -> Result<Option<Vec<u8>>, StoreError> {
                    self.write(sql::TakeState(*key, binding.clone())).await
                }
            }
        };
    };
}

pub(crate) use keep_sessions_in_rows;
