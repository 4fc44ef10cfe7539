//! What functions need of the sandbox, as two traits: an engine that loads, and a program that runs. Tests put their own behind them.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;

use crate::sandbox::component;
use crate::sandbox::{Bundle, Digest, Failure, Host, Image, Input, LoadError, Outcome, Sandbox};

/// Makes programs of code.
pub trait Engine: Send + Sync + 'static {
    /// Evaluates a bundle's top level, with `host` as its door.
    fn load(&self, bundle: Bundle, host: Arc<dyn Host>) -> BoxFuture<'static, Result<Arc<dyn Program>, LoadError>>;

    /// Does ahead what a later `load` of the same bundle would have to do first. What is wrong with it is said then.
    fn prepare(&self, bundle: Bundle, host: Arc<dyn Host>) -> BoxFuture<'static, ()>;

    /// Whether that is done, for a bundle with these dependencies.
    fn is_prepared(&self, dependencies: &[Digest]) -> bool;

    /// Compiles a WASI 0.2 component that exports `wasi:http/incoming-handler`.
    fn component(&self, component: Component) -> BoxFuture<'static, Result<Arc<dyn Program>, LoadError>>;
}

/// A component as it is on the disk, and what it may use.
#[derive(Clone, Debug)]
pub struct Component {
    /// The function's name, for messages.
    pub name: String,
    pub bytes: Bytes,
    pub environment: BTreeMap<String, String>,
    pub memory_mib: u32,
}

/// A version of a function that can be run any number of times, also at once.
pub trait Program: Send + Sync + 'static {
    /// Runs it once.
    fn invoke(&self, host: Arc<dyn Host>, input: Input) -> BoxFuture<'static, Outcome>;

    /// Whether it takes requests as they come ([`Program::serve`]) rather than events made of them.
    fn takes_requests(&self) -> bool {
        false
    }

    /// Runs it once on a request. Only for programs that take requests.
    fn serve(&self, _host: Arc<dyn Host>, _request: http::Request<Bytes>, _timeout_ms: u64) -> BoxFuture<'static, Served> {
        let message = "this function takes events, not requests".to_string();
        let served =
            Served { response: Err(Failure::Exited { message }), cold: false, cpu_micros: 0, wall_micros: 0, memory_peak_bytes: 0 };
        Box::pin(std::future::ready(served))
    }

    /// Memory that the version takes while it is not run.
    fn bytes(&self) -> usize;

    /// Forgets what earlier runs have left in it.
    fn forget(&self) {}
}

/// How serving a request went.
#[derive(Debug)]
pub struct Served {
    pub response: Result<http::Response<Bytes>, Failure>,
    pub cold: bool,
    pub cpu_micros: u64,
    pub wall_micros: u64,
    pub memory_peak_bytes: u64,
}

impl Engine for Sandbox {
    fn load(&self, bundle: Bundle, host: Arc<dyn Host>) -> BoxFuture<'static, Result<Arc<dyn Program>, LoadError>> {
        let sandbox = self.clone();
        Box::pin(async move {
            let image: Arc<dyn Program> = Arc::new(sandbox.load(bundle, host).await?);
            Ok(image)
        })
    }

    fn prepare(&self, bundle: Bundle, host: Arc<dyn Host>) -> BoxFuture<'static, ()> {
        let sandbox = self.clone();
        Box::pin(async move { sandbox.prepare(bundle, host).await })
    }

    fn is_prepared(&self, dependencies: &[Digest]) -> bool {
        Sandbox::is_prepared(self, dependencies)
    }

    fn component(&self, component: Component) -> BoxFuture<'static, Result<Arc<dyn Program>, LoadError>> {
        let sandbox = self.clone();
        Box::pin(async move {
            let settings = component::Settings { environment: component.environment, memory_mib: component.memory_mib };
            let component: Arc<dyn Program> = Arc::new(Sandbox::component(&sandbox, component.bytes, settings).await?);
            Ok(component)
        })
    }
}

impl Program for component::Component {
    fn invoke(&self, _host: Arc<dyn Host>, _input: Input) -> BoxFuture<'static, Outcome> {
        let message = "this function is a component, which takes requests, not events".to_string();
        let outcome =
            Outcome { result: Err(Failure::Exited { message }), cold: false, cpu_micros: 0, wall_micros: 0, memory_peak_bytes: 0 };
        Box::pin(std::future::ready(outcome))
    }

    fn takes_requests(&self) -> bool {
        true
    }

    fn serve(&self, host: Arc<dyn Host>, request: http::Request<Bytes>, timeout_ms: u64) -> BoxFuture<'static, Served> {
        let component = self.clone();
        Box::pin(async move {
            let answer = component.invoke(host, request, timeout_ms).await;
            Served {
                response: answer.result,
                cold: true,
                cpu_micros: answer.cpu_micros,
                wall_micros: answer.wall_micros,
                memory_peak_bytes: answer.memory_peak_bytes,
            }
        })
    }

    fn bytes(&self) -> usize {
        component::Component::bytes(self)
    }
}

impl Program for Image {
    fn forget(&self) {
        Image::forget(self);
    }

    fn invoke(&self, host: Arc<dyn Host>, input: Input) -> BoxFuture<'static, Outcome> {
        let image = self.clone();
        Box::pin(async move { image.invoke(host, input).await })
    }

    fn bytes(&self) -> usize {
        Image::bytes(self)
    }
}
