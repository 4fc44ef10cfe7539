//! Which ports are opened, and where they were found.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::anyhow;

use super::{Options, firebase, url};
use crate::gateway::{self, Bound};
use crate::project::{Port, Project};

/// Where the faces answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses(BTreeMap<Port, SocketAddr>);

impl Addresses {
    /// Where a face answers, if its port is open. HTTP, AWS and admin always are.
    pub fn get(&self, port: Port) -> Option<SocketAddr> {
        self.0.get(&port).copied()
    }

    /// The face's URL; empty where its port is not open.
    pub fn url(&self, port: Port) -> String {
        self.get(port).map(url).unwrap_or_default()
    }

    /// The face's number; 0 where its port is not open.
    pub fn number(&self, port: Port) -> u16 {
        self.get(port).map_or(0, |address| address.port())
    }

    /// All that are open, in the order in which they are shown.
    pub fn iter(&self) -> impl Iterator<Item = (Port, SocketAddr)> + '_ {
        self.0.iter().map(|(port, address)| (*port, *address))
    }
}

/// Ports that are ours.
pub(super) struct Listeners(BTreeMap<Port, Bound>);

impl Listeners {
    /// Opens those that every project has, and those of its Firebase services.
    pub(super) async fn open(options: &Options, project: &Project) -> anyhow::Result<Listeners> {
        let mut open = BTreeMap::new();
        let common = [Port::Http, Port::Aws, Port::Admin];
        for port in common.into_iter().chain(firebase::ports(project)) {
            open.insert(port, bind(options, project, port).await?);
        }
        Ok(Listeners(open))
    }

    pub(super) fn addresses(&self) -> Addresses {
        Addresses(self.0.iter().map(|(port, bound)| (*port, bound.address)).collect())
    }

    /// What should be said of ports that were taken.
    pub(super) fn notes(&self) -> Vec<String> {
        let moved = self.0.iter().filter_map(|(port, bound)| Some((port.name(), bound.instead_of?, bound.address.port())));
        moved.map(|(name, port, now)| format!("port {port} is taken, so `{name}` listens on {now}")).collect()
    }

    /// Gives away a port, for somebody to serve.
    pub(super) fn take(&mut self, port: Port) -> Option<Bound> {
        self.0.remove(&port)
    }
}

/// The ports that a start of a project listens on where nobody asks for others.
pub fn usual_ports(project: &Project) -> Vec<(Port, u16)> {
    let common = [Port::Http, Port::Aws, Port::Admin];
    common.into_iter().chain(firebase::ports(project)).map(|port| (port, configured(project, port).unwrap_or(port.usual()))).collect()
}

/// The number that a project gives a port.
fn configured(project: &Project, port: Port) -> Option<u16> {
    project.settings.ports.get(&port).or_else(|| project.firebase.as_ref()?.ports.get(&port)).copied()
}

async fn bind(options: &Options, project: &Project, port: Port) -> anyhow::Result<Bound> {
    let usual = || if options.any_ports { 0 } else { configured(project, port).unwrap_or(port.usual()) };
    let number = options.ports.get(&port).copied().unwrap_or_else(usual);
    gateway::bind(options.host, number, options.strict_ports).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            let name = port.name();
            anyhow!("port {number} for `{name}` is taken; end what listens there, or choose another with `--ports {name}=PORT`")
        }
        _ => anyhow!("`{}` cannot listen on {}:{number}: {error}", port.name(), options.host),
    })
}
