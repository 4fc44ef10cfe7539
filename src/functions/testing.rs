//! Projects and worlds for tests.

use crate::project::{Function, Isolation, Ports, Project, Resources, Settings};

pub(crate) fn project() -> Project {
    Project {
        root: "/project".into(),
        file: "/project/serverless.yaml".into(),
        sources: vec![],
        service: "shop".into(),
        stage: "dev".into(),
        region: "eu-central-1".into(),
        functions: vec![],
        resources: Resources::default(),
        http_api_cors: None,
        firebase: None,
        settings: Settings {
            ports: Ports::default(),
            isolation: Isolation::Fresh,
            allow: vec![],
            import: None,
            seed: vec![],
            retry_delays_ms: vec![60_000, 120_000],
            state: None,
            watch_ignore: vec![],
            journal: Default::default(),
            budgets: Vec::new(),
        },
    }
}

pub(crate) fn function(name: &str, handler: &str) -> Function {
    Function { memory_mib: 128, timeout_ms: 3_000, ..Function::new(name, format!("shop-dev-{name}"), handler) }
}
