//! The contract of authenticators and recovery codes over one script or function, for the engines
//! that decide in a step of their own.

/// Implements `FactorStore` for a type that has `ask_factors`, which sends a step about an owner.
macro_rules! ask_for_factors {
    ($store:ty) => {
        const _: () = {
            use otp_core::event::Event;
            use otp_core::factor::{Factor, RecoverySelector};
            use otp_core::store::{
                AcceptedTry, AdvanceFactor, Enrol, Enrolled, FactorAdvanced, FactorOwner,
                FactorStore, PutRecovery, RecoveryUse, RemoveFactor, Removed, RenameFactor,
                Renamed, StoreError, UseRecovery,
            };
            use $crate::wire::factor;
            use $crate::wire::request::Request;

            #[async_trait::async_trait]
            impl FactorStore for $store {
                async fn enrol(&self, enrol: Enrol) -> Result<Enrolled, StoreError> {
                    let fill = |request: Request| Ok(request.enrolment(&enrol));
                    factor::enrolled(&self.ask_factors("enrol", &enrol.owner, fill).await?)
                }

                async fn factors(&self, owner: &FactorOwner) -> Result<Vec<Factor>, StoreError> {
                    factor::all(owner, &self.ask_factors("list", owner, Ok).await?)
                }

                async fn advance_factor(
                    &self,
                    advance: AdvanceFactor,
                ) -> Result<FactorAdvanced, StoreError> {
                    let fill = |request: Request| request.advance(&advance);
                    let reply = self.ask_factors("advance", &advance.owner, fill).await?;
                    factor::advanced(&reply)
                }

                async fn remove_factor(&self, remove: RemoveFactor) -> Result<Removed, StoreError> {
                    let id = remove.factor.to_string();
                    let fill = |request: Request| Ok(request.text("id", &id).event(&remove.event));
                    factor::removed(&self.ask_factors("remove", &remove.owner, fill).await?)
                }

                async fn rename_factor(&self, rename: RenameFactor) -> Result<Renamed, StoreError> {
                    let fill = |request: Request| Ok(request.renaming(&rename));
                    factor::renamed(&self.ask_factors("rename", &rename.owner, fill).await?)
                }

                async fn accepted_try(
                    &self,
                    owner: &FactorOwner,
                ) -> Result<Option<AcceptedTry>, StoreError> {
                    factor::accepted(&self.ask_factors("accepted", owner, Ok).await?)
                }

                async fn put_recovery(&self, put: PutRecovery) -> Result<(), StoreError> {
                    let fill = |request: Request| request.recovery(&put);
                    let asked = self.ask_factors("put_recovery", &put.owner, fill);
                    asked.await.map(drop)
                }

                async fn recovery(
                    &self,
                    owner: &FactorOwner,
                    selector: RecoverySelector,
                ) -> Result<Option<String>, StoreError> {
                    let fill = |request: Request| Ok(request.text("selector", selector.as_str()));
                    factor::digest(&self.ask_factors("recovery", owner, fill).await?)
                }

                async fn recovery_left(&self, owner: &FactorOwner) -> Result<u32, StoreError> {
                    factor::left(&self.ask_factors("left", owner, Ok).await?, 0)
                }

                async fn use_recovery(&self, used: UseRecovery) -> Result<RecoveryUse, StoreError> {
                    let fill = |request: Request| Ok(request.used(&used));
                    let reply = self.ask_factors("use_recovery", &used.owner, fill).await?;
                    factor::used(&reply)
                }

                async fn reset_factors(
                    &self,
                    owner: &FactorOwner,
                    event: Event,
                ) -> Result<u64, StoreError> {
                    let fill = |request: Request| Ok(request.event(&event));
                    self.ask_factors("reset", owner, fill).await?.number(0)
                }
            }
        };
    };
}

pub(crate) use ask_for_factors;
