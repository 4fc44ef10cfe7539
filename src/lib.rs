//! emu: a developer's whole serverless cloud on a laptop.
//!
//! The folders are layers, lowest first; each imports only from those below it (`ARCHITECTURE.md` has the table and
//! `tests/layers.rs` compares it with the imports).

pub mod app;
pub mod base;
pub mod cli;
pub mod cost;
pub mod functions;
pub mod gateway;
pub mod project;
pub mod sandbox;
pub mod services;
pub mod store;
pub mod telemetry;
pub mod triggers;
pub mod tui;
pub mod watch;
pub mod wire;
