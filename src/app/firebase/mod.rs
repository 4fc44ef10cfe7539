//! A Firebase project's services: which there are, on which ports, and who is told where they are.

mod codebases;
pub mod environment;
mod inbox;
mod indexes;
mod locator;
pub mod outside;
mod push;

use std::sync::Arc;

use crate::base::{Clock, Ids};
use crate::functions::Functions;
use crate::gateway::hosting::Start;
use crate::gateway::{Endpoint, Face, FirebaseFace, FunctionsFace, Hosting, Names, Origin, Other};
use crate::project::{Firebase, Port, Project};
use crate::services::Services;
use crate::triggers::Triggers;
use crate::wire::firebase::{Wire, auth, firestore, messaging, pubsub, storage, tasks};
use crate::wire::http::Recorder;
pub(super) use codebases::with_functions;
pub(super) use inbox::tell_of_codes;
pub(super) use indexes::declare as declare_indexes;
pub(super) use locator::Locator;
pub(super) use push::Pusher;

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
    /// The buckets that it has without anybody making them.
    pub(super) buckets: Vec<String>,
    pub(super) services: &'a Services,
    pub(super) ids: &'a Ids,
    pub(super) clock: &'a Clock,
    pub(super) addresses: &'a Addresses,
    pub(super) hosting: Arc<Hosting>,
    pub(super) functions: &'a Functions,
    pub(super) triggers: &'a Triggers,
    /// Keeps records of what comes on streams.
    pub(super) recorder: Arc<dyn Recorder>,
}

/// The sites of a project, and what its pages are told.
pub(super) fn hosting(project: &Project, firebase: &Firebase, addresses: &Addresses, functions: &Functions) -> Arc<Hosting> {
    let start = Start { config: environment::config(firebase), defaults: environment::defaults(firebase, addresses) };
    Arc::new(Hosting::new(project.root.clone(), &firebase.sites, start).with_functions(functions.clone()))
}

/// The buckets that a project has from the beginning: its own, by both names that it may have, and those that it has rules for.
pub(super) fn buckets(firebase: &Firebase) -> Vec<String> {
    let id = &firebase.project_id;
    let mut all = vec![firebase.bucket(), format!("{id}.appspot.com"), format!("{id}.firebasestorage.app")];
    all.extend(firebase.buckets.iter().filter_map(|bucket| bucket.name.clone()));
    all.sort();
    all.dedup();
    all
}

/// All there are: a line each.
const SLOTS: &[Slot] = &[
    Slot {
        port: Port::Auth,
        hosts: &["identitytoolkit.googleapis.com", "securetoken.googleapis.com"],
        has: |_| true,
        make: |making| Arc::new(auth::Auth::new(making.services.auth.clone(), making.ids.clone(), making.project_id)),
    },
    Slot {
        port: Port::Firestore,
        hosts: &["firestore.googleapis.com"],
        has: |_| true,
        make: |making| {
            let documents = making.services.documents.clone();
            Arc::new(firestore::Firestore::new(documents, making.ids.clone(), making.recorder.clone()))
        },
    },
    Slot {
        port: Port::Pubsub,
        hosts: &["pubsub.googleapis.com"],
        has: |_| true,
        make: |making| Arc::new(pubsub::PubsubWire::new(making.services.pubsub.clone())),
    },
    Slot {
        port: Port::Storage,
        hosts: &["storage.googleapis.com", "firebasestorage.googleapis.com"],
        has: |_| true,
        make: |making| Arc::new(storage::Storage::new(making.services.objects.clone(), making.ids.clone(), making.buckets.iter().cloned())),
    },
    Slot {
        port: Port::Tasks,
        hosts: &["cloudtasks.googleapis.com"],
        has: |firebase| !firebase.codebases.is_empty(),
        make: |making| Arc::new(tasks::Tasks::new(Arc::new(making.triggers.clone()), making.clock.clone())),
    },
    Slot {
        port: Port::Messaging,
        hosts: &["fcm.googleapis.com", "iid.googleapis.com", "metadata.google.internal", "169.254.169.254", "oauth2.googleapis.com"],
        has: |_| true,
        make: |making| {
            let clock = making.clock.clone();
            Arc::new(messaging::Messaging::new(making.services.pushes.clone(), making.project_id, clock))
        },
    },
    Slot { port: Port::Hosting, hosts: &[], has: |firebase| !firebase.sites.is_empty(), make: |making| making.hosting.clone() },
];

/// The ports of a project's Firebase services.
pub(super) fn ports(project: &Project) -> impl Iterator<Item = Port> {
    let slots = project.firebase.iter().flat_map(|firebase| SLOTS.iter().filter(|slot| (slot.has)(firebase)));
    let has_functions = project.firebase.as_ref().is_some_and(|firebase| !firebase.codebases.is_empty());
    slots.map(|slot| slot.port).chain(has_functions.then_some(Port::Functions))
}

/// A service, and the port that it answers on.
pub(super) struct Made {
    pub(super) port: Port,
    names: Names,
    pub(super) face: Arc<dyn Face>,
    inside: Arc<dyn Endpoint>,
}

impl Made {
    /// How functions reach it.
    pub(super) fn inside(&self, addresses: &Addresses) -> Other {
        Other { port: addresses.number(self.port), names: self.names.clone(), endpoint: self.inside.clone() }
    }
}

/// Makes the services whose ports are open.
pub(super) fn make(making: &Making<'_>, origin: &Origin) -> Vec<Made> {
    let open = SLOTS.iter().filter(|slot| making.addresses.get(slot.port).is_some());
    let made = open.map(|slot| {
        let face = Arc::new(FirebaseFace { name: slot.port.name(), wire: (slot.make)(making), origin: origin.clone() });
        Made { port: slot.port, names: Names::These(slot.hosts), face: face.clone(), inside: face }
    });
    // No wire: what it speaks is the functions' own.
    let functions = making.addresses.get(Port::Functions).map(|_| {
        let face = Arc::new(FunctionsFace { functions: making.functions.clone(), origin: origin.clone() });
        let names = Names::Functions { project_id: making.project_id.to_owned() };
        Made { port: Port::Functions, names, face: face.clone(), inside: face }
    });
    made.chain(functions).collect()
}
