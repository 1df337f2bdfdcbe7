//! The boxes, and what is said of them.

use std::collections::BTreeMap;

macro_rules! boxes {
    ($($(#[doc = $doc:literal])+ $name:ident: $part:literal, $word:literal;)+) => {
        /// A box of the checklist.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(super) enum Box {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Box {
            pub(super) const ALL: [Self; [$($word),+].len()] = [$(Self::$name),+];

            pub(super) const fn name(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }

            pub(super) const fn part(self) -> &'static str {
                match self { $(Self::$name => $part,)+ }
            }
        }
    };
}

boxes! {
    /// SMS codes are made and leave.
    Sms: "functional", "sms";
    /// Mails with links are made and leave.
    Link: "functional", "link";
    /// What is right is taken.
    Valid: "functional", "valid";
    /// What is wrong or over is not.
    Invalid: "functional", "invalid";
    /// People and addresses are limited.
    Limits: "functional", "limits";
    /// All of it is on record.
    Audit: "functional", "audit";
    /// No code and no token is in a log or a metric.
    Secrets: "security", "secrets";
    /// Codes are hashed as they should be.
    Hashing: "security", "hashing";
    /// Keys were rotated.
    Keys: "security", "keys";
    /// Whoever attacks is kept out.
    Blocklist: "security", "blocklist";
    /// Whoever is concerned was told.
    Notified: "security", "notified";
    /// Starts are fast.
    IssueLatency: "performance", "issue_latency";
    /// Checks are fast.
    VerifyLatency: "performance", "verify_latency";
    /// The pools have room.
    Pool: "performance", "pool";
    /// Providers are fast.
    ProviderLatency: "performance", "provider_latency";
    /// There are metrics.
    Metrics: "performance", "metrics";
    /// The alerts are loaded.
    Alerts: "monitoring", "alerts";
    /// The dashboard moves with what happens.
    Dashboards: "monitoring", "dashboards";
    /// The records can be exported, whole.
    Export: "monitoring", "export";
    /// The metrics of limits move with what happens.
    LimitMetrics: "monitoring", "limit_metrics";
}

/// What is said of a box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It holds.
    Yes(String),
    /// It does not.
    No(String),
    /// A person must look: the server cannot know.
    Look(String),
}

impl Answer {
    pub(super) fn of(holds: bool, why: impl Into<String>) -> Self {
        let why = why.into();
        if holds { Self::Yes(why) } else { Self::No(why) }
    }

    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Yes(_) => "yes",
            Self::No(_) => "no",
            Self::Look(_) => "look",
        }
    }

    pub(super) fn why(&self) -> &str {
        match self {
            Self::Yes(why) | Self::No(why) | Self::Look(why) => why,
        }
    }
}

/// All boxes with their answers; one without is not answered.
#[derive(Debug, Default)]
pub(super) struct Sheet(BTreeMap<Box, Answer>);

impl Sheet {
    pub(super) fn put(&mut self, name: Box, answer: Answer) {
        self.0.insert(name, answer);
    }

    pub(super) fn answer(&self, name: Box) -> Answer {
        let answer = self.0.get(&name).cloned();
        answer.unwrap_or_else(|| Answer::No("nothing answers it".to_owned()))
    }

    /// Takes a person's word for boxes that only a person can answer; a no stays one.
    pub(super) fn confirm(&mut self, seen: &[String]) {
        for (name, answer) in &mut self.0 {
            if let Answer::Look(why) = answer
                && seen.iter().any(|seen| seen == name.name())
            {
                *answer = Answer::Yes(format!("you looked: {why}"));
            }
        }
    }

    /// Says which boxes keep the incident open; `None` where every one holds.
    pub(super) fn open(&self) -> Option<String> {
        let (mut wrong, mut unseen) = (0_usize, Vec::new());
        for name in Box::ALL {
            match self.answer(name) {
                Answer::Yes(_) => {}
                Answer::No(_) => wrong = wrong.saturating_add(1),
                Answer::Look(_) => unseen.push(name.name()),
            }
        }
        let of_all = format!("of {} boxes", Box::ALL.len());
        let look = format!("for somebody to look: --seen {}", unseen.join(","));
        match (wrong, unseen.len()) {
            (0, 0) => None,
            (0, waiting) => Some(format!("no box is wrong; {waiting} {of_all} wait {look}")),
            (wrong, 0) => Some(format!("{wrong} {of_all} do not hold")),
            (wrong, waiting) => Some(format!(
                "{wrong} {of_all} do not hold, and {waiting} wait {look}"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, Box, Sheet};

    #[test]
    fn a_persons_word_closes_what_only_a_person_knows_and_never_a_no() {
        let mut sheet = Sheet::default();
        assert_eq!(sheet.open().as_deref(), Some("20 of 20 boxes do not hold"));
        for name in Box::ALL {
            sheet.put(name, Answer::Yes(String::new()));
        }
        sheet.put(Box::Notified, Answer::Look("who?".to_owned()));
        sheet.put(Box::Pool, Answer::No("full".to_owned()));
        assert_eq!(
            sheet.open().as_deref(),
            Some("1 of 20 boxes do not hold, and 1 wait for somebody to look: --seen notified")
        );
        sheet.confirm(&["notified".to_owned(), "pool".to_owned()]);
        assert_eq!(sheet.open().as_deref(), Some("1 of 20 boxes do not hold"));
        assert_eq!(sheet.answer(Box::Pool).word(), "no");
    }
}
