//! The messages of `google.firestore.v1`, in the binary form of protocol buffers and in their JSON form.
//!
//! What the API calls a `oneof` is here a field for each of its cases, of which one is there: on the wire that is the same. Where a client
//! sends more than one, the first that is looked at counts.

mod listen;
mod message;
mod names;
mod pipeline;
mod query;
mod request;
mod value;

pub use listen::*;
pub use message::*;
pub use names::*;
pub use pipeline::*;
pub use query::*;
pub use request::*;
pub use value::*;

use crate::wire::firebase::rpc::is_default;
pub use crate::wire::firebase::rpc::text;
