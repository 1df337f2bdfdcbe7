#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub use otp_core::{
    audit, breaker, challenge, check, clock, delivery, destination, event, factor, gate, guard,
    hash, key, metrics, operator, policy,
};
pub use otp_core::{quota, random, request, secret, session, verifier};

/// For providers and stores of your own.
pub use otp_core::async_trait;

/// The storage contract, and the engines that the features bring.
pub mod store {
    pub use otp_core::store::{
        AcceptedBy, AcceptedTry, Admission, AdvanceFactor, Advanced, AuditStore, Block, BlockEntry,
        BlockKind, BlocklistStore, Board, BoardText, BudgetClaim, BudgetKey, BudgetReading,
        BudgetStore, ChainStore, ChallengeQuery, ChallengeStore, Climb, Condition, Connections,
        Consume, Delivery, DeliveryStore, DeviceQuery, DeviceStore, Duty, EngineStatus, Enrol,
        Enrolled, FactorAdvanced, FactorChange, FactorOwner, FactorSheet, FactorStore, Findings,
        Granted, IdempotencyClaim, IdempotencyKey, Insert, InvalidBlock, InvalidDocument,
        KeptReport, KeyHold, KeyUse, KeyUseStore, Lease, NamedTry, NewDelivery, NewDevice,
        NewSession, Opened, OutboxEntry, Plan, PolicyDocument, PolicyRecord, PolicyStore, Posted,
        Published, PutRecovery, PutState, QuotaStore, Recipient, RecordedIssue, RecoveryUse,
        Reissue, Reject, RemoveFactor, Removed, RenameFactor, Renamed, Revocation, Rotate, Rotated,
        SealBatch, SealerId, Sealing, Seen, SeenStore, SessionQuery, SessionRecord, SessionStore,
        Settled, Shown, StatGrain, StatKey, StatName, StatWindow, StatsStore, Step, Store,
        StoreError, StoreErrorKind, Target, ToTheEnd, UseRecovery,
    };
    #[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
    pub use otp_store::Tables;
    #[cfg(all(feature = "memory", feature = "composite"))]
    pub use otp_store::composite::degrading::{Degrading, DegradingOptions};
    #[cfg(feature = "composite")]
    pub use otp_store::composite::{ReadOnlyFallback, Split};
    #[cfg(feature = "memory")]
    pub use otp_store::memory::{Capacity, MemoryStore};
    #[cfg(feature = "mysql")]
    pub use otp_store::mysql::{MysqlOptions, MysqlStore};
    #[cfg(feature = "postgres")]
    pub use otp_store::postgres::{PostgresOptions, PostgresStore};
    #[cfg(feature = "redis")]
    pub use otp_store::redis::{RedisOptions, RedisStore};
    #[cfg(feature = "sqlite")]
    pub use otp_store::sqlite::{SqliteOptions, SqliteStore};
}

/// The providers that the features bring; the contract is in [`delivery`].
pub mod providers {
    pub use otp_providers::ConfigError;
    #[cfg(any(feature = "ses", feature = "sns"))]
    pub use otp_providers::aws;
    #[cfg(feature = "captcha")]
    pub use otp_providers::captcha::{self, SiteVerify};
    #[cfg(feature = "generic")]
    pub use otp_providers::generic::{self, HttpProvider, VendorDescription};
    #[cfg(feature = "plivo")]
    pub use otp_providers::plivo::{self, Plivo};
    #[cfg(any(debug_assertions, feature = "danger-preview"))]
    pub use otp_providers::preview::Preview;
    #[cfg(feature = "sendgrid")]
    pub use otp_providers::sendgrid::{self, SendGrid};
    #[cfg(feature = "ses")]
    pub use otp_providers::ses::{self, Ses};
    #[cfg(feature = "smtp")]
    pub use otp_providers::smtp::{self, Smtp, SmtpServer};
    #[cfg(feature = "sns")]
    pub use otp_providers::sns::{self, Sns};
    #[cfg(feature = "status-page")]
    pub use otp_providers::status_page::{self, StatusPage, StatusPageError};
    #[cfg(feature = "telegram")]
    pub use otp_providers::telegram::{self, TelegramGateway, TelegramVerify};
    #[cfg(feature = "twilio")]
    pub use otp_providers::twilio::{self, Twilio, TwilioAuth};
    #[cfg(feature = "twilio")]
    pub use otp_providers::twilio_verify::{self, TwilioVerify};
    #[cfg(feature = "vonage")]
    pub use otp_providers::vonage::{self, Vonage};
    #[cfg(feature = "_webhook")]
    pub use otp_providers::webhook;
    #[cfg(feature = "telegram-login")]
    pub use otp_providers::webhook::{TelegramBot, TelegramLogin};
    #[cfg(feature = "whatsapp")]
    pub use otp_providers::whatsapp::{self, WhatsApp};
    pub use otp_providers::{Classified, http};
}

/// Conformance suites, doubles, a manual clock and an outbox.
#[cfg(feature = "testing")]
pub use otp_core::testing;
#[cfg(feature = "testing")]
pub use otp_core::{
    chain_conformance, provider_conformance, session_conformance, store_conformance,
};

/// What most hosts need, in one line.
pub mod prelude {
    pub use otp_core::prelude::{
        Attempt, ChallengeId, Channel, CodeHasher, Destination, Dispatch, EmailAddress, Issue,
        IssueError, Issued, KeyRing, Limits, OsRandom, PhoneNumber, Purpose, RequestContext, Route,
        Store, SubjectId, Tenant, Verified, Verifier, VerifyError,
    };
}

#[cfg(doctest)]
mod guide;
