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
    first_hour: "first-hour.md",
    incident_handbook: "incident-handbook.md",
    keys: "keys.md",
    magic_links: "magic-links.md",
    operator_page: "operator-page.md",
    production_checklist: "production-checklist.md",
    second_factors: "second-factors.md",
    sessions: "sessions.md",
}
