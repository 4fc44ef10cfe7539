//! The dashboard: what a developer looks at all day. It applies records and sends commands; it never touches a service.
//!
//! - [`State`] holds what is known, bounded, and decides what keys do; it does no I/O.
//! - `input` is the one table of keys, which the help is made of too.
//! - `view/` draws a state, one file a screen.
//! - [`run`] owns the terminal, and wakes only for records, keys and what moves.

mod billing;
mod command;
mod editor;
mod input;
mod money;
mod run;
#[cfg(test)]
pub mod sample;
mod screen;
mod state;
#[cfg(test)]
mod tests;
mod text;
mod view;
pub mod waterfall;

pub use billing::{Billed, Billing, compute};
pub use command::{Command, Counts, Document, Message, Row, Rows, Shelf, ShelfId, Uses};
pub use money::{Money, NoPrices, Prices, Provider};
pub use run::{Ended, Sources, run};
pub use screen::restore;
pub use state::{About, Effect, Screen, State, Sum, Tally};
