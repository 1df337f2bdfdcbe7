//! What a session proves, and how a second factor adds to it.

use crate::policy::Assurance;
use crate::request::Tenant;
use crate::verifier::{AuthenticationMethod, NotTheSame, Proven, VerifiedFactor};

use super::{ContextClass, Methods, Session, SessionId, SignIn};

/// Multiple-factor authentication: RFC 8176 section 2.
const MFA: &str = "mfa";

impl Session {
    /// Says how strong its sign-in was: what its class says, or what its methods come to.
    #[must_use]
    pub fn assurance(&self) -> Assurance {
        let class = self.class.as_ref().map(ContextClass::as_str);
        if let Some(assurance) = class.and_then(Assurance::from_name) {
            return assurance;
        }
        let has = |method: AuthenticationMethod| self.has(method.name());
        let first = if has(AuthenticationMethod::Sms) || has(AuthenticationMethod::Telephone) {
            Assurance::Restricted
        } else if has(AuthenticationMethod::Email) {
            Assurance::Address
        } else {
            Assurance::Single
        };
        if self.has(MFA) {
            first.with_second_factor()
        } else {
            first
        }
    }

    /// Takes its sign-in for a proof, as old as the sign-in is.
    pub fn proven(&self) -> Proven {
        Proven::by_host(
            &self.tenant,
            &self.subject,
            self.assurance(),
            self.authenticated_at(),
        )
    }

    fn has(&self, name: &str) -> bool {
        self.methods.names().any(|known| known == name)
    }
}

impl SignIn {
    /// Takes a second factor, shown within a session, for a proof that is as strong as both: it
    /// starts another session, whose `amr` has the methods of both and `mfa` and whose `acr` is the
    /// [`Assurance`] that they come to, as of the factor's time: the session before it vouches for the
    /// first factor, however long ago that was shown. The session before it stays what it was; end it, or leave it
    /// with its lesser rights.
    ///
    /// One verified factor starts one session, however often and wherever this is called. Where the
    /// try had a name, add it ([`named`](Self::named)): a try that is repeated by it is answered with
    /// the same tokens until they are used.
    ///
    /// # Errors
    /// [`NotTheSame`] where the factor is another account's or tenant's.
    pub fn with_factor(session: &Session, factor: &VerifiedFactor) -> Result<Self, NotTheSame> {
        let tenant: &Tenant = &session.tenant;
        if tenant != factor.tenant() || session.subject != *factor.subject() {
            return Err(NotTheSame);
        }
        let added = [factor.method().name(), MFA];
        let before = session.methods.names().filter(|name| !added.contains(name));
        let before = before.take(Methods::MOST - added.len());
        let methods = Methods::new(before.chain(added)).map_err(|_| NotTheSame)?;
        let class = session.assurance().with_second_factor();
        Ok(Self {
            session: SessionId::of_factor(&factor.spent(), &session.subject),
            tenant: tenant.clone(),
            subject: session.subject.clone(),
            methods,
            class: ContextClass::new(class.name()).ok(),
            at: factor.at().into(),
            attempt: None,
            repeated: factor.is_repeated(),
        })
    }
}
