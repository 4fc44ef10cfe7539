//! A Firebase project's services: which there are, on which ports, and who is told where they are.

pub mod environment;
mod locator;

use std::sync::Arc;

use crate::gateway::{FirebaseFace, Origin, Other};
use crate::project::{Firebase, Port, Project};
use crate::wire::firebase::{Wire, auth};
pub(super) use locator::Locator;

use super::Addresses;

/// A service of Firebase that is built.
struct Slot {
    port: Port,
    /// What the cloud calls it: requests of functions to these are answered here.
    hosts: &'static [&'static str],
    /// Whether a project has it.
    has: fn(&Firebase) -> bool,
    make: fn(&Making<'_>) -> Arc<dyn Wire>,
}

/// What a service is made of.
pub(super) struct Making<'a> {
    pub(super) project_id: &'a str,
    pub(super) addresses: &'a Addresses,
}

/// All there are: a line each.
const SLOTS: &[Slot] = &[Slot {
    port: Port::Auth,
    hosts: &["identitytoolkit.googleapis.com", "securetoken.googleapis.com"],
    has: |_| true,
    make: |making| Arc::new(auth::Auth::new(making.project_id)),
}];

/// The ports of a project's Firebase services.
pub(super) fn ports(project: &Project) -> impl Iterator<Item = Port> {
    let slots = project.firebase.iter().flat_map(|firebase| SLOTS.iter().filter(|slot| (slot.has)(firebase)));
    slots.map(|slot| slot.port)
}

/// A service, and the port that it answers on.
pub(super) struct Made {
    pub(super) port: Port,
    hosts: &'static [&'static str],
    pub(super) face: Arc<FirebaseFace>,
}

impl Made {
    /// How functions reach it.
    pub(super) fn inside(&self, addresses: &Addresses) -> Other {
        Other { port: addresses.number(self.port), hosts: self.hosts, endpoint: self.face.clone() }
    }
}

/// Makes the services whose ports are open.
pub(super) fn make(making: &Making<'_>, origin: &Origin) -> Vec<Made> {
    let open = SLOTS.iter().filter(|slot| making.addresses.get(slot.port).is_some());
    let made = open.map(|slot| {
        let face = FirebaseFace { name: slot.port.name(), wire: (slot.make)(making), origin: origin.clone() };
        Made { port: slot.port, hosts: slot.hosts, face: Arc::new(face) }
    });
    made.collect()
}
