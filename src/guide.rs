//! The guides of `docs/guide/`, whose examples are compiled and run like those of the code.

macro_rules! guides {
    ($($name:ident: $file:literal,)+) => {$(
        #[doc = include_str!(concat!("../docs/guide/", $file))]
        pub mod $name {}
    )+};
}

guides! {
    audit: "audit.md",
    axum: "axum.md",
    channels: "channels.md",
    failover: "failover.md",
    first_hour: "first-hour.md",
    incident_handbook: "incident-handbook.md",
    keys: "keys.md",
    limits: "limits.md",
    magic_links: "magic-links.md",
    migrating: "migrating.md",
    operator_page: "operator-page.md",
    production_checklist: "production-checklist.md",
    second_factors: "second-factors.md",
    sessions: "sessions.md",
}
