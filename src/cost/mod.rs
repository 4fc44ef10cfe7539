//! Cost: what the work of a function, a route or a month would cost at each provider. Pure: counted work × price books → bills.
//!
//! What was counted is priced exactly, in integers. The time of functions is an estimate and stays a range from the least to the most, with
//! its assumptions said beside it.

mod bill;
mod book;
pub mod budget;
mod compute;
mod list;
mod measure;
mod money;
mod provider;
pub mod report;
mod sheet;
mod table;
pub mod waste;
mod work;

#[cfg(test)]
mod examples;
#[cfg(test)]
mod tests;

pub use bill::{Bill, Line, Missing, Terms, price};
pub use book::{Allowance, Book, Error, Item, Tier};
pub use compute::{Assumptions, ColdStarts, Compute, cold_start_micros, rounds};
pub use list::{COUNT_MAX, count, parse_count, price_list, price_list_json};
pub use measure::{Measure, Time};
pub use money::{Money, NotMoney, Range, money};
pub use provider::{NoProvider, Provider};
pub use sheet::{Date, Every, FILE_BYTES_MAX, Group, Sheet, Unreadable};
pub use work::{Add, Amount, Work, group, sum};
