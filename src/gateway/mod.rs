//! The way in and the way out: listeners, the guard, the faces behind the ports, the admin API, the functions' network.

pub mod admin;
pub mod api;
pub mod asked;
pub mod aws;
mod eager;
mod ending;
pub mod firebase;
pub mod functions;
pub mod guard;
pub mod hosting;
pub mod hub;
pub mod listener;
pub mod network;
mod operation;
mod origin;
mod seen;
pub mod state;

pub use admin::Admin;
pub use api::Api;
pub use aws::AwsFace;
pub use firebase::FirebaseFace;
pub use functions::FunctionsFace;
pub use hosting::Hosting;
pub use hub::Hub;
pub use listener::{Bound, Face, bind, serve};
pub use network::{Endpoint, Endpoints, Names, Network, Other};
pub use origin::Origin;
