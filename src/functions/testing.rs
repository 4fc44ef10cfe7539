//! Projects and worlds for tests.

use std::collections::BTreeMap;

use crate::project::{Function, Isolation, Ports, Position, Project, Resources, Runtime, Settings};

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
    Function {
        name: name.to_string(),
        deployed_name: format!("shop-dev-{name}"),
        runtime: Runtime::JavaScript,
        handler: handler.to_string(),
        build: None,
        memory_mib: 128,
        timeout_ms: 3_000,
        environment: BTreeMap::new(),
        events: vec![],
        retries_max: 2,
        event_age_max_s: 21_600,
        on_failure: None,
        dead_letters: None,
        on_success: None,
        concurrency_max: None,
        firebase: None,
        at: Position::default(),
    }
}
