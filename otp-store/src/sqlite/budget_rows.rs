//! Guess budgets as rows. The rules are [`Budget`]'s; here is only what it holds.

use async_trait::async_trait;
use otp_core::challenge::{Challenge, Lane};
use otp_core::clock::Timestamp;
use otp_core::event::Event;
use otp_core::quota::{Budget, BudgetRules, Disabled};
use otp_core::store::{BudgetKey, BudgetReading, BudgetStore, StoreError};

use super::SqliteStore;
use super::audit;
use super::engine::failed;
use super::intent::{Intent, Tx};
use super::row::{Fields, corrupt};

const COUNTERS: &str = "SELECT consecutive, strikes_public, strikes_known, paused_public_until,
        paused_known_until, disabled
    FROM guess_budgets WHERE tenant = ?1 AND subject_key = ?2 AND factor_class = ?3";

const GUESSES: &str = "SELECT sequence, guessed_at, lane FROM guess_log
    WHERE tenant = ?1 AND subject_key = ?2 AND factor_class = ?3 ORDER BY sequence";

const PUT: &str = "INSERT INTO guess_budgets (tenant, subject_key, factor_class, user_id,
        consecutive, strikes_public, strikes_known, paused_public_until, paused_known_until,
        disabled)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
    ON CONFLICT (tenant, subject_key, factor_class) DO UPDATE SET
        consecutive = excluded.consecutive,
        strikes_public = excluded.strikes_public,
        strikes_known = excluded.strikes_known,
        paused_public_until = excluded.paused_public_until,
        paused_known_until = excluded.paused_known_until,
        disabled = excluded.disabled";

const ADD_GUESS: &str =
    "INSERT INTO guess_log (tenant, subject_key, factor_class, lane, guessed_at)
    VALUES (?1, ?2, ?3, ?4, ?5)";

const DROP_GUESS: &str = "DELETE FROM guess_log WHERE sequence = ?1";

/// A budget and the rows that its guesses are in.
pub(super) struct Loaded {
    key: BudgetKey,
    /// What the pure rules look at and change.
    pub(super) budget: Budget,
    rows: Vec<(i64, (Timestamp, Lane))>,
}

/// Names the budget that a challenge's guesses count in.
pub(super) fn key_of(challenge: &Challenge) -> BudgetKey {
    BudgetKey {
        tenant: challenge.tenant.clone(),
        subject: challenge.subject.clone(),
        class: challenge.class,
    }
}

impl Loaded {
    /// Reads a budget; one that was never used is empty.
    pub(super) async fn load(tx: &mut Tx<'_>, key: BudgetKey) -> Result<Self, StoreError> {
        let counters = sqlx::query(COUNTERS)
            .bind(key.tenant.as_str())
            .bind(key.subject.as_str())
            .bind(key.class.name())
            .fetch_optional(tx.conn())
            .await
            .map_err(failed)?;
        let mut budget = match &counters {
            Some(row) => read(&Fields(row))?,
            None => Budget::default(),
        };
        let guesses = sqlx::query(GUESSES)
            .bind(key.tenant.as_str())
            .bind(key.subject.as_str())
            .bind(key.class.name())
            .fetch_all(tx.conn())
            .await
            .map_err(failed)?;
        let mut rows = Vec::with_capacity(guesses.len());
        for row in &guesses {
            let row = Fields(row);
            let guess = (
                row.time("guessed_at")?,
                row.parsed("lane", Lane::from_name)?,
            );
            rows.push((row.int("sequence")?, guess));
        }
        budget.guesses = rows.iter().map(|(_, guess)| *guess).collect();
        Ok(Self { key, budget, rows })
    }

    /// Writes what the rules have changed: guesses that went, guesses that came, and counters.
    pub(super) async fn save(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let mut held = self.budget.guesses.iter().peekable();
        for (sequence, guess) in &self.rows {
            // Rows and guesses are in one order, so a row is kept where it is the next guess.
            if held.next_if_eq(&guess).is_none() {
                sqlx::query(DROP_GUESS)
                    .bind(*sequence)
                    .execute(tx.conn())
                    .await
                    .map_err(failed)?;
            }
        }
        for (at, lane) in held {
            sqlx::query(ADD_GUESS)
                .bind(self.key.tenant.as_str())
                .bind(self.key.subject.as_str())
                .bind(self.key.class.name())
                .bind(lane.name())
                .bind(at.as_millis())
                .execute(tx.conn())
                .await
                .map_err(failed)?;
        }
        let [strikes_public, strikes_known] = self.budget.strikes;
        let [paused_public, paused_known] = self.budget.paused_until;
        sqlx::query(PUT)
            .bind(self.key.tenant.as_str())
            .bind(self.key.subject.as_str())
            .bind(self.key.class.name())
            .bind(self.key.subject.user_id())
            .bind(i64::from(self.budget.consecutive))
            .bind(i64::from(strikes_public))
            .bind(i64::from(strikes_known))
            .bind(paused_public.map(Timestamp::as_millis))
            .bind(paused_known.map(Timestamp::as_millis))
            .bind(i64::from(self.budget.disabled == Disabled::Yes))
            .execute(tx.conn())
            .await
            .map_err(failed)?;
        Ok(())
    }
}

fn read(row: &Fields<'_>) -> Result<Budget, StoreError> {
    Ok(Budget {
        guesses: Vec::new(),
        consecutive: row.count("consecutive")?,
        strikes: [row.count("strikes_public")?, row.count("strikes_known")?],
        paused_until: [
            row.opt_time("paused_public_until")?,
            row.opt_time("paused_known_until")?,
        ],
        disabled: match row.int("disabled")? {
            0 => Disabled::No,
            1 => Disabled::Yes,
            _ => return Err(corrupt("disabled")),
        },
    })
}

struct Look(BudgetKey, BudgetRules);

impl Intent for Look {
    type Answer = BudgetReading;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<BudgetReading, StoreError> {
        let Self(key, rules) = self;
        let now = tx.now()?;
        let Loaded { budget, .. } = Loaded::load(tx, key.clone()).await?;
        Ok(BudgetReading {
            public: budget.look(rules, Lane::Public, now).err(),
            known_device: budget.look(rules, Lane::KnownDevice, now).err(),
            budget,
        })
    }
}

/// What an operator does to a budget.
struct Turn {
    key: BudgetKey,
    change: fn(&mut Budget),
    event: Event,
}

impl Intent for Turn {
    type Answer = ();

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let mut loaded = Loaded::load(tx, self.key.clone()).await?;
        (self.change)(&mut loaded.budget);
        loaded.save(tx).await?;
        audit::write(tx, &self.event).await
    }
}

#[async_trait]
impl BudgetStore for SqliteStore {
    async fn budget(
        &self,
        key: &BudgetKey,
        rules: &BudgetRules,
    ) -> Result<BudgetReading, StoreError> {
        self.read(Look(key.clone(), rules.clone())).await
    }

    async fn unlock(&self, key: &BudgetKey, event: Event) -> Result<(), StoreError> {
        let (key, change) = (key.clone(), Budget::unlock as fn(&mut Budget));
        self.write(Turn { key, change, event }).await
    }

    async fn disable(&self, key: &BudgetKey, event: Event) -> Result<(), StoreError> {
        let (key, change) = (key.clone(), Budget::disable as fn(&mut Budget));
        self.write(Turn { key, change, event }).await
    }
}
