use std::fmt;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use otp_core::event::OperatorName;
use otp_core::operator::{Operator, OperatorProof};
use otp_core::request::{Purpose, RequestContext, SubjectId, Tenant};
use otp_core::secret::SecretString;
use otp_core::verifier::{Attempt, Verifier};

use super::OperatorTokens;
use crate::{ApiError, Client, Refusal};

const SECOND: &str = "x-admin-second";
const OTP: &str = "x-admin-otp";

/// What an operator shows beside their own token, before what cannot be taken back: the token of
/// another operator in `X-Admin-Second`, or in `X-Admin-Otp` a code of the operator's own
/// authenticator. That is one of the account with the operator's name in the tenant
/// [`TENANT`](Self::TENANT), which no user of the host has an account in.
///
/// It is taken behind a [`Guard`](super::Guard). Where both headers are there, both must be right.
///
/// # Examples
/// ```
/// use axum::Json;
/// use axum::extract::State;
/// use otp_axum::ApiError;
/// use otp_axum::operators::{Desk, Done, FreshProof};
/// use otp_core::request::SubjectId;
/// use otp_core::verifier::Verifier;
///
/// async fn lost_phone(
///     State(verifier): State<Verifier>,
///     desk: Desk,
///     proof: FreshProof,
/// ) -> Result<Json<Done>, ApiError> {
///     let operator = desk.operator(&verifier, None)?;
///     let proof = proof.checked(&verifier, &operator).await?;
///     let user = SubjectId::new("user-1").expect("a name");
///     Ok(Done::of(operator.reset_factors(&user, &proof).await?))
/// }
/// ```
#[must_use = "it proves nothing until it is checked"]
pub struct FreshProof {
    own: OperatorName,
    second: Option<Second>,
    otp: Option<SecretString>,
    context: RequestContext,
}

/// Whose token the header of a second operator holds; nobody's where it is unknown.
#[derive(Clone)]
pub(super) struct Second(Option<OperatorName>);

impl Second {
    /// Reads the header. One that is there twice is nobody's.
    pub(super) fn of(headers: &HeaderMap, tokens: &OperatorTokens) -> Option<Self> {
        let mut all = headers.get_all(SECOND).iter();
        let first = all.next()?;
        let known = match all.next() {
            None => first.to_str().ok().and_then(|token| tokens.whose(token)),
            Some(_) => None,
        };
        Some(Self(known.cloned()))
    }
}

impl FreshProof {
    /// Where the authenticators of operators are kept.
    pub const TENANT: &str = "operators";

    /// Says whether anything was shown at all, right or not.
    #[must_use]
    pub fn is_shown(&self) -> bool {
        self.second.is_some() || self.otp.is_some()
    }

    /// Checks it. A code is one guess on the operator's own budget, and is used up. What proves
    /// nothing is on record.
    ///
    /// # Errors
    /// [`Refusal::PROOF_REQUIRED`] where there is none or it is another's,
    /// [`Refusal::INVALID_OTP`] for a wrong code, and what a try of a code answers.
    pub async fn checked(
        self,
        verifier: &Verifier,
        operator: &Operator,
    ) -> Result<OperatorProof, ApiError> {
        let second = match self.second {
            None => None,
            Some(Second(Some(name))) if name != self.own => Some(OperatorProof::by_second(name)),
            Some(Second(_)) => return refused(operator).await,
        };
        match (self.otp, second) {
            (Some(otp), _) => {
                let account = Self::account(&self.own)?;
                let attempt = Attempt::new(otp.expose())
                    .for_tenant(Self::tenant()?)
                    .for_purpose(Purpose::MFA);
                let shown = verifier.verify_totp(&account, attempt, self.context);
                let proof = OperatorProof::by_factor(&Self::tenant()?, &shown.await?);
                Ok(proof.map_err(|_| Refusal::PROOF_REQUIRED)?)
            }
            (None, Some(second)) => Ok(second),
            (None, None) => refused(operator).await,
        }
    }

    /// Names the tenant that operators' authenticators are in.
    ///
    /// # Errors
    /// None in this version.
    pub fn tenant() -> Result<Tenant, Refusal> {
        Tenant::new(Self::TENANT).map_err(|_| Refusal::UNAVAILABLE)
    }

    /// Names an operator's own account there.
    ///
    /// # Errors
    /// [`Refusal::PROOF_REQUIRED`] where no account can have the name.
    pub fn account(name: &OperatorName) -> Result<SubjectId, Refusal> {
        SubjectId::new(name.as_str()).map_err(|_| Refusal::PROOF_REQUIRED)
    }
}

async fn refused(operator: &Operator) -> Result<OperatorProof, ApiError> {
    operator.record("fresh_proof_refused").await?;
    Err(Refusal::PROOF_REQUIRED.into())
}

impl<S: Send + Sync> FromRequestParts<S> for FreshProof {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let own = parts.extensions.get::<OperatorName>().cloned();
        let own = own.ok_or(Refusal::UNAUTHORIZED)?;
        let mut codes = parts.headers.get_all(OTP).iter();
        let otp = match (codes.next(), codes.next()) {
            (None, _) => None,
            (Some(code), None) => Some(code.to_str().unwrap_or_default()),
            (Some(_), Some(_)) => return Err(Refusal::INVALID_OTP),
        };
        let Client(context) = Client::of(parts);
        Ok(Self {
            own,
            second: parts.extensions.get::<Second>().cloned(),
            otp: otp.map(|code| SecretString::new(code.to_owned())),
            context,
        })
    }
}

/// Shows no code.
impl fmt::Debug for FreshProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let second = self.second.as_ref().and_then(|second| second.0.as_ref());
        f.debug_struct("FreshProof")
            .field("own", &self.own)
            .field("second", &second)
            .finish_non_exhaustive()
    }
}
