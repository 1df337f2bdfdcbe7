//! Guess budgets as rows. The rules are [`Budget`]'s; here is only what it holds.

use otp_core::challenge::{Challenge, Lane};
use otp_core::clock::Timestamp;
use otp_core::event::Event;
use otp_core::quota::{Budget, BudgetRules, Disabled};
use otp_core::store::{BudgetKey, BudgetReading, StoreError};

use super::{Intent, Locks, Row, Tx, audit, corrupt};

const COUNTERS: &str = "SELECT consecutive, strikes_public, strikes_known, paused_public_until,
        paused_known_until, disabled
    FROM guess_budgets WHERE tenant = ? AND subject_key = ? AND factor_class = ?";

const GUESSES: &str = "SELECT sequence, guessed_at, lane FROM guess_log
    WHERE tenant = ? AND subject_key = ? AND factor_class = ? ORDER BY sequence";

const ADD_GUESS: &str =
    "INSERT INTO guess_log (tenant, subject_key, factor_class, lane, guessed_at)
    VALUES (?, ?, ?, ?, ?)";

const DROP_GUESS: &str = "DELETE FROM guess_log WHERE sequence = ?";

/// A budget and the rows that its guesses are in.
pub(crate) struct Loaded {
    key: BudgetKey,
    /// What the pure rules look at and change.
    pub(crate) budget: Budget,
    rows: Vec<(i64, (Timestamp, Lane))>,
}

/// Names the budget that a challenge's guesses count in.
pub(crate) fn key_of(challenge: &Challenge) -> BudgetKey {
    BudgetKey {
        tenant: challenge.tenant.clone(),
        subject: challenge.subject.clone(),
        class: challenge.class,
    }
}

impl Loaded {
    /// Reads a budget; one that was never used is empty.
    pub(crate) async fn load(tx: &mut Tx<'_>, key: BudgetKey) -> Result<Self, StoreError> {
        let counters = tx
            .row(
                COUNTERS,
                &[
                    key.tenant.as_str().into(),
                    key.subject.as_str().into(),
                    key.class.name().into(),
                ],
            )
            .await?;
        let mut budget = match &counters {
            Some(row) => read(row)?,
            None => Budget::default(),
        };
        let guesses = tx
            .rows(
                GUESSES,
                &[
                    key.tenant.as_str().into(),
                    key.subject.as_str().into(),
                    key.class.name().into(),
                ],
            )
            .await?;
        let mut rows = Vec::with_capacity(guesses.len());
        for row in &guesses {
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
    pub(crate) async fn save(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let mut held = self.budget.guesses.iter().peekable();
        for (sequence, guess) in &self.rows {
            // Rows and guesses are in one order, so a row is kept where it is the next guess.
            if held.next_if_eq(&guess).is_none() {
                tx.execute(DROP_GUESS, &[(*sequence).into()]).await?;
            }
        }
        for (at, lane) in held {
            tx.execute(
                ADD_GUESS,
                &[
                    self.key.tenant.as_str().into(),
                    self.key.subject.as_str().into(),
                    self.key.class.name().into(),
                    lane.name().into(),
                    (*at).into(),
                ],
            )
            .await?;
        }
        let [strikes_public, strikes_known] = self.budget.strikes;
        let [paused_public, paused_known] = self.budget.paused_until;
        tx.execute(
            tx.dialect().put_budget,
            &[
                self.key.tenant.as_str().into(),
                self.key.subject.as_str().into(),
                self.key.class.name().into(),
                self.key.subject.user_id().into(),
                self.budget.consecutive.into(),
                strikes_public.into(),
                strikes_known.into(),
                paused_public.into(),
                paused_known.into(),
                (self.budget.disabled == Disabled::Yes).into(),
            ],
        )
        .await?;
        Ok(())
    }
}

fn read(row: &Row) -> Result<Budget, StoreError> {
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

/// Reads a budget and what it would say.
pub(crate) struct LookAtBudget(pub(crate) BudgetKey, pub(crate) BudgetRules);

impl Intent for LookAtBudget {
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
pub(crate) struct TurnBudget {
    pub(crate) key: BudgetKey,
    pub(crate) change: fn(&mut Budget),
    pub(crate) event: Event,
}

impl Intent for TurnBudget {
    type Answer = ();

    fn locks(&self) -> Locks {
        Locks::default().subject(self.key.subject.shard())
    }

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let mut loaded = Loaded::load(tx, self.key.clone()).await?;
        (self.change)(&mut loaded.budget);
        loaded.save(tx).await?;
        audit::write(tx, &self.event).await
    }
}

/// Counts guesses that were reserved elsewhere.
pub(crate) struct CarryOver {
    pub(crate) key: BudgetKey,
    pub(crate) lane: Lane,
    pub(crate) guesses: u32,
    pub(crate) event: Event,
}

impl Intent for CarryOver {
    type Answer = ();

    fn locks(&self) -> Locks {
        Locks::default().subject(self.key.subject.shard())
    }

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let now = tx.now()?;
        let mut loaded = Loaded::load(tx, self.key.clone()).await?;
        loaded.budget.carry_over(self.lane, self.guesses, now);
        loaded.save(tx).await?;
        audit::write(tx, &self.event).await
    }
}
