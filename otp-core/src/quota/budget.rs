//! The guess budget of one authenticator: pure, and the same in every engine.

use std::time::Duration;

use thiserror::Error;

use crate::challenge::Lane;
use crate::clock::Timestamp;

/// At most so many compared guesses in any window of this length, kept apart by lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BudgetWindow {
    /// Guesses from anywhere.
    pub public: u32,
    /// Guesses from devices that the subject has signed in from before.
    pub known_device: u32,
    /// The length of the window; exact wherever it is laid.
    pub window: Duration,
}

impl BudgetWindow {
    fn max(&self, lane: Lane) -> u32 {
        match lane {
            Lane::Public => self.public,
            Lane::KnownDevice => self.known_device,
        }
    }

    /// Gives both lanes together.
    #[must_use]
    pub const fn total(&self) -> u32 {
        self.public.saturating_add(self.known_device)
    }
}

/// The growing pause after a challenge whose guesses were all wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The first pause; each further one doubles.
    pub first: Duration,
    /// The longest pause.
    pub cap: Duration,
}

impl Backoff {
    fn pause(&self, strikes: u32) -> Duration {
        let doublings = strikes.saturating_sub(1).min(31);
        self.first
            .saturating_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX))
            .min(self.cap)
    }
}

/// The rules of a guess budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BudgetRules {
    /// Rolling windows, all of which must have room.
    pub windows: Vec<BudgetWindow>,
    /// The pause after each challenge that wrong guesses used up.
    pub backoff: Backoff,
    /// After so many failures in a row the authenticator is disabled until it is bound anew; no
    /// time gives it back. NIST SP 800-63B section 3.2.2 allows 100 at the most. A fifth of them is
    /// kept for known devices: strangers alone close the public lane, never the owner's.
    pub consecutive_limit: u32,
}

impl BudgetRules {
    /// Codes that were sent: 20 in 24 hours and 60 in 30 days, a fifth of each kept for known
    /// devices; a pause of 30 seconds that doubles up to an hour; 100 in a row.
    #[must_use]
    pub fn out_of_band() -> Self {
        Self {
            windows: vec![
                BudgetWindow {
                    public: 16,
                    known_device: 4,
                    window: DAY,
                },
                BudgetWindow {
                    public: 48,
                    known_device: 12,
                    window: MONTH,
                },
            ],
            backoff: Backoff {
                first: Duration::from_secs(30),
                cap: Duration::from_secs(3_600),
            },
            consecutive_limit: 100,
        }
    }

    /// TOTP: 10 in 24 hours and 25 in 30 days, a fifth of each kept for known devices.
    #[must_use]
    pub fn totp() -> Self {
        Self {
            windows: vec![
                BudgetWindow {
                    public: 8,
                    known_device: 2,
                    window: DAY,
                },
                BudgetWindow {
                    public: 20,
                    known_device: 5,
                    window: MONTH,
                },
            ],
            ..Self::out_of_band()
        }
    }

    /// Bounds the guesses that can be compared in a year, from both lanes together.
    ///
    /// A window of length `w` holds `max` guesses wherever it is laid, and a year is covered by
    /// `ceil(year / w)` of them; the tightest window decides.
    #[must_use]
    pub fn guesses_a_year(&self) -> u64 {
        self.windows
            .iter()
            .map(|window| {
                let length = window.window.as_millis().max(1);
                let windows = YEAR.as_millis().div_ceil(length);
                u64::try_from(windows)
                    .unwrap_or(u64::MAX)
                    .saturating_mul(u64::from(window.total()))
            })
            .min()
            .unwrap_or(u64::MAX)
    }

    /// Gives the run of failures at which a lane closes.
    #[must_use]
    pub const fn run_of(&self, lane: Lane) -> u32 {
        match lane {
            Lane::Public => self.consecutive_limit - self.consecutive_limit / 5,
            Lane::KnownDevice => self.consecutive_limit,
        }
    }

    /// Gives the longest window: what is older is forgotten.
    #[must_use]
    pub fn memory(&self) -> Duration {
        self.windows
            .iter()
            .map(|window| window.window)
            .max()
            .unwrap_or_default()
    }
}

const DAY: Duration = Duration::from_secs(86_400);
const MONTH: Duration = Duration::from_secs(30 * 86_400);
const YEAR: Duration = Duration::from_secs(365 * 86_400);

/// What a store keeps of one authenticator's guesses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// Reserved guesses and when, oldest first; successes are taken out again.
    pub guesses: Vec<(Timestamp, Lane)>,
    /// Failures since the last success, over both lanes.
    pub consecutive: u32,
    /// Challenges that wrong guesses used up since the lane's last success: public, known device.
    pub strikes: [u32; 2],
    /// When each lane's pause ends: public, known device.
    pub paused_until: [Option<Timestamp>; 2],
    /// Whether the authenticator must be bound anew.
    pub disabled: Disabled,
}

/// Whether an authenticator may be used at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Disabled {
    /// It may.
    #[default]
    No,
    /// Too many failures in a row, or an operator, closed it; only binding it anew opens it.
    Yes,
}

/// Why no guess is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BudgetRefusal {
    /// The lane pauses, or a window is full.
    #[error("locked for a time")]
    Locked {
        /// When the lane takes a guess again, at the earliest.
        until: Timestamp,
    },
    /// The authenticator is disabled until it is bound anew.
    #[error("disabled until bound anew")]
    Disabled,
}

fn slot<T>(pair: &mut [T; 2], lane: Lane) -> &mut T {
    let [public, known] = pair;
    match lane {
        Lane::Public => public,
        Lane::KnownDevice => known,
    }
}

fn read<T: Copy>(pair: [T; 2], lane: Lane) -> T {
    let [public, known] = pair;
    match lane {
        Lane::Public => public,
        Lane::KnownDevice => known,
    }
}

impl Budget {
    /// Says whether a lane takes a guess now, and changes nothing.
    ///
    /// # Errors
    /// [`BudgetRefusal`] with the time at which it will, where time helps.
    pub fn look(
        &self,
        rules: &BudgetRules,
        lane: Lane,
        now: Timestamp,
    ) -> Result<(), BudgetRefusal> {
        if self.disabled == Disabled::Yes || self.consecutive >= rules.run_of(lane) {
            return Err(BudgetRefusal::Disabled);
        }
        let paused = read(self.paused_until, lane).filter(|until| now < *until);
        let full = rules
            .windows
            .iter()
            .filter_map(|window| self.window_frees_at(window, lane, now))
            .max();
        match paused.max(full) {
            Some(until) => Err(BudgetRefusal::Locked { until }),
            None => Ok(()),
        }
    }

    /// Reserves one guess before it is compared.
    ///
    /// # Errors
    /// [`BudgetRefusal`]; then nothing was reserved.
    pub fn reserve(
        &mut self,
        rules: &BudgetRules,
        lane: Lane,
        now: Timestamp,
    ) -> Result<(), BudgetRefusal> {
        self.look(rules, lane, now)?;
        let forget = now.saturating_sub(rules.memory());
        self.guesses.retain(|(at, _)| *at > forget);
        self.guesses.push((now, lane));
        self.consecutive = self.consecutive.saturating_add(1);
        Ok(())
    }

    /// Records a success: its own guess is given back, the run of failures and the lane's strikes
    /// end. Every other guess stays counted: a success refills nothing.
    pub fn succeed(&mut self, lane: Lane) {
        let own = self.guesses.iter().rposition(|(_, used)| *used == lane);
        if let Some(own) = own {
            self.guesses.remove(own);
        }
        self.consecutive = 0;
        *slot(&mut self.strikes, lane) = 0;
        *slot(&mut self.paused_until, lane) = None;
    }

    /// Records that wrong guesses used a challenge up: the lane pauses, each time longer.
    pub fn strike(&mut self, rules: &BudgetRules, lane: Lane, now: Timestamp) {
        let strikes = slot(&mut self.strikes, lane);
        *strikes = strikes.saturating_add(1);
        let until = now.saturating_add(rules.backoff.pause(*strikes));
        *slot(&mut self.paused_until, lane) = Some(until);
    }

    /// Opens both lanes for the person whom an operator has identified: guesses, strikes, pauses
    /// and disablement are forgotten.
    pub fn unlock(&mut self) {
        *self = Self::default();
    }

    /// Closes the authenticator until it is bound anew.
    pub fn disable(&mut self) {
        self.disabled = Disabled::Yes;
    }

    /// Counts guesses that were reserved elsewhere, as made now; at most
    /// [`MOST_CARRIED`](Self::MOST_CARRIED) of them.
    pub fn carry_over(&mut self, lane: Lane, guesses: u32, now: Timestamp) {
        let guesses = guesses.min(Self::MOST_CARRIED);
        self.guesses.extend((0..guesses).map(|_| (now, lane)));
        self.consecutive = self.consecutive.saturating_add(guesses);
    }

    /// How many guesses are carried over at once: more than any limit takes.
    pub const MOST_CARRIED: u32 = 1_000;

    fn window_frees_at(
        &self,
        window: &BudgetWindow,
        lane: Lane,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let max = usize::try_from(window.max(lane)).unwrap_or(usize::MAX);
        let since = now.saturating_sub(window.window);
        let held: Vec<Timestamp> = self
            .guesses
            .iter()
            .filter(|(at, used)| *used == lane && *at > since)
            .map(|(at, _)| *at)
            .collect();
        let over = held.len().checked_sub(max)?;
        let frees = held.get(over).or(held.last()).copied().unwrap_or(now);
        Some(frees.saturating_add(window.window))
    }
}

#[cfg(test)]
mod tests;
