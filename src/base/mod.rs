//! What every layer speaks of: time, identifiers, who asks, and what it used; and what several layers read alike. Imports nothing of the project.

pub(crate) mod base64;
pub mod call;
pub mod clock;
pub mod era;
pub mod id;
pub mod message;
pub mod number;
pub mod re2;
pub mod usage;

pub use call::{Call, Caller, Cause, DEPTH_MAX, TraceId};
pub use clock::{Clock, Napper, Standing, Time};
pub use era::{Era, Eras};
pub use id::Ids;
pub use usage::{Meter, Unit, Usage};
