//! Routers and extractors of otp-kit that a host mounts on axum.
//!
//! This crate only translates between HTTP and the library: what is allowed, counted and recorded
//! is decided by the verifier.
#![cfg_attr(docsrs, feature(doc_cfg))]
