/// How many webhooks came, by what became of them, since the counting began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WebhookCounts {
    /// Those whose signature was right, repeated ones included.
    pub believed: u64,
    /// Those whose signature was wrong or missing.
    pub refused: u64,
    /// Of the believed ones, those that were seen before.
    pub repeated: u64,
}
