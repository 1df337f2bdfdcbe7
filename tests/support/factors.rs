//! An account with second factors, and the phone that shows their codes.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::time::{Duration, SystemTime};

use otp_kit::clock::{Clock as _, Timestamp};
use otp_kit::factor::{FactorId, OtpAccount, RecoverySet, Totp};
use otp_kit::policy::Assurance;
use otp_kit::prelude::*;
use otp_kit::verifier::{Enrolment, PendingFactor, Proven, VerifiedFactor};

use crate::support::{Service, here};

/// The account that most tests are about.
pub(crate) fn ann() -> SubjectId {
    SubjectId::new("ann").unwrap()
}

/// What an app shows beside the code.
pub(crate) fn account() -> OtpAccount {
    OtpAccount::new("Acme", "ann@example.org").unwrap()
}

/// An app with one authenticator in it.
pub(crate) struct Phone {
    pub(crate) id: FactorId,
    totp: Totp,
}

impl Phone {
    /// Takes in what an enrolment shows.
    pub(crate) fn scan(pending: &PendingFactor) -> Self {
        Self {
            id: pending.id(),
            totp: pending.uri().as_totp().expect("it goes by the time"),
        }
    }

    /// Shows the code of so many seconds from now.
    pub(crate) fn code_in(&self, service: &Service, seconds: i64) -> String {
        let at = service.clock.now().as_millis() + seconds * 1_000;
        let code = self.totp.code(Timestamp::from_millis(at));
        code.expose().to_owned()
    }

    /// Shows the code of now.
    pub(crate) fn code(&self, service: &Service) -> String {
        self.code_in(service, 0)
    }

    /// Makes up a code that is none of the present ones.
    pub(crate) fn wrong(&self, service: &Service) -> String {
        let right: Vec<String> = [-30, 0, 30].map(|by| self.code_in(service, by)).into();
        let mut made_up = (0..4).map(|digit| digit.to_string().repeat(6));
        made_up.find(|code| !right.contains(code)).unwrap()
    }
}

impl Service {
    pub(crate) fn now(&self) -> SystemTime {
        self.clock.now().into()
    }

    /// What somebody proves with one authenticator of this strength, just now.
    pub(crate) fn proven(&self, subject: &SubjectId, assurance: Assurance) -> Proven {
        Proven::by_host(&Tenant::default(), subject, assurance, self.now())
    }

    /// Enrols an authenticator for somebody who has none.
    pub(crate) async fn enrol(&self, subject: &SubjectId) -> PendingFactor {
        let proven = self.proven(subject, Assurance::Restricted);
        let enrolment = Enrolment::totp(account());
        let pending = self.verifier.enrol_factor(enrolment, &proven, here()).await;
        pending.unwrap()
    }

    /// Enrols and confirms one, and waits until its next code.
    pub(crate) async fn phone_of(&self, subject: &SubjectId) -> Phone {
        let phone = Phone::scan(&self.enrol(subject).await);
        let code = phone.code(self);
        let confirmed = self
            .verifier
            .confirm_factor(subject, phone.id, code, here());
        drop(confirmed.await.unwrap());
        self.advance(30);
        phone
    }

    /// Shows the present code of a phone.
    pub(crate) async fn show(&self, subject: &SubjectId, phone: &Phone) -> VerifiedFactor {
        let code = phone.code(self);
        let shown = self.verifier.verify_totp(subject, code, here()).await;
        shown.unwrap()
    }

    /// Draws recovery codes for somebody who holds a factor, or enrols one first.
    pub(crate) async fn recovery_of(&self, subject: &SubjectId) -> RecoverySet {
        let tenant = Tenant::default();
        let factors = self.verifier.list_factors(&tenant, subject);
        if factors.await.unwrap().is_empty() {
            self.phone_of(subject).await;
        }
        let proven = self.proven(subject, Assurance::Pair);
        let set = self.verifier.regenerate_recovery(&proven, here()).await;
        set.unwrap()
    }

    pub(crate) fn wait(&self, time: Duration) {
        self.clock.advance(time);
    }
}
