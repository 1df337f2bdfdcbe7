/// Whether a host asks for a second factor where its own rules say so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecondFactor {
    /// It does. The default, and what every policy says that nothing overrides.
    #[default]
    Required,
    /// It does not, while an override holds; for the hours in which no code can reach anybody.
    Waived,
}
